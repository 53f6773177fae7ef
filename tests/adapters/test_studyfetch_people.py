"""How many people there are: counted by days, by the hours beside them, and by the events of parts of hours, each of them once."""

from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studyfetch_usage import answers_of, facts_of, store_of

from adapters.studyfetch.moments import format_ms, instant_of
from adapters.studyfetch.reports import PERIODS
from adapters.studyfetch.spans import Span
from adapters.studyfetch.usage import EVERYBODY, Subject, Usage
from lrs.adapter_settings import zone_of

UTC = zone_of("UTC")
LAWFUL = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
DAYS = ("2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02")
CLOCKS = ("00:00:00.000", "00:30:00.000", "09:00:00.000", "09:30:00.001", "23:59:59.999")
MOMENTS = st.builds(lambda day, clock: f"{day}T{clock}Z", st.sampled_from(DAYS), st.sampled_from(CLOCKS))
SCHOOLS = st.lists(st.fixed_dictionaries({
    "id": st.integers(0, 60), "eventType": st.sampled_from(["cache_hit", "component_accessed"]), "timestamp": MOMENTS,
    "userId": st.sampled_from([None, "u1", "u2", "days u3"]),
    "groupIds": st.lists(st.sampled_from(["g1", "g2", "days g3"]), max_size=2, unique=True),
}), max_size=12, unique_by=lambda event: event["id"])
SPANS = st.tuples(MOMENTS | st.none(), MOMENTS | st.none())


def span_of(ends):
    since_us, until_us = (None if each is None else instant_of(each, UTC) for each in ends)
    return Span(since_us, until_us) if since_us is None or until_us is None or since_us < until_us else Span(until_us, since_us + 1)


@LAWFUL
@given(SCHOOLS, SPANS, st.sampled_from(["bucket", "bucket:13", "bucket:10", "bucket:7", None]), st.booleans())
async def test_people_of_any_span_are_each_counted_once_in_each_bucket(events, ends, bucket, is_of_groups):
    span = span_of(ends)
    subject = Subject("group", ("g1", "days g3")) if is_of_groups else EVERYBODY
    by = tuple(name for name in (bucket, "scope" if is_of_groups else None) if name)
    counted = await Usage(store_of(events).statements, "school", span).people(subject, by)
    people = defaultdict(set)
    for fact in (each for each in facts_of(events) if span.holds(each.at_us) and each.user):
        hour = format_ms(fact.at_us)[:13]
        start = {} if bucket is None else {"bucket": hour[:int(bucket.partition(":")[2] or 13)]}
        for scope in [f"group={group}" for group in fact.groups if group in subject.ids] if is_of_groups else ["all"]:
            told = {**start, **({"scope": scope} if is_of_groups else {})}
            people[tuple(told.values())].add(fact.user)
    assert +counted == {group: len(users) for group, users in people.items()}


@LAWFUL
@given(SCHOOLS, MOMENTS, MOMENTS, st.sampled_from(sorted(PERIODS)), st.sampled_from([None, "group"]))
async def test_a_summary_says_of_each_period_how_many_people_there_were(events, start, end, period, key):
    start, end = sorted((start, end))
    [told] = await answers_of(
        store_of(events), f"/summary?period={period}&startDate={start}&endDate={end}" + (f"&groupBy={key}" if key else "")
    )
    people = defaultdict(set)
    own = [each for each in facts_of(events) if instant_of(start, UTC) <= each.at_us < instant_of(end, UTC) + 1000]
    for fact in own:
        for group in (fact.groups or [None]) if key else [None]:
            people[format_ms(fact.at_us)[:PERIODS[period][0]] + PERIODS[period][1], group] |= {fact.user} - {""}
    assert {(each["start"], each["key"]): each["users"] for each in told["buckets"]} == {at: len(users) for at, users in people.items()}
    assert told["totals"]["users"] == len({each.user for each in own} - {""})


@pytest.mark.parametrize(("key", "reads"), [("", 1), ("&groupBy=user", 1), ("&groupBy=group", 2)])
async def test_the_events_of_parts_of_hours_are_read_once_for_an_answer(key, reads, monkeypatch):
    event = {"id": 1, "eventType": "cache_hit", "timestamp": "2026-01-30T09:40:00Z", "userId": "u1", "groupIds": ["g1"]}
    store, found = store_of([event]), []
    find = store.statements.find

    async def find_told(*asked):
        found.append(asked)
        return await find(*asked)

    monkeypatch.setattr(store.statements, "find", find_told)
    [told] = await answers_of(store, f"/summary?period=hourly&startDate=2026-01-30T09:30:00Z&endDate=2026-01-30T11:30:00Z{key}")
    assert told["totals"] == {"events": 1, "users": 1}
    assert len(found) == reads
