"""Management of dead letters: native events that could not be translated, to be looked at, edited and tried again."""

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from marshmallow import Schema, fields, validate

from lrs.dead_letters import now_of, shown_id
from lrs.errors import InvalidParameter, NotFound
from lrs.http.answers import json_answer
from lrs.http.body import read_bytes
from lrs.http.jobs import PacedSchema, read_wanted, start_job
from lrs.http.keys import DEAD_LETTERS, NATIVE_EVENTS
from lrs.http.manage import known_tenant
from lrs.http.native import translating
from lrs.http.params import only, single_values
from lrs.store.native_events import DEAD, body_of
from lrs.xapi.json_text import dump, parse
from lrs.xapi.times import format_stored

KINDS = ("unreadable", "shape", "value", "unknown_type", "translation", "statement", "too_large", "refused")
PAGE = 100
# What a page gives as `more`: an adapter, and microseconds since the epoch.
AFTER = re.compile(r"[^/]+/[0-9]{1,18}", re.ASCII)


class RetrySchema(Schema):
    """How to try again: as it is, or with another event in its place."""

    event = fields.Raw(metadata={"description": "the edited event; the first one stays beside it"})


class ReplaySchema(PacedSchema):
    """Which dead letters to try again; all of them if nothing is said. A dry run stores nothing and tells the difference."""

    adapter = fields.String(load_default=None)
    kind = fields.String(load_default=None, validate=validate.OneOf(KINDS))
    dry_run = fields.Boolean(load_default=False)


class RetranslateSchema(PacedSchema):
    """A dry run stores nothing and tells the difference."""

    dry_run = fields.Boolean(load_default=False)


async def get_dead_letters(request: web.Request) -> web.Response:
    """GET …/dead-letters?adapter&kind&more: a page in the order of their receipt; the first one says how many there are of each kind."""
    tenant, params = await known_tenant(request), single_values(request.query)
    only(params, ("adapter", "kind", "more"))
    if params.get("kind", KINDS[0]) not in KINDS:
        raise InvalidParameter("kind", f"must be one of {', '.join(KINDS)}")
    after = params.get("more")
    if after is not None and not AFTER.fullmatch(after):
        raise InvalidParameter("more", "must be as a page gave it")
    kept = request.config_dict[NATIVE_EVENTS]
    found = await kept.page(
        tenant, adapter=params.get("adapter"), outcome=DEAD, kind=params.get("kind"),
        after=after and f"{tenant}/{after}", limit=PAGE,
    )
    return json_answer({
        "dead_letters": [shown(each) for each in found],
        "counts": await kept.reasons(tenant) if after is None else [],
        "more": shown_id(found[-1]) if len(found) == PAGE else None,
    })


async def get_events_behind(request: web.Request) -> web.Response:
    """GET …/native-events/{statement}: the native events that a statement comes from or that repeated it, as they came."""
    tenant = await known_tenant(request)
    found = await request.config_dict[NATIVE_EVENTS].behind(tenant, request.match_info["statement"].lower())
    return json_answer({"native_events": [shown(each) for each in found]})


async def get_dead_letter(request: web.Request) -> web.Response:
    """GET …/dead-letters/{adapter}/{received}: one, with all that is known of it. 404 if there is none."""
    tenant = await known_tenant(request)
    document = await request.config_dict[NATIVE_EVENTS].get(tenant, _event(request))
    if document is None or document.get("outcome") != DEAD:
        raise NotFound(f"there is no dead letter {_event(request)}")
    return json_answer(shown(document))


async def post_retry(request: web.Request) -> web.Response:
    """POST …/dead-letters/{adapter}/{received}/retry {"event"?}: what became of it now."""
    tenant, body = await known_tenant(request), await read_bytes(request)
    given = RetrySchema().load(parse(body) if body else {})
    edited = dump(given["event"]) if "event" in given else None
    outcome = await request.config_dict[DEAD_LETTERS].retry(tenant, _event(request), edited)
    return json_answer(now_of(outcome))


async def post_replay(request: web.Request) -> web.Response:
    """POST …/dead-letters/replay {"adapter"?, "kind"?, "dry_run"?, "per_second"?, "wait"?}: all of them again, as a job."""
    tenant, wanted = await known_tenant(request), await read_wanted(request, ReplaySchema)
    return await start_job(request, tenant, "replay", wanted)


async def post_retranslate(request: web.Request) -> web.Response:
    """POST …/adapters/{adapter}/retranslate {"dry_run"?, "per_second"?, "wait"?}: history under the adapter's version of today."""
    tenant, wanted = await known_tenant(request), await read_wanted(request, RetranslateSchema)
    adapter = translating(request)
    return await start_job(request, tenant, "retranslate", {**wanted, "adapter": adapter.name})


def _event(request: web.Request) -> str:
    return f"{request.match_info['adapter']}/{request.match_info['received']}"


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """A native event as operators see it; `body` is what came, as text, and `edited` what stands in its place."""
    body = document["body"]
    return {
        "id": shown_id(document), "adapter": document["adapter"], "by": document["by"],
        "received": format_stored(document["received"]), "request_id": document["request"], "credential": document["caller"],
        "index": document["index"], "tries": document.get("tries", 0), "outcome": document.get("outcome", "pending"),
        "reason": document.get("reason", {}),
        "body": body if isinstance(body, str) else body_of({"body": body}).decode(errors="replace"),
        **({"edited": document["edited"]} if "edited" in document else {}),
    }
