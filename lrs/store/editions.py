"""What there is of summaries by edition (label and generation), and how those go that nobody reads any more."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from motor.motor_asyncio import AsyncIOMotorCollection

from lrs.store.cursors import Cursors
from lrs.store.mongo import Database

# A reader may go on with a generation that was retired, for longer than any of them remembers which one is current.
GRACE = timedelta(seconds=60)
AT_ONCE = 5_000


@dataclass(frozen=True)
class Leftover:
    """What is kept of an edition that nothing installed here reads or makes."""

    edition: str
    summaries: int
    lines: int


class Editions:
    """Finds and removes editions, each with its summaries, lines and cursors."""

    def __init__(self, database: Database) -> None:
        self._summaries = database["summaries"]
        self._lines = database["lines"]
        self._cursors = Cursors(database)

    async def remove(self, tenant: str, editions: Sequence[str]) -> int:
        """Remove all of these, whoever saves to them; how many summaries. What is cut short, `tidy` goes on with."""
        if not editions:
            return 0
        await self._cursors.retire(tenant, editions)
        return await self._remove_retired(tenant, editions)

    async def tidy(self, now: datetime | None = None) -> list[str]:
        """Remove the retired generations that nobody reads any more; which ("<tenant>/<edition>")."""
        removed, old = [], (now or datetime.now(UTC)) - GRACE
        async for cursor in self._cursors.retiring():
            if gone := [edition for edition, retired in cursor.retired.items() if retired <= old]:
                await self._remove_retired(cursor.tenant, gone)
                removed += [f"{cursor.tenant}/{edition}" for edition in gone]
        return removed

    async def _remove_retired(self, tenant: str, editions: Sequence[str]) -> int:
        removed = 0
        for edition in editions:
            await _remove_all(self._lines, {"tenant": tenant, "label": edition})
            removed += await _remove_all(self._summaries, {"tenant": tenant, "materializer": edition})
        await self._cursors.drop(tenant, editions)
        return removed

    async def all(self, tenant: str) -> set[str]:
        """Every edition there is anything of."""
        cursor = await self._cursors.read(tenant)
        saved = await self._summaries.distinct("materializer", {"tenant": tenant})
        lines = await self._lines.distinct("label", {"tenant": tenant})
        return {*cursor.positions, *cursor.building, *cursor.retired, *saved, *lines}

    async def leftovers(self, tenant: str, labels: Collection[str]) -> list[Leftover]:
        """What there is of other labels than these, and of generations that no cursor speaks of."""
        cursor = await self._cursors.read(tenant)
        used = {*cursor.positions, *cursor.building, *cursor.retired}
        return [
            Leftover(
                edition, await self._summaries.count_documents({"tenant": tenant, "materializer": edition}),
                await self._lines.count_documents({"tenant": tenant, "label": edition}),
            )
            for edition in sorted(await self.all(tenant)) if edition.partition("#")[0] not in labels or edition not in used
        ]


async def _remove_all(collection: AsyncIOMotorCollection, query: dict[str, str]) -> int:
    """A delete of all at once may take longer than a connection waits."""
    removed = 0
    while ids := [each["_id"] async for each in collection.find(query, projection={"_id": 1}).limit(AT_ONCE)]:
        removed += (await collection.delete_many({"_id": {"$in": ids}})).deleted_count
    return removed
