"""Saved summaries, and the records they are folded from.

A saved summary is the fold of all records of its key up to its mark, a position not above the watermark: nothing can come in below.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import structlog
from pymongo import ASCENDING

from lrs.materialize import MISHAPS, BrokenMaterializer, Line, Materializer, fold, record_keys
from lrs.store.cursors import BEFORE_ALL, Fence
from lrs.store.mongo import Database
from lrs.store.records import statement_once
from lrs.store.rollups import Lines
from lrs.store.saving import Anew, Cell, Saved, Saving, cell_id, forgotten, to_keep

logger = structlog.get_logger(__name__)

S = TypeVar("S")

IN_ORDER = [("position", ASCENDING)]
FOLDED = {"text": 1, "position": 1, "voids": 1, "voided": 1, "keys": 1, "keyed": 1, "awaits": 1}

KEPT = {"key": 1, "mark": 1, "state": 1, "rows": 1}
WHOLE = {**KEPT, "facets": 1, "materializer": 1}


def counted(
    records: Iterable[dict[str, Any]], materializer: Materializer[Any], key: str, through: int | None = None
) -> Iterator[Any]:
    """What a materializer's step gets of the statements of records that count for a key in the log up to `through` (None: all of it).

    One does not if it was voided by then, or if it is a void that carries the key only because its target has it.
    """
    for record in records:
        voided = record.get("voided")
        if voided is not None and (through is None or voided <= through):
            continue
        statement = statement_once(record)
        if "voids" not in record or materializer.record_key(key) in record_keys([materializer], statement):
            yield materializer.part(statement, key)


class SavedSummaries:
    """Reading and writing of summaries; `records` is only read here."""

    def __init__(self, database: Database) -> None:
        self._summaries = database["summaries"]
        self._records = database["records"]
        self._saving = Saving(database)
        self._lines = Lines(database)

    async def load(self, tenant: str, materializer: Materializer[S], keys: Sequence[str]) -> dict[str, Saved[S]]:
        """The saved summaries among these keys, by key; one that cannot be read counts as not saved."""
        return read_all(materializer, await self.documents(tenant, materializer, keys))

    async def find(
        self, tenant: str, materializer: Materializer[S], facets: Mapping[str, str | Sequence[str]]
    ) -> list[tuple[str, S]]:
        """Saved summaries that have every facet (one of its values, where several are given), in the order of their keys."""
        query = {"tenant": tenant, "materializer": materializer.edition, **_having(facets)}
        found = self._summaries.find(query, projection={"key": 1, "state": 1}).sort("key", ASCENDING)
        return [(each["key"], materializer.decode(each["state"])) for each in await found.to_list(None)]

    async def page(
        self, tenant: str, materializer: Materializer[S], facets: Mapping[str, str | Sequence[str]], *, after: str | None, limit: int
    ) -> tuple[list[tuple[str, S]], str | None]:
        """The next saved summaries that have every facet, by key, and the key after which there are more; without what cannot be read."""
        query = {"tenant": tenant, "materializer": materializer.edition, **_having(facets)}
        if after is not None:
            query["key"] = {"$gt": after}
        found = self._summaries.find(query, projection={"key": 1, "state": 1}).sort("key", ASCENDING).limit(limit + 1)
        documents = await found.to_list(limit + 1)
        summaries = []
        for each in documents[:limit]:
            try:
                summaries.append((each["key"], materializer.decode(each["state"])))
            except MISHAPS:
                logger.exception("summary_unreadable", materializer=materializer.label, key=each["key"])
        return summaries, documents[limit - 1]["key"] if len(documents) > limit else None

    async def save(self, tenant: str, materializer: Materializer[S], summaries: Iterable[Saved[S]]) -> None:
        """Write summaries, but none over one that goes further, and what they add to lines, in the same transaction."""
        await self._saving.write(tenant, [to_keep(tenant, materializer, saved) for saved in summaries])

    async def forget(self, tenant: str, materializer: Materializer[Any], keys: Iterable[str]) -> None:
        """Remove saved summaries, and what they add to lines."""
        await self._saving.write(tenant, [forgotten(tenant, materializer, key) for key in keys])

    async def write(self, tenant: str, cells: Sequence[Cell], fence: Fence | Anew | None = None) -> set[str]:
        """Do several of both, fenced: see `Saving.write`."""
        return await self._saving.write(tenant, cells, fence)

    async def lines(self, tenant: str, materializer: Materializer[Any], scope: str | Sequence[str], **choice: Any) -> list[Line]:
        """The lines of a roll-up: see `Lines.read`."""
        return await self._lines.read(tenant, materializer.edition, scope, **choice)

    async def count(self, tenant: str, materializer: Materializer[Any]) -> int:
        """How many summaries are saved."""
        return int(await self._summaries.count_documents({"tenant": tenant, "materializer": materializer.edition}))

    async def begun(self, tenant: str, record_keys: Sequence[str], through: int) -> bool:
        """Whether any of these keys, as records carry them, has a record at or before a position."""
        query = {"tenant": tenant, "keys": {"$in": list(record_keys)}, "position": {"$lte": through}}
        return bool(record_keys) and await self._records.find_one(query, projection={"_id": 1}) is not None

    async def whole(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """The saved summaries with these `_id`s (see `cell_id`), whole, by `_id`: one query for many materializers."""
        found = self._summaries.find({"_id": {"$in": ids}}, projection=WHOLE, batch_size=len(ids) + 1) if ids else None
        return {} if found is None else {each["_id"]: each for each in await found.to_list(None)}

    async def states(self, tenant: str, materializer: Materializer[Any], keys: Sequence[str]) -> dict[str, tuple[int, bytes]]:
        """Mark and bytes of the saved summaries among these keys, by key."""
        found = await self.documents(tenant, materializer, keys)
        return {key: (document["mark"], document["state"]) for key, document in found.items()}

    async def documents(self, tenant: str, materializer: Materializer[Any], keys: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """The saved summaries among these keys with all that is kept beside them, by key."""
        ids = [cell_id(tenant, materializer, key) for key in keys]
        return {each["key"]: each async for each in self._summaries.find({"_id": {"$in": ids}}, projection=KEPT)}

    async def keys(self, tenant: str, materializer: Materializer[Any], chunk: int) -> AsyncIterator[list[str]]:
        """All keys that records have, in chunks, each once."""
        prefix = f"{materializer.label}:"
        within = {"$gte": prefix, "$lt": f"{materializer.label};"}  # ";" is what follows ":"
        recorded = self._records.aggregate([
            {"$match": {"tenant": tenant, "keys": {"$elemMatch": within}}},
            {"$unwind": "$keys"},
            {"$match": {"keys": within}},
            {"$group": {"_id": "$keys"}},
        ], allowDiskUse=True)
        async for some in _chunks((each["_id"].removeprefix(prefix) async for each in recorded), chunk):
            yield some

    async def saved_keys(self, tenant: str, materializer: Materializer[Any], chunk: int) -> AsyncIterator[list[str]]:
        """All keys that saved summaries have, in their order, in chunks, each once."""
        query = {"tenant": tenant, "materializer": materializer.edition}
        after: dict[str, Any] = {}
        # By hops and not by one cursor: a recount of what one hands out may take longer than it lives.
        while found := await self._summaries.find({**query, **after}, projection={"key": 1}).sort("key", ASCENDING).to_list(chunk):
            yield [each["key"] for each in found]
            after = {"key": {"$gt": found[-1]["key"]}}

    async def tail(
        self, tenant: str, materializer: Materializer[Any], keys: Sequence[str], *, after: int, through: int | None = None
    ) -> AsyncIterator[Mapping[str, Any]]:
        """The records of these keys in (after, through], in the order of the log, voided ones and voids among them."""
        position = {"$gt": after} if through is None else {"$gt": after, "$lte": through}
        record_keys = [materializer.record_key(key) for key in keys]
        query = {
            "tenant": tenant, "position": position,
            "keys": record_keys[0] if len(record_keys) == 1 else {"$in": record_keys},
        }
        async for record in self._records.find(query, projection=FOLDED).sort(IN_ORDER):
            yield record

    async def refold(
        self, tenant: str, materializer: Materializer[S], keys: Sequence[str], *, through: int | None = None
    ) -> dict[str, S]:
        """Summaries folded from nothing but records; a key without any is an empty summary, one that cannot be folded is left out."""
        summaries = {key: materializer.empty() for key in keys}
        by_record_key = {materializer.record_key(key): key for key in keys}
        async for record in self.tail(tenant, materializer, keys, after=BEFORE_ALL, through=through):
            for record_key in record["keys"]:
                if (key := by_record_key.get(record_key)) is None or key not in summaries:
                    continue
                try:
                    summaries[key] = fold(materializer, counted([record], materializer, key, through), summaries[key])
                except BrokenMaterializer:
                    logger.exception("fold_failed", materializer=materializer.label, key=key)
                    del summaries[key]
        return summaries


def read_all(materializer: Materializer[S], documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Saved[S]]:
    """The saved summaries in these documents, by key; one that cannot be read counts as not saved."""
    saved = {}
    for key, document in documents.items():
        try:
            saved[key] = Saved(key, document["mark"], materializer.decode(document["state"]))
        except MISHAPS:
            logger.exception("summary_unreadable", materializer=materializer.label, key=key)
    return saved


def _having(facets: Mapping[str, str | Sequence[str]]) -> dict[str, Any]:
    """The condition of summaries that have every facet: its value, or one of its values."""
    wanted: list[Any] = []
    for name, values in facets.items():
        several = [f"{name}={value}" for value in ([values] if isinstance(values, str) else values)]
        wanted.append({"facets": several[0] if len(several) == 1 else {"$in": several}})
    return {"$and": wanted} if wanted else {}


async def _chunks(items: AsyncIterator[str], size: int) -> AsyncIterator[list[str]]:
    chunk: list[str] = []
    async for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
