"""How far summaries are complete: one document a tenant in `cursors`, moved in the transaction that saves what it speaks of.

{_id: tenant, epoch, positions: {edition: position}, building: {edition: position}, generations: {label: number}, retired: {edition: date}}.
`epoch` changes whenever what a follower has read may no longer be so; what rests on it cannot be saved then.
"""

import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, TypeVar

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from lrs.materialize import Materializer
from lrs.store.mongo import Database

S = TypeVar("S")

BEFORE_ALL = -1


class Superseded(Exception):
    """What was to be saved rests on what is no longer so: read again."""


@dataclass(frozen=True)
class Cursor:
    """A tenant's document, read. `positions` of the editions that are followed, `building` of those that are being made."""

    tenant: str
    epoch: str = ""
    positions: Mapping[str, int] = field(default_factory=dict)
    building: Mapping[str, int] = field(default_factory=dict)
    generations: Mapping[str, int] = field(default_factory=dict)
    retired: Mapping[str, datetime] = field(default_factory=dict)

    def current(self, materializer: Materializer[S]) -> Materializer[S]:
        """The materializer in the generation that is to be read."""
        generation = self.generations.get(materializer.label, 0)
        return materializer if generation == materializer.generation else replace(materializer, generation=generation)

    def next(self, materializer: Materializer[S], now_s: int) -> Materializer[S]:
        """The materializer in the generation that is to be made: the one that is begun, else a new one, numbered by the time."""
        current = self.current(materializer)
        if current.edition not in self.positions and current.edition not in self.retired:
            return current
        begun = max((_generation(each, materializer.label) for each in self.building), default=0)
        return replace(materializer, generation=begun or max(now_s, current.generation + 1))


@dataclass(frozen=True)
class Fence:
    """What a transaction that saves summaries holds on to: `epoch` is still what was read, and the cursors in `stand` are still there.

    `moved` are cursors to move with it, `leaves` is the epoch to leave behind, if it is to be another.
    """

    tenant: str
    epoch: str
    moved: Mapping[str, int] = field(default_factory=dict)
    stand: Mapping[str, int] = field(default_factory=dict)
    leaves: str | None = None

    def in_parts(self, number: int) -> list["Fence"]:
        """The same for so many transactions, one after the other: the cursors move with the last.

        Until then the epoch is another. Who read a summary before the first of them wrote it saves nothing that rests on that.
        """
        epochs = [self.epoch, *(_new_epoch() for _ in range(number - 1)), self.epoch]
        parts = [replace(self, epoch=epoch, leaves=leaves, moved={}) for epoch, leaves in pairwise(epochs)]
        return [*parts[:-1], replace(parts[-1], moved=self.moved)]


class Cursors:
    """Reading and moving of cursors."""

    def __init__(self, database: Database) -> None:
        self._cursors = database["cursors"]

    async def read(self, tenant: str) -> Cursor:
        """A tenant's cursors; none at all if there is no document yet."""
        return _cursor(tenant, await self._cursors.find_one({"_id": tenant}) or {})

    async def all(self) -> AsyncIterator[Cursor]:
        """Those of all tenants."""
        async for each in self._cursors.find({}):
            yield _cursor(each["_id"], each)

    async def retiring(self) -> AsyncIterator[Cursor]:
        """Those that know of retired editions."""
        async for each in self._cursors.find({"retired": {"$nin": [None, {}]}}):
            yield _cursor(each["_id"], each)

    async def pass_fence(self, fence: Fence, session: Any = None) -> None:
        """Move the cursors; Superseded if the epoch is another, or a cursor is elsewhere.

        Within a transaction: no other that does the same is under way.
        """
        # Something must change, or the document is not held.
        change: dict[str, Any] = {"$inc": {"touched": 1}}
        if fence.moved:
            change["$max"] = fence.moved
        if fence.leaves is not None and fence.leaves != fence.epoch:
            change["$set"] = {"epoch": fence.leaves or None}
        outcome = await self._cursors.update_one({"_id": fence.tenant, **_at(fence.epoch), **fence.stand}, change, session=session)
        if not outcome.matched_count:
            raise Superseded("the epoch or a cursor is another")

    async def begin(self, cursor: Cursor, editions: Sequence[str]) -> None:
        """Let these be made from the beginning of the log. Superseded if somebody else has begun something since."""
        if not editions:
            return
        begun = {f"building.{_field(edition)}": BEFORE_ALL for edition in editions}
        try:
            await self._cursors.update_one(
                {"_id": cursor.tenant, **_at(cursor.epoch)}, {"$set": {"epoch": _new_epoch(), **begun}}, upsert=True
            )
        except DuplicateKeyError:  # the document is there, with another epoch
            raise Superseded from None

    async def supersede(self, tenant: str) -> None:
        """Let nothing be saved any more that rests on what was read before."""
        await self._cursors.update_one({"_id": tenant}, {"$set": {"epoch": _new_epoch()}})

    async def pass_anew(self, tenant: str, edition: str, session: Any) -> int | None:
        """Within a transaction, supersede all others; how far this edition is, None if it is neither followed nor made."""
        found = await self._cursors.find_one_and_update(
            {"_id": tenant}, {"$set": {"epoch": _new_epoch()}}, return_document=ReturnDocument.AFTER, session=session
        )
        cursor = _cursor(tenant, found or {})
        return cursor.positions.get(edition, cursor.building.get(edition))

    async def switch(self, cursor: Cursor, made: Sequence[Materializer[Any]], position: int) -> None:
        """In one write, let these generations be the ones that are read, complete up to a position. Superseded.

        Those before them are retired: nobody saves to them any more, and whoever has begun to read them may go on for a while.
        """
        change: dict[str, dict[str, Any]] = {"$set": {"epoch": _new_epoch()}, "$unset": {}}
        for each in made:
            change["$set"] |= {f"positions.{_field(each.edition)}": position, f"generations.{_field(each.label)}": each.generation}
            change["$unset"][f"building.{_field(each.edition)}"] = ""
            before = cursor.current(each).edition
            if before != each.edition:
                change["$unset"][f"positions.{_field(before)}"] = ""
                change["$set"][f"retired.{_field(before)}"] = datetime.now(UTC)
        outcome = await self._cursors.update_one({"_id": cursor.tenant, **_at(cursor.epoch)}, change)
        if not outcome.matched_count:
            raise Superseded

    async def retire(self, tenant: str, editions: Iterable[str]) -> None:
        """Let nobody save to these any more."""
        names = [_field(edition) for edition in editions]
        gone = {f"{part}.{name}": "" for part in ("positions", "building") for name in names}
        retired = {f"retired.{name}": datetime.now(UTC) for name in names}
        await self._cursors.update_one({"_id": tenant}, {"$unset": gone, "$set": {"epoch": _new_epoch(), **retired}})

    async def drop(self, tenant: str, editions: Iterable[str]) -> None:
        """Let nothing be known of retired editions: their summaries are gone."""
        await self._cursors.update_one({"_id": tenant}, {"$unset": {f"retired.{_field(edition)}": "" for edition in editions}})


def moved(part: str, editions: Iterable[str], position: int) -> dict[str, int]:
    """As `Fence` has it: the cursors of these editions in a part ("positions", "building") are to be at a position."""
    return {f"{part}.{_field(edition)}": position for edition in editions}


def _cursor(tenant: str, found: Mapping[str, Any]) -> Cursor:
    parts = {name: _named(found.get(name, {})) for name in ("positions", "building", "generations", "retired")}
    return Cursor(tenant, found.get("epoch") or "", **parts)


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("/", "."): value for name, value in values.items()}


def _field(edition: str) -> str:
    """An edition as the name of a field: MongoDB takes a dot for a step down."""
    return edition.replace(".", "/")


def _generation(edition: str, label: str) -> int:
    """The generation of an edition of this label; 0 for one of another."""
    name, _, number = edition.partition("#")
    return int(number or 0) if name == label else 0


def _at(epoch: str) -> dict[str, str | None]:
    """The part of a query that says so. A document that never was superseded may have none."""
    return {"epoch": epoch or None}


def _new_epoch() -> str:
    return secrets.token_hex(8)
