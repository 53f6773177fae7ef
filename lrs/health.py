"""How it goes: how far summaries are behind, what jobs there are, who works."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from lrs.follow import Follower
from lrs.store.heartbeats import Heartbeats, Workers
from lrs.store.jobs import KeptJobs, KindOfJob
from lrs.store.mongo import DriverError
from lrs.store.positions import stored_us_of
from lrs.store.watermark import now_us

logger = structlog.get_logger(__name__)

# Whoever asks gets an answer of at most this age, in seconds, and within the other time or not at all.
FRESH_FOR_S, WITHIN_S = 2.0, 3.0
# Tenants that are looked at for the oldest statement; when more are behind, it is the number that matters.
MOST_LOOKED_AT = 50


@dataclass(frozen=True)
class Condition:
    """`lag_s`: the age of the oldest statement that some summary may not reflect yet, 0 if there is none; in how many tenants.

    `jobs` by state, `kinds` the same and more for each kind there is.
    """

    lag_s: float
    lagging: int
    jobs: Mapping[str, int]
    workers: Workers
    kinds: Mapping[str, KindOfJob] = field(default_factory=dict)


class Health:
    """Looks when it is asked."""

    def __init__(self, follower: Follower, jobs: KeptJobs, heartbeats: Heartbeats, clock: Callable[[], datetime]) -> None:
        self._follower = follower
        self._jobs = jobs
        self._heartbeats = heartbeats
        self._clock = clock
        self._known: tuple[float, Condition | None] = (float("-inf"), None)

    async def now(self) -> Condition | None:
        """The condition, a moment old; None if the database does not tell it in time."""
        asked = time.monotonic()
        if asked - self._known[0] >= FRESH_FOR_S:
            try:
                self._known = (asked, await asyncio.wait_for(self._look(), WITHIN_S))
            except (DriverError, TimeoutError) as error:
                logger.warning("condition_unknown", error=repr(error))
                self._known = (asked, None)
        return self._known[1]

    async def _look(self) -> Condition:
        lagging = await self._follower.lagging()
        oldest = [position for tenant in lagging[:MOST_LOOKED_AT] if (position := await self._follower.behind(tenant)) is not None]
        lag_us = max((now_us(self._clock) - stored_us_of(position) for position in oldest), default=0)
        counts, kinds = await self._jobs.counts(), await self._jobs.kinds()
        return Condition(max(0, lag_us) / 1_000_000, len(lagging), counts, await self._heartbeats.workers(), kinds)
