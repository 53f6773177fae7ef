"""What there is of a person, or from before a time, in every collection: found here, removed by `removal.py`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from pymongo import ASCENDING

from lrs.errors import InvalidBody
from lrs.store.jobs import CANCELLED, DONE, FAILED, spelled_out
from lrs.store.mongo import Database
from lrs.store.native_events import DEAD, body_of
from lrs.store.positions import stored_us_of
from lrs.store.records import record_id, statement_of
from lrs.xapi.agents import identity
from lrs.xapi.json_text import parse
from lrs.xapi.pseudonyms import identities_of, names_of_person, tells_of
from lrs.xapi.types import Statement

Record = Mapping[str, Any]

IN_ORDER = [("position", ASCENDING)]
READ = {"text": 1, "position": 1, "voids": 1}
# Events that became no statement; those that did go with it. So said that the index by statement finds them, among however many others.
WITHOUT_STATEMENTS: Mapping[str, Any] = {"statements": {"$in": [None, []]}}


class Remains:
    """Looks; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._records = database["records"]
        self._events = database["native_events"]
        self._jobs = database["jobs"]

    async def records(self, tenant: str, identities: Sequence[str], limit: int) -> list[Record]:
        """Records found by this person: their own, those that mention them, and those that refer to such."""
        query = {"tenant": tenant, "related_agents": {"$in": list(identities)}}
        return await self._records.find(query, projection=READ).limit(limit).to_list(limit)

    async def count(self, tenant: str, identities: Sequence[str]) -> int:
        """How many of them there are."""
        query = {"tenant": tenant, "related_agents": {"$in": list(identities)}}
        return int(await self._records.count_documents(query))

    async def voided_by(self, tenant: str, records: Sequence[Record]) -> dict[str, Statement]:
        """Of the voids among records, by `_id`: what they void, if that is there."""
        targets = {record_id(tenant, each["voids"]): each["_id"] for each in records if "voids" in each}
        found = self._records.find({"_id": {"$in": list(targets)}}, projection=READ)
        statements = {each["_id"]: statement_of(each) async for each in found}
        return {void: statements[target] for target, void in targets.items() if target in statements}

    async def of(self, tenant: str, agent: Mapping[str, Any], limit: int) -> AsyncIterator[tuple[str, str, list[Any]]]:
        """What else there is of a person: its kind, its collection, and `_id`s, so many at a time. Events under way are left alone."""
        identities, names = identities_of(agent), names_of_person(agent)
        documents = self._database["documents"].find({"tenant": tenant, "agent": {"$in": list(identities)}}, projection={"_id": 1})
        async for ids in _together((each["_id"] async for each in documents), limit):
            yield "documents", "documents", ids
        # What was edited before it became a statement may tell of others in its first body.
        at_rest = {"tenant": tenant, "pending": {"$ne": True}}
        query = {"$or": [{**at_rest, **WITHOUT_STATEMENTS}, {**at_rest, "edited": {"$exists": True}}]}  # each by an index of its own
        dead, others = list[Any](), list[Any]()
        async for each in self._events.find(query):
            whose = each.get("caller") in names or identity(each.get("authority", {})) in identities
            if whose or _tells(each, names, identities):
                (dead if each.get("outcome") == DEAD else others).append(each["_id"])
        for what, ids in (("dead_letters", dead), ("native_events", others)):
            for first in range(0, len(ids), limit):
                yield what, "native_events", ids[first:first + limit]
        over = self._jobs.find({"tenant": tenant, "state": {"$in": [DONE, FAILED, CANCELLED]}})
        told = [each["_id"] async for each in over if tells_of(_spelled_out(each), names, identities)]
        if told:
            yield "jobs", "jobs", told

    async def old_records(self, tenant: str, through: int, after: int, limit: int) -> list[Record]:
        """Records in (after, through] of the log, in their order."""
        query = {"tenant": tenant, "position": {"$gt": after, "$lte": through}}
        return await self._records.find(query, projection={"position": 1, "voids": 1}).sort(IN_ORDER).limit(limit).to_list(limit)

    async def old_events(self, tenant: str, through: int, limit: int) -> list[Any]:
        """The `_id`s of events received up to then that no statement came of."""
        query = {"tenant": tenant, "received": {"$lte": stored_us_of(through)}, "pending": {"$ne": True}, **WITHOUT_STATEMENTS}
        return [each["_id"] async for each in self._events.find(query, projection={"_id": 1}).limit(limit)]


def _tells(event: Mapping[str, Any], names: frozenset[str], identities: Sequence[str]) -> bool:
    """Whether an event tells of a person. One that is no JSON does, if one of their names stands in it at all."""
    for text in (body_of(event), body_of({"body": event["body"]})):
        try:
            if tells_of(parse(text), names, identities):
                return True
        except InvalidBody:
            if any(name.encode() in text for name in names):
                return True
    return False


def _spelled_out(job: Mapping[str, Any]) -> dict[str, Any]:
    return {**job, "result": spelled_out(job.get("result")), "checkpoint": spelled_out(job.get("checkpoint"))}


async def _together(items: AsyncIterator[Any], limit: int) -> AsyncIterator[list[Any]]:
    some: list[Any] = []
    async for item in items:
        some.append(item)
        if len(some) == limit:
            yield some
            some = []
    if some:
        yield some
