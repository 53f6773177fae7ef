"""Mastery: what a learner × activity cell must keep so that any rule can be judged when it is asked, and the judging.

A fold knows no settings. So it keeps what every rule needs, and a rule that is changed holds at once, for all that has ever happened.
"""

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import TypeAlias

# Thresholds of scores have three decimals: a front has no more steps than there are thousandths.
THOUSANDTHS = 1_000
# Scores that a process remembers in thousandths: the same come again and again.
MOST_REMEMBERED = 4_096
# Of the answers to one activity the earliest and the latest are kept.
EARLIEST_ANSWERS, LATEST_ANSWERS = 400, 20

# Moment in µs and score in thousandths, both rising: when each score was first reached.
Front: TypeAlias = tuple[tuple[int, int], ...]
# Moments in µs, doubled, and one more if the answer was right; rising.
Answers: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class ScoreRule:
    """A scaled score of at least so many thousandths."""

    at_least: int


@dataclass(frozen=True)
class SuccessRule:
    """A success."""


@dataclass(frozen=True)
class AnswersRule:
    """`m` of the last `n` questions answered rightly. n is at most 20."""

    m: int
    n: int


Rule: TypeAlias = ScoreRule | SuccessRule | AnswersRule


@lru_cache(MOST_REMEMBERED)
def thousandths(scaled: float) -> int:
    """A score in whole thousandths, cut off towards minus infinity: it reaches a threshold of three decimals if the score does."""
    return int((Decimal(repr(scaled)) * THOUSANDTHS).to_integral_value(ROUND_FLOOR))


def risen(front: Front, at_us: int, score: int) -> Front:
    """The front with one score more. In whichever order scores come, the same ones make the same front."""
    at = bisect_right(front, (at_us, score))
    covered = (at and front[at - 1][1] >= score) or (at < len(front) and front[at][0] == at_us)
    if covered:
        return front
    end = at
    while end < len(front) and front[end][1] <= score:
        end += 1
    start = at - 1 if at and front[at - 1][0] == at_us else at
    return (*front[:start], (at_us, score), *front[end:])


def answered(answers: Answers, at_us: int, right: bool) -> Answers:
    """The answers with one more; beyond 420 those between the earliest 400 and the latest 20 are dropped."""
    kept = list(answers)
    insort(kept, at_us * 2 + right)
    if len(kept) > EARLIEST_ANSWERS + LATEST_ANSWERS:
        # It can be among neither of them again, whatever comes.
        del kept[EARLIEST_ANSWERS]
    return tuple(kept)


def mastered_us(rule: Rule, front: Front, success_us: int | None, answers: Answers) -> int | None:
    """When a rule was first met, in µs since the epoch by the clocks of the statements; None if never."""
    match rule:
        case ScoreRule(at_least):
            return next((at_us for at_us, score in front if score >= at_least), None)
        case SuccessRule():
            return success_us
        case AnswersRule(m, n):
            first_us = _met_us(answers[:EARLIEST_ANSWERS], m, n)
            return first_us if first_us is not None else _met_us(answers[EARLIEST_ANSWERS:], m, n)


def right_of_last(answers: Answers, n: int) -> int:
    """How many of the last `n` answers are right."""
    return sum(each & 1 for each in answers[-n:])


def _met_us(answers: Sequence[int], m: int, n: int) -> int | None:
    right = 0
    for index, each in enumerate(answers):
        right += each & 1
        if index >= n:
            right -= answers[index - n] & 1
        if right >= m:
            return each >> 1
    return None
