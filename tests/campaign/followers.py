"""Readers that follow the store by `since` and X-Experience-API-Consistent-Through, page by page, across both API processes."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Iterable, Mapping

from campaign.client import VERSION, Client
from lrs.xapi.times import parse_timestamp

CONSISTENT_THROUGH = "X-Experience-API-Consistent-Through"
LIMITS = (3, 10, 50, 200)
REMEMBERED = 4_000  # walks


class Follower:
    """Takes of every walk only what it is told is all there is up to then, and begins the next there. `filter`: what it asks for."""

    def __init__(self, client: Client, chance: random.Random, filter_: str = "") -> None:
        self.client, self._chance, self._filter = client, chance, filter_
        self.since = "2020-01-01T00:00:00Z"
        self.seen: set[str] = set()
        self._walks: deque[tuple[str, str, str]] = deque(maxlen=REMEMBERED)

    async def run(self, stopped: asyncio.Event) -> None:
        """Walk after walk until told to stop."""
        while not stopped.is_set():
            await self._walk()
            await asyncio.sleep(self._chance.uniform(0.0, 0.1))

    async def reach(self, through_us: int, within_s: float) -> bool:
        """Follow until told of all there was at a time; whether that came about in time."""
        deadline = time.monotonic() + within_s
        while parse_timestamp(self.since) < through_us:
            if time.monotonic() > deadline:
                return False
            await self._walk()
            await asyncio.sleep(0.05)
        return True

    def missed(self, stored: Mapping[str, str]) -> Iterable[str]:
        """What it should have seen of these (id -> `stored`), each with the walk that should have had it."""
        for statement_id, moment in stored.items():
            if statement_id not in self.seen:
                at = parse_timestamp(moment)
                walks = [
                    walk for walk in self._walks if parse_timestamp(walk[0]) < at <= parse_timestamp(walk[1])
                ]
                yield f"{statement_id}, stored {moment}; the walk that went past it: {walks}"

    async def _walk(self) -> None:
        """From where the last one ended; if it breaks off, the next one begins there again."""
        limit = self._chance.choice(LIMITS)
        path: str | None = f"/xapi/statements?ascending=true&limit={limit}&since={self.since}{self._filter}"
        found: dict[str, int] = {}
        through, began, asked = "", time.time(), []
        while path:
            answer = await self.client.ask("follow", "GET", path, headers=VERSION, allowed=(200,))
            if answer.status != 200:
                return
            asked.append(answer.url[-5:])
            page = answer.json
            if through and answer.headers[CONSISTENT_THROUGH] != through:
                self.client.findings.add("another_through", f"{path} has not the header of its first page")
            through = through or answer.headers[CONSISTENT_THROUGH]
            found |= {each["id"]: parse_timestamp(each["stored"]) for each in page["statements"]}
            path = page.get("more")
        reached = parse_timestamp(through)
        if reached > parse_timestamp(self.since):
            self._walks.append((self.since, through, f"{len(found)} of {asked}, limit {limit}, {began:.3f} to {time.time():.3f}"))
            self.seen |= {each for each, stored in found.items() if stored <= reached}
            self.since = through
