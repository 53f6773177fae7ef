"""One line of log and one observation of metrics a request, under an id that the answer repeats."""

import re
import time
from secrets import token_hex

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from lrs.http.auth import CALLER
from lrs.http.metrics import METRICS

logger = structlog.get_logger(__name__)

REQUEST_ID = web.RequestKey("request_id", str)
REQUEST_ID_HEADER = "X-Request-ID"
# Long enough for every usual kind of id, and nothing in it that could break a line or a terminal.
SANE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}", re.ASCII)
# nginx' number for a client that went away before its answer; never sent.
CLIENT_LEFT = 499


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request its id, and log and count it once its outcome is known."""
    started = time.perf_counter()
    # Not a context variable: tasks that serve many requests, such as a gathered write, would go by the id of the first.
    request[REQUEST_ID] = _request_id(request)
    status = CLIENT_LEFT
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        _record(request, status, time.perf_counter() - started)


def _request_id(request: web.Request) -> str:
    given = request.headers.get(REQUEST_ID_HEADER, "")
    return given if SANE_ID.fullmatch(given) else new_request_id()


def new_request_id() -> str:
    """An id for a request that brought none."""
    return token_hex(16)


def _record(request: web.Request, status: int, duration_s: float) -> None:
    route = route_of(request)
    request.app[METRICS].count(request.method, route, status, duration_s)
    logger.info(
        "request", request_id=request[REQUEST_ID], method=request.method, route=route, tenant=_tenant(request),
        status=status, duration_ms=round(duration_s * 1000, 3),
    )


def route_of(request: web.Request) -> str:
    """The route's pattern, never the path itself: "/t/{tenant}/xapi/statements"; "unmatched" where there is none."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"


def _tenant(request: web.Request) -> str | None:
    caller = request.get(CALLER)
    return caller.tenant if caller is not None else request.match_info.get("tenant")
