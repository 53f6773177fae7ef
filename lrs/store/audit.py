"""What proves saved summaries: which of them to look at, and whether lines are the sum of what their cells have added."""

import random
from collections.abc import AsyncIterator, Iterator
from hashlib import blake2b
from typing import Any

import msgspec
from pymongo import ASCENDING, DESCENDING

from lrs.materialize import Materializer
from lrs.store.mongo import Database
from lrs.store.rollups import Place, line_id

# Lines are told apart by so many parts; of a part in which something differs, each line is looked at.
PARTS = 1 << 16
MODULUS = 1 << 64


class Audit:
    """Reads only. Memory does not grow with what there is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._summaries = database["summaries"]
        self._records = database["records"]

    async def some_saved(self, tenant: str, materializer: Materializer[Any], count: int) -> list[str]:
        """The keys of so many saved summaries, at random."""
        found = self._summaries.aggregate([
            {"$match": {"tenant": tenant, "materializer": materializer.edition}}, {"$project": {"key": 1}}, {"$sample": {"size": count}},
        ], allowDiskUse=True)
        return [each["key"] async for each in found]

    async def some_recorded(self, tenant: str, materializer: Materializer[Any], count: int) -> list[str]:
        """Keys that the records at so many random moments have."""
        first, last = [await self._records.find_one({"tenant": tenant}, sort=[("position", order)]) for order in (ASCENDING, DESCENDING)]
        keys: set[str] = set()
        if first is None or last is None:
            return []
        for _ in range(count):
            moment = {"tenant": tenant, "position": {"$gte": random.randint(first["position"], last["position"])}}
            record = await self._records.find_one(moment, sort=[("position", ASCENDING)], projection={"keys": 1})
            prefix = f"{materializer.label}:"
            keys.update(key.removeprefix(prefix) for key in (record or {}).get("keys", ()) if key.startswith(prefix))
        return sorted(keys)

    async def lines(self, tenant: str, materializer: Materializer[Any]) -> tuple[int, list[str]]:
        """How many lines there are of a roll-up, and which are not the sum of what their cells have added ("<scope>/<bucket>/<dims>").

        All as it is at one moment. Each part of the lines is compared by one number, a sum over what its lines hold, weighed
        by a digest of where it stands: the same for lines and for what cells add, if those are equal.
        """
        async with self._database.snapshot() as find:
            checked, parts = 0, [0] * PARTS
            async for place, sums in self._kept(tenant, materializer, find):
                checked += 1
                _weigh(parts, tenant, place, sums, 1)
            async for place, sums in self._added(tenant, materializer, find):
                _weigh(parts, tenant, place, sums, -1)
            wrong = {number for number, weight in enumerate(parts) if weight}
            return checked, await self._look_closer(tenant, materializer, wrong, find) if wrong else []

    async def _look_closer(self, tenant: str, materializer: Materializer[Any], parts: set[int], find: Any) -> list[str]:
        totals: dict[Place, dict[str, int]] = {}
        for kept, times in ((self._kept, 1), (self._added, -1)):
            async for place, sums in kept(tenant, materializer, find):
                if _part(line_id(tenant, place)) in parts:
                    total = totals.setdefault(place, {})
                    for name, value in sums.items():
                        total[name] = total.get(name, 0) + times * value
        return sorted(_told(place) for place, total in totals.items() if any(total.values()))

    async def _kept(self, tenant: str, materializer: Materializer[Any], find: Any) -> AsyncIterator[tuple[Place, dict[str, int]]]:
        async for each in find("lines")({"tenant": tenant, "label": materializer.edition}):
            place = (each["label"], each["scope"], each["bucket"], tuple(each["dims"].items()))
            yield place, {**each.get("sums", {}), "": each["cells"]}

    async def _added(self, tenant: str, materializer: Materializer[Any], find: Any) -> AsyncIterator[tuple[Place, dict[str, int]]]:
        query = {"tenant": tenant, "materializer": materializer.edition}
        async for each in find("summaries")(query, projection={"_id": 0, "rows": 1}):
            for place, sums in _rows(materializer.edition, each.get("rows", b"")):
                yield place, {**sums, "": 1}


def _rows(edition: str, rows: bytes) -> Iterator[tuple[Place, dict[str, int]]]:
    for scope, bucket, dims, sums in msgspec.json.decode(rows) if rows else ():
        yield (edition, scope, bucket, tuple(dims.items())), sums


def _weigh(parts: list[int], tenant: str, place: Place, sums: dict[str, int], times: int) -> None:
    line = line_id(tenant, place)
    part = _part(line)
    for name, value in sums.items():
        weight = int.from_bytes(blake2b(f"{line}/{name}".encode(), digest_size=8).digest())
        parts[part] = (parts[part] + times * value * weight) % MODULUS


def _part(line: str) -> int:
    return int(line[-4:], 16)


def _told(place: Place) -> str:
    _, scope, bucket, dims = place
    return f"{scope}/{bucket}/{msgspec.json.encode(dict(dims)).decode()}"
