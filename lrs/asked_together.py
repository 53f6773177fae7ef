"""Questions that are asked at the same time, answered together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

A = TypeVar("A")

# After a call with so many keys, the next one waits for a moment, in seconds, for those who ask again: a call costs about as much for twice
# as many.
MANY, MOMENT_S = 4, 0.002


class AskedTogether(Generic[A]):
    """Calls `ask` with the keys, each once, that came while the last call was under way; None for a key it has no answer to.

    Who asks alone waits for nobody, and who asks with many only for a moment. At most `most` keys go together. An error of a call
    reaches all it was for.
    """

    def __init__(self, ask: Callable[[Sequence[str]], Awaitable[Mapping[str, A]]], most: int) -> None:
        self._ask = ask
        self._most = most
        self._lock = asyncio.Lock()
        # Who waits for the next call, by key. Each has a future of its own: one caller that goes away ends nothing for the others.
        self._next: dict[str, list[asyncio.Future[A | None]]] | None = None
        self._last = 0
        self._turns: set[asyncio.Task[None]] = set()

    async def __call__(self, key: str) -> A | None:
        """The answer to a key, asked for after this call began."""
        loop = asyncio.get_running_loop()
        if self._next is None or len(self._next) >= self._most:
            self._next = {}
            turn = loop.create_task(self._turn(self._next))
            self._turns.add(turn)
            turn.add_done_callback(self._turns.discard)
        answer: asyncio.Future[A | None] = loop.create_future()
        self._next.setdefault(key, []).append(answer)
        return await answer

    async def _turn(self, waiting: dict[str, list[asyncio.Future[A | None]]]) -> None:
        async with self._lock:
            # 0: whose request has been read in this turn of the loop comes with it.
            await asyncio.sleep(MOMENT_S if self._last >= MANY and len(waiting) < self._most else 0)
            if self._next is waiting:
                self._next = None
            self._last = len(waiting)
            asking = asyncio.ensure_future(self._ask(list(waiting)))
            await asyncio.wait([asking])
        error = None if asking.cancelled() else asking.exception()
        for key, callers in waiting.items():
            for answer in callers:
                if answer.done():
                    continue
                if asking.cancelled():
                    answer.cancel()
                elif error is not None:
                    answer.set_exception(error)
                else:
                    answer.set_result(asking.result().get(key))
