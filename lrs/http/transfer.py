"""Moving a tenant's statements: out as NDJSON in the order of the log, in again in the order of the lines."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError

from lrs.errors import InvalidBody, InvalidParameter, InvalidStatements, InvalidValue, LRSError, NotFound, Problem, TooLarge
from lrs.http.answers import json_answer
from lrs.http.headers import consistent_through
from lrs.http.keys import CONFIG, DIRECTORY, INTAKE, STATEMENTS, WATERMARK
from lrs.http.manage import known_tenant
from lrs.http.params import only, single_values
from lrs.intake import Accepted
from lrs.store.mongo import DriverError
from lrs.xapi.build import account_actor
from lrs.xapi.json_text import dump, parse
from lrs.xapi.times import parse_timestamp
from lrs.xapi.types import Agent

NDJSON = "application/x-ndjson"
# Written at a time: some tens of kilobytes a write cost less than a write a line, and hold next to no memory.
PIECE_BYTES = 64 * 1024
# Taken into the store at a time. What stands before in an import is stored by then, so it bounds what is done twice.
BATCH_LINES, BATCH_BYTES = 500, 4 * 1024 * 1024
# Who vouches for a statement that comes without an authority.
IMPORTED = account_actor("https://learning-record-store.invalid/imports", "import")


@dataclass(frozen=True)
class Line:
    """One statement of an import and which line it stands in, counted from 0."""

    index: int
    statement: Any


async def get_export(request: web.Request) -> web.StreamResponse:
    """GET …/export?since=: every statement up to now, voided ones and voids too, each a line, in the order of the log.

    With `since`, what was stored after that time. An answer that breaks off ends without its last chunk.
    """
    tenant, since_us = await known_tenant(request), _since(request)
    through_us = await request.config_dict[WATERMARK].through(fresh=True)
    response = web.StreamResponse(headers={"Content-Type": NDJSON, **consistent_through(through_us)})
    await response.prepare(request)
    try:
        piece = bytearray()
        async for stored in request.config_dict[STATEMENTS].in_order(tenant, since_us, through_us):
            piece += stored.text + b"\n"
            if len(piece) >= PIECE_BYTES:
                await response.write(bytes(piece))
                piece.clear()
        await response.write_eof(bytes(piece))
    except (DriverError, LRSError):
        # The status is sent. Only a broken connection can still say that this is not all.
        if request.transport is not None:
            request.transport.abort()
        raise
    return response


async def post_import(request: web.Request) -> web.Response:
    """POST …/import, NDJSON: how many lines were read, how many statements were new.

    Batch by batch, so that an error tells a line and leaves what stands before stored. To send all of it again is
    harmless. An authority that comes with a statement is kept: the operator moves what some store vouched for.
    """
    tenant, life = await known_tenant(request), request.config_dict[DIRECTORY].life
    only(request.query, ())
    read, stored, began = 0, 0, await life(tenant)
    async for batch in _batches(request):
        if await life(tenant) != began:  # it was deleted, and may have been made anew
            raise NotFound(f"there is no tenant {tenant} any more")
        accepted = await _take(request, tenant, batch)
        read, stored = read + len(accepted), stored + sum(each.stored for each in accepted)
    return json_answer({"read": read, "stored": stored})


def _since(request: web.Request) -> int | None:
    params = single_values(request.query)
    only(params, ("since",))
    try:
        return parse_timestamp(params["since"]) if "since" in params else None
    except InvalidValue as error:
        raise InvalidParameter("since", error.rule) from None


async def _batches(request: web.Request) -> AsyncIterator[Sequence[Line]]:
    batch: list[Line] = []
    size = 0
    async for index, line in _lines(request):
        if not line.strip():
            continue
        batch.append(Line(index, _parsed(index, line)))
        size += len(line)
        if len(batch) >= BATCH_LINES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _lines(request: web.Request) -> AsyncIterator[tuple[int, bytes]]:
    """The lines of the body, each within the limit of a body, with their numbers from 0."""
    limit, rest, index = request.config_dict[CONFIG].body_limit, b"", 0
    try:
        while chunk := await request.content.readany():
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > limit:
                raise TooLarge(f"line {index + len(lines)} is over the limit of {limit} bytes")
            for line in lines:
                yield index, line
                index += 1
    except (web.RequestPayloadError, PayloadEncodingError) as error:
        raise InvalidBody(f"cannot be read as its headers say: {error}") from error
    yield index, rest


def _parsed(index: int, line: bytes) -> Any:
    try:
        return parse(line)
    except InvalidBody as error:
        raise InvalidStatements([Problem(index, error.place, error.rule)]) from None


async def _take(request: web.Request, tenant: str, batch: Sequence[Line]) -> Sequence[Accepted]:
    """Store a batch. Raises InvalidStatements with the numbers of lines, StatementConflict."""
    intake = request.config_dict[INTAKE]
    runs = list(_runs(batch))
    # All are in the intake's line before the first is written: the order stays, and one transaction takes them.
    outcomes = await asyncio.gather(
        *(intake.accept([each.statement for each in run], tenant=tenant, authority=authority, version=version)
          for authority, version, run in runs),
        return_exceptions=True,
    )
    accepted: list[Accepted] = []
    problems: list[Problem] = []
    for (_, _, run), outcome in zip(runs, outcomes, strict=True):
        if isinstance(outcome, InvalidStatements):
            problems += _at_lines(outcome.problems, run)
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            accepted += outcome
    if problems:
        raise InvalidStatements(problems)
    return accepted


def _runs(batch: Iterable[Line]) -> Iterator[tuple[Agent, str, Sequence[Line]]]:
    """Neighbours that have one authority and one version of the specification, which the intake takes together."""
    for (authority, version), run in groupby(batch, key=lambda line: _vouched(line.statement)):
        yield parse(authority), version, list(run)


def _vouched(statement: Any) -> tuple[bytes, str]:
    known = statement if isinstance(statement, dict) else {}
    version = str(known.get("version", "1.0.3"))
    return dump(known.get("authority", IMPORTED)), "2.0.0" if version.startswith("2.") else "1.0.3"


def _at_lines(problems: Iterable[Problem], run: Sequence[Line]) -> Iterator[Problem]:
    for problem in problems:
        yield Problem(run[problem.index or 0].index, problem.place, problem.rule)
