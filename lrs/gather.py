"""Gathering: what several callers want written while a write is under way goes into the next one, together."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

Written = asyncio.Future[None]


class Gathered(Generic[T]):
    """One write at a time. `write` gets all that waits, at most `limit` items more than the largest call; it is all or none.

    Each caller returns when its own items are written; if the write fails, all whose items were in it get the error.
    """

    def __init__(self, write: Callable[[list[T]], Awaitable[None]], limit: int) -> None:
        self._write = write
        self._limit = limit
        self._waiting: list[tuple[list[T], Written]] = []
        self._writing: asyncio.Task[None] | None = None

    async def __call__(self, items: Iterable[T]) -> None:
        """Write the items; returns once they are."""
        await asyncio.shield(self.soon(items))

    def soon(self, items: Iterable[T]) -> Written:
        """See that the items are written; the future tells when. Nobody needs to await it."""
        written = asyncio.get_running_loop().create_future()
        # An error that nobody waits for is the write's own to log.
        written.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting.append((list(items), written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_waiting())
        return written

    async def drain(self) -> None:
        """Wait until all that was submitted is written or has failed."""
        while self._writing is not None:
            await asyncio.wait([self._writing])

    async def _write_waiting(self) -> None:
        group: list[tuple[list[T], Written]] = []
        try:
            await asyncio.sleep(0)
            while self._waiting:
                group = self._take_group()
                await self._settle(group)
        finally:
            for _, written in (*group, *self._waiting):
                if not written.done():
                    written.cancel()
            self._waiting, self._writing = [], None

    def _take_group(self) -> list[tuple[list[T], Written]]:
        taken, size = 0, 0
        for items, _ in self._waiting:
            size += len(items)
            if taken and size > self._limit:
                break
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group

    async def _settle(self, group: list[tuple[list[T], Written]]) -> None:
        writing = asyncio.ensure_future(self._write([item for items, _ in group for item in items]))
        await asyncio.wait([writing])
        error = writing.exception()
        for _, written in group:
            if written.done():
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)
