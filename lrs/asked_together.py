"""Questions that are asked at the same time, answered together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

A = TypeVar("A")


class _Round(Generic[A]):
    """Keys that go together, and the task that asks for them."""

    def __init__(self) -> None:
        self.keys: dict[str, None] = {}
        self.answers: asyncio.Future[Mapping[str, A]]


class AskedTogether(Generic[A]):
    """Calls `ask` with the keys, each once, that came while the last call was under way; None for a key it has no answer to.

    Who asks alone waits for nobody. At most `most` keys go together. An error of a call reaches all it was for.
    """

    def __init__(self, ask: Callable[[Sequence[str]], Awaitable[Mapping[str, A]]], most: int) -> None:
        self._ask = ask
        self._most = most
        self._lock = asyncio.Lock()
        self._next: _Round[A] | None = None

    async def __call__(self, key: str) -> A | None:
        """The answer to a key, asked for after this call began."""
        if self._next is None or len(self._next.keys) >= self._most:
            self._next = _Round()
            self._next.answers = asyncio.ensure_future(self._turn(self._next))
        current = self._next
        current.keys[key] = None
        # One caller that goes away must not end the round for the others.
        return (await asyncio.shield(current.answers)).get(key)

    async def _turn(self, own: _Round[A]) -> Mapping[str, A]:
        async with self._lock:
            if self._next is own:
                self._next = None
            return await self._ask(list(own.keys))
