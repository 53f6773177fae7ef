"""The usage calls, where StudyFetch documents them, and the reports beside them."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from aiohttp import web

from adapters.studyfetch import reports
from adapters.studyfetch.breakdowns import by_key
from adapters.studyfetch.facts import Fact, digest, metadata_of
from adapters.studyfetch.listing import page
from adapters.studyfetch.queries import (
    DEFAULT_LIMIT,
    EventsQuery,
    GroupsQuery,
    SpanQuery,
    SummaryQuery,
    Wanted,
    events_query,
    groups_query,
    load,
    span_query,
    summary_query,
)
from adapters.studyfetch.refusals import for_readers
from adapters.studyfetch.schema import EventSchema, SettingsSchema
from adapters.studyfetch.summaries import PROGRESS, Progress, is_progress, with_fact
from adapters.studyfetch.translate import translate
from adapters.studyfetch.usage import EVERYBODY, HOURS, Subject, Usage
from adapters.studyfetch.values import name_text
from lrs.http.answers import json_answer
from lrs.http.auth import CALLER
from lrs.http.keys import BROUGHT_UP, STATEMENTS, SUMMARIES
from lrs.plugins import Adapter, Route
from lrs.xapi.json_text import parse
from lrs.xapi.times import format_stored

USAGE_PATH = "/api/v1/usage"
# An id in a path is whatever is between two slashes: one in the id itself is percent-encoded.
USER, RESOURCE, GROUP = (f"{{{name}:[^/]+}}" for name in ("user_id", "resource_id", "group_id"))
CONSISTENT_THROUGH = "X-LRS-Consistent-Through"


@for_readers
async def get_events(request: web.Request) -> web.StreamResponse:
    """Usage events, newest first."""
    query = load(events_query(), request.query)
    limit, offset = query.get("limit", DEFAULT_LIMIT), query.get("offset", 0)
    wanted = Wanted(query["span"], *(query.get(name) for name in ("eventType", "userId", "groupId", "resourceId")))
    through = await consistent_through(request)
    total, facts = await page(usage_of(request, query), wanted, limit, offset)
    events = [reports.event_answer(fact, await _metadata(request, fact)) for fact in facts]
    return json_answer({"events": events, "total": total, "limit": limit, "offset": offset}, headers=through)


@for_readers
async def get_summary(request: web.Request) -> web.StreamResponse:
    """Usage by hour, day or month, and by user, group, model or endpoint."""
    query = load(summary_query(), request.query)
    period, group_by = query["period"], query.get("groupBy")
    through = await consistent_through(request)
    usage = usage_of(request, query)
    (counts, people), events, users = await asyncio.gather(
        by_key(usage, f"bucket:{reports.PERIODS[period][0]}", group_by), usage.lines(HOURS, ()), usage.people(EVERYBODY, ()),
    )
    answer = {
        "period": period, "startDate": query["startDate"].text, "endDate": query["endDate"].text, "groupBy": group_by,
        "totals": {"events": events.get((), Counter())["events"], "users": users[()]},
        "buckets": part_of(reports.bucket_answers(counts, people, period), query),
    }
    return json_answer(answer, headers=through)


@for_readers
async def get_user_summary(request: web.Request) -> web.StreamResponse:
    """What a user has done."""
    query, user = load(span_query(), request.query), named(request, "user_id")
    through = await consistent_through(request)
    told = await _activity(usage_of(request, query), Subject("user", (user,)))
    return json_answer({"userId": user, **told}, headers=through)


@for_readers
async def get_group_summary(request: web.Request) -> web.StreamResponse:
    """What the users of a group have done."""
    query, group = load(span_query(), request.query), named(request, "group_id")
    through, subject = await consistent_through(request), Subject("group", (group,))
    usage = usage_of(request, query)
    told, people = await asyncio.gather(_activity(usage, subject), usage.people(subject, ()))
    return json_answer({"groupId": group, **told, "users": people[()]}, headers=through)


@for_readers
async def get_progress(request: web.Request) -> web.StreamResponse:
    """How far a user is with each resource, the latest first."""
    query, user = load(span_query(), request.query), named(request, "user_id")
    through = await consistent_through(request)
    found, attempts = await asyncio.gather(
        _all(_progress(request, query, "user", user)),
        usage_of(request, query).lines(Subject("user", (user,)), ("kind", "thing", "attempt"), part="attempts "),
    )
    return json_answer({"userId": user, "resources": part_of(reports.progress_list(found, attempts), query)}, headers=through)


@for_readers
async def get_resource_users(request: web.Request) -> web.StreamResponse:
    """Who has used a resource, and how often."""
    query, resource = load(span_query(), request.query), named(request, "resource_id")
    through = await consistent_through(request)
    lines = await usage_of(request, query).lines(Subject("resource", (resource,)), ("user",))
    users = reports.UsersOfResource()
    async for progress in _progress(request, query, "resource", resource):
        users.add(progress)
    return json_answer(users.answer(resource, lines.get(("",), Counter())["events"], slice_of(query)), headers=through)


@for_readers
async def get_comparison(request: web.Request) -> web.StreamResponse:
    """Groups beside each other: usage and outcomes."""
    query = load(groups_query(), request.query)
    groups = query["groupIds"]
    through, subject = await consistent_through(request), Subject("group", groups)
    usage = usage_of(request, query)
    people, events, tests = await asyncio.gather(
        usage.people(subject, ("scope",)), usage.lines(subject, ("scope",)),
        usage.lines(subject, ("scope", "score", "passed"), part="tests "),
    )
    outcomes: dict[str, dict[tuple[str, ...], Counter[str]]] = defaultdict(dict)
    for (scope, *rest), sums in tests.items():
        outcomes[scope][tuple(rest)] = sums
    told = [
        reports.comparison_answer(
            group, people[(f"group={group}",)], events.get((f"group={group}",), Counter())["events"],
            reports.Scores(outcomes[f"tests group={group}"]),
        )
        for group in groups
    ]
    return json_answer({"groups": part_of(told, query)}, headers=through)


@for_readers
async def get_features(request: web.Request) -> web.StreamResponse:
    """Groups beside each other: what they use."""
    query = load(groups_query(), request.query)
    groups = query["groupIds"]
    through = await consistent_through(request)
    usage = usage_of(request, query)
    types: dict[str, Counter[str]] = defaultdict(Counter)
    features: dict[str, Counter[str]] = defaultdict(Counter)
    for (scope, event_type, feature), sums in (await usage.lines(Subject("group", groups), ("scope", "type", "feature"))).items():
        types[scope][event_type] += sums["events"]
        if feature:
            features[scope][feature] += sums["events"]
    told = [reports.features_answer(group, types[f"group={group}"], features[f"group={group}"]) for group in groups]
    return json_answer({"groups": part_of(told, query)}, headers=through)


async def _metadata(request: web.Request, fact: Fact) -> Mapping[str, Any]:
    """The metadata of an event. What is too long for a summary is in its statement."""
    if fact.metadata is not None:
        known: Mapping[str, Any] = parse(fact.metadata)
        return known
    statement = await request.config_dict[STATEMENTS].get(request[CALLER].tenant, fact.id, voided=False)
    return {} if statement is None else metadata_of(statement)


async def _activity(usage: Usage, subject: Subject) -> dict[str, Any]:
    used, tests, attempts = await asyncio.gather(
        usage.lines(subject, ("bucket", "type")), usage.lines(subject, ("score", "passed"), part="tests "),
        usage.lines(subject, ("attempt",), part="attempts "),
    )
    return reports.activity_answer(used, tests, attempts, await usage.seen(subject, [hour for hour, _ in used]))


async def _all(found: AsyncIterator[Progress]) -> list[Progress]:
    return [each async for each in found]


async def _progress(request: web.Request, query: Mapping[str, Any], facet: str, own_id: str) -> AsyncIterator[Progress]:
    """How far users are with resources: as it is kept, or, if a span is asked for, made anew of the events in it."""
    usage = usage_of(request, query)
    if not usage.span.is_bounded:
        async for progress in request[BROUGHT_UP].each(request[CALLER].tenant, PROGRESS, {facet: own_id}):
            yield progress
        return
    made: dict[str, Progress] = {}
    async for fact in usage.facts({facet: own_id}):
        if is_progress(fact):
            key = digest([fact.user, fact.kind, fact.thing])
            made[key] = with_fact(made.get(key, Progress()), fact)
    for each in made.values():
        yield each


def usage_of(request: web.Request, query: Mapping[str, Any]) -> Usage:
    """The usage of the caller's tenant, in the span of the query; as `consistent_through` has found it."""
    return Usage(request[BROUGHT_UP], request[CALLER].tenant, query["span"])


def named(request: web.Request, name: str) -> str:
    """An id in the path; "" for a blank one, which nobody has."""
    return name_text(request.match_info[name]) or ""


def part_of(listed: Sequence[Any], query: Mapping[str, Any]) -> Sequence[Any]:
    """The part of a report's list that is asked for; without `limit` all of it."""
    return listed[slice_of(query)]


def slice_of(query: Mapping[str, Any]) -> slice:
    """The same as a slice."""
    offset = query.get("offset", 0)
    return slice(offset, offset + query["limit"] if "limit" in query else None)


async def consistent_through(request: web.Request) -> dict[str, str]:
    """Up to when what was stored is in the answer for certain; taken before the answer is made, for all that is read for it."""
    through_us, request[BROUGHT_UP] = await request.config_dict[SUMMARIES].brought_up(request[CALLER].tenant)
    return {CONSISTENT_THROUGH: format_stored(through_us)}


adapter = Adapter(
    name="studyfetch",
    version="1",
    settings=SettingsSchema,
    routes=(
        Route("GET", f"{USAGE_PATH}/events", get_events, query=EventsQuery),
        Route("GET", f"{USAGE_PATH}/summary", get_summary, query=SummaryQuery),
        Route("GET", f"{USAGE_PATH}/users/{USER}/summary", get_user_summary, query=SpanQuery),
        Route("GET", f"{USAGE_PATH}/users/{USER}/progress", get_progress, query=SpanQuery),
        Route("GET", f"{USAGE_PATH}/resources/{RESOURCE}/users", get_resource_users, query=SpanQuery),
        Route("GET", f"{USAGE_PATH}/groups/{GROUP}/summary", get_group_summary, query=SpanQuery),
        Route("GET", f"{USAGE_PATH}/compare", get_comparison, query=GroupsQuery),
        Route("GET", f"{USAGE_PATH}/features", get_features, query=GroupsQuery),
    ),
    translate=translate,
    event=EventSchema,
)
