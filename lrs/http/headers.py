"""Headers that xAPI asks for: versions, the watermark, the time of a statement."""

import re
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from functools import lru_cache
from hashlib import sha1

from aiohttp import web

from lrs.errors import InvalidParameter
from lrs.http.keys import CONFIG, WATERMARK
from lrs.http.logs import REQUEST_ID, REQUEST_ID_HEADER
from lrs.store.positions import stored_us_of
from lrs.xapi.times import format_stored

VERSION = web.RequestKey("version", str)
# What a caller's tenant takes for the version of requests that name none we speak.
DEFAULT_VERSION = web.RequestKey("default_version", str)
VERSION_HEADER = "X-Experience-API-Version"
CONSISTENT_THROUGH = "X-Experience-API-Consistent-Through"
# By the line a request names, what we answer with: its latest patch. xAPI 1.0.3, Communication 3.3.
LATEST = {"1": "1.0.3", "2": "2.0.0"}
TAKEN = re.compile(r"([12])\.0(?:\.\d{1,4})?", re.ASCII)


def version_of(request: web.Request) -> str:
    """The version whose rules the request asks for: "1.0.3" for every 1.0.x, "2.0.0" for every 2.0.x.

    InvalidParameter if it names none, or one we do not speak.
    """
    version = _latest(request)
    if version is None:
        raise InvalidParameter(VERSION_HEADER, f"must be 1.0.x or 2.0.x, such as {' or '.join(LATEST.values())}")
    return version


def _latest(request: web.Request) -> str | None:
    match = TAKEN.fullmatch(request.headers.get(VERSION_HEADER, ""))
    return LATEST[match[1]] if match else None


def consistent_through(through_us: int) -> dict[str, str]:
    """The watermark as a header."""
    return {CONSISTENT_THROUGH: format_stored(through_us)}


def last_modified(position: int) -> dict[str, str]:
    """The time in a statement's position as a header, in whole seconds. xAPI 1.0.3, Communication 2.1.3."""
    return {"Last-Modified": _http_date(stored_us_of(position) // 1_000_000)}


@lru_cache(maxsize=1024)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)


def etag(body: bytes) -> dict[str, str]:
    """SHA-1 of the content, in quotes. xAPI 1.0.3, Communication 3.1."""
    return {"ETag": f'"{sha1(body, usedforsecurity=False).hexdigest()}"'}


def stamper(app: web.Application) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A signal handler that gives every answer of the app its headers, the errors of aiohttp itself included.

    It gets the app, as the request's own `config_dict` is the host's again by the time an error is sent.
    """

    async def stamp(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        if REQUEST_ID in request:
            headers[REQUEST_ID_HEADER] = request[REQUEST_ID]
        if "/xapi/" not in request.path:
            return
        default = request.get(DEFAULT_VERSION) or app[CONFIG].xapi_default_version
        headers[VERSION_HEADER] = request.get(VERSION) or _latest(request) or default
        if request.path.endswith("/xapi/statements") and CONSISTENT_THROUGH not in headers:
            # Who waits for the watermark asks again and again, and may be refused each time for another reason: it must still move.
            reads = VERSION in request and request.method in ("GET", "HEAD") and response.status < 500
            headers[CONSISTENT_THROUGH] = format_stored(await app[WATERMARK].through() if reads else app[WATERMARK].known())

    return stamp
