"""Native events as they came: each kept before anything interprets it, and what became of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from pymongo import ASCENDING, UpdateOne
from pymongo.errors import BulkWriteError, PyMongoError

from lrs.errors import StoreUnavailable, TooLarge
from lrs.gather import Gathered
from lrs.store.log import DUPLICATE_KEY
from lrs.store.mongo import Database, is_transient
from lrs.store.watermark import now_us
from lrs.xapi.types import Agent

logger = structlog.get_logger(__name__)

# MongoDB refuses documents over 16 MiB; some of that is what stands beside the event.
LARGEST = 15 * 1024 * 1024
# Written together, beyond which a group gains nothing.
GROUP_LIMIT = 1_000

# What `pending` is of an event that a job interprets; when the job of one has not come to it for so long, the sweep looks after it.
FOR_A_JOB, LOST_AFTER_US = "job", 6 * 3600 * 1_000_000

# Events shown behind one statement: the first, and what repeated it.
MOST_BEHIND = 100

# What may have become of an event; until then it is pending.
STORED, DUPLICATE, NOTHING, DEAD, UNKNOWN = "stored", "duplicate", "nothing", "dead", "unknown"


@dataclass(frozen=True)
class Kept:
    """A native event that is safe. `received_us` is unique for its tenant and adapter, and is what its translator gets as the receipt."""

    tenant: str
    adapter: str
    received_us: int
    text: bytes

    @property
    def id(self) -> str:
        """The `_id` of its document."""
        return event_id(self.tenant, self.adapter, self.received_us)


@dataclass(frozen=True)
class Fate:
    """What became of an event. `reason` of a dead one: {"kind", "place", "rule", "code"}."""

    outcome: str
    statements: Sequence[str] = ()
    reason: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Origin:
    """Where events came from: the adapter as "name@version", the request's id, the credential's key, and who vouches for its statements."""

    label: str
    request_id: str
    caller: str
    authority: Agent


def event_id(tenant: str, adapter: str, received_us: int) -> str:
    """The `_id` of an event."""
    return f"{tenant}/{adapter}/{received_us}"


class NativeEvents:
    """One document an event. Bodies are never changed; an edited one stands beside the first."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._events = database["native_events"]
        self._clock = clock
        self._last_us = 0
        self._insert = Gathered(self._insert_all, GROUP_LIMIT)
        self._note = Gathered(self._note_all, GROUP_LIMIT)

    async def keep(
        self, tenant: str, adapter: str, texts: Sequence[bytes], origin: Origin, *, batch: str | None = None
    ) -> list[Kept]:
        """Make events safe, in their order; those of a `batch` are left to its job by the sweep. TooLarge, StoreUnavailable."""
        for index, text in enumerate(texts):
            if len(text) > LARGEST:
                raise TooLarge(f"event {index} takes {len(text)} bytes, more than {LARGEST}")
        kept: list[Kept] = []
        for start in range(0, len(texts), GROUP_LIMIT):
            kept += await self._keep_some(tenant, adapter, texts[start:start + GROUP_LIMIT], origin, start, batch)
        return kept

    async def _keep_some(
        self, tenant: str, adapter: str, texts: Sequence[bytes], origin: Origin, start: int, batch: str | None
    ) -> list[Kept]:
        first_us = max(now_us(self._clock), self._last_us + 1)
        self._last_us = first_us + len(texts) - 1
        waits = {"pending": True} if batch is None else {"pending": FOR_A_JOB, "batch": batch}
        documents = [
            {"tenant": tenant, "adapter": adapter, "received": first_us + index, "by": origin.label, "request": origin.request_id,
             "caller": origin.caller, "authority": origin.authority, "index": start + index, **_body(text), **waits}
            for index, text in enumerate(texts)
        ]
        await self._insert(documents)
        return [Kept(tenant, adapter, each["received"], text) for each, text in zip(documents, texts, strict=True)]

    async def _insert_all(self, documents: list[dict[str, Any]]) -> None:
        """Another process may have given the same receipt time: then a later one is taken, until it is free."""
        while documents:
            for each in documents:
                each["_id"] = event_id(each["tenant"], each["adapter"], each["received"])
            try:
                await self._events.insert_many(documents, ordered=False)
                return
            except BulkWriteError as error:
                faults = error.details["writeErrors"]
                if error.details.get("writeConcernErrors") or any(fault["code"] != DUPLICATE_KEY for fault in faults):
                    raise _unavailable(error) from error
                documents = [documents[fault["index"]] for fault in faults]
                first_us = max(now_us(self._clock), self._last_us + 1)
                self._last_us = first_us + len(documents) - 1
                for offset, each in enumerate(documents):
                    each["received"] = first_us + offset
            except PyMongoError as error:
                raise _unavailable(error) from error

    async def waiting(self, tenant: str, adapter: str, batch: str, first_us: int, last_us: int, limit: int) -> list[dict[str, Any]]:
        """Events for a job that came as one batch within a span of time and are pending, in order."""
        received = {"$gte": first_us, "$lte": last_us}
        query = {"tenant": tenant, "adapter": adapter, "received": received, "pending": FOR_A_JOB, "batch": batch}
        return await self._events.find(query).sort("received", ASCENDING).limit(limit).to_list(limit)  # type: ignore[no-any-return]

    async def release(self, tenant: str, adapter: str, batch: str, first_us: int, last_us: int) -> None:
        """Leave what a job has not interpreted of its batch to the sweep."""
        received = {"$gte": first_us, "$lte": last_us}
        query = {"tenant": tenant, "adapter": adapter, "received": received, "pending": FOR_A_JOB, "batch": batch}
        await self._events.update_many(query, {"$set": {"pending": True}})

    async def remove(self, ids: Sequence[str]) -> None:
        """Remove events, by `_id`, that were never acknowledged."""
        await self._events.delete_many({"_id": {"$in": list(ids)}})

    async def replaced(self, event: str, label: str, statements: Sequence[str], replacements: Mapping[str, str]) -> None:
        """Say that an event, by `_id`, is translated anew by "name@version": its statements now, and natural id -> id in use."""
        change = {"by": label, "statements": list(statements), "replacements": dict(replacements)}
        await self._events.update_one({"_id": event}, {"$set": change})

    async def note(self, fates: Mapping[str, Fate]) -> None:
        """Say what became of events, by `_id`; returns once that is safe."""
        await self._note(list(fates.items()))

    def note_soon(self, fates: Mapping[str, Fate]) -> None:
        """Say it without waiting: what is lost of this is found pending, and interpreted again to the same end."""
        self._note.soon(list(fates.items()))

    async def _note_all(self, fates: list[tuple[str, Fate]]) -> None:
        writes = [
            UpdateOne({"_id": each}, {
                "$set": {"outcome": fate.outcome, "statements": list(fate.statements), "reason": dict(fate.reason)},
                "$unset": {"pending": ""}, "$inc": {"tries": 1},
            })
            for each, fate in fates
        ]
        try:
            await self._events.bulk_write(writes, ordered=False)
        except PyMongoError as error:
            logger.warning("outcomes_not_noted", events=len(writes), error=str(error)[:200])
            raise _unavailable(error) from error

    async def get(self, tenant: str, event: str) -> dict[str, Any] | None:
        """One event's document, by "<adapter>/<received>"; None if there is none."""
        found: dict[str, Any] | None = await self._events.find_one({"_id": f"{tenant}/{event}"})
        return found

    async def owned(self, tenant: str, statements: Sequence[str]) -> set[str]:
        """Those of some statements, by id, that an event is known to have become."""
        query = {"tenant": tenant, "statements": {"$in": list(statements)}, "outcome": STORED}
        owners = await self._events.find(query, projection={"statements": 1}).to_list(None)
        return {each for owner in owners for each in owner["statements"]}

    async def behind(self, tenant: str, statement: str) -> list[dict[str, Any]]:
        """The events that a statement comes from, or repeats."""
        query = {"tenant": tenant, "statements": statement}
        return await self._events.find(query).sort("received", ASCENDING).limit(MOST_BEHIND).to_list(MOST_BEHIND)  # type: ignore[no-any-return]

    async def edit(self, tenant: str, event: str, text: bytes) -> None:
        """Put another body beside an event's own, to be interpreted instead of it."""
        if len(text) > LARGEST:
            raise TooLarge(f"the event takes {len(text)} bytes, more than {LARGEST}")
        await self._events.update_one({"_id": f"{tenant}/{event}"}, {"$set": {"edited": text.decode()}})

    async def page(
        self, tenant: str, *, adapter: str | None = None, outcome: str | None = None, kind: str | None = None,
        after: str | None = None, limit: int,
    ) -> list[dict[str, Any]]:
        """Events in the order of their receipt: of one adapter, outcome, or kind of reason; `after` is the `_id` of the last one seen."""
        query: dict[str, Any] = {"tenant": tenant}
        if adapter is not None:
            query["adapter"] = adapter
        if outcome is not None:
            query["outcome"] = outcome
        if kind is not None:
            query["reason.kind"] = kind
        if after is not None:
            stamp = int(after.rpartition("/")[2])
            # The first condition is in the others, too: it is what MongoDB begins to read an index from.
            query["received"] = {"$gte": stamp}
            query["$or"] = [{"received": {"$gt": stamp}}, {"received": stamp, "_id": {"$gt": after}}]
        order = [("received", ASCENDING), ("_id", ASCENDING)] if adapter is None else [("received", ASCENDING)]
        found = self._events.find(query).sort(order).limit(limit)
        return [each async for each in found]

    async def count(self, tenant: str, *, adapter: str | None = None, outcome: str | None = None, kind: str | None = None) -> int:
        """How many events there are of that kind."""
        query = {"tenant": tenant, "adapter": adapter, "outcome": outcome, "reason.kind": kind}
        counted: int = await self._events.count_documents({name: value for name, value in query.items() if value is not None})
        return counted

    async def reasons(self, tenant: str) -> list[dict[str, Any]]:
        """How many dead letters there are: [{"adapter", "kind", "count"}]."""
        found = self._events.aggregate([
            {"$match": {"tenant": tenant, "outcome": DEAD}},
            {"$group": {"_id": {"adapter": "$adapter", "kind": "$reason.kind"}, "count": {"$sum": 1}}},
            {"$sort": {"_id": 1}},
        ])
        return [{**each["_id"], "count": each["count"]} async for each in found]

    async def abandoned(self, before_us: int, limit: int) -> list[dict[str, Any]]:
        """Events of all tenants that came before a time and are still pending: whoever had them has ended.

        Those of a batch are among them if they are old enough for their job to be lost.
        """
        query = {"$or": [
            {"pending": True, "received": {"$lt": before_us}},
            {"pending": FOR_A_JOB, "received": {"$lt": before_us - LOST_AFTER_US}},
        ]}
        return await self._events.find(query).sort("received", ASCENDING).limit(limit).to_list(limit)  # type: ignore[no-any-return]

    async def drain(self) -> None:
        """Wait until all that is under way is written."""
        await self._insert.drain()
        await self._note.drain()


def _body(text: bytes) -> dict[str, Any]:
    """As text, for people who look; what is not UTF-8 as bytes."""
    try:
        return {"body": text.decode()}
    except UnicodeDecodeError:
        return {"body": text}


def body_of(document: Mapping[str, Any]) -> bytes:
    """What is to be interpreted of an event's document: the edited body if there is one."""
    body: str | bytes = document.get("edited", document["body"])
    return body.encode() if isinstance(body, str) else bytes(body)


def _unavailable(error: PyMongoError) -> Exception:
    if is_transient(error):
        return StoreUnavailable("the database did not confirm the write in time")
    return error
