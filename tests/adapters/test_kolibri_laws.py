"""Laws that hold for any course of calls."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kolibri_desk import A_QUIZ, A_VIDEO, AN_EXERCISE, USER, Desk, folded

from adapters.kolibri.attempts import Attempts
from adapters.kolibri.facts import EXTENSION, Start, Update, facts_of
from adapters.kolibri.schema import SettingsSchema, start_event, update_event
from adapters.kolibri.sessions import started, updated
from adapters.kolibri.summaries import (
    ATTEMPTS,
    CONTENT_SUMMARY,
    MATERIALIZERS,
    SESSION,
    ContentSummary,
    advanced,
    content_key,
)
from adapters.kolibri.translate import Call, duration
from lrs.materialize import fold
from lrs.xapi.json_text import dump, parse
from lrs.xapi.times import duration_s
from lrs.xapi.validate import check_batch

SHARES = st.sampled_from([0, 0.001, 0.1, 0.2, 0.7, 0.9991, 1])
INTEGERS = st.integers(-(2**70), 2**70) | st.sampled_from([2**63 - 1, 2**63, -(2**63) - 1])
NUMBERS = INTEGERS | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text("aé\0$.", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("k.$", max_size=2), inner, max_size=2),
    max_leaves=4,
)
INTERACTIONS = st.fixed_dictionaries(
    {"item": st.sampled_from(["q1", "q2"]), "correct": SHARES, "time_spent": st.sampled_from([0, 1.5, 1e300]),
     "answer": st.dictionaries(st.text("v.", max_size=2), JSON, max_size=2)},
    optional={"complete": st.booleans(), "hinted": st.booleans(), "error": st.booleans(), "replace": st.booleans(),
              "simple_answer": st.text(max_size=3).filter(lambda text: "\0" not in text)},
)
UPDATES = st.fixed_dictionaries({}, optional={
    "progress_delta": SHARES, "time_spent_delta": st.sampled_from([0, 0.1, 7, 1e308]),
    "extra_fields": st.dictionaries(st.text("k.", max_size=2), JSON, max_size=2),
    "interactions": st.lists(INTERACTIONS, max_size=4),
})
STARTS = st.tuples(st.sampled_from([A_VIDEO, AN_EXERCISE, A_QUIZ]), st.booleans(), st.sampled_from([USER, None]))
COURSES = st.lists(st.one_of(STARTS, st.tuples(st.integers(0, 9), UPDATES)), min_size=1, max_size=12)


def desk_after(course: list[Any]) -> tuple[Desk, list[Any]]:
    """A desk that has taken a course of calls, and the outcomes. An update before any start is left out."""
    desk, sessions, outcomes = Desk(), [], []
    for step in course:
        if len(step) == 3:
            body, repeat, user = step
            outcomes.append(desk.start({**body, "repeat": repeat}, user))
            sessions.append(outcomes[-1].place.session)
        elif sessions:
            outcomes.append(desk.update(sessions[step[0] % len(sessions)], step[1]))
    return desk, outcomes


def all_keys(statements: list[Any]) -> Iterator[tuple[Any, str]]:
    """Every materializer with every key that some statement has."""
    for materializer in MATERIALIZERS:
        for key in sorted({key for each in statements for key in materializer.keys(each)}):
            yield materializer, key


@settings(max_examples=60, deadline=None)
@given(COURSES, st.integers(0, 40))
def test_folding_in_any_two_batches_equals_folding_at_once(course: list[Any], cut: int) -> None:
    statements = desk_after(course)[0].statements
    for materializer, key in all_keys(statements):
        saved = materializer.decode(materializer.encode(folded(materializer, key, statements[:cut])))
        rest = [each for each in statements[cut:] if key in materializer.keys(each)]
        at_once = folded(materializer, key, statements)
        assert materializer.encode(fold(materializer, rest, saved)) == materializer.encode(at_once)


@settings(max_examples=60, deadline=None)
@given(COURSES)
def test_statements_that_went_out_as_json_and_came_in_again_give_the_same_summaries(course: list[Any]) -> None:
    statements = desk_after(course)[0].statements
    again = parse(dump(statements)) if statements else []
    for materializer, key in all_keys(statements):
        before, after = (folded(materializer, key, each) for each in (statements, again))
        assert materializer.encode(after) == materializer.encode(before)


@settings(max_examples=60, deadline=None)
@given(COURSES)
def test_all_statements_are_valid_in_both_versions_and_no_two_share_an_id(course: list[Any]) -> None:
    statements = desk_after(course)[0].statements
    check_batch(statements, "1.0.3")
    check_batch(statements, "2.0.0")


@settings(max_examples=60, deadline=None)
@given(COURSES)
def test_what_a_call_answers_is_what_a_rebuild_finds(course: list[Any]) -> None:
    desk = Desk()
    sessions: list[str] = []
    for step in course:
        if len(step) == 3:
            begun = desk.start({**step[0], "repeat": step[1]}, step[2])
            sessions.append(begun.place.session)
            if step[2] is not None:
                assert begun.summary == desk.summary(CONTENT_SUMMARY, content_key(USER, begun.place.content))
        elif sessions:
            session = desk.summary(SESSION, sessions[step[0] % len(sessions)])
            outcome = desk.update(session.id, step[1])
            after = desk.summary(SESSION, session.id)
            if session.user is not None:
                after = desk.summary(CONTENT_SUMMARY, content_key(USER, session.content))
            assert outcome.complete == (after.progress >= 1)
            found: Attempts = desk.summary(ATTEMPTS, session.masterylog or session.id)
            assert {attempt.id for attempt in outcome.attempts} <= {attempt.id for attempt in found.entries}


@settings(max_examples=60, deadline=None)
@given(COURSES)
def test_a_mastery_log_agrees_with_its_attempts(course: list[Any]) -> None:
    desk, _ = desk_after(course)
    summary: ContentSummary = desk.summary(CONTENT_SUMMARY, content_key(USER, AN_EXERCISE["content_id"]))
    for log in summary.logs:
        attempts: Attempts = desk.summary(ATTEMPTS, log.id)
        assert log.attempts == len(attempts.entries)
        assert log.correct == sum(Decimal(repr(attempt.correct)) for attempt in attempts.entries)
    assert 0 <= summary.progress <= 1


@settings(max_examples=60, deadline=None)
@given(COURSES)
def test_every_call_of_a_learner_on_a_content_has_the_next_number(course: list[Any]) -> None:
    desk, _ = desk_after(course)
    facts = [facts_of(each, "start", "update") for each in desk.statements]
    by_content: dict[str, list[int]] = defaultdict(list)
    for fact in facts:
        if isinstance(fact, Start | Update) and fact.user is not None:
            by_content[fact.content].append(fact.sequence)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in by_content.values())


@settings(max_examples=60, deadline=None)
@given(UPDATES)
def test_translation_leaves_what_it_is_given_as_it_was(body: Mapping[str, Any]) -> None:
    desk = Desk()
    session = desk.summary(SESSION, desk.start(AN_EXERCISE).place.session)
    summary, sent = desk.summary(CONTENT_SUMMARY, content_key(USER, session.content)), deepcopy(body)
    event, attempts = update_event(body), Attempts()
    before = deepcopy((event, session, summary, attempts))
    call = Call(SettingsSchema().load({}), 0, "1" * 32)
    updated(call, event, session, summary, attempts)
    started(call, start_event(AN_EXERCISE), USER, summary)
    assert (body, event, session, summary, attempts) == (sent, *before)


NEARLY_RIGHT = st.fixed_dictionaries({
    "event": st.sampled_from(["start", "update", "interaction", "quiz"]), "session": st.just("1" * 32),
    "sequence": st.just(1) | JSON, "request": st.just("2" * 32), "content": st.just("3" * 32), "kind": st.just("video"),
    "user": st.just("4" * 32) | JSON, "correct": JSON, "extra_fields": JSON, "progress": JSON,
})


@given(JSON | NEARLY_RIGHT)
def test_a_malformed_extension_is_nobodys_and_breaks_no_fold(value: Any) -> None:
    statement = {**Desk().start(A_VIDEO).statements[0], "context": {"extensions": {f"https://e.org{EXTENSION}": value}}}
    for materializer in MATERIALIZERS:
        list(materializer.keys(statement))
        materializer.encode(fold(materializer, [statement]))


@pytest.mark.parametrize(("old", "sent", "new"), [
    (0, {"progress_delta": 0.9991}, 1), (0.1, {"progress_delta": 0.2}, 0.301), (0.5, {"progress": 0.25}, 0.25),
    (0.9, {"progress_delta": 0.9}, 1), (0.3, {}, 0.3), (0.0, {"progress": 0.0001}, 0.001),
])
def test_progress_is_rounded_up_to_three_decimals_in_doubles(old: float, sent: dict[str, float], new: float) -> None:
    assert advanced(old, Update(session="1" * 32, sequence=1, request="1" * 32, content="2" * 32, **sent)) == new


@given(st.floats(0, 1e308))
def test_durations_are_iso_8601(seconds: float) -> None:
    assert duration_s(duration(seconds)) == pytest.approx(seconds, abs=0.006)


def test_ten_times_a_tenth_is_one_right_answer() -> None:
    desk = Desk()
    session = desk.start(AN_EXERCISE).place.session
    interaction = {"item": "q", "correct": 0.1, "time_spent": 1, "answer": {}}
    desk.update(session, {"interactions": [{**interaction, "item": f"q{number}"} for number in range(10)]})
    summary = desk.summary(CONTENT_SUMMARY, content_key(USER, AN_EXERCISE["content_id"]))
    assert int(summary.logs[0].correct) == 1
