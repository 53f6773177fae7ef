"""The one door in. Concurrent submissions are gathered into one write, and each caller gets its own outcome."""

import asyncio
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from lrs.errors import InvalidStatement, LRSError, StatementConflict, StoreUnavailable, TooLarge
from lrs.line import Accepted, Line, Submission
from lrs.materialize import Materializer, RecordKeys
from lrs.queue import Queue
from lrs.store.log import AlreadyStored, Log, Refused
from lrs.store.records import Prepared, statement_of
from lrs.store.watermark import now_us
from lrs.xapi.attachments import held
from lrs.xapi.compare import same_statement
from lrs.xapi.lookups import look_ups
from lrs.xapi.prepare import prepare
from lrs.xapi.times import format_stored
from lrs.xapi.types import Agent, Statement
from lrs.xapi.validate import BatchCheck

# Statements of a batch that are checked, or made ready, before other requests get their turn.
SLICE = 500
# Every round settles somebody, unless an id is taken by what a majority does not have yet: then a pause, and again.
MOST_ROUNDS = 1000
UNREADABLE_FOR_S = 0.02


class Intake:
    """Checks, completes and stores statements. Every write of statements, native or xAPI, is one `accept`."""

    def __init__(
        self, log: Log, materializers: Mapping[str, Materializer[Any]], queue: Queue, clock: Callable[[], datetime]
    ) -> None:
        self._log = log
        self._keys = RecordKeys(materializers.values())
        self._queue = queue
        self._clock = clock
        self._line = Line()
        self._writing: asyncio.Task[None] | None = None

    async def accept(
        self, statements: Sequence[Any], *, tenant: str, authority: Agent, version: str = "1.0.3",
        attachments: Collection[str] = (),
    ) -> list[Accepted]:
        """Store all of the statements or none; returns once they are safe, in their order.

        `attachments` are the lower-case hashes of the data that came with them, and is kept by now.
        Raises InvalidStatements (every bad item), StatementConflict, TooLarge, or StoreUnavailable (sending them again
        with the same ids is harmless).
        """
        if self._line.is_full:
            await self._line.room()
        await _check(statements, version)
        if not statements:
            return []
        received = format_stored(now_us(self._clock))
        batch: list[Prepared] = []
        for some in _slices(statements):
            batch += [self._prepared(each, tenant, authority, version, received, attachments) for each in some]
            if len(some) == SLICE:
                await asyncio.sleep(0)
        submission = Submission(batch, asyncio.get_running_loop().create_future())
        self._line.join(submission)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_waiting())
        # Whoever hangs up does not take back what was sent.
        return await asyncio.shield(submission.outcome)

    async def drain(self) -> None:
        """Wait until all that was submitted is written or refused."""
        while self._writing is not None:
            await asyncio.wait([self._writing])

    def _prepared(
        self, statement: Statement, tenant: str, authority: Agent, version: str, received: str, attachments: Collection[str] = (),
    ) -> Prepared:
        complete = prepare(
            statement, authority=authority, version=version, received=received,
            statement_id=statement.get("id") or str(uuid.uuid4()),
        )
        kept = held(complete, attachments) if attachments else ()
        prepared = Prepared(tenant, statement, complete, look_ups(complete), attachments=kept)
        prepared.keys, prepared.keyed = self._keys.keyed(complete, prepared.text)
        # Encoded here, while others are being written, and not when its own turn to be written has come.
        prepared.elements  # noqa: B018
        return prepared

    async def _write_waiting(self) -> None:
        group: list[Submission] = []
        try:
            # What arrives in the same turn of the loop goes into the same write.
            await asyncio.sleep(0)
            while self._line:
                group, began = self._line.next_group(), time.monotonic()
                await self._write(group)
                await self._line.gather_again(len(group), time.monotonic() - began)
        finally:
            # Nobody waits for ever, even if the write ended in a way nobody thought of.
            _fail_all([*group, *self._line.leave()], StoreUnavailable("the write was given up"))
            self._writing = None

    async def _write(self, group: list[Submission]) -> None:
        """Write a group. What cannot be written with the others is written by itself; what is refused does not stop the rest."""
        for _ in range(MOST_ROUNDS):
            group, fresh = arrange(group)
            try:
                if fresh:
                    await self._log.append(list(fresh.values()))
            except AlreadyStored:
                stored = await self._stored(group, fresh)
                group = judge(group, stored)
                if not stored:  # taken a moment ago, and not yet there to be read with majority
                    await asyncio.sleep(UNREADABLE_FOR_S)
                continue
            except StoreUnavailable as error:
                _fail_all(group, error)
                return
            except (Refused, TooLarge, InvalidStatement) as error:
                if len(group) == 1:
                    group[0].fail(error)
                    return
                for submission in group:
                    await self._write([submission])
                return
            for submission in group:
                submission.succeed(fresh)
            self._queue.announce({prepared.tenant for prepared in fresh.values()})
            return
        _fail_all(group, StoreUnavailable("an id is taken by a statement that cannot be read yet"))

    async def _stored(self, group: list[Submission], fresh: Mapping[str, Prepared]) -> dict[str, Statement]:
        """The statements stored under the ids of a group, by `_id`; none if the database is away (and the group has failed)."""
        try:
            records = await self._log.stored(fresh)
        except StoreUnavailable as error:
            _fail_all(group, error)
            return {}
        return {record_id: statement_of(record) for record_id, record in records.items()}


def arrange(group: Iterable[Submission]) -> tuple[list[Submission], dict[str, Prepared]]:
    """What a group has to write, each id once, and who is still in it.

    The first of several submissions with one id brings it in; the others, which have the same statement, share it.
    """
    fresh: dict[str, Prepared] = {}
    remaining = []
    for submission in group:
        if submission.outcome.done():
            continue
        for prepared in submission.batch:
            if prepared.id not in submission.known:
                fresh.setdefault(prepared.id, prepared)
        remaining.append(submission)
    return remaining, fresh


def judge(group: Iterable[Submission], stored: Mapping[str, Statement]) -> list[Submission]:
    """Who of a group remains, now that some ids are known to be stored: the same is no longer written, another is a conflict."""
    remaining = []
    for submission in group:
        there = [prepared for prepared in submission.batch if prepared.id in stored]
        conflicts = [
            prepared.statement["id"] for prepared in there if not same_statement(stored[prepared.id], prepared.sent)
        ]
        if conflicts:
            submission.fail(StatementConflict(conflicts))
            continue
        submission.known |= {prepared.id for prepared in there}
        remaining.append(submission)
    return remaining


async def _check(statements: Sequence[Any], version: str) -> None:
    batch = BatchCheck(version)
    for some in _slices(statements):
        batch.take(some)
        if len(some) == SLICE:
            await asyncio.sleep(0)
    batch.finish()


def _slices(statements: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (statements[start:start + SLICE] for start in range(0, len(statements), SLICE))


def _fail_all(group: Iterable[Submission], error: LRSError) -> None:
    for submission in group:
        submission.fail(error)
