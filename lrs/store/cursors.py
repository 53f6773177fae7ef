"""How far summaries are complete: one document a tenant in `cursors`, moved in the transaction that saves what it speaks of.

{_id: tenant, epoch, positions: {label: position}, building: {label: position}}. `epoch` changes whenever records were removed or
summaries were folded anew behind a follower's back; what a follower read before cannot be saved after.
"""

import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo.errors import DuplicateKeyError

from lrs.store.mongo import Database


class Superseded(Exception):
    """What was to be saved rests on what is no longer so: read again."""


@dataclass(frozen=True)
class Cursor:
    """A tenant's document, read. Positions by label."""

    tenant: str
    epoch: str = ""
    positions: Mapping[str, int] = field(default_factory=dict)
    building: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Fence:
    """What a transaction that saves summaries holds on to: `epoch` is still what was read. `moved` are cursors to move with it."""

    tenant: str
    epoch: str
    moved: Mapping[str, int] = field(default_factory=dict)


class Cursors:
    """Reading and moving of cursors."""

    def __init__(self, database: Database) -> None:
        self._cursors = database["cursors"]

    async def read(self, tenant: str) -> Cursor:
        """A tenant's cursors. The document is made if it is not there."""
        found = await self._cursors.find_one({"_id": tenant})
        if found is None or "epoch" not in found:
            await self._begin(tenant)
            found = await self._cursors.find_one({"_id": tenant}) or {}
        return _cursor(tenant, found)

    async def _begin(self, tenant: str) -> None:
        try:
            await self._cursors.update_one({"_id": tenant, "epoch": None}, {"$set": {"epoch": secrets.token_hex(8)}}, upsert=True)
        except DuplicateKeyError:
            pass  # another process has done it

    async def peek(self, tenant: str) -> Cursor:
        """A tenant's cursors, if there are any."""
        return _cursor(tenant, await self._cursors.find_one({"_id": tenant}) or {})

    async def all(self) -> AsyncIterator[Cursor]:
        """Those of all tenants."""
        async for each in self._cursors.find({}):
            yield _cursor(each["_id"], each)

    async def pass_fence(self, fence: Fence, session: Any = None) -> None:
        """Move the cursors; Superseded if the epoch is another. Within a transaction: no other that does the same is under way."""
        # Something must change, or the document is not held.
        change: dict[str, Any] = {"$inc": {"touched": 1}}
        if fence.moved:
            change["$max"] = fence.moved
        outcome = await self._cursors.update_one({"_id": fence.tenant, "epoch": fence.epoch}, change, session=session)
        if not outcome.matched_count:
            raise Superseded

    async def built(self, tenant: str, labels: Iterable[str], position: int) -> None:
        """What was made from the beginning of the log is there, up to a position."""
        names = [_field(label) for label in labels]
        await self._cursors.update_one({"_id": tenant}, {
            "$max": {f"positions.{name}": position for name in names}, "$unset": {f"building.{name}": "" for name in names},
        })


def moved(field: str, labels: Iterable[str], position: int) -> dict[str, int]:
    """As `Fence` has it: the cursors of these labels in a field ("positions", "building") are to be at a position."""
    return {f"{field}.{_field(label)}": position for label in labels}


def _cursor(tenant: str, found: Mapping[str, Any]) -> Cursor:
    return Cursor(tenant, found.get("epoch", ""), _labelled(found.get("positions", {})), _labelled(found.get("building", {})))


def _labelled(positions: Mapping[str, int]) -> dict[str, int]:
    return {name.replace("/", "."): position for name, position in positions.items()}


def _field(label: str) -> str:
    """A label as the name of a field: MongoDB takes a dot for a step down."""
    return label.replace(".", "/")
