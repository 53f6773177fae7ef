"""What a statement costs in MongoDB: processor time and bytes, for each index, and for each shape a record could have."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import bson
import orjson
from bson.raw_bson import RawBSONDocument
from pymongo import IndexModel

from lrs.materialize import Materializer, record_keys
from lrs.samples import sample
from lrs.store.indexes import INDEXES
from lrs.store.mongo import Database
from lrs.store.positions import position_of
from lrs.store.records import Prepared, Stored, to_record
from lrs.xapi.json_text import dump
from lrs.xapi.lookups import look_ups
from lrs.xapi.prepare import prepare
from lrs.xapi.types import Agent

Row = tuple[object, ...]
TENANT = "bench"
AUTHORITY: Agent = {"objectType": "Agent", "account": {"homePage": "https://academy.example.net", "name": "bench"}}
RECEIVED = "2026-01-12T08:00:00.000000Z"
BEGIN_US = 1_768_204_800_000_000
# As the log writes them while it is busy.
TOGETHER, PAGE, PAGES = 200, 100, 100
# Each is done so often, and the least is what it costs: all else is what others did at the same time.
TRIES = 3


def records(count: int, materializers: Mapping[str, Materializer[Any]]) -> list[RawBSONDocument]:
    """The records of sample statements, at positions one after another."""
    made = []
    for number in range(count):
        sent = sample(number)
        whole = prepare(sent, authority=AUTHORITY, version="1.0.3", statement_id=sent["id"], received=RECEIVED)  # type: ignore[arg-type]
        keys = record_keys(materializers.values(), whole)
        made.append(to_record(Prepared(TENANT, sent, whole, look_ups(whole), keys), position_of(BEGIN_US + number, 1)))
    return made


def native(record: RawBSONDocument, *, and_text: bool) -> RawBSONDocument:
    """The same with the statement as a document, instead of its text or beside it."""
    document = bson.decode(record.raw)
    statement = orjson.loads(document["text"] if and_text else document.pop("text"))
    return RawBSONDocument(bson.encode({**document, "statement": statement}))


class Costs:
    """Measures in a database of its own; `tell` hears what is being done."""

    def __init__(self, database: Database, count: int, materializers: Mapping[str, Materializer[Any]], tell: Callable[[str], None]) -> None:
        self._database = database
        self._records = records(count, materializers)
        self._tell = tell

    async def indexes(self) -> list[Row]:
        """For each index of the records by itself: microseconds of mongod and bytes, for one statement; last, all together."""
        self._tell("inserting without any index but that of _id")
        bare_us, _ = await self._insert(self._records, ())
        bare = (await self._sizes())["_id_"]
        rows: list[Row] = [("_id, and the record itself", f"{bare_us:.0f}", f"{bare:.0f}", "")]
        for index in INDEXES["records"]:
            name = index.document["name"]
            self._tell(f"inserting with {name}")
            took_us, _ = await self._insert(self._records, (index,))
            more_us = took_us - bare_us
            rate = f"{1e6 / more_us:.0f}" if more_us > 0 else ""
            rows.append((name, f"{more_us:.0f}", f"{(await self._sizes())[name]:.0f}", rate))
        self._tell("inserting with all indexes")
        all_us, _ = await self._insert(self._records, INDEXES["records"])
        return [*rows, ("all together", f"{all_us:.0f}", f"{sum((await self._sizes()).values()):.0f}", f"{1e6 / all_us:.0f}")]

    async def shapes(self) -> list[Row]:
        """For each shape: bytes of a record, on disk with snappy and zstd, to write one and to read a page of 100."""
        rows: list[Row] = []
        for name, made in (
            ("text", self._records),
            ("native document", [native(each, and_text=False) for each in self._records]),
            ("both", [native(each, and_text=True) for each in self._records]),
        ):
            self._tell(f"writing and reading records: {name}")
            on_disk = []
            for compressor in ("zstd", "snappy"):
                took = await self._insert(made, INDEXES["records"], compressor)
                on_disk.append(await self._storage())
            page_us = await self._read("text" if name != "native document" else "statement")
            size = sum(len(each.raw) for each in made) / len(made)
            rows.append((name, *(f"{each:.0f}" for each in (size, on_disk[1], on_disk[0], *took, page_us))))
        return rows

    async def _insert(
        self, made: Sequence[RawBSONDocument], indexes: Sequence[IndexModel], compressor: str = "snappy"
    ) -> tuple[float, float]:
        """Microseconds of mongod's processor, and of the clock, for one record."""
        tries = [await self._insert_once(made, indexes, compressor) for _ in range(TRIES)]
        return min(each[0] for each in tries), min(each[1] for each in tries)

    async def _insert_once(self, made: Sequence[RawBSONDocument], indexes: Sequence[IndexModel], compressor: str) -> tuple[float, float]:
        await self._database["records"].drop()
        await self._database.command(
            "create", "records", storageEngine={"wiredTiger": {"configString": f"block_compressor={compressor}"}}
        )
        if indexes:
            await self._database["records"].create_indexes(list(indexes))
        before, began = await self._processor_us(), time.perf_counter()
        for start in range(0, len(made), TOGETHER):
            async with self._database.transaction() as session:
                await self._database["records"].insert_many(made[start:start + TOGETHER], session=session)
        wall_us = (time.perf_counter() - began) * 1e6
        return (await self._processor_us() - before) / len(made), wall_us / len(made)

    async def _read(self, what: str) -> float:
        """Microseconds of our own processor for a page as it goes out."""
        least = float("inf")
        for number in range(PAGES):
            query = {"tenant": TENANT, "position": {"$gte": position_of(BEGIN_US + number, 0)}}
            began = time.process_time()
            found = await self._database["records"].find(query, projection={"_id": 0, what: 1, "position": 1}).sort(
                "position", 1).limit(PAGE).to_list(PAGE)
            if what == "text":
                b",".join([Stored.of(each).text for each in found])
            else:
                dump([each[what] for each in found])
            least = min(least, time.process_time() - began)
        return least * 1e6

    async def _processor_us(self) -> float:
        told = (await self._database.command("serverStatus"))["extra_info"]
        return float(told["user_time_us"] + told["system_time_us"])

    async def _sizes(self) -> dict[str, float]:
        """Bytes of each index, for one record."""
        await self._database.checkpoint()
        told = await self._database.command("collStats", "records")
        return {name: size / len(self._records) for name, size in told["indexSizes"].items()}

    async def _storage(self) -> float:
        await self._database.checkpoint()
        return float((await self._database.command("collStats", "records"))["storageSize"] / len(self._records))
