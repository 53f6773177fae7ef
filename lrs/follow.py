"""Following the log: summaries are brought up to the watermark, from where the last run ended.

Worker, sweep and settle are this one way of doing it. Nothing here depends on being told: what a crashed run left undone,
the next one does, for the cursor moves only after the summaries are saved.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from lrs.materialize import Materializer, fold
from lrs.single_flight import SingleFlight
from lrs.store.log import Log
from lrs.store.mongo import Database
from lrs.store.positions import last_at
from lrs.store.summaries import BEFORE_ALL, FOLDED, IN_ORDER, Saved, SavedSummaries, counts
from lrs.store.watermark import Watermark

S = TypeVar("S")

# Records read, and summaries folded together, at a time.
CHUNK = 1_000

Records = Sequence[Mapping[str, Any]]


class Follower:
    """Keeps saved summaries equal to the fold of their statements."""

    def __init__(
        self, database: Database, watermark: Watermark, log: Log, saved: SavedSummaries,
        materializers: Mapping[str, Materializer[Any]],
    ) -> None:
        self._cursors = database["cursors"]
        self._records = database["records"]
        self._watermark = watermark
        self._log = log
        self._saved = saved
        self._by_label = {each.label: each for each in materializers.values()}
        self._flights: dict[str, SingleFlight[int]] = {}

    async def settle(self, tenant: str) -> int:
        """Bring every summary up to now; the microseconds since the epoch up to which they are complete.

        All who ask while a run is under way share the next one.
        """
        flight = self._flights.setdefault(tenant, SingleFlight(lambda: self.follow(tenant)))
        try:
            return await flight()
        finally:
            self._flights.pop(tenant, None)

    async def follow(self, tenant: str) -> int:
        """Read the log from the cursor to the watermark, and bring up to date what it touches."""
        through_us = await self._watermark.through(fresh=True)
        through = last_at(through_us)
        cursor = await self.cursor(tenant)
        while cursor < through:
            records = await self._next(tenant, cursor, through)
            await self._apply(tenant, records)
            # A full chunk may end before the watermark; a shorter one means that there is nothing more up to it.
            reached = records[-1]["position"] if len(records) == CHUNK else through
            await self._cursors.update_one({"_id": tenant}, {"$max": {"position": reached}}, upsert=True)
            cursor = reached
        return through_us

    async def behind(self, tenant: str) -> int | None:
        """The position of the oldest record that summaries may not reflect yet; None if there is none."""
        oldest = await self._records.find_one(
            {"tenant": tenant, "position": {"$gt": await self.cursor(tenant)}}, sort=IN_ORDER, projection={"position": 1}
        )
        return oldest["position"] if oldest else None

    async def cursor(self, tenant: str) -> int:
        """The position up to which all saved summaries are complete; -1 before the first run."""
        found = await self._cursors.find_one({"_id": tenant})
        return found["position"] if found else BEFORE_ALL

    async def _next(self, tenant: str, cursor: int, through: int) -> Records:
        query = {"tenant": tenant, "position": {"$gt": cursor, "$lte": through}}
        return await self._records.find(query, projection=FOLDED).sort(IN_ORDER).limit(CHUNK).to_list(CHUNK)

    async def _apply(self, tenant: str, records: Records) -> None:
        """Save the summaries these records touch, as they are after the last of them."""
        touched: dict[str, dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        for record in records:
            if "voids" in record:
                # Only if the process that stored the void ended before it could see to it; the void comes again later.
                await self._log.void_late(tenant, record["_id"].partition("/")[2], record["voids"])
            for record_key in record.get("keys", ()):
                label, _, key = record_key.partition(":")
                touched[label][key].append(record)
        for label, by_key in touched.items():
            if (materializer := self._by_label.get(label)) is not None:
                await self._bring_up(tenant, materializer, by_key, records[-1]["position"])

    async def _bring_up(
        self, tenant: str, materializer: Materializer[Any], by_key: Mapping[str, Records], mark: int
    ) -> None:
        saved = await self._saved.load(tenant, materializer, list(by_key))
        refolded = await self._saved.refold(
            tenant, materializer, [key for key, records in by_key.items() if any("voids" in each for each in records)],
            through=mark,
        )
        fresh = []
        for key, records in by_key.items():
            before = saved.get(key)
            if before is not None and before.mark >= mark:
                continue
            summary = refolded[key] if key in refolded else extended(materializer, key, before, records, through=mark)
            fresh.append(Saved(key, mark, summary))
        await self._saved.save(tenant, materializer, fresh)


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
