"""Content in browsers, on pages of other origins, may use xAPI: it sends its credential itself, and no cookie is ever taken.

xAPI 1.0.3, Communication 1.2 and Appendix C; https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from lrs.http.keys import CONFIG
from lrs.http.logs import REQUEST_ID_HEADER

ANY = "*"
METHODS = "GET, HEAD, POST, PUT, DELETE"
# What pages may send beyond what every page may, and what they may read of an answer.
SENT = (
    "Authorization, Content-Type, If-Match, If-None-Match, Accept-Language, Cache-Control, X-Requested-With, "
    f"X-Experience-API-Version, X-API-Key, {REQUEST_ID_HEADER}"
)
READ = (
    "ETag, Last-Modified, X-Experience-API-Version, X-Experience-API-Consistent-Through, Content-Length, Retry-After, "
    f"WWW-Authenticate, {REQUEST_ID_HEADER}"
)
# Chromium forgets a preflight after two hours in any case.
PREFLIGHT_S = "7200"


@web.middleware
async def answer_preflights(request: web.Request, handler: Handler) -> web.StreamResponse:
    """OPTIONS, with which a browser asks whether a page may send what it wants to send."""
    if request.method != "OPTIONS" or "/xapi/" not in request.path or hdrs.ACCESS_CONTROL_REQUEST_METHOD not in request.headers:
        return await handler(request)
    return web.Response(status=204, headers={
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: METHODS,
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: SENT,
        hdrs.ACCESS_CONTROL_MAX_AGE: PREFLIGHT_S,
    })


def page_opener(app: web.Application) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A signal handler that says on every answer of xAPI, errors included, whose pages may read it."""
    origins = frozenset(app[CONFIG].cors_origins.replace(",", " ").split())

    async def let_pages_read(request: web.Request, response: web.StreamResponse) -> None:
        if "/xapi/" not in request.path:
            return
        if ANY in origins:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = ANY
        else:
            response.headers.add(hdrs.VARY, hdrs.ORIGIN)
            if request.headers.get(hdrs.ORIGIN) not in origins:
                return
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = request.headers[hdrs.ORIGIN]
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = READ

    return let_pages_read
