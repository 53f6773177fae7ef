"""Taking statements out of the log for good, with all that hangs on them.

What is removed in one transaction leaves a note in `removals` in the same one: {_id, tenant, job, ids, rewritten, keys, attachments,
counts}. What has to follow (chains, summaries, attachments) is done from the note, as often as it takes; then only its counts are left,
until the job that wrote it is told of. So a removal that is cut off at any point is finished by whoever finds the note.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from bson import ObjectId
from pymongo import UpdateOne

from lrs.store.attachments import Attachments
from lrs.store.couples import couples_of
from lrs.store.cut_chains import CutChains
from lrs.store.log import Log
from lrs.store.mongo import Database
from lrs.store.records import statement_of, text_of
from lrs.store.saving import insistently
from lrs.store.watermark import Watermark
from lrs.xapi.agents import identity
from lrs.xapi.pseudonyms import mentions, without

Record = Mapping[str, Any]

# What one transaction removes, so that it is over in a moment and holds nobody up.
AT_ONCE = 200


# A document of `removals`.
Note: TypeAlias = dict[str, Any]


class Removal:
    """The steps of it. Each is safe to do again."""

    def __init__(self, database: Database, watermark: Watermark, log: Log, attachments: Attachments) -> None:
        self._database = database
        self._records = database["records"]
        self._events = database["native_events"]
        self._notes = database["removals"]
        self._watermark = watermark
        self._attachments = attachments
        self._chains = CutChains(database, log)

    async def remove(self, tenant: str, job: str, ids: Collection[str]) -> Note | None:
        """Remove records by `_id`, the voids of them, and the native events they came from. None if nothing is left of them."""
        return await insistently(lambda: self._remove_once(tenant, job, ids))

    async def _remove_once(self, tenant: str, job: str, ids: Collection[str]) -> Note | None:
        async with self._database.transaction() as session:
            records = [each async for each in self._with_voids(tenant, ids, session)]
            if not records:
                return None
            gone = [each["_id"] for each in records]
            statement_ids = [each.removeprefix(f"{tenant}/") for each in gone]
            await self._records.delete_many({"_id": {"$in": gone}}, session=session)
            whose = {"tenant": tenant, "statements": {"$in": statement_ids}}
            events = (await self._events.delete_many(whose, session=session)).deleted_count
            note = dict(
                _id=ObjectId(), tenant=tenant, job=job, ids=statement_ids, keys=_once(each.get("keys", ()) for each in records),
                attachments=_once(each.get("attachments", ()) for each in records),
                counts={"statements": len(gone), "native_events": events},
            )
            await self._notes.insert_one(note, session=session)
        return note

    async def _with_voids(self, tenant: str, ids: Collection[str], session: Any) -> AsyncIterator[Record]:
        """A void is nothing without what it voids: were it left, the same statement could not come again."""
        wanted: dict[str, Any] = {"_id": {"$in": list(ids)}}
        seen: set[str] = set()
        while True:
            found = self._records.find(wanted, projection={"keys": 1, "attachments": 1}, session=session)
            new = [each async for each in found if each["_id"] not in seen]
            for each in new:
                yield each
            if not new:
                return
            seen.update(each["_id"] for each in new)
            wanted = {"tenant": tenant, "voids": {"$in": [each["_id"].removeprefix(f"{tenant}/") for each in new]}}

    async def rewrite(
        self, tenant: str, job: str, ids: Collection[str], identities: Sequence[str], pseudonym: Mapping[str, Any]
    ) -> Note | None:
        """Let a pseudonym stand for a person in records that are not theirs. None if nothing of it was to be done."""
        return await insistently(lambda: self._rewrite_once(tenant, job, ids, identities, pseudonym))

    async def _rewrite_once(
        self, tenant: str, job: str, ids: Collection[str], identities: Sequence[str], pseudonym: Mapping[str, Any]
    ) -> Note | None:
        async with self._database.transaction() as session:
            records = [each async for each in self._records.find({"_id": {"$in": list(ids)}}, session=session)]
            if not records:
                return None
            # Keys may name the person: they are had anew from the statement as it is then.
            changes = [
                UpdateOne({"_id": each["_id"]}, {"$set": _rewritten(each, identities, pseudonym), "$unset": {"keys": "", "pairs": ""}})
                for each in records
            ]
            await self._records.bulk_write(changes, ordered=False, session=session)
            # The native events they came from name the person too. Others only refer to a statement that does.
            named = [each["_id"].removeprefix(f"{tenant}/") for each in records if mentions(statement_of(each), identities)]
            whose = {"tenant": tenant, "statements": {"$in": named}}
            events = (await self._events.delete_many(whose, session=session)).deleted_count
            note = dict(
                _id=ObjectId(), tenant=tenant, job=job, rewritten=[each["_id"] for each in records],
                keys=_once(each.get("keys", ()) for each in records),
                counts={"pseudonymized": len(named), "native_events": events},
            )
            await self._notes.insert_one(note, session=session)
        return note

    async def remove_of(self, tenant: str, job: str, collection: str, what: str, ids: Sequence[str]) -> int:
        """Remove documents of another collection by `_id`, to be counted as `what`; how many there were."""
        return await insistently(lambda: self._remove_of_once(tenant, job, collection, what, ids))

    async def _remove_of_once(self, tenant: str, job: str, collection: str, what: str, ids: Sequence[str]) -> int:
        async with self._database.transaction() as session:
            removed: int = (await self._database[collection].delete_many({"_id": {"$in": list(ids)}}, session=session)).deleted_count
            if removed:
                note = {"tenant": tenant, "job": job, "settled": True, "counts": {what: removed}}
                await self._notes.insert_one(note, session=session)
        return removed

    async def fence(self) -> None:
        """After this, whoever stores something has seen what is removed by now."""
        await self._watermark.through(fresh=True)

    async def follow_up(self, note: Note) -> int:
        """Do what has to follow but for summaries: chains that led through what is gone, and data nobody claims; how many contents.

        After `fence`.
        """
        await self._chains.after(note["tenant"], note.get("ids", ()))
        claimed = note.get("attachments", ())
        await self._attachments.release(note["tenant"], claimed)
        return len(claimed) - len(await self._attachments.there(note["tenant"], claimed))

    async def rewritten(self, note: Note) -> list[dict[str, Any]]:
        """The records a note says were rewritten, as they are now."""
        return await self._records.find({"_id": {"$in": note.get("rewritten", [])}}).to_list(None)

    async def settle(self, note: Note, counts: Mapping[str, int]) -> None:
        """All of a note is done: nothing but its counts is left of it."""
        gone = dict.fromkeys(("ids", "rewritten", "keys", "attachments"), "")
        counted = {f"counts.{name}": count for name, count in counts.items()}
        await self._notes.update_one({"_id": note["_id"]}, {"$set": {"settled": True, **counted}, "$unset": gone})

    async def unsettled(self, tenant: str) -> list[Note]:
        """Notes of what was cut off, or is under way."""
        return [each async for each in self._notes.find({"tenant": tenant, "settled": None})]

    async def abandoned(self, older_than: timedelta) -> list[str]:
        """The tenants of notes that nobody has settled for so long."""
        before = ObjectId.from_datetime(datetime.now(UTC) - older_than)
        found: list[str] = await self._notes.distinct("tenant", {"settled": None, "_id": {"$lt": before}})
        return found

    async def counts(self, job: str) -> dict[str, int]:
        """All that a job has removed, added up by kind."""
        total: dict[str, int] = {}
        async for note in self._notes.find({"job": job}, projection={"counts": 1}):
            for name, count in note["counts"].items():
                total[name] = total.get(name, 0) + int(count)
        return {name: count for name, count in total.items() if count}

    async def forget(self, job: str) -> None:
        """Remove the notes of a job that is told of."""
        await self._notes.delete_many({"job": job, "settled": True})


def _once(lists: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(each for some in lists for each in some))


def _rewritten(record: Record, identities: Sequence[str], pseudonym: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be set in a record: the statement, and what it is found by."""
    other = identity(pseudonym)
    fields: dict[str, Any] = {}
    for name in ("agents", "related_agents", "authority"):
        value = record.get(name)
        if isinstance(value, list):
            fields[name] = list(dict.fromkeys(other if each in identities else each for each in value))
        elif value in identities:
            fields[name] = other
    # `stored` is not part of the text: it is what the position says.
    statement = {name: value for name, value in without(statement_of(record), identities, pseudonym).items() if name != "stored"}
    # An empty list would be neither couples nor none.
    couples = couples_of({**record, **fields})
    return fields | ({"couples": couples} if couples else {}) | {"text": text_of(statement)}
