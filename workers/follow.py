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
# A log of no more statements than this is read from its beginning at once; and of longer ones, so many at the same moment.
SHORT, LONG_AT_ONCE = 2_000, 2
# A worker that dies at it keeps the others from a tenant's hints for so long; the sweep does not ask.
HELD_MS = 10_000
# A tenant that is busy is followed so often, in seconds from beginning to beginning: what came meanwhile shares a round.
ROUND_S = 0.2
# After so many seconds of it a job ends, long before arq would end it; the next hint goes on, or the sweep.
ENOUGH_S = 15.0
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
    enough = time.monotonic() + ENOUGH_S
    try:
        while redis is not None:
            if not await redis.set(held, token, nx=True, px=HELD_MS):
                await redis.set(again, 1, px=HELD_MS)
                if await redis.exists(held):
                    return
                continue  # the other has ended meanwhile, and may not have seen it
            began = time.monotonic()
            try:
                await redis.delete(again)
                await run(tenant)
                if await redis.exists(again):
                    await asyncio.sleep(began + ROUND_S - time.monotonic())
            finally:
                await redis.eval(RELEASE, 1, held, token)  # type: ignore[misc]
            if not await redis.delete(again) or began > enough:
                return
    except (RedisError, OSError) as error:
        logger.debug("not_alone", tenant=tenant, error=str(error))
    await run(tenant)


class Sweeper:
    """Brings tenants up to now, and finds every one that has statements beyond a cursor: hints can be lost, the log cannot.

    What is new to a tenant has its log read from the beginning. If that is long, it goes on in the background, for a few tenants
    at a time: hours of it keep nobody waiting.
    """

    def __init__(self, services: Services) -> None:
        self._follower = services.follower
        self._statements = services.statements
        self._room = asyncio.Semaphore(LONG_AT_ONCE)
        self._long: dict[str, asyncio.Task[None]] = {}
        self.swept_at = time.monotonic()

    async def follow(self, tenant: str) -> None:
        """Bring a tenant up to now, as far as its summaries are there; and see that the rest is being made."""
        await self._follower.follow_once(tenant)
        if tenant in self._long or await self._follower.has_begun(tenant):
            return
        if await self._statements.are_more_than(tenant, SHORT):
            self._long[tenant] = task = asyncio.create_task(_each([tenant], self._settle))
            task.add_done_callback(lambda _: self._long.pop(tenant, None))
        else:
            await self._follower.settle(tenant)

    async def _settle(self, tenant: str) -> None:
        async with self._room:
            await self._follower.settle(tenant)

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

    async def built(self) -> None:
        """Wait until nothing is being made any more."""
        while self._long:
            await asyncio.wait(list(self._long.values()))

    def stop(self) -> None:
        """What is being made goes on elsewhere."""
        for task in list(self._long.values()):
            task.cancel()


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
