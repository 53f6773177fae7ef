"""References: a record that points at another statement is found by whatever that statement is found by.

xAPI 1.0.3, Communication 2.1.3, "Filter Conditions for StatementRefs". A statement has one object, so what it refers to, at any
remove, is a chain. The record of a referring statement holds the look-up values of the whole chain beside its own, and `awaits`: the id
at which the chain ends because nothing is stored there yet. Whoever stores that id hands its values to all who await it; there is
no climbing from link to link. docs/decisions/0009-references-are-looked-up-in-advance.md.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from pymongo import UpdateOne

from lrs.store.couples import couples_of
from lrs.store.mongo import Database
from lrs.store.records import CHAINED_FIELDS, Prepared, record_id

# Records changed within one transaction, which has a minute; those beyond it are changed by the next ones.
MOST_AT_ONCE = 5_000
LINK = {**dict.fromkeys(CHAINED_FIELDS, 1), "awaits": 1}

# A tenant, and the id of a statement that a chain of it ends at.
End = tuple[str, str]


class Chains:
    """What referring records inherit. Every call is part of the transaction of its session."""

    def __init__(self, database: Database) -> None:
        self._records = database["records"]

    async def join(self, batch: Sequence[Prepared], session: Any) -> set[End]:
        """Let what the batch refers to be said in it, as far as it is there. Answers where the chains of the rest end."""
        referring = [prepared for prepared in batch if prepared.look_ups.refs is not None]
        if not referring:
            return set()
        mates = {prepared.id: prepared for prepared in batch}
        targets = {record_id(each.tenant, each.look_ups.refs or "") for each in referring}
        query = {"_id": {"$in": list(targets - mates.keys())}}
        stored = {record["_id"]: record async for record in self._records.find(query, projection=LINK, session=session)}
        for prepared in referring:
            prepared.inherited, prepared.awaits = inherited(prepared, mates, stored)
        return {(prepared.tenant, prepared.awaits) for prepared in referring if prepared.awaits is not None}

    async def hand_up(self, batch: Sequence[Prepared], session: Any) -> set[End]:
        """Let stored records that await a statement of the batch inherit from it. Answers where some are left, if they are many."""
        left = set()
        async for prepared in self._awaited(batch, session):
            if await self._give(prepared.tenant, prepared.statement["id"].lower(), prepared.chained(), prepared.awaits, session):
                left.add((prepared.tenant, prepared.statement["id"].lower()))
        return left

    async def settle(self, end: End, session: Any) -> End | None:
        """Let those who await a statement that is stored by now inherit from it. Answers where to look next, if anywhere."""
        tenant, statement_id = end
        target = await self._records.find_one({"_id": record_id(tenant, statement_id)}, projection=LINK, session=session)
        if target is None:
            return None
        # A chain that leads back to where it began is complete.
        onward = target.get("awaits") if target.get("awaits") != statement_id else None
        if await self._give(tenant, statement_id, values_of(target), onward, session):
            return end
        return None if onward is None else (tenant, onward)

    async def _awaited(self, batch: Iterable[Prepared], session: Any) -> AsyncIterator[Prepared]:
        by_tenant: dict[str, dict[str, Prepared]] = defaultdict(dict)
        for prepared in batch:
            by_tenant[prepared.tenant][prepared.statement["id"].lower()] = prepared
        for tenant, by_id in by_tenant.items():
            for _, awaited in await self.awaited(tenant, list(by_id), session):
                yield by_id[awaited]

    async def awaited(self, tenant: str, statement_ids: Sequence[str], session: Any = None) -> set[End]:
        """Those of these statements that records await."""
        waiting = self._records.aggregate([
            {"$match": {"tenant": tenant, "awaits": {"$in": list(statement_ids)}}}, {"$group": {"_id": "$awaits"}},
        ], session=session)
        return {(tenant, each["_id"]) async for each in waiting}

    async def _give(
        self, tenant: str, statement_id: str, values: Mapping[str, Sequence[str]], onward: str | None, session: Any
    ) -> bool:
        """Hand values to the records that await a statement; whether there may be more of them."""
        waiting = self._records.find({"tenant": tenant, "awaits": statement_id}, projection=LINK, session=session)
        found = await waiting.limit(MOST_AT_ONCE).to_list(MOST_AT_ONCE)
        added = {name: {"$each": list(some)} for name, some in values.items()}
        writes = []
        for each in found:
            change = setting({"awaits": onward, "couples": couples_of(_together([values_of(each), values]))})
            writes.append(UpdateOne({"_id": each["_id"]}, {"$addToSet": added, **change}))
        if writes:
            await self._records.bulk_write(writes, ordered=False, session=session)
        return len(found) == MOST_AT_ONCE


def inherited(
    start: Prepared, mates: Mapping[str, Prepared], stored: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, list[str]], str | None]:
    """What a statement inherits from what it refers to, and the id its chain ends at if nothing is there.

    `mates` are stored together with it, `stored` are records; both by `_id`. A chain that comes back to itself ends there.
    """
    links: list[Mapping[str, Sequence[str]]] = []
    at, seen = start.look_ups.refs, {start.id}
    while at is not None:
        link = record_id(start.tenant, at)
        if link in seen:
            return _together(links), None
        seen.add(link)
        if link in mates:
            links.append(mates[link].own())
            at = mates[link].look_ups.refs
        elif link in stored:
            # It holds what the rest of its chain says.
            links.append(values_of(stored[link]))
            at = stored[link].get("awaits")
        else:
            break
    return _together(links), at


def values_of(record: Mapping[str, Any]) -> dict[str, list[str]]:
    """The look-up values that a record hands up, each field as a list."""
    return {
        name: record[name] if isinstance(record[name], list) else [record[name]] for name in CHAINED_FIELDS if name in record
    }


def setting(fields: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The update of a record that sets these; what is empty is not there."""
    change = {"$set": {name: value for name, value in fields.items() if value}, "$unset": {name: "" for name in fields if not fields[name]}}
    return {name: some for name, some in change.items() if some}


def _together(links: Iterable[Mapping[str, Sequence[str]]]) -> dict[str, list[str]]:
    merged: dict[str, dict[str, None]] = defaultdict(dict)
    for link in links:
        for name, values in link.items():
            merged[name].update(dict.fromkeys(values))
    return {name: list(values) for name, values in merged.items()}
