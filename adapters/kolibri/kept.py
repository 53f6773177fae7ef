"""Calls kept as they came, before anything is made of them, and what became of each.

What a call means depends on the moment: it cannot be made again later. A refused one stays as a dead letter to be looked at.
"""

from collections.abc import Sequence
from functools import wraps
from typing import Any

from aiohttp import web
from marshmallow import ValidationError

from adapters.kolibri.bodies import read_body
from adapters.kolibri.login import ADAPTER, Asker, asker_of
from adapters.kolibri.refusals import Busy, Handler, validation_body
from adapters.kolibri.translate import authority
from lrs.errors import InvalidBody, LRSError, StoreUnavailable
from lrs.events import reason_of
from lrs.http.keys import ADAPTERS, DIRECTORY
from lrs.http.lives import one_life
from lrs.http.native import keep_call, note_refused, note_stored
from lrs.xapi.types import Statement

ASKER = web.RequestKey("asker", Asker)
BODY: web.RequestKey[Any] = web.RequestKey("body")
TOLD: web.RequestKey[Sequence[Statement]] = web.RequestKey("told")


def kept_first(handler: Handler) -> Handler:
    """Let a handler find the asker at request[ASKER] and the body at request[BODY], and the call kept by then.

    It leaves what it stores at request[TOLD].
    """
    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        request[ASKER] = await asker_of(request)
        try:
            async with one_life(request, request[ASKER].tenant):
                request[BODY] = await read_body(request)
        except InvalidBody as error:
            note_refused(request, await _keep(request, None), reason_of(error))
            raise
        kept = await _keep(request, request[BODY])
        try:
            response = await handler(request)
        except (ValidationError, LRSError) as error:
            # Whoever is told to come again will; what came of this call is not known.
            if not isinstance(error, (StoreUnavailable, Busy)):
                note_refused(request, kept, _reason(error))
            raise
        note_stored(request, kept, request.get(TOLD, ()))
        return response

    return answer


async def _keep(request: web.Request, body: Any) -> str:
    """{"method", "path", "user", "body"}: the path as it was asked for, the user's id or null, the body as JSON (null if it is none)."""
    asker, parts = request[ASKER], request.config_dict
    settings = await parts[DIRECTORY].settings(asker.tenant, parts[ADAPTERS][ADAPTER])
    call = {"method": request.method, "path": request.path, "user": asker.user, "body": body}
    return await keep_call(request, ADAPTER, asker.tenant, call, caller=asker.user or "", authority=authority(settings))


def _reason(error: ValidationError | LRSError) -> dict[str, str]:
    if isinstance(error, LRSError):
        return reason_of(error)
    faults = validation_body(error)
    first = faults[0] if isinstance(faults, list) and faults else {}
    told = first.get("metadata", {})
    place, rule = str(told.get("field", "")), str(told.get("message", faults))
    return {"kind": "value", "place": place, "rule": rule, "code": str(first.get("id", "INVALID"))}
