"""The line before the store: what was submitted, and has not been written yet."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lrs.errors import StoreUnavailable
from lrs.store.records import Prepared
from lrs.xapi.compare import same_statement

# One write takes what waits, up to so many statements. More together cost no less each, and while some are written, others are
# read and checked.
GROUP_LIMIT = 200
# How often one looks whether those who were answered together are there again, and how long one waits for them at most, in seconds.
MOMENT_S, PATIENCE_S = 0.0015, 0.02
# Octets of records that may wait, and how long somebody who comes then waits for room, in seconds, before being sent away.
MOST_WAITING = 64 * 1024 * 1024
ROOM_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Accepted:
    """The outcome for one statement: its id, and whether this submission stored it (False: it was there already)."""

    id: str
    stored: bool


@dataclass
class Submission:
    """What one caller wants stored, all or none, and who waits for it. `known` are `_id`s found to be stored already."""

    batch: Sequence[Prepared]
    outcome: asyncio.Future[list[Accepted]]
    known: set[str] = field(default_factory=set)

    @cached_property
    def size(self) -> int:
        """The octets it takes in the store."""
        return sum(len(prepared.elements) for prepared in self.batch)

    def succeed(self, fresh: Mapping[str, Prepared]) -> None:
        """Tell the caller: what this submission brought into the write is stored, the rest was there."""
        if not self.outcome.done():
            self.outcome.set_result([
                Accepted(prepared.statement["id"], fresh.get(prepared.id) is prepared) for prepared in self.batch
            ])

    def fail(self, error: Exception) -> None:
        """Tell the caller why nothing of it was stored."""
        if not self.outcome.done():
            self.outcome.set_exception(error)


class Line:
    """First come, first written. False while nobody waits."""

    def __init__(self) -> None:
        self._waiting: deque[Submission] = deque()
        self._size = 0
        self._statements = 0
        self._changed = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether so much waits that nobody more is let in."""
        return self._size >= MOST_WAITING

    async def room(self) -> None:
        """Wait until there is room. StoreUnavailable if there is none in time: memory is not the place to keep what cannot be written."""
        try:
            async with asyncio.timeout(ROOM_WITHIN_S):
                while self.is_full:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise StoreUnavailable("more is waiting to be written than can be; send it again in a moment") from None

    def join(self, submission: Submission) -> None:
        """Wait at the end of the line."""
        self._waiting.append(submission)
        self._size += submission.size
        self._statements += len(submission.batch)
        self._changed.set()

    def next_group(self) -> list[Submission]:
        """Those at the front of the line that are written together. Who differs from one of them under one id waits for the next write.

        Who merely waits is no conflict: it may be refused itself. What is stored once it is written says who is right.
        """
        group: list[Submission] = []
        left: list[Submission] = []
        together: dict[str, Prepared] = {}
        size = 0
        while self._waiting and (not group or size + len(self._waiting[0].batch) <= GROUP_LIMIT):
            submission = self._waiting.popleft()
            if _differs(submission, together):
                left.append(submission)
                continue
            group.append(submission)
            together |= {prepared.id: prepared for prepared in submission.batch}
            size += len(submission.batch)
            self._size -= submission.size
            self._statements -= len(submission.batch)
        self._waiting.extendleft(reversed(left))
        self._changed.set()
        return group

    async def gather_again(self, answered: int, took_s: float) -> None:
        """After a write that took so long: wait, no longer than that, until those it answered have joined those who waited meanwhile.

        Clients that were answered together ask again together. Without this they fall into two halves, each of which waits for the
        writes of the other; and what a write costs by itself is as much as many statements. One alone is not waited for.
        """
        everybody, until = len(self._waiting) + answered, time.monotonic() + min(took_s, PATIENCE_S)
        while answered > 1 and len(self._waiting) < everybody and self._statements < GROUP_LIMIT and time.monotonic() < until:
            await asyncio.sleep(MOMENT_S)

    def leave(self) -> list[Submission]:
        """Everybody goes."""
        group, self._size, self._statements = list(self._waiting), 0, 0
        self._waiting.clear()
        self._changed.set()
        return group


def _differs(submission: Submission, together: Mapping[str, Prepared]) -> bool:
    """Whether one of its statements is another one than what has its id already."""
    return any(
        prepared.id in together and not same_statement(together[prepared.id].statement, prepared.sent) for prepared in submission.batch
    )
