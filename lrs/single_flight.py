"""One run of something at a time, shared by all who ask while it waits to begin."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """`await flight()` gives the result of a run that began after the call.

    However many ask while a run is under way, one more run serves them all. An error of a run reaches all it was for.
    """

    def __init__(self, run: Callable[[], Awaitable[T]]) -> None:
        self._run = run
        self._lock = asyncio.Lock()
        self._next: asyncio.Future[T] | None = None

    async def __call__(self) -> T:
        if self._next is None:
            self._next = asyncio.ensure_future(self._turn())
            # Where nobody waits any more, nobody misses the error.
            self._next.add_done_callback(lambda done: done.cancelled() or done.exception())
        # One caller that goes away must not end the run for the others.
        return await asyncio.shield(self._next)

    @property
    def is_idle(self) -> bool:
        """Whether no run is under way, and none is to come."""
        return self._next is None and not self._lock.locked()

    async def _turn(self) -> T:
        async with self._lock:
            self._next = None
            return await self._run()
