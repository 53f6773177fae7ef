"""Hints to the workers that a tenant's log has grown. A lost hint costs time only: the sweep and the reads find what it was about."""

import asyncio
import time
from collections.abc import Iterable

import structlog
from arq.connections import ArqRedis, RedisSettings, create_pool
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

FOLLOW_JOB = "follow"
# At most one hint for a tenant and process in this time, in seconds.
MOMENT_S = 0.1
# How long the hints of one moment may take, in seconds; what is not sent by then is left to the sweep.
SENT_WITHIN_S = 2.0
# While Redis is away, so long between two tries to reach it.
AWAY_FOR_S = 2.0
# A hint nobody took is of no use after this: the sweep has been there.
HINT_EXPIRES_S = 60
# No more hints than this may wait for one tenant, even if there is no worker at all.
MOST_HINTS = 64


def redis_settings(url: str) -> RedisSettings:
    """arq's settings for a Redis URL; one short try, for a hint is not worth waiting for."""
    settings = RedisSettings.from_dsn(url)
    settings.conn_timeout, settings.conn_retries, settings.conn_retry_delay = 1, 0, 0
    return settings


class Queue:
    """Sends hints in the background; `announce` never waits and never fails."""

    def __init__(self, url: str) -> None:
        self._settings = redis_settings(url)
        self._redis: ArqRedis | None = None
        self._grown: set[str] = set()
        self._sending: asyncio.Task[None] | None = None
        self._away_until = 0.0
        self.reachable = True  # whether the last try to reach Redis went well

    def announce(self, tenants: Iterable[str]) -> None:
        """Remember that these tenants' logs have grown, and see that a worker is told within a moment."""
        self._grown.update(tenants)
        if self._sending is None and self._grown:
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._grown:
                await asyncio.sleep(max(MOMENT_S, self._away_until - time.monotonic()))
                grown, self._grown = self._grown, set()
                await self._enqueue(grown)
        finally:
            self._sending = None

    async def _enqueue(self, tenants: Iterable[str]) -> None:
        moment = int(time.time() / MOMENT_S) % MOST_HINTS
        try:
            # A Redis that has stopped without closing its connections answers nothing, for ever.
            async with asyncio.timeout(SENT_WITHIN_S):
                await self._enqueue_all(tenants, moment)
            self.reachable = True
        except (RedisError, OSError, TimeoutError) as error:
            if self.reachable:
                logger.warning("redis_away", error=str(error))
            self.reachable, self._away_until = False, time.monotonic() + AWAY_FOR_S

    async def _enqueue_all(self, tenants: Iterable[str], moment: int) -> None:
        if self._redis is None:
            self._redis = await create_pool(self._settings)
        for tenant in tenants:
            # The moment is part of the job's id: arq refuses an id that is waiting or running, and a hint given while
            # its forerunner runs must not be lost; hints of several processes in one moment are one.
            await self._redis.enqueue_job(FOLLOW_JOB, tenant, _job_id=f"{FOLLOW_JOB}:{tenant}:{moment}", _expires=HINT_EXPIRES_S)

    async def close(self) -> None:
        """Drop what was not sent, and the connection."""
        if self._sending is not None:
            self._sending.cancel()
        if self._redis is not None:
            await self._redis.aclose()
