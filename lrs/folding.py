"""From a chunk of the log to the summaries it touches: what the follower and a rebuild have in common."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from lrs.materialize import BrokenMaterializer, Materializer, fold
from lrs.store.cursors import BEFORE_ALL
from lrs.store.keying import Keying
from lrs.store.log import Log
from lrs.store.mongo import Database
from lrs.store.records import record_id
from lrs.store.saving import Cell, Saved, forgotten, to_keep
from lrs.store.summaries import FOLDED, IN_ORDER, SavedSummaries, counts

logger = structlog.get_logger(__name__)

S = TypeVar("S")

# Records read, and summaries folded together, at a time; and bytes of records, but for the last of them.
CHUNK, CHUNK_BYTES = 1_000, 4 * 1024 * 1024
# Records asked for before their size is looked at.
PORTION = 250

Records = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Chunk:
    """Records of a tenant's log, all there are after `start` and up to `end`."""

    tenant: str
    records: Records
    start: int
    end: int


class Folding:
    """Reads chunks of the log, and folds them into what is saved."""

    def __init__(self, database: Database, log: Log, saved: SavedSummaries) -> None:
        self._records = database["records"]
        self._log = log
        self._saved = saved
        self._keying = Keying(database)

    async def next(self, tenant: str, start: int, through: int, limit: int | None = None) -> Chunk:
        """The next chunk of a tenant's log after a position, up to another."""
        limit = limit or CHUNK
        query = {"tenant": tenant, "position": {"$gt": start, "$lte": through}}
        found = self._records.find(query, projection=FOLDED | {"size": {"$bsonSize": "$$ROOT"}}).sort(IN_ORDER).limit(limit)
        records, size = list[dict[str, Any]](), 0
        try:
            while len(records) < limit and size < CHUNK_BYTES:
                some = await found.to_list(min(PORTION, limit - len(records)))
                if not some:
                    return Chunk(tenant, records, start, through)
                records += some
                size += sum(each["size"] for each in some)
        finally:
            await found.close()
        # There may be more of them before `through`.
        return Chunk(tenant, records, start, records[-1]["position"])

    async def chunks(self, tenant: str, start: int, through: int, limit: int | None = None) -> AsyncGenerator[Chunk, None]:
        """All chunks after a position up to another. Each is read while the one before it is seen to; close the generator."""
        coming: asyncio.Future[Chunk] | None = None
        try:
            while start < through:
                chunk = await (coming or self.next(tenant, start, through, limit))
                start = chunk.end
                coming = asyncio.ensure_future(self.next(tenant, start, through, limit)) if start < through else None
                yield chunk
        finally:
            if coming is not None:
                coming.cancel()

    async def fold(self, chunk: Chunk, materializers: Sequence[Materializer[Any]], *, anew: bool = False) -> list[Cell]:
        """The summaries these records touch, as they are after the last of them. `anew`: the records are keyed anew before."""
        if not chunk.records:
            return []
        await self._make_good(chunk)
        await self._keying.complete(chunk.tenant, chunk.records, materializers, anew=anew)
        touched: dict[str, dict[str, list[dict[str, Any]]]] = {each.label: defaultdict(list) for each in materializers}
        for record in chunk.records:
            for record_key in record.get("keys", ()):
                label, _, key = record_key.partition(":")
                if label in touched:
                    touched[label][key].append(record)
        cells: list[Cell] = []
        for materializer in materializers:
            if by_key := touched[materializer.label]:
                cells += await self._brought_up(chunk, materializer, by_key)
        return cells

    async def _make_good(self, chunk: Chunk) -> None:
        """Only if the process that stored a void or a reference ended before it could see to it; such a void comes again later."""
        voids = {each["_id"]: record_id(chunk.tenant, each["voids"]) for each in chunk.records if "voids" in each}
        await self._log.see_to_voids(voids)
        await self._log.see_to_references({(chunk.tenant, each["awaits"]) for each in chunk.records if "awaits" in each})

    async def _brought_up(self, chunk: Chunk, materializer: Materializer[Any], by_key: Mapping[str, Records]) -> list[Cell]:
        tenant, mark = chunk.tenant, chunk.records[-1]["position"]
        saved = await self._saved.load(tenant, materializer, list(by_key))
        due = {key: records for key, records in by_key.items() if key not in saved or saved[key].mark < mark}
        new = [key for key in due if key not in saved]
        again = {key for key, records in due.items() if any("voids" in each for each in records)}
        # What is not saved although it has begun was lost, or could not be folded.
        if chunk.start > BEFORE_ALL and await self._saved.begun(tenant, materializer, new, chunk.start):
            again.update(new)
        summaries = await self._saved.refold(tenant, materializer, sorted(again), through=mark) if again else {}
        for key in due.keys() - again:
            try:
                summaries[key] = extended(materializer, key, saved.get(key), due[key], through=mark)
            except BrokenMaterializer:
                logger.exception("fold_failed", tenant=tenant, materializer=materializer.label, key=key)
        rest = {key: saved[key].mark for key in due.keys() - again if key in saved}
        cells = [to_keep(tenant, materializer, Saved(key, mark, each), rest.get(key)) for key, each in summaries.items()]
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
