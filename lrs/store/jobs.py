"""Jobs: long work somebody asked for. The database keeps them, so they outlive whoever works on them.

A document: {_id, tenant, kind, arguments, state, done, total, checkpoint, result, error, tries, created, started, ended, holder, seen,
pause_ms, same, asked, expires}; `asked` is when it was last asked to be tried again. Whether a job may be taken is decided by the
database's clock alone: `pause_ms` after `seen`. Of one that runs that is the end of its lease, of one that failed the end of a pause. One
job of a kind runs for a tenant at a time: an index says so.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

from pymongo import ASCENDING, DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from lrs.store.mongo import Database
from lrs.xapi.json_text import again, dump

WAITING, RUNNING, DONE, FAILED, CANCELLED = STATES = ("waiting", "running", "done", "failed", "cancelled")
# Nobody may be taken for dead who only is slow: a lease is renewed every second.
LEASE_S = 10.0
# What has ended well is of interest for a while; what failed may be tried again for longer.
DONE_KEPT, FAILED_KEPT = timedelta(days=30), timedelta(days=180)
# Candidates that one claim looks at; the next ones are for the next claim.
MOST_LOOKED_AT = 50
LONGEST_MESSAGE = 500
DUE = {"$lte": [{"$add": ["$seen", "$pause_ms"]}, "$$NOW"]}
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Job:
    """A job as it stands. `checkpoint` is what its task wrote to go on from, `error` {"type", "message"} of the last try.

    `tries`: how often it was begun since it last got further. `total` is None while nobody knows. `holder` works on it until `until`.
    """

    id: str
    tenant: str
    kind: str
    arguments: Mapping[str, Any]
    state: str
    done: int
    total: int | None
    checkpoint: Any
    result: Any
    error: Mapping[str, str] | None
    tries: int
    created: datetime
    started: datetime | None
    ended: datetime | None
    holder: str | None
    until: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state in (DONE, FAILED, CANCELLED)


@dataclass(frozen=True)
class KindOfJob:
    """How many jobs of a kind are in each state, for how long the oldest that waits has done so (0: none does), and how long the last
    one took that was done, begun anew or not (None: none was yet). Seconds.
    """

    states: Mapping[str, int]
    oldest_waiting_s: float
    last_run_s: float | None


@dataclass(frozen=True)
class Ending:
    """How a job that is done is kept: its result; `arguments`, if given, take the place of those it had; `forgotten` after a while."""

    result: Any
    arguments: Mapping[str, Any] | None = None
    forgotten: bool = True


def spelled_out(result: Any) -> Any:
    """What a job keeps, a result or a checkpoint, with the `changes` that it keeps as JSON texts as values."""
    if not isinstance(result, Mapping) or "changes" not in result:
        return result
    return {**result, "changes": [again(each) if isinstance(each, str) else each for each in result["changes"]]}


class KeptJobs:
    """The collection `jobs`. What a worker writes takes effect only while it holds the job."""

    def __init__(self, database: Database) -> None:
        self._jobs = database["jobs"]

    async def add(self, tenant: str, kind: str, arguments: Mapping[str, Any]) -> Job:
        """A new job; or the same one, if it waits already and nobody has begun it."""
        # By time, so that lists have an order; by chance, so that two of a millisecond are two.
        job_id = f"{time.time_ns() // 1_000_000:012x}{token_hex(6)}"
        document = {
            "_id": job_id, "tenant": tenant, "kind": kind, "arguments": dict(arguments), "state": WAITING, "done": 0, "total": None,
            "tries": 0, "created": datetime.now(UTC), "seen": LONG_AGO, "pause_ms": 0, "same": _same(tenant, kind, arguments),
        }
        while True:
            try:
                await self._jobs.insert_one(document)
                return _job(document)
            except DuplicateKeyError:
                if found := await self._jobs.find_one({"same": document["same"]}):
                    return _job(found)

    async def get(self, tenant: str, job_id: str) -> Job | None:
        """A job of a tenant; None if it has none of that id."""
        found = await self._jobs.find_one({"_id": job_id, "tenant": tenant})
        return found and _job(found)

    async def of_batch(self, tenant: str, batch: str) -> Job | None:
        """The job for a batch of events; None if it was never begun, and so the batch never acknowledged."""
        found = await self._jobs.find_one({"tenant": tenant, "arguments.batch": batch})
        return found and _job(found)

    async def page(self, tenant: str, state: str | None, after: str | None, limit: int) -> Sequence[Job]:
        """A tenant's jobs, latest first, older than the one with the id `after`; those in one state, or all."""
        query: dict[str, Any] = {"tenant": tenant} | ({"state": state} if state else {}) | ({"_id": {"$lt": after}} if after else {})
        return [_job(each) async for each in self._jobs.find(query).sort("_id", DESCENDING).limit(limit)]

    async def counts(self) -> dict[str, int]:
        """How many there are in each state, over all tenants."""
        found = {each["_id"]: each["count"] async for each in self._jobs.aggregate([{"$sortByCount": "$state"}])}
        return {state: int(found.get(state, 0)) for state in STATES}

    async def kinds(self) -> dict[str, KindOfJob]:
        """How it goes with the jobs of each kind there are, over all tenants."""
        ran = {"ended": "$ended", "ms": {"$subtract": ["$ended", "$started"]}}
        found = self._jobs.aggregate([
            {"$group": {
                "_id": {"kind": "$kind", "state": "$state"}, "count": {"$sum": 1},
                "longest_ms": {"$max": {"$subtract": ["$$NOW", {"$ifNull": ["$asked", "$created"]}]}},
                # The greatest of these is that with the latest end.
                "last": {"$max": {"$cond": [{"$eq": ["$state", DONE]}, ran, None]}},
            }},
            {"$sort": {"_id": 1}},
        ])
        kinds: dict[str, dict[str, Any]] = {}
        async for each in found:
            kinds.setdefault(each["_id"]["kind"], {})[each["_id"]["state"]] = each
        return {kind: _of_kind(states) for kind, states in kinds.items()}

    async def claim(self, holder: str, kinds: Iterable[str]) -> Job | None:
        """Take the oldest job that may be taken: it waits, or whoever had it is gone. None if there is none."""
        query: dict[str, Any] = {"state": {"$in": [WAITING, RUNNING]}, "kind": {"$in": list(kinds)}, "$expr": DUE}
        alive = self._jobs.find({"state": RUNNING, "$expr": {"$not": [DUE]}}, projection={"_id": 0, "tenant": 1, "kind": 1})
        if busy := [each async for each in alive]:
            query["$nor"] = busy
        change = {
            "$set": {"state": RUNNING, "holder": holder, "pause_ms": int(LEASE_S * 1000)}, "$min": {"started": datetime.now(UTC)},
            "$inc": {"tries": 1}, "$unset": {"same": ""}, "$currentDate": {"seen": True},
        }
        for each in await self._jobs.find(query, projection={"_id": 1}).sort("_id", ASCENDING).to_list(MOST_LOOKED_AT):
            try:
                taken = await self._jobs.find_one_and_update(
                    {"_id": each["_id"], **query}, change, return_document=ReturnDocument.AFTER
                )
            except DuplicateKeyError:  # one of its kind was begun a moment ago
                continue
            if taken is not None:
                return _job(taken)
        return None

    async def renew(self, job: Job, progress: Mapping[str, Any] | None = None) -> str:
        """Renew a lease and save progress with it; the state of the job then ("" if it is held by another, or gone).

        `progress` may have done, total and checkpoint. With a checkpoint the job has got further.
        """
        fields = dict(progress or {})
        if "checkpoint" in fields:
            fields["tries"] = 1
        change: dict[str, Any] = {"$currentDate": {"seen": True}} | ({"$set": fields} if fields else {})
        if (await self._jobs.update_one(_held(job), change)).matched_count:
            return RUNNING
        found = await self._jobs.find_one({"_id": job.id}, projection={"state": 1})
        return CANCELLED if found and found["state"] == CANCELLED else ""

    async def finish(self, job: Job, ending: Ending) -> bool:
        """The job is done; whether it still was the holder's to say so."""
        fields: dict[str, Any] = {"state": DONE, "result": ending.result, "ended": datetime.now(UTC)}
        if ending.arguments is not None:
            fields["arguments"] = dict(ending.arguments)
        if ending.forgotten:
            fields["expires"] = datetime.now(UTC) + DONE_KEPT
        return await self._leave(job, fields, "checkpoint", "error")

    async def fail(self, job: Job, error: BaseException) -> bool:
        """The job has failed for good, unless somebody has it tried again."""
        now = datetime.now(UTC)
        return await self._leave(job, {"state": FAILED, "error": _told(error), "ended": now, "expires": now + FAILED_KEPT})

    async def put_back(self, job: Job, error: BaseException | None = None, pause_s: float = 0.0) -> bool:
        """Let it be taken again after a pause: it failed in a way that may pass; or, without an error, its worker ends."""
        fields = {"state": WAITING, "pause_ms": int(pause_s * 1000)}
        if error is None:
            return await self._leave(job, {**fields, "tries": max(0, job.tries - 1)})
        return await self._leave(job, {**fields, "error": _told(error)})

    async def _leave(self, job: Job, fields: Mapping[str, Any], *unset: str) -> bool:
        said = {"done": job.done, "total": job.total, "checkpoint": job.checkpoint}
        change = {
            "$set": {name: value for name, value in {**said, **fields}.items() if name not in unset},
            "$unset": dict.fromkeys(("holder", *unset), ""), "$currentDate": {"seen": True},
        }
        return bool((await self._jobs.update_one(_held(job), change)).matched_count)

    async def cancel(self, tenant: str, job_id: str) -> Job | None:
        """End a job that waits or runs; its worker finds out within a second. None if it is over, or not there."""
        now = datetime.now(UTC)
        return await self._turn(tenant, job_id, (WAITING, RUNNING), {
            "$set": {"state": CANCELLED, "ended": now, "expires": now + DONE_KEPT}, "$unset": {"holder": "", "same": ""},
        })

    async def retry(self, tenant: str, job_id: str) -> Job | None:
        """Let a job that failed or was cancelled go on from its checkpoint. None if it is neither, or not there."""
        return await self._turn(tenant, job_id, (FAILED, CANCELLED), {
            "$set": {"state": WAITING, "tries": 0, "pause_ms": 0, "seen": LONG_AGO, "asked": datetime.now(UTC)},
            "$unset": {"ended": "", "expires": "", "error": ""},
        })

    async def _turn(self, tenant: str, job_id: str, states: Sequence[str], change: Mapping[str, Any]) -> Job | None:
        query = {"_id": job_id, "tenant": tenant, "state": {"$in": list(states)}}
        found = await self._jobs.find_one_and_update(query, change, return_document=ReturnDocument.AFTER)
        return found and _job(found)


def _held(job: Job) -> dict[str, Any]:
    return {"_id": job.id, "state": RUNNING, "holder": job.holder}


def _of_kind(states: Mapping[str, Mapping[str, Any]]) -> KindOfJob:
    last = (states[DONE]["last"] or {}).get("ms") if DONE in states else None
    return KindOfJob(
        {state: int(states[state]["count"]) if state in states else 0 for state in STATES},
        max(0, states[WAITING]["longest_ms"]) / 1000 if WAITING in states else 0.0,
        None if last is None else max(0, last) / 1000,
    )


def _same(tenant: str, kind: str, arguments: Mapping[str, Any]) -> str:
    return hashlib.sha256(dump([tenant, kind, sorted(arguments.items())])).hexdigest()


def _told(error: BaseException) -> dict[str, str]:
    return {"type": type(error).__name__, "message": str(error)[:LONGEST_MESSAGE]}


def _job(document: Mapping[str, Any]) -> Job:
    fields: dict[str, Any] = {name: document[name] for name in ("tenant", "kind", "arguments", "state", "created")}
    fields |= {name: document.get(name) for name in ("checkpoint", "result", "error", "started", "ended", "holder")}
    return Job(
        id=document["_id"], tries=int(document["tries"]), done=int(document["done"]),
        total=None if document["total"] is None else int(document["total"]),
        until=document["seen"] + timedelta(milliseconds=document["pause_ms"]) if document["state"] == RUNNING else None, **fields,
    )
