"""Following the log: summaries are brought up to the watermark, from where the last run ended.

Worker, sweep and settle are this one way of doing it. Nothing here depends on being told: what a crashed run left undone,
the next one does, for the cursor moves only after the summaries are saved.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import structlog

from lrs.errors import StoreUnavailable
from lrs.materialize import BrokenMaterializer, Materializer, fold
from lrs.single_flight import SingleFlight
from lrs.store.cursors import Cursor, Cursors, Fence, Superseded, moved
from lrs.store.keying import Keying
from lrs.store.log import Log
from lrs.store.mongo import Database
from lrs.store.positions import last_at
from lrs.store.records import record_id
from lrs.store.saving import Cell, Saved, forgotten, to_keep
from lrs.store.summaries import BEFORE_ALL, FOLDED, IN_ORDER, SavedSummaries, counts
from lrs.store.watermark import Watermark

logger = structlog.get_logger(__name__)

S = TypeVar("S")

# Records read, and summaries folded together, at a time.
CHUNK = 1_000
# How long a reader waits for summaries of a materializer that is new to a tenant, in seconds.
BUILT_WITHIN_S = 5.0
# Tenants of which a process remembers that nothing is new; beyond, it looks again.
MOST_REMEMBERED = 100_000

Records = Sequence[dict[str, Any]]


class Follower:
    """Keeps saved summaries equal to the fold of their statements.

    There is a cursor for each materializer. One that is new to a tenant has none: `settle` reads the log from its beginning for
    it, after it has brought up the others, and whoever asks for its summaries meanwhile is told to come back.
    """

    def __init__(
        self, database: Database, watermark: Watermark, log: Log, saved: SavedSummaries,
        materializers: Mapping[str, Materializer[Any]],
    ) -> None:
        self._cursors = Cursors(database)
        self._records = database["records"]
        self._watermark = watermark
        self._log = log
        self._saved = saved
        self._keying = Keying(database)
        self._by_label = {each.label: each for each in materializers.values()}
        self._flights: dict[tuple[str, str], SingleFlight[int]] = {}
        self._whole: set[str] = set()

    async def settle(self, tenant: str) -> int:
        """Bring every summary up to now; the microseconds since the epoch up to which they are complete.

        All who ask while a run is under way share the next one.
        """
        through_us = await self.follow_once(tenant)
        if tenant not in self._whole:
            await self._once(tenant, "build", self._build)
        return through_us

    async def follow_once(self, tenant: str) -> int:
        """As `settle`, but without the materializers whose summaries are not there yet."""
        return await self._once(tenant, "follow", self.follow)

    async def wait_for(self, tenant: str, materializer: Materializer[Any]) -> None:
        """Return if the summaries of a materializer are there; StoreUnavailable if they are not within a few seconds."""
        if tenant in self._whole or materializer.label in (await self._read(tenant)).positions:
            return
        # It goes on when nobody waits any more.
        try:
            await asyncio.wait_for(self.settle(tenant), BUILT_WITHIN_S)
        except TimeoutError:
            raise StoreUnavailable(f"the summaries of {materializer.label} are being made") from None

    async def _once(self, tenant: str, what: str, run: Callable[[str], Awaitable[int]]) -> int:
        flight = self._flights.setdefault((tenant, what), SingleFlight(lambda: run(tenant)))
        try:
            return await flight()
        finally:
            self._flights.pop((tenant, what), None)

    async def follow(self, tenant: str) -> int:
        """Read the log from the cursors to the watermark, and bring up to date what it touches."""
        through_us = await self._watermark.through(fresh=True)
        while True:
            cursor = await self._read(tenant)
            positions = {label: at for label, at in cursor.positions.items() if label in self._by_label}
            try:
                # All stand at one place, unless other processes have other materializers.
                for start in sorted(set(positions.values()), reverse=True):
                    labels = [label for label, position in positions.items() if position == start]
                    await self._advance(cursor, labels, start, last_at(through_us), "positions")
                return through_us
            except Superseded:
                logger.info("read_again", tenant=tenant)

    async def _build(self, tenant: str) -> int:
        """Do it from the beginning of the log for what has no cursor."""
        through_us = await self._watermark.through(fresh=True)
        while True:
            cursor = await self._read(tenant)
            if not (new := [label for label in self._by_label if label not in cursor.positions]):
                break
            try:
                start = min(cursor.building.get(label, BEFORE_ALL) for label in new)
                await self._advance(cursor, new, start, last_at(through_us), "building")
                await self._cursors.built(tenant, new, last_at(through_us))
            except Superseded:
                logger.info("read_again", tenant=tenant)
        if len(self._whole) >= MOST_REMEMBERED:
            self._whole.clear()
        self._whole.add(tenant)
        return through_us

    async def _advance(self, cursor: Cursor, labels: Sequence[str], start: int, through: int, field: str) -> None:
        while start < through:
            records = await self.next(cursor.tenant, start, through)
            cells = await self._applied(cursor.tenant, labels, records, start)
            # A full chunk may end before the watermark; a shorter one means that there is nothing more up to it.
            start = records[-1]["position"] if len(records) == CHUNK else through
            await self._saved.write(cursor.tenant, cells, Fence(cursor.tenant, cursor.epoch, moved(field, labels, start)))

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
        return self._lowest(await self._cursors.peek(tenant))

    def _lowest(self, cursor: Cursor) -> int:
        return min((cursor.positions.get(label, BEFORE_ALL) for label in self._by_label), default=BEFORE_ALL)

    async def _read(self, tenant: str) -> Cursor:
        cursor = await self._cursors.read(tenant)
        if self._by_label.keys() - cursor.positions.keys():
            self._whole.discard(tenant)
        return cursor

    async def next(self, tenant: str, cursor: int, through: int) -> Records:
        """The next chunk of a tenant's log beyond a cursor, up to a position."""
        query = {"tenant": tenant, "position": {"$gt": cursor, "$lte": through}}
        return await self._records.find(query, projection=FOLDED).sort(IN_ORDER).limit(CHUNK).to_list(CHUNK)

    async def _applied(self, tenant: str, labels: Sequence[str], records: Records, after: int) -> list[Cell]:
        """The summaries these records touch, as they are after the last of them."""
        touched: dict[str, dict[str, list[dict[str, Any]]]] = {label: defaultdict(list) for label in labels}
        # Only if the process that stored a void ended before it could see to it; such a void comes again later.
        await self._log.see_to_voids({each["_id"]: record_id(tenant, each["voids"]) for each in records if "voids" in each})
        await self._log.see_to_references({(tenant, each["awaits"]) for each in records if "awaits" in each})
        await self._keying.complete(tenant, records, [self._by_label[label] for label in labels])
        for record in records:
            for record_key in record.get("keys", ()):
                label, _, key = record_key.partition(":")
                if label in touched:
                    touched[label][key].append(record)
        cells: list[Cell] = []
        for label, by_key in touched.items():
            if by_key:
                cells += await self._brought_up(tenant, self._by_label[label], by_key, after, records[-1]["position"])
        return cells

    async def _brought_up(
        self, tenant: str, materializer: Materializer[Any], by_key: Mapping[str, Records], after: int, mark: int
    ) -> list[Cell]:
        saved = await self._saved.load(tenant, materializer, list(by_key))
        due = {key: records for key, records in by_key.items() if key not in saved or saved[key].mark < mark}
        new = [key for key in due if key not in saved]
        again = {key for key, records in due.items() if any("voids" in each for each in records)}
        # What is not saved although it has begun was lost, or could not be folded.
        if after > BEFORE_ALL and await self._saved.begun(tenant, materializer, new, after):
            again.update(new)
        summaries = await self._saved.refold(tenant, materializer, sorted(again), through=mark) if again else {}
        for key in due.keys() - again:
            try:
                summaries[key] = extended(materializer, key, saved.get(key), due[key], through=mark)
            except BrokenMaterializer:
                logger.exception("fold_failed", tenant=tenant, materializer=materializer.label, key=key)
        cells = [to_keep(tenant, materializer, Saved(key, mark, each)) for key, each in summaries.items()]
        return cells + [forgotten(tenant, materializer, key) for key in due if key not in summaries]


def extended(
    materializer: Materializer[S], key: str, before: Saved[S] | None, records: Iterable[Mapping[str, Any]],
    *, through: int | None = None,
) -> S:
    """A saved summary (None: an empty one) with the records of its key beyond its mark folded in, as they were at `through`."""
    mark = before.mark if before else BEFORE_ALL
    summary = before.summary if before else materializer.empty()
    for record in records:
        if record["position"] > mark:
            summary = fold(materializer, counts(record, materializer, key, through), summary)
    return summary
