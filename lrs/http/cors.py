"""Content in browsers, on pages of other origins, may use xAPI: it sends its credential itself, and no cookie is ever taken.

Adapters' own paths are for pages only where their origins are named: most of those systems never meant to be called by any page there is.

xAPI 1.0.3, Communication 1.2 and Appendix C; https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from lrs.config import Config
from lrs.http.keys import ADAPTERS, CONFIG
from lrs.http.logs import REQUEST_ID_HEADER
from lrs.plugins import Adapter

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
    if request.method != "OPTIONS" or hdrs.ACCESS_CONTROL_REQUEST_METHOD not in request.headers:
        return await handler(request)
    origins, prefixes = _origins(request.config_dict[CONFIG]), _prefixes(request.config_dict[ADAPTERS].values())
    if not _is_for_pages(request.path, origins, prefixes):
        return await handler(request)
    return web.Response(status=204, headers={
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: METHODS,
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: SENT,
        hdrs.ACCESS_CONTROL_MAX_AGE: PREFLIGHT_S,
    })


def page_opener(app: web.Application) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A signal handler that says on every answer for pages, errors included, whose pages may read it."""
    origins, prefixes = _origins(app[CONFIG]), _prefixes(app[ADAPTERS].values())

    async def let_pages_read(request: web.Request, response: web.StreamResponse) -> None:
        if not _is_for_pages(request.path, origins, prefixes):
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


def _origins(config: Config) -> frozenset[str]:
    return frozenset(config.cors_origins.replace(",", " ").split())


def _prefixes(adapters: Iterable[Adapter]) -> frozenset[str]:
    """What the adapters' own paths begin with."""
    return frozenset(route.path.partition("{")[0] for adapter in adapters for route in adapter.routes)


def _is_for_pages(path: str, origins: frozenset[str], prefixes: frozenset[str]) -> bool:
    if "/xapi/" in path:
        return True
    return bool(origins) and ANY not in origins and any(prefix in path for prefix in prefixes)
