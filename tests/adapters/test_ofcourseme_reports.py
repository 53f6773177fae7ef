"""OfCourseMe's reports are what a count of the calls finds, for any calls and any window."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote_plus

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ofcourseme_desk import SETTINGS, a_store

from adapters.contract.directory import TENANT
from adapters.ofcourseme.answers import completions_answer, conversion_answer, hours_answer
from adapters.ofcourseme.calls import event_in
from adapters.ofcourseme.parameters import text_of_us
from adapters.ofcourseme.reports import END_US, FIRST_US, HOUR_US, Window, completions, people, searches, window_of
from adapters.ofcourseme.routes import courses
from adapters.ofcourseme.schema import SettingsSchema
from adapters.ofcourseme.summaries import COURSE_DAYS, COURSE_MONTHS, COURSES, hour_of
from adapters.ofcourseme.translate import translate
from lrs.adapter_settings import zone_of
from lrs.xapi.times import parse_timestamp

LOADED = SettingsSchema().load(SETTINGS)
# Later than all that happens, as what lies ahead would be taken for now.
RECEIVED_US = parse_timestamp("2027-01-01T00:00:00Z")

# A few hours, some of them months away, so that much falls together, and windows have whole months or none.
BASE_US = parse_timestamp("2026-01-14T09:00:00Z")
STEPS_US = st.sampled_from([0, 1_000, 1_800_000_000, HOUR_US - 1_000])
HOURS = st.sampled_from([0, 1, 2, 17 * 24 + 14, 17 * 24 + 15, 60 * 24, 120 * 24, -14 * 24 + 14])
MOMENTS = st.builds(lambda hours, step_us: BASE_US + hours * HOUR_US + step_us, HOURS, STEPS_US)
IDS = st.sampled_from(["a", "b", "~", "x" * 100, "\u00fc/ \0"])
CALLS = st.lists(st.fixed_dictionaries(
    {"type": st.sampled_from(["course-complete", "course-completed", "search", "course-search", "menu-click"]), "moment": MOMENTS},
    optional={"user_id": IDS, "course_id": IDS, "entity_id": IDS, "duration": st.sampled_from(["0", "60", "0.25"])},
), max_size=14)
LIMITS = st.none() | MOMENTS | MOMENTS.map(lambda moment: moment + 1) | st.sampled_from([FIRST_US, END_US])
LENGTHS = {"a": 100, "x" * 100: 0.5}


def recounted(calls: Sequence[Mapping[str, Any]], window: Window) -> tuple[Any, Any, Any]:
    """The three reports, counted from the calls with the words of their definition."""
    since_us, until_us = window.bounds
    pairs: dict[Any, list[Mapping[str, Any]]] = {}
    for number, call in enumerate(calls):
        if call["type"].startswith("course-complete"):
            both = "user_id" in call and "course_id" in call
            pairs.setdefault((call["user_id"], call["course_id"]) if both else number, []).append(call)
    counted = [
        sorted(each, key=lambda call: call["moment"]) for each in pairs.values()
        if since_us <= min(call["moment"] for call in each) < until_us
        and (window.entity is None or window.entity in {call.get("entity_id") for call in each})
    ]
    found = sum(
        call["type"] in ("search", "course-search") and since_us <= call["moment"] < until_us
        and window.entity in (None, call.get("entity_id")) for call in calls
    )
    lengths = [length_of(each) for each in counted]
    total = sum(each for each in lengths if each is not None)
    users = {each[0]["user_id"] for each in counted if "user_id" in each[0]}
    ratio = round(100 * len(counted) / found, 2) if found else None
    return (
        {
            "people": len(users), "completions": len(counted), "anonymous_completions": sum("user_id" not in each[0] for each in counted),
            "courses": len({each[0]["course_id"] for each in counted if "course_id" in each[0]}),
        },
        {"searches": found, "completions": len(counted), "completions_per_100_searches": ratio},
        {
            "duration_seconds": total, "hours": round(total / 3600, 2), "completions": len(counted),
            "unknown_duration": lengths.count(None),
        },
    )


def length_of(calls: Sequence[Mapping[str, Any]]) -> float | None:
    """Seconds of one completion: what its latest event says (of several at once, the longest), else the catalogue."""
    if "course_id" not in calls[0]:
        return None
    said = [(call["moment"], float(call["duration"])) for call in calls if "duration" in call]
    return max(said)[1] if said else LENGTHS.get(calls[0]["course_id"])


async def reported(calls: Sequence[Mapping[str, Any]], windows: Sequence[Window]) -> list[tuple[Any, Any, Any]]:
    """The three reports, read from the roll-ups."""
    store = a_store()
    for number, call in enumerate(calls):
        said = {name: text for name, text in call.items() if name != "moment"}
        event = event_in("&".join(f"{name}={quote_plus(text)}" for name, text in {
            **said, "event_id": str(number), "timestamp": text_of_us(call["moment"]),
        }.items()))
        await store.statements.accept(translate(event, LOADED, RECEIVED_US), tenant=TENANT, authority={})
    lengths_ms = {each.id: each.document["length_ms"] for each in courses(LENGTHS)}
    answers = []
    for window in windows:
        those = await people(store.statements, TENANT, window)  # type: ignore[arg-type]
        told = await completions(store.statements, TENANT, window)  # type: ignore[arg-type]
        sought = await searches(store.statements, TENANT, window)  # type: ignore[arg-type]
        answers.append((completions_answer(those, told), conversion_answer(sought, told), hours_answer(told, lengths_ms)))
    return answers


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CALLS, st.lists(st.builds(Window, LIMITS, LIMITS, st.none() | IDS), min_size=1, max_size=4))
def test_reports_are_what_a_count_of_the_calls_finds(calls: list[dict[str, Any]], windows: list[Window]) -> None:
    assert asyncio.run(reported(calls, windows)) == [recounted(calls, window) for window in windows]


@given(LIMITS, LIMITS, MOMENTS)
def test_every_moment_of_a_window_is_either_in_a_whole_hour_or_in_one_that_is_cut(
    since: int | None, until: int | None, moment: int
) -> None:
    window = Window(since, until)
    first, last = window.buckets
    whole = since is None and until is None or (first or "") <= hour_of(moment) < last
    cut = hour_of(moment) in window.edges and window.bounds[0] <= moment < window.bounds[1]
    assert (whole, cut).count(True) == (window.bounds[0] <= moment < window.bounds[1])


@given(LIMITS, LIMITS, MOMENTS)
def test_the_spans_of_a_window_are_its_whole_hours_each_once(since: int | None, until: int | None, moment: int) -> None:
    window, hour = Window(since, until), hour_of(moment)
    first, last = window.buckets
    if first is not None:
        lengths = {COURSE_MONTHS: 7, COURSE_DAYS: 10}
        within = [start <= hour[:lengths.get(what)] < end for what, start, end in window.spans]
        assert within.count(True) == (first <= hour < last)


@given(LIMITS, LIMITS, MOMENTS)
def test_hours_are_read_by_themselves_on_days_only_that_are_cut(since: int | None, until: int | None, moment: int) -> None:
    window, hour = Window(since, until), hour_of(moment)
    first, _ = window.buckets
    if first is not None and any(what == COURSES and start <= hour < end for what, start, end in window.spans):
        assert hour[:10] in {hour_of(each)[:10] for each in (since, until) if each is not None}


@given(st.dates(), st.sampled_from(["UTC", "Europe/Rome", "America/Santiago"]))
def test_a_date_as_both_ends_is_that_whole_day(day: date, name: str) -> None:
    zone = zone_of(name)
    window = window_of({"from": day.isoformat(), "to": day.isoformat()}, zone)
    assert window.since_us is not None
    length_us = (END_US if window.until_us is None else window.until_us) - window.since_us
    assert 22 * HOUR_US <= length_us <= 26 * HOUR_US or day.year in (1, 9999)
