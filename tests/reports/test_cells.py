"""Cells against a direct count of their statements."""

import random
from collections import Counter
from typing import Any

import pytest
import reports_counted as counted
from builders import a_statement, a_void_of, learner
from hypothesis import given
from hypothesis import strategies as st

from lrs.materialize import Materializer, fold
from lrs.reports import ACTIVITY_CELL, COURSE_CELL, MATERIALIZERS
from lrs.reports.activity import MOST_DAYS, activity_key
from lrs.reports.attempts import MOST_ATTEMPTS
from lrs.reports.course import MOST_VISITS, course_key
from lrs.reports.facts import day_of

traffic = st.lists(counted.statements, max_size=12)
each_materializer = pytest.mark.parametrize("materializer", MATERIALIZERS, ids=lambda each: each.name)


def cells_of(materializer: Materializer[Any], statements: list[dict[str, Any]]) -> dict[str, Any]:
    """All cells, folded."""
    cells: dict[str, Any] = {}
    for statement in statements:
        for key in materializer.keys(statement):
            cells[key] = fold(materializer, [materializer.part(statement, key)], cells.get(key))
    return cells


def lines_of(materializer: Materializer[Any], cells: dict[str, Any]) -> dict[tuple[str, str, tuple[tuple[str, str], ...]], Counter[str]]:
    """The lines that cells add up to."""
    lines: dict[Any, Counter[str]] = {}
    for key, cell in cells.items():
        for row in materializer.rows(key, cell):
            line = lines.setdefault((row.scope, row.bucket, tuple(sorted(row.dims.items()))), Counter())
            for name, value in row.sums.items():
                line[name] += value
    return lines


def by_time(materializer: Materializer[Any], statements: list[dict[str, Any]]) -> dict[str, Any]:
    """The cells without what depends on the order of the log: places in tables."""
    shown = {}
    for key, cell in cells_of(materializer, statements).items():
        facts = {name: getattr(cell, name) for name in cell.__struct_fields__ if name not in ("verbs", "types", "days")}
        rows = sorted((row.scope, row.bucket, sorted(row.dims.items()), sorted(row.sums.items())) for row in materializer.rows(key, cell))
        shown[key] = (facts, rows)
    return shown


@each_materializer
@given(statements=traffic, cut=st.integers(0, 12))
def test_folding_in_two_batches_equals_one_fold(materializer: Materializer[Any], statements: list[dict[str, Any]], cut: int) -> None:
    for key in {key for each in statements for key in materializer.keys(each)}:
        parts = [materializer.part(each, key) for each in statements if key in materializer.keys(each)]
        once = fold(materializer, parts)
        before = materializer.decode(materializer.encode(fold(materializer, parts[:cut])))
        assert materializer.encode(fold(materializer, parts[cut:], before)) == materializer.encode(once)


@each_materializer
@given(statements=traffic, chance=st.randoms(use_true_random=False))
def test_the_order_in_which_statements_arrive_changes_nothing(
    materializer: Materializer[Any], statements: list[dict[str, Any]], chance: random.Random
) -> None:
    assert by_time(materializer, statements) == by_time(materializer, chance.sample(statements, len(statements)))


@given(statements=traffic)
def test_a_learner_and_an_activity_have_what_their_statements_say(statements: list[dict[str, Any]]) -> None:
    cells = cells_of(ACTIVITY_CELL, statements)
    about = counted.about(statements)
    assert {key for key, cell in cells.items() if cell.statements} == {activity_key(*pair) for pair in about}
    for pair, own in about.items():
        cell, moments, scores = cells[activity_key(*pair)], [counted.at(each) for each in own], counted.scores(own)
        assert (cell.learner, cell.activity, cell.statements) == (*pair, len(own))
        assert (cell.first_us, cell.last_us) == (min(moments), max(moments))
        assert cell.completed_us == min((counted.at(each) for each in own if counted.completes(each)), default=None)
        said = sorted((counted.at(each), counted.success(each)) for each in own if counted.success(each) is not None)
        assert cell.success == (said[-1] if said else None)
        assert cell.success_us == min((moment for moment, success in said if success), default=None)
        assert (cell.first_score, cell.last_score) == ((scores[0], scores[-1]) if scores else (None, None))
        assert cell.best == max((scaled for _, scaled in scores), default=None)
        assert cell.attempt_count == counted.attempts(own)
        assert cell.time_ms == sum(counted.time_ms(each) for each in counted.by(own, "registration"))


@given(statements=traffic)
def test_answers_count_for_the_question_and_for_what_it_belongs_to(statements: list[dict[str, Any]]) -> None:
    told: Counter[tuple[str, str]] = Counter()
    for (learner_id, activity), own in counted.about(statements).items():
        for each in own:
            if each["verb"]["id"] == f"{counted.ADL}answered" and "success" in each["result"]:
                parents = [one["id"] for one in each["context"].get("contextActivities", {}).get("parent", [])]
                told.update({(learner_id, where) for where in (activity, *[one for one in parents if one != activity][:1])})
    cells = {key: cell.answered for key, cell in cells_of(ACTIVITY_CELL, statements).items() if cell.answered}
    assert cells == {activity_key(*pair): count for pair, count in told.items()}


@given(statements=traffic)
def test_a_learner_and_a_course_have_what_their_statements_say(statements: list[dict[str, Any]]) -> None:
    cells, within = cells_of(COURSE_CELL, statements), counted.within(statements)
    assert cells.keys() == {course_key(*pair) for pair in within}
    for (learner_id, course), all_of_them in within.items():
        cell, own = cells[course_key(learner_id, course)], [each for each in all_of_them if each["object"]["id"] == course]
        others = [each for each in all_of_them if each not in own]
        moments = [counted.at(each) for each in all_of_them]
        assert (cell.learner, cell.course, cell.statements) == (learner_id, course, len(all_of_them))
        assert (cell.first_us, cell.last_us) == (min(moments), max(moments))
        assert cell.activities() == len({each["object"]["id"] for each in others})
        assert cell.activities(completed=True) == len({each["object"]["id"] for each in others if counted.completes(each)})
        assert cell.completed_us == min((counted.at(each) for each in own if counted.completes(each)), default=None)
        assert cell.best == max((scaled for _, scaled in counted.scores(own)), default=None)
        assert cell.time_ms == counted.course_time_ms(course, all_of_them)


@given(statements=traffic)
def test_the_rows_of_cells_add_up_to_a_count_of_the_statements(statements: list[dict[str, Any]]) -> None:
    lines = lines_of(ACTIVITY_CELL, cells_of(ACTIVITY_CELL, statements))
    activities: dict[str, Counter[str]] = {}
    daily: Counter[tuple[str, str, str]] = Counter()
    for (_, activity), own in counted.about(statements).items():
        line = activities.setdefault(activity, Counter())
        spent_ms = sum(counted.time_ms(each) for each in counted.by(own, "registration"))
        for sums in (counted.outcome(own, spent_ms), {"statements": len(own), "attempts": counted.attempts(own)}):
            for name, value in sums.items():
                line[name] += value
        for each in own:
            kind = each["object"].get("definition", {}).get("type", "")
            daily[day_of(int(counted.at(each))), each["verb"]["id"], kind] += 1
    assert {dict(dims)["activity"]: sums for (scope, _, dims), sums in lines.items() if scope == "activities"} == activities
    days = {(day, dims): sums["statements"] for (scope, day, dims), sums in lines.items() if scope == "daily"}
    assert {(day, dict(dims)["verb"], dict(dims)["activity_type"]): count for (day, dims), count in days.items()} == daily


@given(statements=traffic)
def test_the_rows_of_courses_add_up_to_a_count_of_the_statements(statements: list[dict[str, Any]]) -> None:
    lines = lines_of(COURSE_CELL, cells_of(COURSE_CELL, statements))
    courses: dict[str, Counter[str]] = {}
    for (_, course), all_of_them in counted.within(statements).items():
        own = [each for each in all_of_them if each["object"]["id"] == course]
        others = [each for each in all_of_them if each["object"]["id"] != course]
        line = courses.setdefault(course, Counter())
        visited = {"statements": len(all_of_them), "activities": len({each["object"]["id"] for each in others})}
        done = {"completed_activities": len({each["object"]["id"] for each in others if counted.completes(each)})}
        for sums in (counted.outcome(own, counted.course_time_ms(course, all_of_them)), visited, done):
            for name, value in sums.items():
                line[name] += value
    assert {dict(dims)["course"]: sums for (_, _, dims), sums in lines.items()} == courses


def test_an_activity_of_which_only_questions_were_answered_has_the_type_that_they_say() -> None:
    sums = {"id": "https://school.example.org/sums", "definition": {"type": f"{counted.TYPES}assessment"}}
    answer = a_statement(
        object={"id": "https://school.example.org/sums/1"}, result={"success": True}, context={"contextActivities": {"parent": [sums]}}
    )
    cell = cells_of(ACTIVITY_CELL, [answer])[activity_key("mailto:ada@school.example.org", sums["id"])]
    assert (cell.activity_type, cell.statements, cell.answered) == (f"{counted.TYPES}assessment", 0, 1)


@each_materializer
def test_what_is_about_no_activity_or_by_no_person_has_no_key(materializer: Materializer[Any]) -> None:
    a_group = {"objectType": "Group", "member": [learner("ada"), learner("bob")]}
    inner = {"objectType": "SubStatement", "actor": learner(), "verb": {"id": f"{counted.ADL}attempted"}, "object": {"id": "urn:x:1"}}
    course = {"contextActivities": {"grouping": [{"id": "https://school.example.org/course"}]}}
    for each in (
        a_statement(actor=a_group, context=course), a_statement(actor={**learner("class"), **a_group}, context=course),
        a_statement(object=inner, context=course), a_statement(object=learner("bob"), context=course),
        a_void_of("8f87ccde-bb56-4c2e-ab83-44982ef22df0", context=course),
    ):
        assert list(materializer.keys(each)) == []


def test_a_cell_stays_small_however_many_registrations_and_days_there_are() -> None:
    years = [
        a_statement(context={"registration": f"{at:08}-0000-4000-8000-000000000000"}, timestamp=f"{at + 1}-01-01T00:00:00Z".zfill(20))
        for at in range(MOST_DAYS + 200)
    ]
    [cell] = cells_of(ACTIVITY_CELL, years).values()
    assert (cell.statements, cell.attempt_count, cell.attempts_are_more) == (MOST_DAYS + 200, MOST_ATTEMPTS + 1, True)
    daily = [row for row in ACTIVITY_CELL.rows("", cell) if row.scope == "daily"]
    assert sum(row.sums["statements"] for row in daily) == MOST_DAYS + 200
    assert {row.bucket: row.sums["statements"] for row in daily}[""] == 200


def test_a_course_cell_stays_small_however_many_activities_there_are() -> None:
    course = {"contextActivities": {"grouping": [{"id": "https://school.example.org/course"}]}}
    many = [a_statement(object={"id": f"https://school.example.org/{at}"}, context=course) for at in range(MOST_VISITS + 50)]
    [cell] = cells_of(COURSE_CELL, many).values()
    assert (cell.statements, cell.activities(), cell.activities_are_more) == (MOST_VISITS + 50, MOST_VISITS, True)


@each_materializer
def test_texts_of_any_length_make_small_cells(materializer: Materializer[Any]) -> None:
    long = "x" * 100_000
    statement = a_statement(
        actor={"name": long, "account": {"homePage": f"https://{long}", "name": long}}, verb={"id": f"https://{long}"},
        object={"id": f"https://{long}", "definition": {"type": f"https://{long}"}},
        context={"contextActivities": {"grouping": [{"id": f"https://{long}/course"}]}},
    )
    for cell in cells_of(materializer, [statement]).values():
        assert len(materializer.encode(cell)) < 10_000


@each_materializer
@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-12:00"])
def test_moments_at_the_edges_of_the_calendar_are_days(materializer: Materializer[Any], timestamp: str) -> None:
    course = {"contextActivities": {"grouping": [{"id": "https://school.example.org/course"}]}}
    for key, cell in cells_of(materializer, [a_statement(timestamp=timestamp, context=course)]).items():
        assert list(materializer.rows(key, cell))
        assert day_of(cell.first_us) in ("0001-01-01", "9999-12-31")
