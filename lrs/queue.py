"""Hints to the workers: a tenant's log has grown, or there is a job. A lost hint costs time only: who looks without one finds the same."""

import asyncio
import time
from collections.abc import Iterable
from typing import TypeAlias

import structlog
from arq.connections import ArqRedis, RedisSettings, create_pool
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

FOLLOW_JOB, RUN_JOB = "follow", "run_job"
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
# The function a worker is to call, and the tenant or job it is about.
Hint: TypeAlias = tuple[str, str]


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
        self._hints: set[Hint] = set()
        self._sending: asyncio.Task[None] | None = None
        self._away_until = 0.0
        self.reachable = True  # whether the last try to reach Redis went well

    def announce(self, tenants: Iterable[str]) -> None:
        """Remember that these tenants' logs have grown, and see that a worker is told within a moment."""
        self._hint((FOLLOW_JOB, tenant) for tenant in tenants)

    def announce_job(self, job_id: str) -> None:
        """The same, of a job that may be taken up."""
        self._hint([(RUN_JOB, job_id)])

    def _hint(self, hints: Iterable[Hint]) -> None:
        self._hints.update(hints)
        if self._sending is None and self._hints:
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._hints:
                await asyncio.sleep(max(MOMENT_S, self._away_until - time.monotonic()))
                hints, self._hints = self._hints, set()
                await self._enqueue(hints)
        finally:
            self._sending = None

    async def _enqueue(self, hints: Iterable[Hint]) -> None:
        moment = int(time.time() / MOMENT_S) % MOST_HINTS
        try:
            # A Redis that has stopped without closing its connections answers nothing, for ever.
            async with asyncio.timeout(SENT_WITHIN_S):
                await self._enqueue_all(hints, moment)
            self.reachable = True
        except (RedisError, OSError, TimeoutError) as error:
            if self.reachable:
                logger.warning("redis_away", error=str(error))
            self.reachable, self._away_until = False, time.monotonic() + AWAY_FOR_S

    async def _enqueue_all(self, hints: Iterable[Hint], moment: int) -> None:
        if self._redis is None:
            self._redis = await create_pool(self._settings)
        for function, about in hints:
            # The moment is part of the job's id: arq refuses an id that is waiting or running, and a hint given while
            # its forerunner runs must not be lost; hints of several processes in one moment are one.
            await self._redis.enqueue_job(function, about, _job_id=f"{function}:{about}:{moment}", _expires=HINT_EXPIRES_S)

    async def close(self) -> None:
        """Drop what was not sent, and the connection."""
        if self._sending is not None:
            self._sending.cancel()
        if self._redis is not None:
            await self._redis.aclose()
