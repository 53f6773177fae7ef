"""Laws of what is read: every report is a recount of the events, whatever they are and in whatever order they came."""

from collections import Counter
from copy import deepcopy
from statistics import fmean, median
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studyfetch_usage import SETTINGS, answers_of, facts_of, statements_of, store_of

from adapters.studyfetch.facts import fact_of
from adapters.studyfetch.listing import page
from adapters.studyfetch.moments import LATEST_US, NoMoment, format_ms, instant_of, moment_of
from adapters.studyfetch.queries import Wanted
from adapters.studyfetch.scores import duration_of, score_of
from adapters.studyfetch.spans import Span
from adapters.studyfetch.summaries import MATERIALIZERS
from adapters.studyfetch.usage import Usage
from lrs.adapter_settings import zone_of
from lrs.materialize import fold
from lrs.xapi.json_text import dump, parse
from lrs.xapi.times import duration_s
from lrs.xapi.validate import check_batch

DAY = "2026-01-12"
LAWFUL = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
NAMES = ["u1", "u2", 7, "Zoe\u0301"]
EVENTS = st.fixed_dictionaries(
    {
        "id": st.integers(0, 60), "eventType": st.sampled_from(
            ["test_started", "test_retaken", "test_completed", "component_accessed", "cache_hit", "quiz", "assignment_grader_create"]
        ),
        "timestamp": st.sampled_from(["08:59:59.999", "09:00:00", "09:00:00.001", "09:30:00", "10:00:00", "10:00:00.001"]).map(
            lambda clock: f"{DAY}T{clock}Z"
        ),
    },
    optional={
        "userId": st.sampled_from([None, *NAMES]), "resourceId": st.sampled_from(["r1", "r2"]),
        "groupIds": st.lists(st.sampled_from(["g1", "g2", "g3"]), max_size=3),
        "metadata": st.fixed_dictionaries({}, optional={
            "attemptId": st.sampled_from(["a", "b"]), "score": st.integers(-1, 4), "maxScore": st.sampled_from([0, 3]),
            "passed": st.booleans(), "durationSeconds": st.sampled_from([0.25, 3]), "modelKey": st.sampled_from(["m"]),
            "endpoint": st.sampled_from(["/e"]), "progress": st.integers(-5, 105),
        }),
    },
)
SCHOOLS = st.lists(EVENTS, max_size=9, unique_by=lambda event: event["id"])
MOMENTS = st.sampled_from([f"{DAY}T09:00:00Z", f"{DAY}T09:30:00Z", f"{DAY}T10:00:00Z", DAY, "2026-01-11", "2026-01-13"])


@LAWFUL
@given(SCHOOLS)
async def test_a_groups_summary_is_a_recount_of_its_events(events):
    [told] = await answers_of(store_of(events), "/groups/g1/summary")
    own = [each for each in facts_of(events) if "g1" in each.groups]
    completed = [each for each in own if each.type == "test_completed"]
    scores = [each.scaled for each in completed if each.scaled is not None]
    assert told["totalEvents"] == len(own)
    assert told["byEventType"] == Counter(each.type for each in own)
    assert told["users"] == len({each.user for each in own if each.user})
    assert told["durationSeconds"] == sum(each.duration_ms for each in own) / 1000
    assert told["tests"] == {
        "attempts": len({(each.user, each.thing, each.attempt) for each in own if each.attempt}), "completed": len(completed),
        "averageScore": pytest.approx(fmean(scores)) if scores else None, "bestScore": max(scores, default=None),
    }
    assert [told["firstSeen"], told["lastSeen"]] == (
        [format_ms(min(each.at_us for each in own)), format_ms(max(each.at_us for each in own))] if own else [None, None]
    )


@LAWFUL
@given(SCHOOLS, MOMENTS, MOMENTS, st.sampled_from(["user", "group", "model", "endpoint", None]))
async def test_a_summary_counts_every_event_once_in_its_totals_and_once_under_each_of_its_keys(events, start, end, key):
    if start[:10] > end[:10] or (len(start) > 10 and len(end) > 10 and start > end):
        return
    query = f"?period=hourly&startDate={start}&endDate={end}" + (f"&groupBy={key}" if key else "")
    [told] = await answers_of(store_of(events), f"/summary{query}")
    since, until = instant_of(start, zone_of("UTC")), instant_of(end, zone_of("UTC")) + (86_400_000_000 if len(end) == 10 else 1000)
    own = [each for each in facts_of(events) if since <= each.at_us < until]
    assert told["totals"] == {"events": len(own), "users": len({each.user for each in own if each.user})}
    wanted: Counter[Any] = Counter()
    for fact in own:
        keys = {"user": [fact.user], "group": fact.groups or [""], "model": [fact.model], "endpoint": [fact.endpoint], None: [""]}[key]
        wanted.update((format_ms(fact.at_us)[:13] + ":00:00.000Z", each or None) for each in keys)
    assert {(each["start"], each["key"]): each["events"] for each in told["buckets"]} == wanted
    for bucket in told["buckets"]:
        assert bucket["events"] == sum(bucket["byEventType"].values()) > 0


@LAWFUL
@given(SCHOOLS, st.integers(1, 4), st.fixed_dictionaries({}, optional={
    "type": st.sampled_from(["test_completed", "cache_hit"]), "user": st.sampled_from(["u1", "7"]), "group": st.sampled_from(["g1", "g2"]),
    "resource": st.sampled_from(["r1", "/e"]),
}), st.sampled_from([Span(), Span(instant_of(f"{DAY}T09:00:00.001Z", zone_of("UTC")), instant_of(f"{DAY}T10:00:00.001Z", zone_of("UTC")))]))
async def test_the_pages_of_the_list_are_all_events_that_fit_newest_first(events, limit, filters, span):
    wanted, usage = Wanted(span, **filters), Usage(store_of(events).statements, "school", span)
    fitting = sorted((each for each in facts_of(events) if wanted.fits(each)), key=lambda each: (-each.at_us, str(each.event)))
    found: list[Any] = []
    for offset in range(0, len(fitting) + limit, limit):
        total, some = await page(usage, wanted, limit, offset)
        assert total == len(fitting) and len(some) <= limit
        found += some
    assert found == fitting


@LAWFUL
@given(SCHOOLS)
async def test_groups_are_compared_by_what_their_events_say(events):
    told = (await answers_of(store_of(events), "/compare?groupIds=g2,g1,g2"))[0]["groups"]
    assert [each["groupId"] for each in told] == ["g2", "g1"]
    for group in told:
        own = [each for each in facts_of(events) if group["groupId"] in each.groups]
        tests = [each for each in own if each.type == "test_completed"]
        scores = [each.scaled for each in tests if each.scaled is not None]
        known = [each.success for each in tests if each.success is not None]
        users = len({each.user for each in own if each.user})
        assert (group["events"], group["users"], group["testsCompleted"]) == (len(own), users, len(tests))
        assert group["eventsPerUser"] == (len(own) / users if users else None)
        assert group["averageScore"] == (pytest.approx(fmean(scores)) if scores else None)
        assert group["medianScore"] == (pytest.approx(median(scores)) if scores else None)
        assert group["passRate"] == (sum(known) / len(known) if known else None)


@LAWFUL
@given(SCHOOLS)
async def test_whoever_used_a_resource_is_told_with_how_often_and_when_last(events):
    [told] = await answers_of(store_of(events), "/resources/r1/users")
    own = [each for each in facts_of(events) if "r1" in each.resources]
    assert told["totalEvents"] == len(own) == told["anonymousEvents"] + sum(each["count"] for each in told["users"])
    assert told["anonymousEvents"] == sum(not each.user for each in own)
    last = {each.user: each.at_us for each in sorted(own, key=lambda each: each.at_us) if each.user}
    assert {each["userId"]: each["lastSeen"] for each in told["users"]} == {user: format_ms(at_us) for user, at_us in last.items()}


async def test_events_of_one_cell_that_are_not_the_groups_say_nothing_of_when_it_was_seen():
    event = {"eventType": "sso_login", "userId": "u1"}
    events = [
        {**event, "id": number, "timestamp": f"{DAY}T09:00:0{number}Z", "groupIds": groups}
        for number, groups in enumerate([[], ["g1"], ["g1", "g2"], []])
    ]
    [told] = await answers_of(store_of(events), "/groups/g1/summary")
    assert (told["firstSeen"], told["lastSeen"]) == (f"{DAY}T09:00:01.000Z", f"{DAY}T09:00:02.000Z")


async def test_a_busy_hour_is_read_by_the_minute_from_its_end(monkeypatch):
    monkeypatch.setattr("adapters.studyfetch.listing.BUSY", 3)
    events = [
        {"eventType": "sso_login", "id": f"{number:02}", "timestamp": f"{DAY}T{9 + number // 12:02}:{5 * (number % 12):02}:00Z"}
        for number in range(30)
    ]
    store = store_of(reversed(events))
    usage, found = Usage(store.statements, "school"), []
    for offset in range(0, 30, 4):
        total, some = await page(usage, Wanted(Span()), 4, offset)
        assert total == 30
        found += [each.event for each in some]
    assert found == [f"{number:02}" for number in reversed(range(30))]


@LAWFUL
@given(SCHOOLS)
async def test_progress_within_all_time_is_progress_as_it_is_kept(events):
    kept, made = await answers_of(store_of(events), "/users/u1/progress", "/users/u1/progress?startDate=2000-01-01")
    assert made == kept


@LAWFUL
@given(SCHOOLS)
def test_statements_that_went_out_as_json_and_came_in_again_are_the_same_facts(events):
    statements = statements_of(events)
    check_batch(statements, "1.0.3")
    check_batch(statements, "2.0.0")
    assert [fact_of(each) for each in parse(dump(statements))] == [fact_of(each) for each in statements]


NOTHING_MUCH = st.none() | st.booleans() | st.integers() | st.text(max_size=2) | st.lists(st.none(), max_size=1)
NATIVE = st.fixed_dictionaries({
    "id": NOTHING_MUCH, "resourceId": NOTHING_MUCH,
    "metadata": st.dictionaries(st.sampled_from(["modelKey", "endpoint", "componentType"]), NOTHING_MUCH, max_size=2) | NOTHING_MUCH,
})
NEARLY_OURS = st.fixed_dictionaries(
    {"event-type": NOTHING_MUCH, "studyfetch": NATIVE | NOTHING_MUCH, "metadata": NOTHING_MUCH, "progress": NOTHING_MUCH}
)


@LAWFUL
@given(NEARLY_OURS, EVENTS)
def test_extensions_that_are_malformed_break_no_fold(told, event):
    statement = deepcopy(statements_of([event])[0])
    base = SETTINGS["base_iri"]
    statement["context"]["extensions"] = {f"{base}/extensions/{name}": value for name, value in told.items()}
    statement["result"] = {"extensions": {f"{base}/extensions/progress": told["progress"]}, "duration": "P1Y"}
    for materializer in MATERIALIZERS:
        for key in materializer.keys(statement):
            summary = fold(materializer, [materializer.part(statement, key)])
            list(materializer.rows(key, materializer.decode(materializer.encode(summary))))


@given(st.integers(-62_135_596_800_000, LATEST_US // 1000))
def test_a_moment_is_read_as_it_is_written(moment_ms):
    assert instant_of(format_ms(moment_ms * 1000), zone_of("Asia/Kolkata")) == moment_ms * 1000


@given(st.text(max_size=30) | st.floats() | st.integers() | st.none() | st.booleans())
def test_what_is_no_moment_is_said_to_be_none(value):
    try:
        moment_us = moment_of(value, zone_of("Europe/Berlin"))
    except NoMoment as error:
        assert str(error)
    else:
        assert instant_of(format_ms(moment_us), zone_of("UTC")) // 1000 == moment_us // 1000


@given(st.floats(0, 1e12) | st.integers(0, 10**12))
def test_durations_are_iso_8601_to_a_hundredth_of_a_second(seconds):
    assert duration_s(duration_of(seconds)) == pytest.approx(seconds, abs=0.006)


@given(st.dictionaries(st.sampled_from(["score", "minScore", "maxScore", "percentage", "correctCount", "questionCount"]),
                       st.floats() | st.integers(-3, 3) | st.text("18/", max_size=3)))
def test_a_scaled_score_is_always_within_0_and_1_and_comes_with_its_scale(metadata):
    score = score_of(metadata)
    assert not score or set(score) == {"raw"} or (
        set(score) == {"raw", "min", "max", "scaled"} and score["min"] <= score["raw"] <= score["max"] and 0 <= score["scaled"] <= 1
    )
