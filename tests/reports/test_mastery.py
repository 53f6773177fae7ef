"""Mastery, judged by what a cell keeps, against all that was ever said."""

import random

from hypothesis import given
from hypothesis import strategies as st

from lrs.reports.mastery import (
    EARLIEST_ANSWERS,
    LATEST_ANSWERS,
    THOUSANDTHS,
    AnswersRule,
    ScoreRule,
    SuccessRule,
    answered,
    mastered_us,
    right_of_last,
    risen,
    thousandths,
)

moments = st.integers(-5, 20)
scores = st.floats(-1, 1) | st.integers(-10, 10).map(lambda tenth: tenth / 10)
thresholds = st.integers(0, THOUSANDTHS)
answers = st.lists(st.tuples(moments, st.booleans()), max_size=40)


@given(st.lists(st.tuples(moments, scores), max_size=20), thresholds)
def test_a_threshold_is_reached_with_the_earliest_score_that_is_not_below_it(said: list[tuple[int, float]], threshold: int) -> None:
    front = ()
    for at_us, scaled in said:
        front = risen(front, at_us, thousandths(scaled))
    reached = [at_us for at_us, scaled in said if scaled >= threshold / THOUSANDTHS]
    assert mastered_us(ScoreRule(threshold), front, None, ()) == min(reached, default=None)


@given(st.lists(st.tuples(moments, scores), max_size=20), st.randoms(use_true_random=False))
def test_a_front_does_not_depend_on_the_order_in_which_scores_come(said: list[tuple[int, float]], chance: random.Random) -> None:
    shuffled = chance.sample(said, len(said))
    fronts = []
    for each in (said, shuffled):
        front = ()
        for at_us, scaled in each:
            front = risen(front, at_us, thousandths(scaled))
        fronts.append(front)
    assert fronts[0] == fronts[1]


@given(st.lists(st.tuples(moments, scores), max_size=60))
def test_a_front_rises_in_time_and_score(said: list[tuple[int, float]]) -> None:
    front = ()
    for at_us, scaled in said:
        front = risen(front, at_us, thousandths(scaled))
    assert all(before[0] < after[0] and before[1] < after[1] for before, after in zip(front, front[1:], strict=False))


@given(answers, st.integers(1, LATEST_ANSWERS), st.data())
def test_m_of_n_is_met_when_m_of_the_last_n_in_the_order_of_time_are_right(
    said: list[tuple[int, bool]], n: int, data: st.DataObject
) -> None:
    m = data.draw(st.integers(1, n))
    kept = ()
    for at_us, right in said:
        kept = answered(kept, at_us, right)
    in_order = sorted(said)
    met = [in_order[at][0] for at in range(len(said)) if sum(right for _, right in in_order[max(0, at + 1 - n):at + 1]) >= m]
    assert mastered_us(AnswersRule(m, n), (), None, kept) == min(met, default=None)
    assert right_of_last(kept, n) == sum(right for _, right in in_order[-n:])


def test_of_many_answers_the_earliest_and_the_latest_are_kept_in_whichever_order_they_come() -> None:
    said = list(range(1000))
    random.Random(7).shuffle(said)
    kept = ()
    for at_us in said:
        kept = answered(kept, at_us, at_us % 3 == 0)
    assert [each >> 1 for each in kept] == [*range(EARLIEST_ANSWERS), *range(1000 - LATEST_ANSWERS, 1000)]


def test_what_is_met_only_by_the_latest_of_many_answers_is_mastered_then() -> None:
    kept = ()
    for at_us in range(1000):
        kept = answered(kept, at_us, at_us >= 990)
    assert mastered_us(AnswersRule(3, 5), (), None, kept) == 992


def test_the_first_answer_may_come_at_the_beginning_of_the_epoch() -> None:
    assert mastered_us(AnswersRule(1, 1), (), None, answered((), 0, True)) == 0


def test_without_anything_said_nothing_is_mastered() -> None:
    for rule in (ScoreRule(0), SuccessRule(), AnswersRule(1, 1)):
        assert mastered_us(rule, (), None, ()) is None
