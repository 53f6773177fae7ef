"""Attachments into the store, and out of it as multipart/mixed, chunk by chunk. xAPI 1.0.3, Communication 1.5.2."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from secrets import token_hex
from typing import Any

import structlog
from aiohttp import web

from lrs.errors import Unauthorized
from lrs.http.answers import JSON
from lrs.http.auth import CALLER
from lrs.http.keys import ATTACHMENTS, DIRECTORY
from lrs.http.multipart import ENCODING, HASH, Received
from lrs.store.attachments import LostContent
from lrs.store.mongo import DriverError
from lrs.xapi.attachments import declared
from lrs.xapi.types import Statement

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class OutgoingPart:
    """One attachment: its headers, how many octets it has, and the octets."""

    headers: Mapping[str, str]
    length: int
    chunks: Callable[[], AsyncIterator[bytes]]


async def keep(request: web.Request, received: Received) -> None:
    """Store the data that came, before the statements that name it. Raises StoreUnavailable, Unauthorized."""
    if not received.contents:
        return
    tenant = request[CALLER].tenant
    # It may have been on its way for a long time.
    if not await request.config_dict[DIRECTORY].has_tenant(tenant):
        raise Unauthorized("this credential is not known any more")
    await request.config_dict[ATTACHMENTS].keep(tenant, received.contents)


async def parts_of(request: web.Request, statements: Sequence[Statement]) -> list[OutgoingPart]:
    """The data that came with statements, each content once, in the order in which they declare it."""
    store = request.config_dict[ATTACHMENTS]
    kept = await store.of(request[CALLER].tenant, [statement["id"] for statement in statements])
    first = {}
    for each in declared(statements):
        if each.sha2 in kept:
            first.setdefault(each.sha2, each.attachment)
    return [
        OutgoingPart(_headers(attachment, kept[sha2].length), kept[sha2].length, partial(store.read, kept[sha2]))
        for sha2, attachment in first.items()
    ]


def _headers(attachment: Mapping[str, Any], length: int) -> dict[str, str]:
    return {
        # Spaces of any kind may stand in a media type that came in JSON; in a header a line break ends it.
        "Content-Type": " ".join(attachment["contentType"].split()),
        "Content-Length": str(length),
        ENCODING: "binary",
        HASH: attachment["sha2"],
    }


async def send_multipart(
    request: web.Request, first: bytes, parts: Sequence[OutgoingPart], headers: Mapping[str, str]
) -> web.StreamResponse:
    """Send JSON and then each part. The length is known before: an answer that is cut off cannot be taken for a whole one."""
    boundary = f"lrs-{token_hex(16)}"
    opened = [_opened(boundary, {"Content-Type": JSON}), *(_opened(boundary, part.headers) for part in parts)]
    closing = f"\r\n--{boundary}--\r\n".encode()
    response = web.StreamResponse(headers={**headers, "Content-Type": f"multipart/mixed; boundary={boundary}"})
    # The first boundary does without the line break before it.
    response.content_length = sum(map(len, opened)) - 2 + len(first) + sum(part.length for part in parts) + len(closing)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    await response.write(opened[0][2:] + first)
    try:
        for start, part in zip(opened[1:], parts, strict=True):
            await response.write(start)
            async for chunk in part.chunks():
                await response.write(chunk)
    except (DriverError, LostContent) as error:
        # The status is out. All that is left is to end the connection, so that the client sees that something is missing.
        logger.warning("answer_cut_off", error=str(error))
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof(closing)
    return response


def _opened(boundary: str, headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"\r\n--{boundary}\r\n{lines}\r\n".encode()
