"""The watermark: a time up to which every statement that has or ever will have that `stored` can be read now.

xAPI 1.0.3, Communication 2.1.3 (X-Experience-API-Consistent-Through). It is true across processes, because raising it forbids every
writer to commit anything below (`writers.py`).
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from pymongo import UpdateMany, UpdateOne
from pymongo.errors import PyMongoError

from lrs.errors import StoreUnavailable
from lrs.single_flight import SingleFlight
from lrs.store.mongo import Database, is_transient
from lrs.store.positions import last_at, stored_us_of
from lrs.store.writers import WATERMARK

logger = structlog.get_logger(__name__)

# How old an answer of `through()` may be, in seconds. Raising costs two writes, and each writer one stamp again.
FRESH_FOR_S = 0.1
# A writer that is paused, cut off or killed amid a transaction holds its floor until the transaction is dropped: by whoever has waited
# for it so long, in seconds, else by MongoDB after 60. Nobody waits for a raise longer than the second; who can do with an older watermark,
# not longer than the third.
DROPPED_AFTER_S = 3.0
RAISE_WITHIN_S = 10.0
OLDER_AFTER_S = 0.5


def now_us(clock: Callable[[], datetime]) -> int:
    """Microseconds since the epoch."""
    since_epoch = clock() - datetime(1970, 1, 1, tzinfo=UTC)
    return (since_epoch.days * 86_400 + since_epoch.seconds) * 1_000_000 + since_epoch.microseconds


class Watermark:
    """Microseconds since the epoch; never falls."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._writers = database["writers"]
        self._clock = clock
        self._known = 0
        self._wanted = 0
        self._raised_at = float("-inf")
        self._raise = SingleFlight(self._raise_to_now)

    def known(self) -> int:
        """The last watermark this process knows of; 0 at first."""
        return self._known

    async def through(self, *, fresh: bool = False) -> int:
        """The watermark: at most a moment old, or, if `fresh`, not below the time of this call.

        Raises StoreUnavailable if a fresh one cannot be had; else an older one, still true, is the answer.
        """
        if not fresh and time.monotonic() - self._raised_at < FRESH_FOR_S:
            return self._known
        try:
            return await asyncio.wait_for(self._raise(), RAISE_WITHIN_S if fresh else OLDER_AFTER_S)
        except TimeoutError:
            if fresh:
                raise StoreUnavailable("the log cannot be fenced right now: a writer holds it") from None
            return self._known
        except PyMongoError as error:
            if not is_transient(error):
                raise
            if fresh:
                raise StoreUnavailable("the log cannot be fenced right now") from error
            logger.warning("watermark_not_raised", error=str(error))
            return self._known

    async def confirm(self, through_us: int) -> None:
        """Return once this process can keep what another one promised: what it reads from now on lacks nothing up to then.

        StoreUnavailable if that cannot be had now.
        """
        if self._known < through_us:
            self._wanted = max(self._wanted, through_us)
            await self.through(fresh=True)

    async def _reached(self) -> int:
        """How far the log may go, in µs: where a clock that is ahead of ours has stamped, or raised the watermark to."""
        found = self._writers.find({}, projection={"floor": 1, "last": 1})
        positions = [position for each in await found.to_list(None) for position in (each.get("floor", 0), each.get("last", 0))]
        return stored_us_of(max(positions, default=0))

    async def _raise_to_now(self) -> int:
        # What was acknowledged before must be below, whatever clock it was stamped by.
        through_us = max(now_us(self._clock), self._known, self._wanted, await self._reached())
        # Each document is written in any case: where another raise was faster, what its writer committed before is only safe with a
        # majority, and only read after ours, if we have written after it, too.
        floor = {"$max": {"floor": last_at(through_us)}, "$inc": {"raises": 1}}
        forbidding = asyncio.ensure_future(self._forbid(floor))
        while not (await asyncio.wait({forbidding}, timeout=DROPPED_AFTER_S))[0]:
            await self._drop_what_holds_it()
        forbidding.result()
        self._known, self._raised_at = through_us, time.monotonic()
        return through_us

    async def _forbid(self, floor: Mapping[str, Any]) -> None:
        async with self._database.ordered() as session:
            # This order matters: a writer that registers meanwhile reads the first document after it made its own. In one command
            # MongoDB takes them in order too, each as a write of its own.
            await self._writers.bulk_write(
                [UpdateOne({"_id": WATERMARK}, floor, upsert=True), UpdateMany({}, floor)], ordered=True, session=session
            )

    async def _drop_what_holds_it(self) -> None:
        try:
            if dropped := await self._database.end_idle_transactions(DROPPED_AFTER_S):
                logger.warning("idle_transactions_dropped", count=dropped)
        except PyMongoError as error:  # it may be away, or not let us: then it takes until MongoDB drops them itself
            logger.warning("idle_transactions_not_dropped", error=str(error))
