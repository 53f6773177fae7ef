"""Tables as answers: a page of JSON, or all of it as CSV or NDJSON, written as it is read.

CSV is RFC 4180 in UTF-8: a header, CRLF, quotes where they are needed. A text that a spreadsheet would take for a formula (it begins
with = + - @, a tab or a line break) gets an apostrophe in front.
"""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from aiohttp import web
from marshmallow import Schema, ValidationError, fields, validate

from lrs.errors import InvalidParameter, LRSError
from lrs.http.answers import JSON, json_answer
from lrs.http.headers import consistent_through
from lrs.http.params import only, single_values
from lrs.store.mongo import DriverError
from lrs.xapi.json_text import dump
from lrs.xapi.times import format_stored

Item: TypeAlias = Mapping[str, Any]
CSV, NDJSON = "text/csv", "application/x-ndjson"
FORMATS = {"json": JSON, "csv": CSV, "ndjson": NDJSON}
DEFAULT_LIMIT, MOST_LIMIT = 100, 1_000
# Read at a time where all of a table is written.
CHUNK = 1_000
PIECE_BYTES = 64 * 1024
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class TableSchema(Schema):
    """In which form a table is wanted; without `format`, as `Accept` says, and JSON if that does not help."""

    format = fields.String(validate=validate.OneOf(tuple(FORMATS)))


class PageSchema(TableSchema):
    """`limit` and `after` are for JSON: CSV and NDJSON come whole."""

    limit = fields.Integer(validate=validate.Range(min=1, max=MOST_LIMIT))
    after = fields.String(
        validate=validate.Regexp(r"[A-Za-z0-9_-]{22}\Z", error="must be as it stands in `more`"),
        metadata={"description": "as it stands in `more`"},
    )


@dataclass(frozen=True)
class Page:
    """Rows of a table, and after which key the next ones come (None: these are the last)."""

    items: Sequence[Item]
    next: str | None = None


# A page of at most so many rows after a key (None: from the beginning).
Read: TypeAlias = Callable[[str | None, int], Awaitable[Page]]


@dataclass(frozen=True)
class Table:
    """What is answered: `name` of the list in JSON, the columns in their order, how pages are read, up to when they are complete."""

    name: str
    columns: Sequence[str]
    read: Read
    through_us: int


def loaded(request: web.Request, schema: type[Schema]) -> dict[str, Any]:
    """The query string as a schema has it. Raises InvalidParameter."""
    params = single_values(request.query)
    only(params, schema().fields)
    try:
        return schema().load(params)  # type: ignore[no-any-return]
    except ValidationError as error:
        # Of a schema's `load` they are always by name.
        name, rules = next(iter(error.messages_dict.items()))
        raise InvalidParameter(name, str(rules[0])) from None


async def answer_table(request: web.Request, query: Mapping[str, Any], table: Table) -> web.StreamResponse:
    """A table in the form that is wanted."""
    kind = FORMATS[query["format"]] if "format" in query else accepted(request.headers.get("Accept", ""))
    if kind == JSON:
        return await _page(request, query, table)
    for name in ("limit", "after"):
        if name in query:
            raise InvalidParameter(name, "is for JSON; in this form a table comes whole")
    first = await table.read(None, CHUNK)
    pieces = _csv(table, first) if kind == CSV else _ndjson(table, first)
    return await _send(request, f"{kind}; charset=utf-8" if kind == CSV else kind, table.through_us, pieces)


def accepted(header: str) -> str:
    """The content type that an Accept header likes best of those there are; JSON if it likes none."""
    ranges = []
    for at, item in enumerate(header.split(",")):
        kind, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        weight = float(quality) if quality.replace(".", "", 1).isdecimal() else 0.0
        if weight > 0:
            ranges.append((-weight, at, kind))
    for _, _, kind in sorted(ranges):
        for offered in (JSON, CSV, NDJSON):
            if kind in (offered, "*/*", f"{offered.partition('/')[0]}/*"):
                return offered
    return JSON


def csv_lines(columns: Sequence[str], items: Sequence[Item], *, header: bool) -> bytes:
    """Rows as CSV; lists in one cell, with spaces between."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    if header:
        writer.writerow(columns)
    writer.writerows([_cell(item.get(column)) for column in columns] for item in items)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        value = " ".join(value)
    if not isinstance(value, str):
        return dump(value).decode()
    return f"'{value}" if value.startswith(FORMULA) else value


async def _page(request: web.Request, query: Mapping[str, Any], table: Table) -> web.Response:
    page = await table.read(query.get("after"), query.get("limit", DEFAULT_LIMIT))
    more = "" if page.next is None else str(request.rel_url.update_query(after=page.next))
    body = {"consistent_through": format_stored(table.through_us), table.name: page.items, "more": more}
    return json_answer(body, headers=consistent_through(table.through_us))


async def _csv(table: Table, first: Page) -> AsyncIterator[bytes]:
    yield csv_lines(table.columns, first.items, header=True)
    async for items in _rest(table, first):
        yield csv_lines(table.columns, items, header=False)


async def _ndjson(table: Table, first: Page) -> AsyncIterator[bytes]:
    yield b"".join(dump(item) + b"\n" for item in first.items)
    async for items in _rest(table, first):
        yield b"".join(dump(item) + b"\n" for item in items)


async def _rest(table: Table, page: Page) -> AsyncIterator[Sequence[Item]]:
    while page.next is not None:
        page = await table.read(page.next, CHUNK)
        yield page.items


async def _send(request: web.Request, kind: str, through_us: int, pieces: AsyncIterator[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": kind, **consistent_through(through_us)})
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    try:
        async for piece in pieces:
            for start in range(0, len(piece), PIECE_BYTES):
                await response.write(piece[start:start + PIECE_BYTES])
        await response.write_eof()
    except (DriverError, LRSError):
        # The status is sent. Only a broken connection can still say that this is not all.
        if request.transport is not None:
            request.transport.abort()
        raise
    return response
