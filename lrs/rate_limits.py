"""How often each credential may ask: a token bucket in Redis. Where Redis is away, nobody is held up."""

import asyncio
import time
from collections.abc import Callable
from hashlib import sha256
from math import ceil

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from lrs.errors import RateLimited
from lrs.plugins import Caller, Rate

logger = structlog.get_logger(__name__)

# Seconds. A limit is not worth waiting for.
PATIENCE_S = 0.25
# Seconds that pass between two tries to reach Redis while it is away.
AWAY_FOR_S = 2.0
MOST_CONNECTIONS = 64
PREFIX = "lrs:rate:"

# In one step and by Redis' own clock, so that all processes agree: fill up for the time that has passed, take one if there is
# one. Answers 0, or the milliseconds until there is one. The key lasts until the bucket is full, which is as good as no key.
TAKE = """
local per_ms, burst = tonumber(ARGV[1]) / 1000, tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local kept = redis.call('HMGET', KEYS[1], 'left', 'at')
local left, at = tonumber(kept[1]) or burst, tonumber(kept[2]) or now
left = math.min(burst, left + math.max(0, now - at) * per_ms)
local wait = 0
if left >= 1 then left = left - 1 else wait = math.ceil((1 - left) / per_ms) end
redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left), 'at', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - left) / per_ms) + 1000)
return wait
"""


class RateLimits:
    """`default` holds for credentials without a limit of their own; None: they have none."""

    def __init__(self, url: str, default: Rate | None, *, now: Callable[[], float] = time.monotonic) -> None:
        pool = BlockingConnectionPool.from_url(
            url, max_connections=MOST_CONNECTIONS, timeout=PATIENCE_S, socket_timeout=PATIENCE_S,
            socket_connect_timeout=PATIENCE_S,
        )
        self._redis = Redis.from_pool(pool)
        self._take = self._redis.register_script(TAKE)
        self._default = default
        self._now = now
        self._away = False
        self._next_try = 0.0

    async def take(self, caller: Caller) -> None:
        """Count one request of a caller; RateLimited if it is one too many. Never fails because of Redis."""
        rate = caller.rate or self._default
        if rate is None or not rate.per_second or self._is_off():
            return
        try:
            async with asyncio.timeout(2 * PATIENCE_S):
                wait_ms = await self._take(keys=[key_of(caller)], args=[rate.per_second, rate.burst])
        except (RedisError, OSError, TimeoutError) as error:
            self._lost(error)
            return
        self._found()
        if wait_ms:
            raise RateLimited(int(wait_ms) / 1000)

    def _is_off(self) -> bool:
        """Whether Redis was away a moment ago. Of those who ask after that moment, only the first finds out for all."""
        if not self._away:
            return False
        now = self._now()
        if now < self._next_try:
            return True
        self._next_try = now + AWAY_FOR_S
        return False

    def _lost(self, error: Exception) -> None:
        self._next_try = self._now() + AWAY_FOR_S
        if not self._away:
            self._away = True
            logger.warning("rate_limits_off", reason=type(error).__name__)

    def _found(self) -> None:
        if self._away:
            self._away = False
            logger.warning("rate_limits_on_again")

    async def close(self) -> None:
        """Close all connections."""
        await self._redis.aclose(close_connection_pool=True)


def key_of(caller: Caller) -> str:
    """Where a credential's bucket is. A digest: keys may be long, and no concern of who looks into Redis."""
    return PREFIX + sha256(f"{caller.tenant}\0{caller.key}".encode(errors="replace")).hexdigest()[:32]


def default_rate(per_second: float, burst: int) -> Rate | None:
    """A limit from the configuration: 0 a second is none, and a burst of 0 means what a second allows."""
    return Rate(per_second, burst or max(1, ceil(per_second))) if per_second else None
