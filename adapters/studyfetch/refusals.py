"""Errors of the usage calls: {"error": "INVALID_PARAMETER", "message": "…"}."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import TypeAlias

from aiohttp import web

from lrs.errors import Forbidden, InvalidParameter, RateLimited, StoreUnavailable, Unauthorized
from lrs.events import code_of
from lrs.http.answers import json_answer
from lrs.http.auth import READS_REPORTS, admit

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Refusal = InvalidParameter | Unauthorized | Forbidden | RateLimited | StoreUnavailable

STATUS: Mapping[type[Refusal], int] = {
    InvalidParameter: 400, Unauthorized: 401, Forbidden: 403, RateLimited: 429, StoreUnavailable: 503,
}
# Seconds after which it is worth asking again.
RETRY_AFTER_S = {429: 1, 503: 1}


def for_readers(handler: Handler) -> Handler:
    """Let in whoever may read reports, and answer refusals in the shape of these calls."""
    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            await admit(request, READS_REPORTS)
            return await handler(request)
        except (InvalidParameter, Unauthorized, Forbidden, RateLimited, StoreUnavailable) as error:
            return refused(error)
    return answer


def refused(error: Refusal) -> web.Response:
    """An error as an answer."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    wait_s = max(1, -int(-error.retry_after_s // 1)) if isinstance(error, RateLimited) else RETRY_AFTER_S.get(status)
    headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
    if status == 401:
        headers["WWW-Authenticate"] = 'ApiKey header="x-api-key"'
    # What was sent may be quoted in the message, and need not be text that UTF-8 has bytes for.
    message = error.message.encode(errors="replace").decode()
    return json_answer({"error": code_of(error), "message": message}, status=status, headers=headers)
