"""What single statements say that counts."""

from typing import Any

import pytest
from builders import a_statement

from lrs.reports.facts import LONGEST_MS, LONGEST_TEXT, courses_of, digest, duration_ms, fact_of, shown

COURSE_TYPES = (
    "http://adlnet.gov/expapi/activities/course", "https://w3id.org/xapi/cmi5/activitytype/course",
    "http://id.tincanapi.com/activitytype/lms/course",
)
VERBS = "http://adlnet.gov/expapi/verbs/"


def activity(name: str, kind: str | None = None) -> dict[str, Any]:
    return {"id": f"https://school.example.org/{name}"} | ({"definition": {"type": kind}} if kind else {})


def courses(about: dict[str, Any], **around: Any) -> list[str]:
    statement = a_statement(object=about, context={"contextActivities": around})
    return [each.removeprefix("https://school.example.org/") for each in courses_of(statement)]


@pytest.mark.parametrize("kind", COURSE_TYPES)
def test_a_course_is_what_calls_itself_one(kind: str) -> None:
    course = activity("course", kind)
    assert courses(activity("page"), grouping=[activity("site", "http://id.tincanapi.com/activitytype/lms"), course]) == ["course"]
    assert courses(activity("page"), parent=[course]) == ["course"]
    assert courses(course) == ["course"]
    assert courses(activity("page"), category=[course], other=[course]) == []


def test_where_nothing_calls_itself_a_course_the_first_grouping_without_a_type_is_taken_for_one() -> None:
    lesson, course = activity("lesson", "http://adlnet.gov/expapi/activities/lesson"), activity("course", COURSE_TYPES[0])
    assert courses(activity("page"), grouping=[lesson, activity("one"), activity("two")]) == ["one"]
    assert courses(activity("page"), grouping=activity("alone")) == ["alone"]
    assert courses(activity("page"), grouping=[activity("one"), course]) == ["course"]
    assert courses(course, grouping=[activity("site")]) == ["course"]
    assert courses(activity("page"), parent=[activity("one")], grouping=[lesson]) == []


def test_a_statement_is_in_each_of_its_courses_once_and_in_three_at_most() -> None:
    many = [activity(f"course{number}", COURSE_TYPES[0]) for number in range(5)]
    assert courses(activity("page"), parent=many[:1], grouping=many) == ["course0", "course1", "course2"]


@pytest.mark.parametrize(("text", "ms"), [
    ("PT1M30.5S", 90_500), ("PT0S", 0), ("P1DT1H", 90_000_000), ("P2W", 1_209_600_000), ("PT0,001S", 1), ("PT1.5M", 90_000),
    ("PT0.0005S", 0), ("PT0.0015S", 2), ("PT0.00050000000000000000001S", 1), ("P366D", LONGEST_MS), ("P366DT0.001S", None),
    ("P1Y", None), ("P1M", None), (f"PT{'9' * 5000}S", None), (f"PT0.{'0' * 500}S", None), ("a while", None),
])
def test_a_duration_is_in_whole_milliseconds(text: str, ms: int | None) -> None:
    assert duration_ms(text) == ms


@pytest.mark.parametrize(("verb", "result", "success", "completion"), [
    ("passed", {}, True, False), ("mastered", {}, True, False), ("failed", {}, False, False), ("completed", {}, None, True),
    ("passed", {"success": False}, False, False), ("completed", {"completion": False}, None, False), ("experienced", {}, None, False),
    ("experienced", {"success": True, "completion": True}, True, True),
])
def test_a_verb_tells_an_outcome_only_where_the_result_does_not(verb: str, result: Any, success: bool | None, completion: bool) -> None:
    fact = fact_of(a_statement(verb={"id": f"{VERBS}{verb}"}, result=result))
    assert (fact.success, fact.completion) == (success, completion)


def test_long_texts_stay_different_and_short_ones_as_they_are() -> None:
    long = "x" * LONGEST_TEXT
    assert shown(long) == long
    assert shown(f"{long}a") != shown(f"{long}b")
    assert len(shown(long * 100)) < LONGEST_TEXT + 30


def test_a_digest_is_of_each_part_and_fits_a_key() -> None:
    assert digest("a", "bc") != digest("ab", "c")
    assert len(digest("a", "b")) == 22
