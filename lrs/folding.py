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
from lrs.store.saving import NOT_YET, Cell, Saved, cell_id, forgotten, to_change, to_keep
from lrs.store.summaries import FOLDED, IN_ORDER, SavedSummaries, counted, read_all

logger = structlog.get_logger(__name__)

S = TypeVar("S")

# Records read, and summaries folded together, at a time; and bytes of their texts, but for the last of them.
CHUNK, CHUNK_BYTES = 1_000, 4 * 1024 * 1024
# Summaries folded before others get their turn.
TURN = 50
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

    def __init__(self, database: Database, log: Log, saved: SavedSummaries, installed: Iterable[Materializer[Any]] | None = None) -> None:
        self._records = database["records"]
        self._log = log
        self._saved = saved
        self._keying = Keying(database, installed)

    async def next(self, tenant: str, start: int, through: int, limit: int | None = None) -> Chunk:
        """The next chunk of a tenant's log after a position, up to another."""
        limit = limit or CHUNK
        query = {"tenant": tenant, "position": {"$gt": start, "$lte": through}}
        found = self._records.find(query, projection=FOLDED, batch_size=limit).sort(IN_ORDER).limit(limit)
        records, size = list[dict[str, Any]](), 0
        try:
            while len(records) < limit and size < CHUNK_BYTES:
                some = await found.to_list(min(PORTION, limit - len(records)))
                if not some:
                    return Chunk(tenant, records, start, through)
                records += some
                size += sum(len(each["text"]) for each in some)
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
        by_label: dict[str, dict[str, list[dict[str, Any]]]] = {each.label: defaultdict(list) for each in materializers}
        for record in chunk.records:
            for record_key in record.get("keys", ()):
                label, _, key = record_key.partition(":")
                if label in by_label:
                    by_label[label][key].append(record)
        touched = [_Touched(chunk.tenant, each, by_label[each.label]) for each in materializers if by_label[each.label]]
        # One query for the summaries of all materializers, and one more for what is not among them.
        found = await self._saved.whole([one for each in touched for one in each.ids.values()])
        mark = chunk.records[-1]["position"]
        for each in touched:
            each.know(found, mark)
        await self._find_lost(chunk, touched)
        return [cell for each in touched for cell in await self._brought_up(each, mark)]

    async def _make_good(self, chunk: Chunk) -> None:
        """Only if the process that stored a void, a reference, or what many refer to ended before it could see to it all.

        Such a void comes again later.
        """
        voids = {each["_id"]: record_id(chunk.tenant, each["voids"]) for each in chunk.records if "voids" in each}
        await self._log.see_to_voids(voids)
        left = await self._log.left_waiting(chunk.tenant, [each["_id"] for each in chunk.records])
        await self._log.see_to_references(left | {(chunk.tenant, each["awaits"]) for each in chunk.records if "awaits" in each})

    async def _find_lost(self, chunk: Chunk, touched: Sequence["_Touched"]) -> None:
        """What is not saved although it has begun was lost, or could not be folded: it is made anew."""
        if chunk.start <= BEFORE_ALL or not await self._begun(chunk, touched):
            return
        for each in touched:
            if await self._begun(chunk, [each]):
                each.anew.update(each.new)

    async def _begun(self, chunk: Chunk, touched: Sequence["_Touched"]) -> bool:
        record_keys = [each.materializer.record_key(key) for each in touched for key in each.new]
        return await self._saved.begun(chunk.tenant, record_keys, chunk.start)

    async def _brought_up(self, touched: "_Touched", mark: int) -> list[Cell]:
        tenant, materializer, anew = touched.tenant, touched.materializer, touched.anew
        summaries = await self._saved.refold(tenant, materializer, sorted(anew), through=mark) if anew else {}
        cells = [to_keep(tenant, materializer, Saved(key, mark, each)) for key, each in summaries.items()]
        cells += [forgotten(tenant, materializer, key) for key in anew if key not in summaries]
        for number, key in enumerate(touched.due.keys() - anew, 1):
            if number % TURN == 0:
                await asyncio.sleep(0)
            saved = touched.saved.get(key)
            try:
                summary = extended(materializer, key, saved, touched.due[key], through=mark)
            except BrokenMaterializer:
                logger.exception("fold_failed", tenant=tenant, materializer=materializer.label, key=key)
                cells.append(forgotten(tenant, materializer, key))
                continue
            if cell := to_change(tenant, materializer, Saved(key, mark, summary), touched.found.get(key, NOT_YET)):
                cells.append(cell)
        return cells


class _Touched:
    """The summaries of one materializer that a chunk touches, and its records by their keys."""

    def __init__(self, tenant: str, materializer: Materializer[Any], by_key: Mapping[str, Records]) -> None:
        self.tenant = tenant
        self.materializer = materializer
        self.ids = {key: cell_id(tenant, materializer, key) for key in by_key}
        self.found: dict[str, Mapping[str, Any]] = {}
        self.saved: dict[str, Saved[Any]] = {}
        self.due = dict(by_key)
        self.new: list[str] = []
        self.anew = {key for key, records in by_key.items() if any("voids" in each for each in records)}

    def know(self, found: Mapping[str, Mapping[str, Any]], mark: int) -> None:
        """These are saved, by `_id`; which are due then, which are new, and which are to be folded from nothing."""
        self.found = {key: found[each] for key, each in self.ids.items() if each in found}
        self.saved = read_all(self.materializer, self.found)
        for key, saved in self.saved.items():
            if saved.mark >= mark:
                del self.due[key]
        self.new = [key for key in self.due if key not in self.found]
        # What cannot be read counts as lost.
        self.anew = (self.anew | (self.found.keys() - self.saved.keys())) & self.due.keys()


def extended(
    materializer: Materializer[S], key: str, before: Saved[S] | None, records: Iterable[dict[str, Any]],
    *, through: int | None = None,
) -> S:
    """A saved summary (None: an empty one) with the records of its key beyond its mark folded in, as they were at `through`."""
    if before is None:
        return fold(materializer, counted(records, materializer, key, through))
    beyond = [record for record in records if record["position"] > before.mark]
    return fold(materializer, counted(beyond, materializer, key, through), before.summary)
