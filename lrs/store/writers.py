"""A writer: one process's right to append, with its own strictly increasing positions, and the fence that makes the watermark true.

Every writer has a document {_id, slot, floor, last, orphans}. A transaction that appends first touches that document on condition that
the floor is below its positions. Whoever wants a watermark raises all floors (`Watermark`): what was stamped below and is not
committed by then finds its condition broken, and is stamped anew. So no clock, lease or heartbeat is trusted. docs/decisions/0003.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

from lrs.store.mongo import Database
from lrs.store.positions import SLOTS, last_at, position_of, stored_us_of

# The document that new writers take their floor from; it is raised before all others.
WATERMARK = "watermark"
# A writer that has been silent for so long is forgotten; should it come back, it registers again.
FORGOTTEN_AFTER = timedelta(hours=6)


class Fenced(Exception):
    """The floor was raised over the positions of this transaction, or the writer was forgotten: stamp anew."""


class Unannounced(Fenced):
    """A void of what is not there has to be announced before it is stored: announce it, and stamp anew."""


class Writer:
    """The positions of this process. One transaction at a time may use it."""

    def __init__(self, database: Database) -> None:
        self._writers = database["writers"]
        self._id: str | None = None
        self._slot = 0
        self._last_us = 0
        self.announced = False

    async def register(self) -> None:
        """Make this writer known, with a floor that no announced watermark is above."""
        writer, slot = secrets.token_hex(12), secrets.randbelow(SLOTS)
        await self._writers.insert_one({"_id": writer, "slot": slot, "floor": 0, "seen": datetime.now(UTC)})
        # Read only after the insert: what was announced before it is found here, what is announced later finds our document.
        watermark = await self._writers.find_one({"_id": WATERMARK}) or {}
        await self._adopt(writer, watermark.get("floor", 0), bool(watermark.get("orphans")))
        # Ours only now: a document that has not yet heard of all this fences nothing.
        self._id, self._slot = writer, slot
        await self._writers.delete_many({"_id": {"$ne": WATERMARK}, "seen": {"$lt": datetime.now(UTC) - FORGOTTEN_AFTER}})

    async def _adopt(self, writer: str, floor: int, orphans: bool) -> None:
        also = {"$set": {"orphans": True}} if orphans else {}
        await self._writers.update_one({"_id": writer}, {"$max": {"floor": floor}, **also})
        self._last_us = max(self._last_us, stored_us_of(floor))

    async def take(self, count: int, now_us: int) -> list[int]:
        """The next positions, in order: at the given time, or just after the last ones if the clock lags behind them."""
        if self._id is None:
            await self.register()
        first_us = max(now_us, self._last_us + 1)
        self._last_us = first_us + count - 1
        return [position_of(first_us + offset, self._slot) for offset in range(count)]

    def observe(self, position: int) -> None:
        """What was read at a position is before whatever is taken from now on, even if another host's clock is ahead of ours."""
        self._last_us = max(self._last_us, stored_us_of(position))

    async def fence(self, first: int, session: object) -> bool:
        """Within a transaction, before anything else: hold the floor below `first`, or raise Fenced.

        It says how far the log goes with it, as whoever raises the watermark may have a clock that is behind. Answers whether there
        are voids that wait for their target.
        """
        return _orphans(await self._hold(self._writers, first, session))

    def fence_now(self, database: Any, first: int, session: object) -> bool:
        """The same within a transaction that runs in a thread, on the driver's own `database`."""
        return _orphans(self._hold(database["writers"], first, session))

    def _hold(self, writers: Any, first: int, session: object) -> Any:
        """The document of this writer, touched, if its floor is below: of the driver's own collection now, of another to be awaited."""
        return writers.find_one_and_update(
            {"_id": self._id, "floor": {"$lt": first}}, {"$set": {"last": last_at(self._last_us), "seen": datetime.now(UTC)}},
            session=session, return_document=ReturnDocument.AFTER, projection={"orphans": 1},
        )

    async def recover(self) -> None:
        """After Fenced: learn the floor, or register again."""
        found = await self._writers.find_one({"_id": self._id})
        if found is None:
            await self.register()
        else:
            self._last_us = max(self._last_us, stored_us_of(found["floor"]))

    async def announce_orphan(self) -> None:
        """Tell every writer, present and future, that a void waits for a target that is not there."""
        await self._writers.update_one({"_id": WATERMARK}, {"$set": {"orphans": True}}, upsert=True)
        await self._writers.update_many({}, {"$set": {"orphans": True}})
        self.announced = True


def _orphans(found: Mapping[str, Any] | None) -> bool:
    if found is None:
        raise Fenced
    return bool(found.get("orphans"))
