"""Saving summaries: those of one reading of the log, the lines they add to, and the cursor, all in one transaction."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
import structlog
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from lrs.errors import StoreUnavailable
from lrs.materialize import MISHAPS, Materializer
from lrs.store.cursors import Cursors, Fence, Superseded
from lrs.store.log import DUPLICATE_KEY
from lrs.store.mongo import Database, is_transient
from lrs.store.positions import LAST
from lrs.store.rollups import Changes, Lines, rows_of

logger = structlog.get_logger(__name__)

S = TypeVar("S")
T = TypeVar("T")

# What one transaction takes, as a rule all that a chunk of the log touches; how long it is tried while others are at the same, in seconds.
MOST_CELLS, MOST_BYTES = 4_000, 16 * 1024 * 1024
SAVED_WITHIN_S = 20.0
# MongoDB refuses documents over 16 MiB.
LARGEST = 15 * 1024 * 1024
# What a cell rests on that is the first of its key.
NOT_YET: Mapping[str, Any] = {}
# What of a saved summary changes.
CHANGING = ("mark", "state", "rows", "facets")


class Saved(msgspec.Struct, Generic[S], frozen=True):
    """A summary and how far it goes: all records of its key with a position up to `mark`."""

    key: str
    mark: int
    summary: S


class Cell(msgspec.Struct, frozen=True):
    """What is to be of one saved summary: this document; None: it is to go.

    Never in place of one that goes further than `mark`. `rests_on` is the saved summary that it was made from, as it was loaded, NOT_YET if
    there was none: it is written only if that is still so. None: it was made from statements alone, and takes the place of any that goes
    no further.
    """

    id: str
    document: Mapping[str, Any] | None
    mark: int
    rests_on: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Anew:
    """Summaries of one edition are folded from nothing beside followers: those that one of them has passed meanwhile are left alone."""

    edition: str


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


def to_keep(tenant: str, materializer: Materializer[S], saved: Saved[S]) -> Cell:
    """A summary that is to be saved. One that cannot be written is to go."""
    return to_change(tenant, materializer, saved, None) or forgotten(tenant, materializer, saved.key)


def to_change(tenant: str, materializer: Materializer[S], saved: Saved[S], rests_on: Mapping[str, Any] | None) -> Cell | None:
    """The same of one that was made from a saved one (see `Cell`). None if it has come out as it was: then there is nothing to write.

    The old mark stays true: the summary is the fold of all that came up to there, and of what has come since.
    """
    try:
        state = materializer.encode(saved.summary)
        if rests_on and rests_on["state"] == state:
            return None
        facets = materializer.facets(saved.summary)
        document = {
            "tenant": tenant, "materializer": materializer.edition, "key": saved.key, "mark": saved.mark, "state": state,
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
        self._records = database["records"]
        self._cursors = Cursors(database)
        self._lines = Lines(database)

    async def write(self, tenant: str, cells: Sequence[Cell], fence: Fence | Anew | None = None) -> set[str]:
        """Save and remove summaries, and change the lines they add to. What is written, is so with its lines.

        Answers the `_id`s of those left alone, as there are some that go further. With a fence, the cursors move with the last of it.
        Superseded if the epoch is another, or if what a cell rests on is no longer there: nothing is written then. StoreUnavailable.
        """
        parts, left = list(_parts(cells)) or [[]], set[str]()
        fences = fence.in_parts(len(parts)) if isinstance(fence, Fence) else [fence] * len(parts)
        for part, held in zip(parts, fences, strict=True):
            if part:
                left |= await insistently(lambda part=part, held=held: self._together(tenant, part, held))  # type: ignore[misc]
            elif isinstance(held, Fence):
                await self._cursors.pass_fence(held)
        return left

    async def _together(self, tenant: str, cells: Sequence[Cell], fence: Fence | Anew | None) -> set[str]:
        resting = [cell for cell in cells if cell.rests_on is not None]
        alone = [cell for cell in cells if cell.rests_on is None]
        changes = Changes()
        async with self._database.transaction() as session:
            if isinstance(fence, Fence):
                await self._cursors.pass_fence(fence, session)
            elif fence is not None:
                passed = await self._passed(tenant, fence, alone, session)
                alone = [cell for cell in alone if cell.id not in passed]
            if resting:
                await self._write_resting(resting, changes, session, is_fenced=isinstance(fence, Fence))
            written = await self._write_alone(alone, changes, session) if alone else set()
            await self._lines.apply(tenant, changes, session)
        return {cell.id for cell in cells if cell.rests_on is None} - written

    async def _passed(self, tenant: str, anew: Anew, cells: Sequence[Cell], session: Any) -> set[str]:
        """Those whose key has a record beyond their mark that a follower has been past: it may have left them as they were.

        From here on no follower saves what it has made of what was there before.
        """
        position, mark = await self._cursors.pass_anew(tenant, anew.edition, session), min(cell.mark for cell in cells)
        if position is None or position <= mark:
            return set()
        prefix, label = _id(tenant, anew.edition, ""), anew.edition.partition("#")[0]
        ids = {f"{label}:{cell.id.removeprefix(prefix)}": cell.id for cell in cells}
        query = {"tenant": tenant, "keys": {"$in": list(ids)}, "position": {"$gt": mark, "$lte": position}}
        found = self._records.find(query, projection={"keys": 1}, session=session)
        return {ids[key] async for record in found for key in record["keys"] if key in ids}

    async def _write_resting(self, cells: Sequence[Cell], changes: Changes, session: Any, *, is_fenced: bool) -> None:
        """Write what rests on a saved summary, or on there being none. Superseded unless all of that is still so.

        Behind a fence, each that is there is the loaded one: whoever writes one moves a cursor, or changes the epoch, in the same
        transaction. MongoDB finds a document by its `_id` alone in half the time.
        """
        writes = [_write_resting(cell, is_fenced) for cell in cells]
        try:
            outcome = await self._summaries.bulk_write(writes, ordered=False, session=session)
        except BulkWriteError as error:
            if _was_taken(error):
                raise Superseded("there is one by now") from error
            raise
        if outcome.matched_count + outcome.inserted_count != len(cells):
            raise Superseded("one has gone, or is another by now")
        for cell in cells:
            _add(changes, cell.rests_on or None, cell.document)

    async def _write_alone(self, cells: Sequence[Cell], changes: Changes, session: Any) -> set[str]:
        """Write what is the fold of statements alone, and remove what is to go, unless there is what goes further; what was written."""
        ids = [cell.id for cell in cells]
        found = self._summaries.find({"_id": {"$in": ids}}, projection={"mark": 1, "rows": 1, "materializer": 1}, session=session)
        before = {each["_id"]: each async for each in found}
        due = [cell for cell in cells if cell.id not in before or before[cell.id]["mark"] <= cell.mark]
        if writes := [_write_alone(cell) for cell in due if cell.document is not None or cell.id in before]:
            await self._summaries.bulk_write(writes, ordered=False, session=session)
        for cell in due:
            _add(changes, before.get(cell.id), cell.document)
        return {cell.id for cell in due}


def _write_alone(cell: Cell) -> Any:
    return DeleteOne({"_id": cell.id}) if cell.document is None else ReplaceOne({"_id": cell.id}, cell.document, upsert=True)


def _write_resting(cell: Cell, is_fenced: bool) -> Any:
    document: Mapping[str, Any] = cell.document or {}
    if not cell.rests_on:
        return InsertOne({"_id": cell.id, **document})
    # What is as it was is not written: its indexes are left alone.
    change = {"$set": {name: document[name] for name in CHANGING if name in document and document[name] != cell.rests_on.get(name)}}
    if "rows" in cell.rests_on and "rows" not in document:
        change["$unset"] = {"rows": ""}
    return UpdateOne({"_id": cell.id} if is_fenced else {"_id": cell.id, "mark": cell.rests_on["mark"]}, change)


def _add(changes: Changes, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
    """What of lines changes with a cell."""
    took, adds = (before or {}).get("rows", b""), (after or {}).get("rows", b"")
    if took != adds:
        changes.replace((before or after or {})["materializer"], took, adds)


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
    facets = document["facets"]
    return len(document["state"]) + len(document.get("rows", b"")) + 8 * len(facets) + 4 * sum(map(len, facets))


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
