"""Keeping summaries up to date: on a hint, for tenants that have new statements; and by the sweep, for what nobody was told of."""

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from lrs.errors import StoreUnavailable
from lrs.store.mongo import DriverError
from workers.services import Services

logger = structlog.get_logger(__name__)

SWEEP_SECONDS = frozenset(range(0, 60, 5))
# Tenants a worker follows at the same moment.
AT_ONCE = 4
# A worker that dies at it keeps the others from a tenant's hints for so long; the sweep does not ask.
HELD_MS = 10_000
# Removes the key only if it is still ours.
RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"


async def follow(ctx: dict[str, Any], *tenants: str) -> None:
    """Bring these tenants' summaries up to now. Safe to run twice, or at the same time."""
    sweeper: Sweeper = ctx["sweeper"]
    await _each(tenants, lambda tenant: alone(ctx.get("redis"), tenant, sweeper.follow))


async def alone(redis: "Redis | None", tenant: str, run: Callable[[str], Awaitable[Any]]) -> None:
    """Run it for a tenant unless another worker is at it, who then runs it once more. Without Redis, run it all the same.

    So many hints of a busy tenant cost as much work as one worker can do, however many workers there are.
    """
    held, again, token = f"lrs:following:{tenant}", f"lrs:again:{tenant}", secrets.token_hex(8)
    try:
        while redis is not None:
            if not await redis.set(held, token, nx=True, px=HELD_MS):
                await redis.set(again, 1, px=HELD_MS)
                if await redis.exists(held):
                    return
                continue  # the other has ended meanwhile, and may not have seen it
            try:
                await redis.delete(again)
                await run(tenant)
            finally:
                await redis.eval(RELEASE, 1, held, token)
            if not await redis.delete(again):
                return
    except (RedisError, OSError) as error:
        logger.debug("not_alone", tenant=tenant, error=str(error))
    await run(tenant)


class Sweeper:
    """Brings tenants up to now, and finds every one that has statements beyond a cursor: hints can be lost, the log cannot.

    What is new to a tenant, so that its log is read from the beginning, is made in the background: hours of that keep nobody waiting.
    """

    def __init__(self, services: Services) -> None:
        self._follower = services.follower
        self._due: set[str] = set()
        self._building: asyncio.Task[None] | None = None
        self.swept_at = time.monotonic()

    async def follow(self, tenant: str) -> None:
        """Bring a tenant up to now, as far as its summaries are there; and see that the rest is being made."""
        await self._follower.follow_once(tenant)
        if await self._follower.cursor(tenant) < 0:
            self._due.add(tenant)
            if self._building is None or self._building.done():
                self._building = asyncio.create_task(self._build())

    async def sweep(self) -> None:
        """Do so for every tenant that is behind."""
        try:
            lagging = await self._follower.lagging()
        except DriverError as error:
            logger.warning("sweep_put_off", error=str(error))
            return
        random.shuffle(lagging)  # whoever comes last, because time is over, is another each time
        await _each(lagging, self.follow)
        self.swept_at = time.monotonic()

    async def _build(self) -> None:
        while self._due:
            due, self._due = list(self._due), set()
            await _each(due, self._follower.settle)

    async def built(self) -> None:
        """Wait until nothing is being made any more."""
        if self._building is not None:
            await asyncio.wait([self._building])

    def stop(self) -> None:
        """What is being made goes on elsewhere."""
        if self._building is not None:
            self._building.cancel()


async def sweep(ctx: dict[str, Any]) -> None:
    """The sweep, on Redis' clock: one of all workers does it."""
    await ctx["sweeper"].sweep()


async def _each(tenants: Sequence[str], run: Callable[[str], Awaitable[Any]]) -> None:
    """Run it for each tenant, so many at a time. A tenant's trouble is not that of the next."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(tenant: str) -> None:
        async with room:
            try:
                await run(tenant)
            except (DriverError, StoreUnavailable) as error:
                logger.warning("not_followed", tenant=tenant, error=str(error))

    await asyncio.gather(*(one(tenant) for tenant in tenants))
