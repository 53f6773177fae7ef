"""Saving summaries: those of one reading of the log, the lines they add to, and the cursor, all in one transaction."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import structlog
from pymongo import DeleteOne, ReplaceOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from lrs.errors import StoreUnavailable
from lrs.materialize import MISHAPS, Materializer
from lrs.store.cursors import BEFORE_ALL, Cursors, Fence, Superseded
from lrs.store.log import DUPLICATE_KEY
from lrs.store.mongo import Database, is_transient
from lrs.store.positions import LAST
from lrs.store.rollups import Changes, Lines, rows_of

logger = structlog.get_logger(__name__)

S = TypeVar("S")
T = TypeVar("T")

# What one transaction takes, and how long it is tried while others are at the same, in seconds.
MOST_CELLS, MOST_BYTES = 2_000, 16 * 1024 * 1024
SAVED_WITHIN_S = 20.0
# MongoDB refuses documents over 16 MiB.
LARGEST = 15 * 1024 * 1024


@dataclass(frozen=True)
class Saved(Generic[S]):
    """A summary and how far it goes: all records of its key with a position up to `mark`."""

    key: str
    mark: int
    summary: S


@dataclass(frozen=True)
class Cell:
    """What is to be of one saved summary: this document; None: it is to go.

    Never in place of one that goes further than `mark`. `rests_on` is the mark of the saved summary that it was made from, BEFORE_ALL if
    there was none; None: it was made from statements alone, and takes the place even of one that goes as far.
    """

    id: str
    document: Mapping[str, Any] | None
    mark: int
    rests_on: int | None = None


def cell_id(tenant: str, materializer: Materializer[Any], key: str) -> str:
    """The `_id` of a saved summary."""
    return _id(tenant, materializer.edition, key)


def forgotten(tenant: str, materializer: Materializer[Any], key: str, mark: int = LAST) -> Cell:
    """A summary that is to go: a missing one is folded anew when it is next read or touched, a wrong one never."""
    return Cell(cell_id(tenant, materializer, key), None, mark)


def forgotten_in(tenant: str, edition: str, key: str) -> Cell:
    """The same in an edition whose materializer may not be installed."""
    return Cell(_id(tenant, edition, key), None, LAST)


def _id(tenant: str, edition: str, key: str) -> str:
    return f"{tenant}/{edition}/{key}"


def to_keep(tenant: str, materializer: Materializer[S], saved: Saved[S], rests_on: int | None = None) -> Cell:
    """A summary that is to be saved. One that cannot be written is to go."""
    try:
        facets = materializer.facets(saved.summary)
        document = {
            "tenant": tenant, "materializer": materializer.edition, "key": saved.key, "mark": saved.mark,
            "state": materializer.encode(saved.summary),
            "facets": [f"{name}={value}" for name, values in facets.items() for value in values],
        }
        if rows := rows_of(materializer, saved.key, saved.summary):
            document["rows"] = rows
        if _size(document) > LARGEST:
            raise ValueError("it is larger than a document may be")
    except MISHAPS:
        logger.exception("summary_unwritable", materializer=materializer.label, key=saved.key)
        return forgotten(tenant, materializer, saved.key)
    return Cell(cell_id(tenant, materializer, saved.key), document, saved.mark, rests_on)


class Saving:
    """Writes of summaries and lines."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._summaries = database["summaries"]
        self._cursors = Cursors(database)
        self._lines = Lines(database)

    async def write(self, tenant: str, cells: Sequence[Cell], fence: Fence | None = None) -> set[str]:
        """Save and remove summaries, and change the lines they add to. What is written, is so with its lines.

        Answers the `_id`s of those left alone, as there are some that go further. With a fence, the cursors move with the last of it.
        Superseded if the epoch is another, or if what a cell rests on is no longer there: nothing is written then. StoreUnavailable.
        """
        parts, left = list(_parts(cells)) or [[]], set[str]()
        for number, part in enumerate(parts, 1):
            held = fence if fence is None or number == len(parts) else replace(fence, moved={})
            if part:
                left |= await insistently(lambda part=part, held=held: self._together(tenant, part, held))  # type: ignore[misc]
            elif held is not None:
                await self._cursors.pass_fence(held)
        return left

    async def _together(self, tenant: str, cells: Sequence[Cell], fence: Fence | None) -> set[str]:
        async with self._database.transaction() as session:
            if fence is not None:
                await self._cursors.pass_fence(fence, session)
            ids = [cell.id for cell in cells]
            found = self._summaries.find({"_id": {"$in": ids}}, projection={"mark": 1, "rows": 1, "materializer": 1}, session=session)
            before = {each["_id"]: each async for each in found}
            due = [cell for cell in cells if _is_due(cell, before.get(cell.id))]
            if writes := [_write(cell) for cell in due if cell.document is not None or cell.id in before]:
                await self._summaries.bulk_write(writes, ordered=False, session=session)
            await self._lines.apply(tenant, _changes(due, before), session)
        return set(ids) - {cell.id for cell in due}


def _is_due(cell: Cell, old: Mapping[str, Any] | None) -> bool:
    """Whether a cell is to be written. Superseded if it rests on a saved summary that is no longer there."""
    mark = BEFORE_ALL if old is None else old["mark"]
    if cell.rests_on is None:
        return bool(mark <= cell.mark)
    if mark < cell.mark and mark != cell.rests_on:
        raise Superseded
    return bool(mark < cell.mark)


def _write(cell: Cell) -> Any:
    return DeleteOne({"_id": cell.id}) if cell.document is None else ReplaceOne({"_id": cell.id}, cell.document, upsert=True)


def _changes(cells: Sequence[Cell], before: Mapping[str, Mapping[str, Any]]) -> Changes:
    """What of lines changes with these cells."""
    changes = Changes()
    for cell in cells:
        for document, times in ((before.get(cell.id), -1), (cell.document, 1)):
            if document is not None:
                changes.add(document["materializer"], document.get("rows", b""), times)
    return changes


async def insistently(attempt: Callable[[], Awaitable[T]]) -> T:
    """The result of an attempt, made again while the reason of its failure may pass; StoreUnavailable if it does not in time."""
    loop = asyncio.get_running_loop()
    deadline, pause_s = loop.time() + SAVED_WITHIN_S, 0.005
    while True:
        try:
            return await attempt()
        except PyMongoError as error:
            if not (is_transient(error) or _was_taken(error)):
                raise
            if loop.time() + pause_s > deadline:
                raise StoreUnavailable("the database did not confirm the summaries in time") from error
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))
            pause_s = min(2 * pause_s, 0.5)


def _was_taken(error: PyMongoError) -> bool:
    """Whether another has inserted the same summary or line at the same time: the next attempt sees it."""
    if isinstance(error, BulkWriteError):
        return any(fault.get("code") == DUPLICATE_KEY for fault in error.details.get("writeErrors", ()))
    return isinstance(error, DuplicateKeyError)


def _size(document: Mapping[str, Any]) -> int:
    return len(document["state"]) + len(document.get("rows", b"")) + sum(4 * len(each) + 8 for each in document["facets"])


def _parts(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    """Cells in the portions that a transaction takes."""
    part, size = list[Cell](), 0
    for cell in cells:
        more = _size(cell.document) if cell.document is not None else 0
        if part and (len(part) == MOST_CELLS or size + more > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(cell)
        size += more
    if part:
        yield part
