"""Bodies: bounded bytes, then JSON, then statements and the attachments that came with them."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError

from lrs.errors import InvalidBody, InvalidParameter, InvalidStatements, Problem, TooLarge, UnsupportedMediaType
from lrs.http.answers import JSON
from lrs.http.headers import VERSION
from lrs.http.keys import CONFIG
from lrs.http.lives import one_life
from lrs.http.multipart import PartsOf, Received
from lrs.signatures import check_signatures
from lrs.xapi.attachments import by_hash, declared, nowhere
from lrs.xapi.json_text import parse
from lrs.xapi.validate import check_batch

MULTIPART = "multipart/mixed"
# What aiohttp decompresses; of others it would give us the compressed bytes.
ENCODINGS = ("identity", "gzip", "deflate")


async def read_bytes(request: web.Request) -> bytes:
    """The whole body, decompressed. TooLarge as soon as it is over the configured limit, before more of it is read.

    aiohttp decompresses piece by piece, only as fast as we read: what expands without end costs no more than the limit.
    Raises UnsupportedMediaType for an unknown encoding, InvalidBody for a body that is not in the encoding it claims.
    """
    limit = request.app[CONFIG].body_limit
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    _refuse_encoding(request)
    chunks, size = [], 0
    async with one_life(request):
        try:
            while chunk := await request.content.readany():
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
        except (web.RequestPayloadError, PayloadEncodingError) as error:
            raise InvalidBody(f"cannot be read as its headers say: {error}") from error
    return b"".join(chunks)


def _refuse_encoding(request: web.Request) -> None:
    if request.headers.get("Content-Encoding", "identity").lower() not in ENCODINGS:
        raise UnsupportedMediaType(f"Content-Encoding must be one of {', '.join(ENCODINGS)}")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is over the limit of {limit} bytes")


async def read_json(request: web.Request) -> Any:
    """The body as JSON, whatever type it is declared to be; InvalidBody if it is not."""
    return parse(await read_bytes(request))


async def read_statements(request: web.Request) -> tuple[list[Any], Received]:
    """The statements of a POST, one or an array of them, and the data of their attachments, which is to be closed.

    They are checked if they came with data, and else not yet. Raises InvalidBody, InvalidParameter (content type),
    InvalidStatements (also: an attachment that is nowhere, a signature that is none), TooLarge, UnsupportedMediaType.
    xAPI 1.0.3, Communication 1.5.
    """
    return await _read(request, _listed)


async def read_statement(request: web.Request) -> tuple[Any, Received]:
    """The one statement of a PUT and the data of its attachments; raises what `read_statements` does."""
    statements, received = await _read(request, _alone)
    return statements[0], received


async def _read(request: web.Request, listed: Callable[[Any], list[Any]]) -> tuple[list[Any], Received]:
    if request.content_type == JSON:
        statements = listed(await read_json(request))
        _refuse(nowhere(statements, ()))
        return statements, Received()
    if request.content_type == MULTIPART:
        with ExitStack() as undo:
            async with one_life(request):
                statements, received = await _read_multipart(request, listed)
                undo.enter_context(received)
            undo.pop_all()
        return statements, received
    # 400, not 415: xAPI 1.0.3, Communication 3.2, wants it where the content type is not that of the content.
    raise InvalidParameter("Content-Type", f"must be {JSON} or {MULTIPART}")


async def _read_multipart(request: web.Request, listed: Callable[[Any], list[Any]]) -> tuple[list[Any], Received]:
    """What the first part says decides whether the others are read at all. Communication 1.5.2."""
    _refuse_encoding(request)
    config, version = request.app[CONFIG], request[VERSION]
    parts = PartsOf(request, config.body_limit, config.attachment_limit)
    statements = listed(parse(await parts.first()))
    check_batch(statements, version)
    received = await parts.attachments(by_hash(statements))
    with ExitStack() as undo:
        undo.enter_context(received)
        _refuse(nowhere(statements, received.contents))
        if signatures := await _signatures(statements, received, config.body_limit):
            # Certificates and a second copy of each statement: too long for the loop to wait.
            await asyncio.to_thread(check_signatures, statements, signatures, version)
        undo.pop_all()
    return statements, received


async def _signatures(statements: Sequence[Any], received: Received, limit: int) -> dict[str, bytes]:
    """The octets of all signatures, by hash. TooLarge: a signature holds its statement, and is in memory like one."""
    wanted = {each.sha2: received.contents[each.sha2] for each in declared(statements) if each.is_signature}
    if sum(each.length for each in wanted.values()) > limit:
        raise TooLarge(f"the signatures are over the limit of {limit} bytes")
    return {sha2: await each.whole() for sha2, each in wanted.items()}


def _listed(document: Any) -> list[Any]:
    return document if isinstance(document, list) else [document]


def _alone(document: Any) -> list[Any]:
    if not isinstance(document, dict):
        raise InvalidBody("must be one statement, an object")
    return [document]


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise InvalidStatements(problems)
