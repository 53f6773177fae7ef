"""The paths of OfCourseMe's events, where the vendor has them, and of the reports that it promises to answer from them."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from adapters.ofcourseme.answers import (
    as_vendor,
    completions_answer,
    conversion_answer,
    event_answer,
    hours_answer,
)
from adapters.ofcourseme.calls import escaped, event_in, joined, posted_event
from adapters.ofcourseme.facts import SOURCE, short
from adapters.ofcourseme.parameters import INVALID, parameters_of
from adapters.ofcourseme.reports import Window, completions, people, searches, window_of
from adapters.ofcourseme.schema import CatalogueSchema, EventSchema, SettingsSchema, WindowSchema, course_lengths_ms
from adapters.ofcourseme.translate import translate
from lrs.adapter_settings import zone_of
from lrs.errors import Forbidden, InvalidEvent
from lrs.http.answers import json_answer
from lrs.http.auth import API_KEY_HEADER, CALLER, READS_REPORTS, WRITES_EVENTS, Access, count
from lrs.http.body import read_bytes
from lrs.http.headers import consistent_through
from lrs.http.keys import ADAPTERS, DIRECTORY, REFERENCES, SUMMARIES
from lrs.http.native import take_events
from lrs.http.tenancy import named_tenant
from lrs.plugins import Adapter, Entry, Reference, Route

EVENTS = "/v2.0/events"
REPORTS = "/v2.0/reports"
COURSE = "course"
FORM = "multipart/form-data"
# What browsers and crawlers say when they fetch what nobody has asked for yet.
PREFETCHES = ("Purpose", "Sec-Purpose", "X-Purpose", "X-Moz")


@as_vendor
async def take_event(request: web.Request) -> web.StreamResponse:
    """Log an event."""
    await admit(request, WRITES_EVENTS)
    if request.method == hdrs.METH_HEAD or is_prefetch(request):
        return web.Response(status=204)
    [outcome] = await take_events(request, SOURCE, [await event_of(request)])
    if outcome.error is not None:
        raise outcome.error
    return json_answer(event_answer(outcome.statements[0]))


@as_vendor
async def get_completions(request: web.Request) -> web.StreamResponse:
    """How many people completed at least one course?"""
    tenant, window = await _asked(request)
    through_us, summaries = await request.config_dict[SUMMARIES].brought_up(tenant)
    answer = completions_answer(await people(summaries, tenant, window), await completions(summaries, tenant, window))
    return json_answer(answer, headers=consistent_through(through_us))


@as_vendor
async def get_search_conversion(request: web.Request) -> web.StreamResponse:
    """Of 100 searches, how many courses get completed?"""
    tenant, window = await _asked(request)
    through_us, summaries = await request.config_dict[SUMMARIES].brought_up(tenant)
    answer = conversion_answer(await searches(summaries, tenant, window), await completions(summaries, tenant, window))
    return json_answer(answer, headers=consistent_through(through_us))


@as_vendor
async def get_training_hours(request: web.Request) -> web.StreamResponse:
    """What is the total duration of completed courses?"""
    tenant, window = await _asked(request)
    through_us, summaries = await request.config_dict[SUMMARIES].brought_up(tenant)
    told = await completions(summaries, tenant, window)
    catalogue = (await request.config_dict[REFERENCES].snapshot(tenant, SOURCE)).kinds.get(COURSE, {})
    lengths_ms = {course: catalogue[course]["length_ms"] for course in told.courses if course in catalogue}
    return json_answer(hours_answer(told, lengths_ms), headers=consistent_through(through_us))


async def admit(request: web.Request, access: Access) -> None:
    """Let in whoever has a key with one of the scopes, in the header and nowhere else. Raises Forbidden, RateLimited."""
    key, caller = request.headers.get(API_KEY_HEADER, ""), None
    # Bytes that are not UTF-8 come as lone surrogates, which no digest takes.
    if key.isprintable():
        caller = await request.config_dict[DIRECTORY].caller_of_api_key(key)
    if caller is None or access.scopes.isdisjoint(caller.scopes):
        raise Forbidden("no key that may do this")
    if await named_tenant(request) not in (None, caller.tenant):
        raise Forbidden("no key of this tenant")
    await count(request, caller)
    request[CALLER] = caller


def is_prefetch(request: web.Request) -> bool:
    """Whether something fetches ahead of a user, who may never come."""
    said = (request.headers.get(name, "").lower() for name in PREFETCHES)
    return any(word in each for each in said for word in ("prefetch", "prerender", "preview"))


async def event_of(request: web.Request) -> Any:
    """The native event of a call. Raises InvalidEvent, InvalidBody, TooLarge, UnsupportedMediaType."""
    query = query_string(request)
    if request.method != hdrs.METH_POST:
        return event_in(query)
    if request.content_type == FORM:
        return event_in(joined(query, await _multipart(request)))
    return posted_event(query, request.content_type, await read_bytes(request))


def query_string(request: web.Request) -> str:
    """What stands behind the question mark, as it was sent."""
    return escaped(request.raw_path.partition("?")[2].encode(errors="surrogateescape"))


async def _multipart(request: web.Request) -> str:
    try:
        posted = await request.post()
    # aiohttp has its own idea, and its own class, of what is wrong with a part (RuntimeError, LookupError).
    except (web.RequestPayloadError, HttpProcessingError, ValueError, RuntimeError, LookupError) as error:
        raise InvalidEvent("", f"cannot be read as its headers say: {error}", reason="shape", code=INVALID) from error
    return urlencode([(name, value) for name, value in posted.items() if isinstance(value, str)])


async def _asked(request: web.Request) -> tuple[str, Window]:
    """Whose report is asked for, and what about. Raises Forbidden, RateLimited, InvalidEvent."""
    await admit(request, READS_REPORTS)
    tenant = request[CALLER].tenant
    adapter_settings = await request.config_dict[DIRECTORY].settings(tenant, request.config_dict[ADAPTERS][SOURCE])
    return tenant, window_of(parameters_of(event_in(query_string(request))), zone_of(adapter_settings["source_timezone"]))


def courses(catalogue: Mapping[str, Any]) -> Iterable[Entry]:
    """The courses of a catalogue by their names in lines, with their lengths in milliseconds."""
    for course, length_ms in course_lengths_ms(catalogue):
        yield Entry(COURSE, short(course), {"course": course, "length_ms": length_ms})


adapter = Adapter(
    name=SOURCE,
    version="1",
    settings=SettingsSchema,
    routes=(
        Route("GET", EVENTS, take_event, query=EventSchema),
        Route("POST", EVENTS, take_event, body=EventSchema),
        Route("GET", f"{REPORTS}/completions", get_completions, query=WindowSchema),
        Route("GET", f"{REPORTS}/search-conversion", get_search_conversion, query=WindowSchema),
        Route("GET", f"{REPORTS}/training-hours", get_training_hours, query=WindowSchema),
    ),
    references={"catalogue": Reference("catalogue", CatalogueSchema, courses)},
    translate=translate,
    event=EventSchema,
)
