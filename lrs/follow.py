"""Following the log: summaries are brought up to the watermark, from where the last run ended.

Worker, sweep and settle are this one way of doing it. Nothing here depends on being told: what a crashed run left undone,
the next one does, for the cursor moves together with the summaries.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from lrs.building import Builder
from lrs.errors import NotFound, StoreUnavailable
from lrs.folding import Folding
from lrs.materialize import Materializer
from lrs.single_flight import SingleFlight
from lrs.store.cursors import BEFORE_ALL, Cursor, Cursors, Fence, Superseded, moved
from lrs.store.editions import Editions, Leftover
from lrs.store.leases import Leases
from lrs.store.log import Log
from lrs.store.mongo import Database
from lrs.store.positions import last_at
from lrs.store.summaries import IN_ORDER, SavedSummaries
from lrs.store.watermark import Watermark

logger = structlog.get_logger(__name__)

S = TypeVar("S")

# How long a reader waits for summaries of a materializer that is new to a tenant, in seconds.
BUILT_WITHIN_S = 5.0
# How long a process remembers a tenant's cursors, in seconds: much less than a retired generation is kept. And those of how many tenants.
REMEMBERED_FOR_S, MOST_REMEMBERED = 5.0, 100_000
# How often who waits for another process looks whether it has done it, and tries to do it instead; and how long it waits for one that gets
# nowhere, in seconds.
LOOKS_EVERY_S, TRIES_EVERY_S, PATIENCE_S = 0.02, 0.1, 30.0
# Up to so many new records are followed by whoever wants to read. More are a worker's, while it gets further in so many seconds.
FEW, LEFT_FOR_S = 50, 0.4


@dataclass(frozen=True)
class Followed:
    """How far summaries are complete: those of `cursor`, up to a time in microseconds since the epoch."""

    through_us: int
    cursor: Cursor


class Follower:
    """Keeps saved summaries equal to the fold of their statements.

    There is a cursor for each materializer. One that is new to a tenant has none: `settle` reads the log from its beginning for
    it, after it has brought up the others, and whoever asks for its summaries meanwhile is told to come back.

    `hinted`: as a rule this process is told when there is something new, and takes the lease without a look whether there is.
    """

    def __init__(
        self, database: Database, watermark: Watermark, log: Log, saved: SavedSummaries,
        materializers: Mapping[str, Materializer[Any]], *, hinted: bool = False,
    ) -> None:
        self._hinted = hinted
        self._cursors = Cursors(database)
        self._leases = Leases(database)
        self._editions = Editions(database)
        self._records = database["records"]
        self._watermark = watermark
        self._saved = saved
        self.folding = Folding(database, log, saved, materializers.values())
        self.builder = Builder(database, watermark, saved, self.folding)
        self._materializers = tuple(materializers.values())
        self._flights: dict[tuple[str, str], SingleFlight[Followed]] = {}
        self._remembered: dict[str, tuple[float, Cursor]] = {}

    async def settle(self, tenant: str) -> int:
        """Bring every summary up to now; the microseconds since the epoch up to which they are complete.

        All who ask while a run is under way share the next one.
        """
        through_us = await self.follow_once(tenant)
        if self._missing(await self._remember(tenant)):
            await self._once(tenant, "build", self._build)
        return through_us

    async def follow_once(self, tenant: str) -> int:
        """As `settle`, but without the materializers whose summaries are not there yet."""
        return (await self._once(tenant, "follow", self._follow)).through_us

    async def wait_for(self, tenant: str, materializer: Materializer[S]) -> tuple[Materializer[S], int]:
        """The materializer in the generation to read, and a position that all its summaries were complete up to a moment ago.

        StoreUnavailable if there are none within a few seconds.
        """
        for settled in (False, True):
            cursor = await self._remember(tenant)
            current = cursor.current(materializer)
            if current.edition in cursor.positions:
                return current, cursor.positions[current.edition]
            if not settled:
                await self._wait_for_settling(tenant, materializer)
        raise StoreUnavailable(f"the summaries of {materializer.label} are not made here")

    async def ready(self, tenant: str, materializer: Materializer[S]) -> Materializer[S]:
        """Bring summaries up to now; the materializer in the generation that is complete then. StoreUnavailable as above."""
        followed = await self._once(tenant, "follow", self._follow)
        current = followed.cursor.current(materializer)
        if current.edition in followed.cursor.positions:
            # Should a rebuild switch over now: what it has replaced is there for a while.
            return current
        await self._wait_for_settling(tenant, materializer)
        current, _ = await self.wait_for(tenant, materializer)
        return current

    async def _wait_for_settling(self, tenant: str, materializer: Materializer[Any]) -> None:
        # It goes on when nobody waits any more.
        try:
            await asyncio.wait_for(self.settle(tenant), BUILT_WITHIN_S)
        except TimeoutError:
            raise StoreUnavailable(f"the summaries of {materializer.label} are being made") from None

    async def _once(self, tenant: str, what: str, run: Callable[[str], Awaitable[Followed]]) -> Followed:
        flight = self._flights.setdefault((tenant, what), SingleFlight(lambda: run(tenant)))
        try:
            return await flight()
        finally:
            if flight.is_idle:  # else who comes next would begin a run beside the one that is under way
                self._flights.pop((tenant, what), None)

    async def follow(self, tenant: str) -> int:
        """Read the log from the cursors to the watermark, and bring up to date what it touches."""
        return (await self._follow(tenant)).through_us

    async def _follow(self, tenant: str) -> Followed:
        """One process at a time does it, while others wait for its cursors; or do it, should it get nowhere."""
        through_us = await self._watermark.through(fresh=True)
        through, pending, wait = last_at(through_us), 0, _Wait()
        if self._hinted and (advanced := await self._try(tenant, through)):
            return Followed(through_us, advanced)
        while True:
            cursor = await self._read(tenant)
            if wait.is_elsewhere(self._lowest(cursor)):
                if not (pending := await self._pending(cursor, through)):
                    return Followed(through_us, cursor)
            if wait.is_our_turn(pending):
                if advanced := await self._try(tenant, through):
                    return Followed(through_us, advanced)
                continue
            wait.check()
            await asyncio.sleep(LOOKS_EVERY_S)

    async def _pending(self, cursor: Cursor, through: int) -> int:
        """How many records there are beyond a cursor; of more than a few, some."""
        positions = [cursor.positions[each.edition] for each in self._followed(cursor)]
        if not positions or min(positions) >= through:
            return 0
        after = {"tenant": cursor.tenant, "position": {"$gt": min(positions), "$lte": through}}
        return len(await self._records.find(after, projection={"_id": 0, "position": 1}).limit(FEW + 1).to_list(None))

    async def _try(self, tenant: str, through: int) -> Cursor | None:
        """Do it if nobody else is at it. The cursors as they were before; None if they have to be looked at again."""
        async with self._leases.held(tenant, "follow") as ours:
            return await self._advance_all(tenant, through) if ours else None

    async def _advance_all(self, tenant: str, through: int) -> Cursor | None:
        """The cursors as they were before; None if it has to be looked at again where they stand."""
        cursor = await self._read(tenant)
        there = self._followed(cursor)
        try:
            # All stand at one place, unless other processes have other materializers, or some were made anew.
            for start in sorted({cursor.positions[each.edition] for each in there}, reverse=True):
                here = [each for each in there if cursor.positions[each.edition] == start]
                await self._advance(cursor, here, start, through)
        except Superseded as superseded:
            logger.info("read_again", tenant=tenant, why=str(superseded))
            return None
        return cursor

    async def _advance(self, cursor: Cursor, materializers: Sequence[Materializer[Any]], start: int, through: int) -> None:
        editions, tenant = [each.edition for each in materializers], cursor.tenant
        while start < through:
            chunk = await self.folding.next(tenant, start, through)
            if not chunk.records:
                return
            cells = await self.folding.fold(chunk, materializers)
            start = chunk.end
            stand, there = moved("positions", editions, chunk.start), moved("positions", editions, start)
            await self._saved.write(tenant, cells, Fence(tenant, cursor.epoch, there, stand))
            if start < through and not await self._leases.take(tenant, "follow"):
                raise Superseded("another has the lease")

    def _followed(self, cursor: Cursor) -> list[Materializer[Any]]:
        return [each for each in map(cursor.current, self._materializers) if each.edition in cursor.positions]

    async def _build(self, tenant: str) -> Followed:
        """Do it from the beginning of the log for what has no cursor."""
        cursor = await self._read(tenant)
        if new := self._missing(cursor):
            await self.builder.build(tenant, new, anew=False, asked=cursor)
        return Followed(0, await self._read(tenant))

    async def has_begun(self, tenant: str) -> bool:
        """Whether there are summaries of every materializer, as it was a moment ago."""
        return not self._missing(await self._remember(tenant))

    async def behind(self, tenant: str) -> int | None:
        """The position of the oldest record that summaries may not reflect yet; None if there is none."""
        oldest = await self._records.find_one(
            {"tenant": tenant, "position": {"$gt": await self.cursor(tenant)}}, sort=IN_ORDER, projection={"position": 1}
        )
        return oldest["position"] if oldest else None

    async def lagging(self) -> list[str]:
        """The tenants that have records beyond a cursor. As cheap for thousands that rest as reading their cursors."""
        cursors = {each.tenant: self._lowest(each) async for each in self._cursors.all()}
        ends = self._records.aggregate([  # hops through the index of the log, from tenant to tenant
            {"$sort": {"tenant": -1, "position": -1}}, {"$group": {"_id": "$tenant", "last": {"$first": "$position"}}},
        ])
        return sorted([each["_id"] async for each in ends if each["last"] > cursors.get(each["_id"], BEFORE_ALL)])

    async def cursor(self, tenant: str) -> int:
        """The position up to which all saved summaries are complete; -1 before the first run."""
        return self._lowest(await self._cursors.read(tenant))

    async def leftovers(self, tenant: str) -> list[Leftover]:
        """What other versions of materializers have left, and rebuilds that nobody knows of any more."""
        return await self._editions.leftovers(tenant, {each.label for each in self._materializers})

    async def remove_leftover(self, tenant: str, edition: str) -> int:
        """Remove one of those; how many summaries. NotFound if it is none. A process of that version makes them anew."""
        if edition not in {each.edition for each in await self.leftovers(tenant)}:
            raise NotFound(f"tenant {tenant} has no leftover summaries {edition}")
        return await self._editions.remove(tenant, [edition])

    def _lowest(self, cursor: Cursor) -> int:
        editions = [cursor.current(each).edition for each in self._materializers]
        return min((cursor.positions.get(edition, BEFORE_ALL) for edition in editions), default=BEFORE_ALL)

    def _missing(self, cursor: Cursor) -> list[Materializer[Any]]:
        return [each for each in self._materializers if cursor.current(each).edition not in cursor.positions]

    async def _remember(self, tenant: str) -> Cursor:
        """The tenant's cursors as they were at most a moment ago."""
        read_at, cursor = self._remembered.get(tenant, (0.0, None))
        if cursor is None or self._missing(cursor) or time.monotonic() - read_at > REMEMBERED_FOR_S:
            return await self._read(tenant)
        return cursor

    async def _read(self, tenant: str) -> Cursor:
        before = time.monotonic()
        cursor = await self._cursors.read(tenant)
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[tenant] = (before, cursor)
        return cursor


class _Wait:
    """What somebody knows who waits for a tenant's cursors."""

    def __init__(self) -> None:
        self._moved_at = time.monotonic()
        self._lowest: int | None = None
        self._tried_at = float("-inf")

    def is_elsewhere(self, lowest: int) -> bool:
        """Whether the cursors are not where they were at the last look."""
        if lowest == self._lowest:
            return False
        self._moved_at, self._lowest = time.monotonic(), lowest
        return True

    def is_our_turn(self, pending: int) -> bool:
        """Whether to try it now, with so many new records."""
        now = time.monotonic()
        if now - self._tried_at < TRIES_EVERY_S or (pending > FEW and now - self._moved_at < LEFT_FOR_S):
            return False
        self._tried_at = now
        return True

    def check(self) -> None:
        """StoreUnavailable if whoever is at it gets nowhere."""
        if time.monotonic() - self._moved_at > PATIENCE_S:
            raise StoreUnavailable("the summaries are being brought up to date, and it takes long")
