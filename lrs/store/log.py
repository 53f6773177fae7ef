"""The one place where statements are written: the end of a tenant's log, all or none, in one transaction."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from lrs.errors import StoreUnavailable
from lrs.store.mongo import Database, is_transient
from lrs.store.positions import stored_us_of
from lrs.store.records import Prepared, record_id, to_record
from lrs.store.watermark import Watermark, now_us
from lrs.store.writers import Fenced, Writer
from lrs.xapi.times import format_stored

logger = structlog.get_logger(__name__)

DUPLICATE_KEY = 11000


class AlreadyStored(Exception):
    """At least one of the statements is stored already; nothing was written."""


class Refused(Exception):
    """The database does not take these statements together; each by itself it may."""


class Log:
    """Appends to the logs of all tenants. One append at a time: `Intake` gathers what waits."""

    def __init__(self, database: Database, watermark: Watermark, clock: Callable[[], datetime], timeout_s: float) -> None:
        self._database = database
        self._records = database["records"]
        self._writer = Writer(database)
        self._watermark = watermark
        self._clock = clock
        self._timeout_s = timeout_s

    async def append(self, batch: Sequence[Prepared]) -> None:
        """Store all, or none.

        AlreadyStored: some id is taken (see `stored`). StoreUnavailable: no definite answer in time; whether it is stored
        shows when the same is appended again. TooLarge, before anything is written. Refused: nothing is written either.
        """
        orphans = await self._insistently(lambda: self._append_once(batch))
        for void in orphans:
            await self._await_target(void)

    def observe(self, position: int) -> None:
        """See that what this process appends from now on comes after what it read: a statement never precedes its cause."""
        self._writer.observe(position)

    async def stored(self, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """The records with these `_id`s, by `_id`."""
        return await self._insistently(lambda: self._find_stored(list(ids)))

    async def _find_stored(self, ids: list[str]) -> dict[str, Mapping[str, Any]]:
        return {record["_id"]: record async for record in self._records.find({"_id": {"$in": ids}})}

    async def _insistently(self, attempt: Callable[[], Any]) -> Any:
        """The result of an attempt, made again while the reason of its failure may pass."""
        loop = asyncio.get_running_loop()
        deadline, pause_s = loop.time() + self._timeout_s, 0.005
        while True:
            try:
                return await attempt()
            except Fenced:
                pass  # the writer has learnt the floor: stamp anew, at once
            except PyMongoError as error:
                if not is_transient(error):
                    raise Refused(f"{type(error).__name__}: {error}") from error
                if loop.time() + pause_s > deadline:
                    raise StoreUnavailable("the database did not confirm the write in time") from error
                logger.info("append_again", reason=type(error).__name__, detail=str(error)[:200])
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, 1.0)

    async def _append_once(self, batch: Sequence[Prepared]) -> list[Prepared]:
        """One transaction. Answers the voids whose target is not there."""
        positions = await self._writer.take(len(batch), now_us(self._clock))
        try:
            async with self._database.transaction() as session:
                awaited = await self._writer.fence(positions[0], session)
                placed = list(zip(batch, positions, strict=True))
                if awaited:
                    await self._mark_voided(batch, session)
                orphans = await self._void_targets(placed, session)
                await self._insert([to_record(prepared, position) for prepared, position in placed], session)
        except Fenced:
            await self._writer.recover()
            raise
        return orphans

    async def _insert(self, records: list[RawBSONDocument], session: Any) -> None:
        try:
            await self._records.insert_many(records, session=session)
        except (BulkWriteError, DuplicateKeyError) as error:
            raise _duplicate(error) from error

    async def _mark_voided(self, batch: Sequence[Prepared], session: Any) -> None:
        """What was voided before it came is stored as voided."""
        by_tenant: dict[str, dict[str, Prepared]] = defaultdict(dict)
        for prepared in batch:
            if prepared.look_ups.voids is None:
                by_tenant[prepared.tenant][prepared.statement["id"].lower()] = prepared
        for tenant, by_id in by_tenant.items():
            query = {"tenant": tenant, "voids": {"$in": list(by_id)}}
            async for void in self._records.find(query, projection={"voids": 1, "position": 1}, session=session):
                by_id[void["voids"]].voided_at = void["position"]

    async def _void_targets(self, placed: Sequence[tuple[Prepared, int]], session: Any) -> list[Prepared]:
        """Flag what the batch's voids refer to, and let each void touch its target's summaries. Answers the orphans."""
        here = {prepared.id: prepared for prepared, _ in placed}
        orphans = []
        for void, position in placed:
            if void.look_ups.voids is None:
                continue
            target_id = record_id(void.tenant, void.look_ups.voids)
            if target_id in here:
                _void_here(here[target_id], void, position)
                continue
            target = await self._flag_voided(target_id, position, session)
            if target is None:
                orphans.append(void)
            else:
                void.more_keys = [key for key in target.get("keys", []) if key not in void.keys]
        return orphans

    async def _flag_voided(self, target_id: str, position: int, session: Any) -> Mapping[str, Any] | None:
        """The target if it is there, flagged unless it is a void itself (a void cannot be voided: xAPI 1.0.3, Data 2.3.2)."""
        target: Mapping[str, Any] | None = await self._records.find_one_and_update(
            {"_id": target_id, "voids": None}, {"$min": {"voided": position}}, projection={"keys": 1}, session=session
        )
        return target or await self._records.find_one({"_id": target_id}, projection={"_id": 1}, session=session)

    async def _await_target(self, void: Prepared) -> None:
        """A void that came before its target: see that neither misses the other, whoever commits first.

        From the announcement on, every writer looks for voids of what it stores; what had begun before is committed, and thus
        found here, once the watermark is raised.
        """
        await self._insistently(self._writer.announce_orphan)
        await self._watermark.through(fresh=True)
        await self.void_late(void.tenant, void.statement["id"], void.look_ups.voids or "")

    async def void_late(self, tenant: str, void_id: str, target_id: str) -> bool:
        """Let a stored void take effect on a target that was found only later; whether it did.

        The void moves to the end of the log, so that all who read on from anywhere see it after its target.
        """
        return bool(await self._insistently(lambda: self._void_late_once(tenant, void_id, target_id)))

    async def _void_late_once(self, tenant: str, void_id: str, target_id: str) -> bool:
        (position,) = await self._writer.take(1, now_us(self._clock))
        try:
            async with self._database.transaction() as session:
                await self._writer.fence(position, session)
                target = await self._records.find_one_and_update(
                    {"_id": record_id(tenant, target_id), "voids": None, "voided": None},
                    {"$set": {"voided": position}}, projection={"keys": 1}, session=session,
                )
                if target is not None:
                    await self._records.update_one(
                        {"_id": record_id(tenant, void_id)},
                        {"$addToSet": {"keys": {"$each": target.get("keys", [])}},
                         "$set": {"position": position, "statement.stored": format_stored(stored_us_of(position))}},
                        session=session,
                    )
        except Fenced:
            await self._writer.recover()
            raise
        return target is not None


def _void_here(target: Prepared, void: Prepared, position: int) -> None:
    if target.look_ups.voids is None:
        target.voided_at = position
        void.more_keys = [key for key in target.keys if key not in void.keys]


def _duplicate(error: PyMongoError) -> Exception:
    """AlreadyStored if an `_id` was taken, Fenced if a position was; else the error itself."""
    details = getattr(error, "details", None) or {}
    faults = details.get("writeErrors") or [details]
    if faults[0].get("code", getattr(error, "code", None)) != DUPLICATE_KEY:
        return error
    pattern = faults[0].get("keyPattern") or {"_id": 1}
    return AlreadyStored() if "_id" in pattern else Fenced()
