"""Reading multipart/mixed, never a whole attachment in memory. xAPI 1.0.3, Communication 1.5.2; RFC 2046, 5.1."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any, Self

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy

from lrs.errors import InvalidBody, TooLarge
from lrs.http.answers import JSON
from lrs.http.spool import Spool, Spooled
from lrs.xapi.attachments import ALGORITHMS, Declared, same_media_type

HASH = "X-Experience-API-Hash"
ENCODING = "Content-Transfer-Encoding"
# Octets of a part that are read at a time.
PIECE = 64 * 1024
# What may stand before the first boundary, and is passed over: a note to readers of mail. RFC 2046, 5.1.1.
LONGEST_PREAMBLE = 16 * 1024
# How a JSON part may say that it is not encoded at all.
PLAIN = ("binary", "8bit", "7bit")


@dataclass(frozen=True)
class Received:
    """The data of attachments that came with a request, by lower-case hash. To be closed."""

    contents: Mapping[str, Spooled] = field(default_factory=dict)
    spool: Spool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the data up. Safe to do twice."""
        if self.spool is not None:
            self.spool.close()


class _Part(BodyPartReader):
    """A part as octets between boundaries. What its headers say is kept, and not acted upon."""

    def __init__(self, boundary: bytes, headers: CIMultiDictProxy[str], content: Any) -> None:
        super().__init__(boundary, CIMultiDictProxy(CIMultiDict()), content)
        self.said = headers


class _Reader(MultipartReader):
    """aiohttp's reader, in which an attachment that is a multipart itself is a part like any other."""

    lines = 0

    def _get_part_reader(self, headers: CIMultiDictProxy[str]) -> _Part:
        return _Part(self._boundary, headers, self._content)

    async def _readline(self) -> bytes:
        line = await super()._readline()
        self.lines += len(line)
        if self.lines > LONGEST_PREAMBLE:
            raise InvalidBody(f"must have its first boundary within {LONGEST_PREAMBLE} bytes")
        return line


class PartsOf:
    """The parts of a request in their order: the statements, then the attachments."""

    def __init__(self, request: web.Request, body_limit: int, attachment_limit: int) -> None:
        """Raises InvalidBody if the content type has no boundary, TooLarge if the request says that it is."""
        self._content = request.content
        self._body_limit, self._attachment_limit = body_limit, attachment_limit
        if (request.content_length or 0) > body_limit + attachment_limit:
            raise self._too_large()
        with _malformed():
            self._reader = _Reader(request.headers, request.content)
            if not self._reader._get_boundary():
                raise ValueError("the boundary is empty")

    async def first(self) -> bytes:
        """The JSON of the first part; InvalidBody if it is not declared as such, TooLarge."""
        part = await self._next()
        if part is None:
            raise InvalidBody("must have the statements as its first part", "parts.0")
        if not same_media_type(part.said.get("Content-Type", ""), JSON):
            raise InvalidBody(f"must be {JSON}, as the first part has the statements", "parts.0.Content-Type")
        if part.said.get(ENCODING, PLAIN[0]).strip().lower() not in PLAIN:
            raise InvalidBody("must be binary", f"parts.0.{ENCODING}")
        pieces, size = [], 0
        async for piece in self._pieces(part):
            size += len(piece)
            if size > self._body_limit:
                raise TooLarge(f"the statements are over the limit of {self._body_limit} bytes")
            pieces.append(piece)
        return b"".join(pieces)

    async def attachments(self, wanted: Mapping[str, Sequence[Declared]]) -> Received:
        """The data of all further parts. Each must be declared in the statements: `wanted` has those by lower-case hash.

        Raises InvalidBody with the part and its header, TooLarge.
        """
        most, contents = sum(map(len, wanted.values())), {}
        with ExitStack() as undo:
            spool = undo.enter_context(Spool())
            for number in count(1):
                if (part := await self._next()) is None:
                    break
                place = f"parts.{number}"
                if number > most:
                    raise InvalidBody("is one part more than there are attachments", place)
                sha2 = _hash_of(part, wanted, place)
                _check_headers(part, wanted[sha2], place)
                content = await self._take(part, sha2, spool, place)
                if sha2 in contents:  # one copy is enough: 1.5.2 has it as a SHOULD
                    spool.cut(content.offset)
                contents.setdefault(sha2, content)
            undo.pop_all()
            return Received(contents, spool)

    async def _take(self, part: _Part, sha2: str, spool: Spool, place: str) -> Spooled:
        start, digest = spool.size, hashlib.new(ALGORITHMS[len(sha2)])
        async for piece in self._pieces(part):
            if spool.size + len(piece) > self._attachment_limit:
                raise TooLarge(f"the attachments are over the limit of {self._attachment_limit} bytes")
            digest.update(piece)
            await spool.append(piece)
        if digest.hexdigest() != sha2:
            raise InvalidBody("is not the hash of the part's data", f"{place}.{HASH}")
        length = spool.size - start
        if part.said.get("Content-Length", str(length)).strip() != str(length):
            raise InvalidBody(f"must be {length}, as the part has so many octets", f"{place}.Content-Length")
        return Spooled(spool, start, length)

    async def _next(self) -> _Part | None:
        with _malformed():
            self._reader.lines = 0
            part = await self._reader.next()
        return part  # type: ignore[return-value]

    async def _pieces(self, part: _Part) -> AsyncIterator[bytes]:
        while not part.at_eof():
            with _malformed():
                piece = await part.read_chunk(PIECE)
            if self._content.total_bytes > self._body_limit + self._attachment_limit + 2 * PIECE:
                raise self._too_large()
            yield piece

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body is over the limit of {self._body_limit + self._attachment_limit} bytes")


def _hash_of(part: _Part, wanted: Mapping[str, Sequence[Declared]], place: str) -> str:
    """The hash a part says it has, in lower case: one of those that are wanted."""
    given = part.said.getall(HASH, [])
    if len(given) != 1:
        raise InvalidBody("is required, once, of every part after the first", f"{place}.{HASH}")
    sha2 = given[0].strip().lower()
    if sha2 not in wanted:
        raise InvalidBody("must be the sha2 of an attachment in the statements", f"{place}.{HASH}")
    return sha2


def _check_headers(part: _Part, attachments: Sequence[Declared], place: str) -> None:
    """What a part says of itself must be what its attachment says of it, as far as both do. 1.5.2.

    Without Content-Transfer-Encoding, binary is assumed, as 1.5.2 recommends.
    """
    if part.said.get(ENCODING, "binary").strip().lower() != "binary":
        raise InvalidBody("must be binary", f"{place}.{ENCODING}")
    kind = part.said.get("Content-Type")
    if kind is not None and not any(same_media_type(kind, each.attachment["contentType"]) for each in attachments):
        raise InvalidBody("must be the contentType of its attachment", f"{place}.Content-Type")
    length = part.said.get("Content-Length", "").strip()
    if length and not any(length == str(int(each.attachment["length"])) for each in attachments):
        raise InvalidBody("must be the length of its attachment", f"{place}.Content-Length")


@contextmanager
def _malformed() -> Iterator[None]:
    """Whatever aiohttp's reader stumbles over is a fault of the body."""
    try:
        yield
    except (ValueError, HttpProcessingError, web.RequestPayloadError) as error:
        raise InvalidBody(f"must be well-formed multipart/mixed: {error}") from error
