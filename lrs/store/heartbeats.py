"""Signs of life of workers: who is there, and when the last sweep was. In MongoDB: a wiped Redis must not look like a dead worker."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lrs.store.mongo import Database

# A worker that has not been heard of for so long is gone.
ALIVE_FOR = timedelta(seconds=20)


@dataclass(frozen=True)
class Workers:
    """The workers that are there, as {"host", "pid", "version"}, and the age of the last sweep in seconds (None: there was none)."""

    alive: list[dict[str, Any]]
    swept_s_ago: float | None


class Heartbeats:
    """The collection `heartbeats`: {_id, host, pid, version, seen, swept}, by the database's own clock."""

    def __init__(self, database: Database) -> None:
        self._heartbeats = database["heartbeats"]

    async def beat(self, worker: str, about: dict[str, Any], *, swept: bool) -> None:
        """A worker is there; whether it has swept since the last beat."""
        times = {"seen": True} | ({"swept": True} if swept else {})
        await self._heartbeats.update_one({"_id": worker}, {"$set": about, "$currentDate": times}, upsert=True)

    async def end(self, worker: str) -> None:
        """A worker ends. When it last swept stays known."""
        await self._heartbeats.update_one({"_id": worker}, {"$set": {"ended": True}})

    async def workers(self) -> Workers:
        """Who is there now."""
        found = [each async for each in self._heartbeats.aggregate([{"$set": {"now": "$$NOW"}}])]
        alive = [each for each in found if not each.get("ended") and each["now"] - each["seen"] < ALIVE_FOR]
        ages = [_age_s(each["now"], each["swept"]) for each in found if "swept" in each]
        return Workers([{name: each.get(name) for name in ("host", "pid", "version")} for each in alive], min(ages, default=None))


def _age_s(now: datetime, then: datetime) -> float:
    return max(0.0, (now - then).total_seconds())
