"""Making summaries from the beginning of the log, beside live traffic: for a materializer that is new, and as a rebuild.

What is made is a generation of its own, which nobody reads before it is whole. How far it is stands in the cursors document, so whoever
is told to make it goes on where the last one was stopped. docs/decisions/0012.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

import structlog

from lrs.folding import CHUNK, Folding
from lrs.materialize import Materializer
from lrs.store.cursors import BEFORE_ALL, Cursor, Cursors, Fence, Superseded, moved
from lrs.store.leases import Leases
from lrs.store.mongo import Database
from lrs.store.positions import LAST, last_at
from lrs.store.summaries import SavedSummaries
from lrs.store.watermark import Watermark

logger = structlog.get_logger(__name__)

# How often who waits for another process looks whether it has done it, in seconds.
LOOKS_EVERY_S = 0.5

# Hears how many records are done, of how many.
Report = Callable[[int, int], Awaitable[None]]


async def nobody(_done: int, _total: int) -> None:
    """A report that nobody hears."""


class Builder:
    """Makes generations of summaries."""

    def __init__(self, database: Database, watermark: Watermark, saved: SavedSummaries, folding: Folding) -> None:
        self._records = database["records"]
        self._watermark = watermark
        self._saved = saved
        self._folding = folding
        self._cursors = Cursors(database)
        self._leases = Leases(database)

    async def build(
        self, tenant: str, materializers: Sequence[Materializer[Any]], *, per_second: float | None = None, report: Report = nobody,
        anew: bool = True, asked: Cursor | None = None,
    ) -> list[Materializer[Any]]:
        """Make the next generation of each of these, or go on with it, and let it be the one that is read; answers what was made.

        All in one reading of the log, of not more than so many records a second. `anew`: the records are keyed anew, too.
        `asked`: the cursors by which it is to be made, now if there are none. What others have made since is not made again.
        """
        made = await self._begun(tenant, materializers, asked or await self._cursors.read(tenant))
        pace = Pace(per_second)
        while True:
            try:
                cursor, left = await self._left(tenant, made)
                if not left:
                    return made
                async with self._leases.held(tenant, "build") as ours:
                    if ours:
                        # Whoever held it before may have got further since.
                        cursor, left = await self._left(tenant, made)
                        if left:
                            await self._advance(cursor, left, pace, report, anew)
                        continue
                # Another process is at it.
                start = min(cursor.building[each.edition] for each in left)
                await report(await self._count(tenant, start), await self._count(tenant, LAST))
                await asyncio.sleep(LOOKS_EVERY_S)
            except Superseded:
                logger.info("read_again", tenant=tenant)

    async def _left(self, tenant: str, made: Sequence[Materializer[Any]]) -> tuple[Cursor, list[Materializer[Any]]]:
        """The cursors, and those of these that are not made yet."""
        cursor = await self._cursors.read(tenant)
        return cursor, [each for each in made if each.edition in cursor.building]

    async def _begun(self, tenant: str, materializers: Sequence[Materializer[Any]], asked: Cursor) -> list[Materializer[Any]]:
        """These in the generations that are to be made, when each of them has a cursor, or has been made since it was asked for."""
        while True:
            # Who loses against another's begin may hear of it only when the other has made it all.
            cursor = await self._cursors.read(tenant)
            made = [_made_since(asked, cursor, each) or cursor.next(each, int(time.time())) for each in materializers]
            begun = {*cursor.positions, *cursor.building}
            try:
                await self._cursors.begin(cursor, [each.edition for each in made if each.edition not in begun])
                return made
            except Superseded:
                logger.info("read_again", tenant=tenant)

    async def _advance(
        self, cursor: Cursor, made: Sequence[Materializer[Any]], pace: "Pace", report: Report, anew: bool
    ) -> None:
        """Read on to the watermark and switch over; Superseded whenever it has to be looked at again where they stand."""
        tenant = cursor.tenant
        through = last_at(await self._watermark.through(fresh=True))
        # Those that were begun later come first; the others are there again when those have come as far.
        start = min(cursor.building.get(each.edition, BEFORE_ALL) for each in made)
        behind = [each for each in made if cursor.building.get(each.edition, BEFORE_ALL) == start]
        ahead = [cursor.building[each.edition] for each in made if each not in behind]
        until = min([through, *ahead])
        done, total = await self._count(tenant, start), await self._count(tenant, through)
        await report(done, total)
        editions = [each.edition for each in behind]
        async with aclosing(self._folding.chunks(tenant, start, until, pace.portion)) as chunks:
            async for chunk in chunks:
                cells = await self._folding.fold(chunk, behind, anew=anew)
                stand, there = moved("building", editions, chunk.start), moved("building", editions, chunk.end)
                await self._saved.write(tenant, cells, Fence(tenant, cursor.epoch, there, stand))
                done += len(chunk.records)
                await report(done, max(done, total))
                await pace.keep(len(chunk.records))
                if not await self._leases.take(tenant, "build"):
                    raise Superseded
        if not ahead:
            await self._cursors.switch(cursor, made, through)

    async def _count(self, tenant: str, through: int) -> int:
        return int(await self._records.count_documents({"tenant": tenant, "position": {"$lte": through}}))


def _made_since(asked: Cursor, cursor: Cursor, materializer: Materializer[Any]) -> Materializer[Any] | None:
    """The materializer in the generation that is read now, if that was not there yet when it was asked for."""
    current = cursor.current(materializer)
    return current if current.edition in cursor.positions and current.edition not in asked.positions else None


class Pace:
    """Not more than so many records a second (None: as fast as it goes)."""

    def __init__(self, per_second: float | None) -> None:
        self._per_second = per_second
        self._due = asyncio.get_running_loop().time()

    @property
    def portion(self) -> int:
        """Records to take at a time: of a second at most."""
        return CHUNK if self._per_second is None else max(1, min(CHUNK, int(self._per_second)))

    async def keep(self, done: int) -> None:
        """Wait until so many more may have been done."""
        if self._per_second is not None:
            now = asyncio.get_running_loop().time()
            # What was slower than it may be is not made up for.
            self._due = max(self._due + done / self._per_second, now)
            await asyncio.sleep(self._due - now)
