"""What `lrs doctor` looks at, and what it makes of it. `examined` is pure; `look` asks."""

import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from lrs import __version__
from lrs.health import Condition, Health
from lrs.queue import Queue, RedisServer
from lrs.store.inspection import Server, indexes, server
from lrs.store.mongo import Database, DriverError

OK, WARNING, BAD = "ok", "warning", "bad"
# The oldest MongoDB that has all we use, and the oldest Redis.
OLDEST_MONGO, OLDEST_REDIS = (5, 0), (6, 2)
# Seconds. A clock that is off by more makes leases and times misleading; a lag beyond the others is more than a busy moment.
CLOCK_OFF_S, LAG_S, MUCH_LAG_S, SWEPT_S = 2.0, 10.0, 60.0, 30.0
NAMED = 5


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: "ok", "warning" (it works, and should be seen to) or "bad"."""

    name: str
    state: str
    told: str


@dataclass(frozen=True)
class Facts:
    """What was found. None: it does not answer."""

    now: datetime
    mongo: Server | None
    wrong_indexes: Sequence[str]
    unwanted_indexes: Sequence[str]
    redis: RedisServer | None
    condition: Condition | None


async def look(database: Database, queue: Queue, health: Health, clock: Callable[[], datetime]) -> Facts:
    """Ask everybody. Nobody is waited for long."""
    redis, condition = await queue.server(), await health.now()
    try:
        mongo, now = await server(database), clock()
        wrong, unwanted = await indexes(database)
    except DriverError:
        return Facts(clock(), None, (), (), redis, condition)
    return Facts(now, mongo, wrong, unwanted, redis, condition)


def examined(facts: Facts) -> list[Check]:
    """The checks, in the order in which one would look."""
    return [Check("version", OK, f"{__version__}, Python {platform.python_version()}"), *_mongo(facts), *_redis(facts), *_work(facts)]


def _mongo(facts: Facts) -> Iterator[Check]:
    mongo = facts.mongo
    if mongo is None:
        yield Check("mongo", BAD, "does not answer")
        return
    old = _numbers(mongo.version) < OLDEST_MONGO
    yield Check("mongo", BAD if old else OK, f"{mongo.version}{', too old' if old else ''}")
    if mongo.replica_set:
        few = mongo.members < 3
        told = f"{mongo.replica_set}, members: {mongo.members}" + ("; the loss of one stops all writes" if few else "")
        yield Check("replica set", WARNING if few else OK, told)
    else:
        yield Check("replica set", OK, "behind a router")
    off_s = abs((facts.now - mongo.now).total_seconds())
    yield Check("clock", BAD if off_s > CLOCK_OFF_S else OK, f"{off_s:.1f} s from that of MongoDB")
    if facts.wrong_indexes:
        yield Check("indexes", BAD, f"missing or not as they should be: {_named(facts.wrong_indexes)}; a restart of the API builds them")
    elif facts.unwanted_indexes:
        yield Check("indexes", WARNING, f"nobody uses {_named(facts.unwanted_indexes)}: each costs writes, and may be dropped")
    else:
        yield Check("indexes", OK, "all there")


def _redis(facts: Facts) -> Iterator[Check]:
    redis = facts.redis
    if redis is None:
        yield Check("redis", WARNING, "does not answer: nothing is lost, but summaries are some seconds older, and nobody is limited")
        return
    old = _numbers(redis.version) < OLDEST_REDIS
    yield Check("redis", WARNING if old else OK, f"{redis.version}{', old' if old else ''}")
    dropped = redis.policy.startswith("allkeys") or redis.policy.startswith("volatile")
    told = f"{redis.policy}, " + (f"at {redis.most_memory // 1024 ** 2} MiB" if redis.most_memory else "memory without a bound")
    if not redis.most_memory:
        yield Check("redis memory", WARNING, f"{told}: set maxmemory")
    elif dropped:
        yield Check("redis memory", WARNING, f"{told}: rate limits and hints may be dropped; set noeviction")
    else:
        yield Check("redis memory", OK, told)


def _work(facts: Facts) -> Iterator[Check]:
    condition = facts.condition
    if condition is None:
        return
    alive, swept = condition.workers.alive, condition.workers.swept_s_ago
    versions = sorted({str(each["version"]) for each in alive} | {__version__})
    if not alive:
        yield Check("workers", BAD, "none: jobs wait, and only readers bring summaries up to date")
    elif len(versions) > 1:
        yield Check("workers", WARNING, f"{len(alive)}, of versions {', '.join(versions)}")
    else:
        yield Check("workers", OK, str(len(alive)))
    late = swept is None or swept > SWEPT_S
    yield Check("sweep", WARNING if late else OK, "never" if swept is None else f"{swept:.0f} s ago")
    state = BAD if condition.lag_s > MUCH_LAG_S else WARNING if condition.lag_s > LAG_S else OK
    where = f", in {condition.lagging} tenants" if condition.lagging else ""
    yield Check("lag", state, f"{condition.lag_s:.1f} s{where}")
    failed = condition.jobs["failed"]
    told = ", ".join(f"{count} {state}" for state, count in condition.jobs.items())
    yield Check("jobs", WARNING if failed else OK, told + ("; `lrs jobs list TENANT --state failed` says why" if failed else ""))


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
