"""The one place where statements are written: the end of a tenant's log, all or none, in one transaction."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from lrs.errors import StoreUnavailable
from lrs.store.attachments import claim
from lrs.store.chains import Chains, End
from lrs.store.mongo import Database, is_transient
from lrs.store.records import Prepared, record_id, to_record
from lrs.store.watermark import Watermark, now_us
from lrs.store.writers import Fenced, Unannounced, Writer

logger = structlog.get_logger(__name__)

DUPLICATE_KEY = 11000


class AlreadyStored(Exception):
    """At least one of the statements is stored already; nothing was written."""


class Refused(Exception):
    """The database does not take these statements together; each by itself it may."""


class _Orphans(Exception):
    """Something may wait for one of the statements: it has to be looked for before they are inserted."""


class Log:
    """Appends to the logs of all tenants. One append at a time: `Intake` gathers what waits."""

    def __init__(self, database: Database, watermark: Watermark, clock: Callable[[], datetime], timeout_s: float) -> None:
        self._database = database
        self._records = database["records"]
        self._writer = Writer(database)
        self._chains = Chains(database)
        self._watermark = watermark
        self._clock = clock
        self._timeout_s = timeout_s
        # Whether this process has heard of statements that wait for others. That stays so.
        self._orphans = False

    async def append(self, batch: Sequence[Prepared]) -> None:
        """Store all, or none.

        AlreadyStored: some id is taken (see `stored`). StoreUnavailable: no definite answer in time; whether it is stored
        shows when the same is appended again. TooLarge, before anything is written. Refused: nothing is written either.
        """
        orphans, ends = await self._insistently(lambda: self._append_once(batch))
        await self.see_to_voids({void.id: record_id(void.tenant, void.look_ups.voids or "") for void in orphans})
        await self.see_to_references(ends)

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

    async def _append_once(self, batch: Sequence[Prepared]) -> tuple[list[Prepared], set[End]]:
        """One transaction. Answers the voids whose target is not there, and where references end in nothing.

        Both are announced before they can be read.
        """
        for prepared in batch:  # what an earlier attempt found was with other statements, or at other positions
            prepared.voided_at, prepared.more_keys = None, []
        positions = await self._writer.take(len(batch), now_us(self._clock))
        placed = list(zip(batch, positions, strict=True))
        try:
            if not self._orphans and all(map(_is_plain, batch)):
                with suppress(_Orphans):
                    await self._database.transact(partial(self._append_plain, placed))
                    return [], set()
                self._orphans = True
            return await self._append_linked(batch, placed)
        except Unannounced:
            await self._writer.announce_orphan()
            raise
        except Fenced:
            await self._writer.recover()
            raise

    def _append_plain(self, placed: Sequence[tuple[Prepared, int]], database: Any, session: Any) -> None:
        """The transaction of statements that have to do with no others, in a thread. _Orphans if they may: they are not inserted then."""
        if self._writer.fence_now(database, placed[0][1], session):
            raise _Orphans
        try:
            database["records"].insert_many([to_record(prepared, position) for prepared, position in placed], session=session)
        except (BulkWriteError, DuplicateKeyError) as error:
            raise _duplicate(error) from error

    async def _append_linked(self, batch: Sequence[Prepared], placed: Sequence[tuple[Prepared, int]]) -> tuple[list[Prepared], set[End]]:
        """The transaction of statements of which some void, refer to others or have data, or may be what others wait for."""
        async with self._database.transaction() as session:
            awaited = await self._writer.fence(placed[0][1], session)
            if awaited:
                await self._mark_voided(batch, session)
            orphans = await self._void_targets(placed, session)
            await claim(self._database, batch, session)
            ends = await self._chains.join(batch, session)
            if ends and not self._writer.announced:
                raise Unannounced
            if awaited:
                ends |= await self._chains.hand_up(batch, session)
            await self._insert([to_record(prepared, position) for prepared, position in placed], session)
        return orphans, ends

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
        voids = [(void, position, record_id(void.tenant, void.look_ups.voids)) for void, position in placed if void.look_ups.voids]
        elsewhere = {target: position for _, position, target in reversed(voids) if target not in here}
        there = await self._flag_voided(elsewhere, session) if elsewhere else {}
        for void, position, target in voids:
            if target in here:
                _void_here(here[target], void, position)
            elif target in there:
                void.more_keys = [key for key in there[target] if key not in void.keys]
        return [void for void, _, target in voids if target not in here and target not in there]

    async def _flag_voided(self, at: Mapping[str, int], session: Any) -> dict[str, Sequence[str]]:
        """Flag what is there of these, each at a position, and answer with the keys of each.

        A void is not flagged: it cannot be voided (xAPI 1.0.3, Data 2.3.2).
        """
        found = self._records.find({"_id": {"$in": list(at)}}, projection={"keys": 1, "voids": 1}, session=session)
        targets = {each["_id"]: each async for each in found}
        flags = [
            UpdateOne({"_id": target}, {"$min": {"voided": at[target]}}) for target, each in targets.items() if "voids" not in each
        ]
        if flags:
            await self._records.bulk_write(flags, session=session)
        return {target: each.get("keys", []) if "voids" not in each else [] for target, each in targets.items()}

    async def see_to_voids(self, targets: Mapping[str, str]) -> None:
        """Let stored voids (`_id` -> their target's) take effect on what came at the same moment, and so missed them.

        Every writer that stores a target looks for the voids of it; one that had begun before those were there has ended, and
        its statements are found here, once the watermark is raised.
        """
        waiting = targets and await self._insistently(lambda: self._without_effect(targets))
        if not waiting:
            return
        await self._watermark.through(fresh=True)
        late = {"_id": {"$in": list(waiting.values())}, "voided": None, "voids": None}
        found = {each["_id"] for each in await self._insistently(lambda: self._ids_of(late))}
        for void, target in waiting.items():
            if target in found:
                await self.void_late(void, target)

    async def _without_effect(self, targets: Mapping[str, str]) -> dict[str, str]:
        seen_to = {"_id": {"$in": list(targets.values())}, "$or": [{"voided": {"$ne": None}}, {"voids": {"$ne": None}}]}
        done = {each["_id"] for each in await self._ids_of(seen_to)}
        return {void: target for void, target in targets.items() if target not in done}

    async def _ids_of(self, query: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return await self._records.find(query, projection={"_id": 1}).to_list(None)  # type: ignore[no-any-return]

    async def see_to_references(self, ends: Collection[End]) -> None:
        """Let stored references reach what came at the same moment, and so missed them: as with voids.

        Whoever is storing what a chain is moved on to may have looked for those who await it before that: so the watermark is
        raised again before each further look.
        """
        while ends:
            await self._watermark.through(fresh=True)
            by_id = {record_id(*end): end for end in ends}
            found = await self._insistently(partial(self._ids_of, {"_id": {"$in": list(by_id)}}))
            settled = [await self._insistently(partial(self._settle_once, by_id[each["_id"]])) for each in found]
            ends = {onward for onward in settled if onward is not None}

    async def left_waiting(self, tenant: str, stored: Sequence[str]) -> set[End]:
        """Those of stored statements, by `_id`, that others await: who stored one had more to hand it to than one transaction takes."""
        ids = [each.removeprefix(record_id(tenant, "")) for each in stored]
        return await self._insistently(partial(self._chains.awaited, tenant, ids))  # type: ignore[no-any-return]

    async def _settle_once(self, end: End) -> End | None:
        async with self._database.transaction() as session:
            return await self._chains.settle(end, session)

    async def void_late(self, void_id: str, target_id: str) -> bool:
        """Let a stored void take effect on a target that was found only later; whether it did.

        The void moves to the end of the log, so that all who read on from anywhere see it after its target.
        """
        return bool(await self._insistently(lambda: self._void_late_once(void_id, target_id)))

    async def _void_late_once(self, void_id: str, target_id: str) -> bool:
        (position,) = await self._writer.take(1, now_us(self._clock))
        try:
            async with self._database.transaction() as session:
                await self._writer.fence(position, session)
                target = await self._records.find_one_and_update(
                    {"_id": target_id, "voids": None, "voided": None},
                    {"$set": {"voided": position}}, projection={"keys": 1}, session=session,
                )
                if target is not None:
                    await self._records.update_one(
                        {"_id": void_id},
                        {"$addToSet": {"keys": {"$each": target.get("keys", [])}}, "$set": {"position": position}},
                        session=session,
                    )
        except Fenced:
            await self._writer.recover()
            raise
        return target is not None


def _is_plain(prepared: Prepared) -> bool:
    """Whether a statement refers to no other (a void does) and has no data that must be kept with it."""
    return prepared.look_ups.refs is None and not prepared.attachments


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
