"""Hints to the workers: a tenant's log has grown, or there is a job. A lost hint costs time only: who looks without one finds the same."""

import asyncio
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias
from zlib import crc32

import structlog
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.constants import default_queue_name
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

FOLLOW_JOB, RUN_JOB = "follow", "run_job"
# Tenants are spread over so many partitions. There is at most one hint for a partition and process in a moment, whoever has grown:
# Redis and arq bear about a thousand a second.
PARTITIONS = 16
# Seconds from the first news to the hint; and while there are more and more, from hint to hint: what came meanwhile is followed together.
MOMENT_S, BETWEEN_S = 0.1, 0.25
# How long the hints of one moment may take, in seconds; what is not sent by then is left to the sweep.
SENT_WITHIN_S = 2.0
# While Redis is away, so long between two tries to reach it.
AWAY_FOR_S = 2.0
# A hint nobody took is of no use after this, in seconds: the sweep has been there. The queue itself goes, too, if nobody adds to it.
HINT_EXPIRES_S, QUEUE_EXPIRES_S = 60, 180
# No more hints than this may wait for one partition and process, even if there is no worker at all.
MOST_HINTS = 64
# A hint of more tenants than this is several.
MOST_TENANTS = 500


# A function of the worker, what it is called with, and the id of the hint.
Hint: TypeAlias = tuple[str, tuple[str, ...], str]


@dataclass(frozen=True)
class RedisServer:
    """A Redis server: its version, its bound on memory in bytes (0: none), and what it does when that is reached."""

    version: str
    most_memory: int
    policy: str


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
        self._process = secrets.token_hex(1)
        self._tenants: set[str] = set()
        self._jobs: set[str] = set()
        self._sending: asyncio.Task[None] | None = None
        self._away_until = self._sent_at = 0.0
        self.reachable = True  # whether the last try to reach Redis went well

    def announce(self, tenants: Iterable[str]) -> None:
        """Remember that these tenants' logs have grown, and see that a worker is told within a moment."""
        self._tenants.update(tenants)
        self._begin()

    def announce_job(self, job_id: str) -> None:
        """The same, of a job that may be taken up."""
        self._jobs.add(job_id)
        self._begin()

    def _begin(self) -> None:
        if self._sending is None and (self._tenants or self._jobs):
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._tenants or self._jobs:
                await asyncio.sleep(max(MOMENT_S, max(self._away_until, self._sent_at + BETWEEN_S) - time.monotonic()))
                self._sent_at = time.monotonic()
                hints = list(self._hints(int(time.time() / MOMENT_S) % MOST_HINTS))
                self._tenants, self._jobs = set(), set()
                await self._enqueue(hints)
        finally:
            self._sending = None

    def _hints(self, moment: int) -> Iterator[Hint]:
        """The hints of a moment: a function, what it is called with, and an id.

        The moment and the process are part of it: arq refuses an id that is waiting or running, and a hint given while its
        forerunner runs, or of other tenants, must not be lost.
        """
        partitions: dict[int, list[str]] = {}
        for tenant in sorted(self._tenants):
            partitions.setdefault(crc32(tenant.encode()) % PARTITIONS, []).append(tenant)
        for partition, tenants in partitions.items():
            for number, first in enumerate(range(0, len(tenants), MOST_TENANTS)):
                name = f"{FOLLOW_JOB}:{partition}:{number}:{self._process}:{moment}"
                yield FOLLOW_JOB, tuple(tenants[first:first + MOST_TENANTS]), name
        for job_id in self._jobs:
            yield RUN_JOB, (job_id,), f"{RUN_JOB}:{job_id}:{moment}"

    async def _enqueue(self, hints: Iterable[Hint]) -> None:
        try:
            # A Redis that has stopped without closing its connections answers nothing, for ever.
            async with asyncio.timeout(SENT_WITHIN_S):
                await self._enqueue_all(hints)
            self.reachable = True
        except (RedisError, OSError, TimeoutError) as error:
            if self.reachable:
                logger.warning("redis_away", error=str(error))
            self.reachable, self._away_until = False, time.monotonic() + AWAY_FOR_S

    async def _enqueue_all(self, hints: Iterable[Hint]) -> None:
        redis = await self._connected()
        for function, about, name in hints:
            await redis.enqueue_job(function, *about, _job_id=name, _expires=HINT_EXPIRES_S)
        await redis.expire(default_queue_name, QUEUE_EXPIRES_S)

    async def _connected(self) -> ArqRedis:
        if self._redis is None:
            self._redis = await create_pool(self._settings)
        return self._redis

    async def server(self) -> RedisServer | None:
        """What the Redis server says of itself; None if it does not answer within a moment."""
        try:
            async with asyncio.timeout(SENT_WITHIN_S):
                told = await (await self._connected()).info()
        except (RedisError, OSError, TimeoutError):
            return None
        return RedisServer(told["redis_version"], int(told.get("maxmemory", 0)), told.get("maxmemory_policy", "noeviction"))

    async def close(self) -> None:
        """Drop what was not sent, and the connection."""
        if self._sending is not None:
            self._sending.cancel()
        if self._redis is not None:
            await self._redis.aclose()
