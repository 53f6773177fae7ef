"""The alternate request syntax of xAPI 1.0.x: a POST whose query says the method, and whose form the rest.

xAPI 1.0.3, Communication 1.3. For browsers' beacons and the like, which can set neither a method nor headers. 2.0 has it no more.
"""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from aiohttp import hdrs, web
from aiohttp.streams import StreamReader
from aiohttp.typedefs import Handler
from multidict import CIMultiDict

from lrs.errors import InvalidBody, InvalidParameter
from lrs.http.body import read_bytes
from lrs.http.headers import VERSION_HEADER

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
# What the form may say of the headers; any other field is a parameter, and "content" is the body.
HEADERS = {name.lower(): name for name in (
    hdrs.AUTHORIZATION, VERSION_HEADER, hdrs.CONTENT_TYPE, hdrs.CONTENT_LENGTH, hdrs.IF_MATCH, hdrs.IF_NONE_MATCH,
)}
CONTENT = "content"
# Beacons send text/plain where a form would make the browser ask first.
FORMS = ("application/x-www-form-urlencoded", "text/plain", "application/octet-stream")
MOST_FIELDS = 100


@web.middleware
async def alternate_syntax(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a request in the alternate syntax be answered as the one it stands for; any other goes its way."""
    if request.method != "POST" or "method" not in request.query or "/xapi/" not in request.path:
        return await handler(request)
    if request.headers.get(VERSION_HEADER, "").startswith("2."):
        raise InvalidParameter("method", "is of the alternate request syntax, which 2.0 does not have")
    meant = _meant(request, _fields(request, await read_bytes(request)))
    match = await request.app.router.resolve(meant)
    for app in reversed(request.match_info.apps):
        match.add_app(app)
    match.current_app = request.app
    meant._match_info = match  # as the application itself does with what it has routed
    try:
        return _bodiless(meant, await match.handler(meant))
    finally:
        # Whoever logs and stamps the answer sees only the request that came.
        request.update(meant)


def _fields(request: web.Request, body: bytes) -> dict[str, str]:
    """The form. InvalidBody, InvalidParameter."""
    if request.content_type not in FORMS:
        raise InvalidParameter("Content-Type", f"must be {FORMS[0]}, as the query says a method")
    if len(request.query) > 1:
        raise InvalidParameter("method", "must stand alone: all other parameters belong into the form")
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=bool(body), errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise InvalidBody(f"must be a form in UTF-8: {error}") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidBody("must have each of its fields once")
    return fields


def _meant(request: web.Request, fields: Mapping[str, str]) -> web.Request:
    """The request that is meant."""
    method = request.query["method"].upper()
    if method not in METHODS:
        raise InvalidParameter("method", f"must be one of {', '.join(METHODS)}")
    headers = CIMultiDict(request.headers)
    headers.popall(hdrs.CONTENT_TYPE, None)
    headers.popall(hdrs.CONTENT_ENCODING, None)
    headers.popall(hdrs.TRANSFER_ENCODING, None)
    headers.update({HEADERS[name.lower()]: value for name, value in fields.items() if name.lower() in HEADERS})
    if headers.get(VERSION_HEADER, "").startswith("2."):
        raise InvalidParameter("method", "is of the alternate request syntax, which 2.0 does not have")
    if any(not value.isprintable() for value in headers.values()):
        raise InvalidBody("must have no control characters in what stands for a header")
    content = fields.get(CONTENT, "").encode()
    # Its own length: what the form says of it is a statement about other software's counting.
    headers[hdrs.CONTENT_LENGTH] = str(len(content))
    if content:
        headers.setdefault(hdrs.CONTENT_TYPE, "application/json")
    params = {name: value for name, value in fields.items() if name != CONTENT and name.lower() not in HEADERS}
    meant = request.clone(method=method, rel_url=request.rel_url.with_query(params), headers=headers)
    meant._payload = _stream(request, content)  # clone() takes over the body, which is read
    return meant


def _stream(request: web.Request, content: bytes) -> StreamReader:
    stream = StreamReader(request.protocol, limit=max(len(content), 1), loop=asyncio.get_running_loop())
    stream.feed_data(content)
    stream.feed_eof()
    return stream


def _bodiless(meant: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """The answer to a HEAD that came as a POST: what came is answered with a body, unless there is none."""
    if meant.method == "HEAD" and isinstance(response, web.Response):
        response.body = None
    return response
