"""The doors of native events: the generic one of every adapter, and what adapters' own routes share with it."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from lrs.errors import BrokenTranslation, InvalidEvent, LRSError, NotFound
from lrs.events import Outcome, Source, code_of, reason_of
from lrs.http.answers import json_answer
from lrs.http.auth import CALLER
from lrs.http.body import read_bytes
from lrs.http.keys import ADAPTERS, DIRECTORY, EVENTS, JOBS, NATIVE_EVENTS
from lrs.http.logs import REQUEST_ID
from lrs.jobs import INTERPRET
from lrs.native_bodies import texts_of
from lrs.plugins import Adapter
from lrs.store.jobs import Job
from lrs.store.native_events import DEAD, DUPLICATE, NOTHING, STORED, Fate, Origin
from lrs.xapi.json_text import dump
from lrs.xapi.types import Agent, Statement

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
DOOR = "/adapters/{adapter}/events"
IMPORT = "/adapters/{adapter}/imports/{job}"


async def post_events(request: web.Request) -> web.Response:
    """POST /adapters/{adapter}/events: one event, an array, {"events": [...]}, or NDJSON.

    200 with how many were stored, were there before, and which were rejected; 400 if none could be used.
    """
    adapter, body = translating(request), await read_bytes(request)
    source, origin = await _source(request, adapter), _origin(request, adapter)
    try:
        texts = texts_of(adapter, body, request.content_type in NDJSON)
    except (InvalidEvent, BrokenTranslation) as error:
        await request.config_dict[EVENTS].refuse(source, body, origin, error)
        raise
    if "respond-async" in request.headers.get("Prefer", "").replace(" ", "").split(","):
        return await _later(request, source, texts, origin)
    return answer_of(request, await request.config_dict[EVENTS].take(source, texts, origin))


async def _later(request: web.Request, source: Source, texts: Sequence[bytes], origin: Origin) -> web.Response:
    """202 and how the job begins that interprets the events, which are kept by then. RFC 7240, 4.1."""
    batch, kept = await request.config_dict[EVENTS].set_aside(source, texts, origin)
    stamps = [each.received_us for each in kept] or [0]
    job = await request.config_dict[JOBS].start(source.tenant, INTERPRET, {
        "adapter": source.adapter.name, "batch": batch, "first_us": min(stamps), "last_us": max(stamps), "total": len(kept),
    })
    headers = {"Location": f"{request.path.removesuffix('/events')}/imports/{job.id}", "Preference-Applied": "respond-async"}
    return json_answer(told_of(job), status=202, headers=headers)


async def get_import(request: web.Request) -> web.Response:
    """GET /adapters/{adapter}/imports/{job}: how far the interpreting of events is that were posted to be answered later. 404."""
    job = await request.config_dict[JOBS].get(request[CALLER].tenant, request.match_info["job"])
    if job.kind != INTERPRET or job.arguments["adapter"] != request.match_info["adapter"]:
        raise NotFound("there is no such import")
    return json_answer(told_of(job))


def told_of(job: Job) -> dict[str, Any]:
    """An import for whoever posted it; `events` counts what became of them once it is done."""
    return {
        "import": job.id, "state": job.state, "done": job.done, "total": job.arguments["total"],
        "events": (job.result or {}).get("events", {}), "error": job.error and job.error["message"],
    }


async def take_events(request: web.Request, adapter: str, events: Sequence[Any]) -> list[Outcome]:
    """Keep and store native events that came to an adapter's own route, each a JSON value; one outcome each.

    The caller has been admitted. StoreUnavailable, TooLarge.
    """
    installed = request.config_dict[ADAPTERS][adapter]
    source, texts = await _source(request, installed), [dump(each) for each in events]
    return await request.config_dict[EVENTS].take(source, texts, _origin(request, installed))


async def keep_call(request: web.Request, adapter: str, tenant: str, call: Any, *, caller: str, authority: Agent) -> str:
    """Keep a call that its adapter answers by itself, as a JSON value, before anything is made of it; the id it is noted under.

    `caller` says whose credential it came with. StoreUnavailable, TooLarge.
    """
    label = request.config_dict[ADAPTERS][adapter].label
    origin = Origin(label, request.get(REQUEST_ID, ""), caller, authority)
    [kept] = await request.config_dict[NATIVE_EVENTS].keep(tenant, adapter, [dump(call)], origin)
    return kept.id


def note_stored(request: web.Request, event: str, statements: Sequence[Statement]) -> None:
    """Say which statements a kept call became."""
    ids = [each["id"] for each in statements]
    request.config_dict[NATIVE_EVENTS].note_soon({event: Fate(STORED if ids else NOTHING, ids)})


def note_refused(request: web.Request, event: str, reason: Mapping[str, str]) -> None:
    """Say why a kept call was refused: {"kind", "place", "rule", "code"}. It stays as a dead letter."""
    request.config_dict[NATIVE_EVENTS].note_soon({event: Fate(DEAD, (), reason)})


async def _source(request: web.Request, adapter: Adapter) -> Source:
    caller = request[CALLER]
    settings = await request.config_dict[DIRECTORY].settings(caller.tenant, adapter)
    return Source(adapter, caller.tenant, settings, caller.authority)


def _origin(request: web.Request, adapter: Adapter) -> Origin:
    caller = request[CALLER]
    return Origin(adapter.label, request.get(REQUEST_ID, ""), caller.key, caller.authority)


def translating(request: web.Request) -> Adapter:
    """The adapter of the path, if it translates events. NotFound."""
    adapter = request.config_dict[ADAPTERS].get(request.match_info["adapter"])
    if adapter is None or adapter.translate is None:
        raise NotFound(f"no adapter {request.match_info['adapter']} takes events here")
    return adapter


def answer_of(request: web.Request, outcomes: Sequence[Outcome]) -> web.Response:
    """What became of a batch, for whoever sent it."""
    counted = {
        "stored": sum(each.kind == STORED for each in outcomes),
        "duplicates": sum(each.kind == DUPLICATE for each in outcomes),
        "rejected": [_rejected(index, each.error) for index, each in enumerate(outcomes) if each.error is not None],
    }
    if not counted["rejected"] or any(each.kind in (STORED, DUPLICATE) for each in outcomes):
        return json_answer(counted)
    first = counted["rejected"][0]
    # A translation that fails is our fault: 500, though the event is kept and can be tried again.
    ours = all(isinstance(each.error, BrokenTranslation) for each in outcomes if each.error is not None)
    told = {"error": first["error"], "message": first["message"], **counted, "request_id": request.get(REQUEST_ID)}
    return json_answer(told, status=500 if ours else 400)


def _rejected(index: int, error: LRSError | None) -> Mapping[str, Any]:
    assert error is not None
    reason = reason_of(error)
    return {"index": index, "error": code_of(error), "place": reason["place"], "message": error.message}
