"""Bodies: bounded bytes, then JSON, then statements and the attachments that came with them."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError

from lrs.errors import InvalidBody, InvalidParameter, InvalidStatements, Problem, TooLarge, UnsupportedMediaType
from lrs.http.answers import JSON
from lrs.http.keys import CONFIG
from lrs.xapi.json_text import parse

# The octets of each attachment that came, by the sha2 its part declares.
Attachments: TypeAlias = Mapping[str, bytes]

MULTIPART = "multipart/mixed"
# What aiohttp decompresses; of others it would give us the compressed bytes.
ENCODINGS = ("identity", "gzip", "deflate")
FILE_URL_RULE = "is required of an attachment whose data does not come with the request"


async def read_bytes(request: web.Request) -> bytes:
    """The whole body, decompressed. TooLarge as soon as it is over the configured limit, before more of it is read.

    aiohttp decompresses piece by piece, only as fast as we read: what expands without end costs no more than the limit.
    Raises UnsupportedMediaType for an unknown encoding, InvalidBody for a body that is not in the encoding it claims.
    """
    limit = request.config_dict[CONFIG].body_limit
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    if request.headers.get("Content-Encoding", "identity").lower() not in ENCODINGS:
        raise UnsupportedMediaType(f"Content-Encoding must be one of {', '.join(ENCODINGS)}")
    chunks, size = [], 0
    try:
        while chunk := await request.content.readany():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            chunks.append(chunk)
    except (web.RequestPayloadError, PayloadEncodingError) as error:
        raise InvalidBody(f"cannot be read as its headers say: {error}") from error
    return b"".join(chunks)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is over the limit of {limit} bytes")


async def read_json(request: web.Request) -> Any:
    """The body as JSON, whatever type it is declared to be; InvalidBody if it is not."""
    return parse(await read_bytes(request))


async def read_statements(request: web.Request) -> tuple[list[Any], Attachments]:
    """The statements of a POST, one or an array of them, not yet checked, and the attachments with them.

    Raises InvalidBody, InvalidParameter (content type), InvalidStatements (an attachment that is nowhere), TooLarge,
    UnsupportedMediaType. xAPI 1.0.3, Communication 1.5.
    """
    document, attachments = await _read_document(request)
    statements = document if isinstance(document, list) else [document]
    return _with_their_data(statements, attachments), attachments


async def read_statement(request: web.Request) -> tuple[Any, Attachments]:
    """The one statement of a PUT and the attachments with it; raises what `read_statements` does."""
    document, attachments = await _read_document(request)
    if not isinstance(document, dict):
        raise InvalidBody("must be one statement, an object")
    return _with_their_data([document], attachments)[0], attachments


async def _read_document(request: web.Request) -> tuple[object, Attachments]:
    if request.content_type == JSON:
        return await read_json(request), {}
    if request.content_type == MULTIPART:
        raise UnsupportedMediaType("multipart/mixed is not taken yet: send JSON, and attachments by fileUrl")
    # 400, not 415: xAPI 1.0.3, Communication 3.2, wants it where the content type is not that of the content.
    raise InvalidParameter("Content-Type", f"must be {JSON} or {MULTIPART}")


def _with_their_data(statements: list[Any], attachments: Attachments) -> list[Any]:
    """The statements, if the data of every attachment is there or has a fileUrl. xAPI 1.0.3, Communication 1.5.2."""
    problems = [
        Problem(index, place, FILE_URL_RULE)
        for index, statement in enumerate(statements)
        for place, attachment in _attachments_of(statement)
        if "fileUrl" not in attachment and str(attachment.get("sha2")) not in attachments
    ]
    if problems:
        raise InvalidStatements(problems)
    return statements


def _attachments_of(statement: Any, place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The attachments of a statement and of its SubStatement, as far as their shape allows: nothing is checked yet."""
    if not isinstance(statement, dict):
        return
    listed = statement.get("attachments")
    for index, attachment in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(attachment, dict):
            yield f"{place}attachments.{index}.fileUrl", attachment
    if not place:
        yield from _attachments_of(statement.get("object"), "object.")
