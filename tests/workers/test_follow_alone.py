"""Several workers share what there is to follow: none does what another is doing, and nobody waits for what takes long."""

import asyncio
import random

from builders import a_statement
from redis.asyncio import Redis

from lrs.errors import StoreUnavailable
from lrs.queue import PARTITIONS, Queue
from workers.follow import Sweeper, alone, follow


async def test_one_of_many_workers_is_at_a_tenant_and_what_came_last_is_never_missed(redis):
    chance, at_it, written, seen, runs = random.Random(5), 0, 0, 0, 0

    async def run(_tenant):
        nonlocal at_it, seen, runs
        at_it, runs = at_it + 1, runs + 1
        assert at_it == 1
        now = written
        await asyncio.sleep(chance.random() / 200)
        seen, at_it = max(seen, now), at_it - 1

    async def hint():
        nonlocal written
        await asyncio.sleep(chance.random() / 2)
        written += 1
        await alone(redis, "school", run)

    for _ in range(5):
        await asyncio.gather(*(hint() for _ in range(60)))
        assert seen == written
    assert runs < written


async def test_tenants_do_not_wait_for_one_another(redis):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def long(_tenant):
        begun.set()
        await go_on.wait()

    async def short(_tenant):
        go_on.set()

    waiting = asyncio.create_task(alone(redis, "a", long))
    await begun.wait()
    await asyncio.wait_for(alone(redis, "b", short), 10)
    await waiting


async def test_without_redis_it_is_run_all_the_same():
    runs = []

    async def run(tenant):
        runs.append(tenant)

    away = Redis(host="127.0.0.1", port=1)
    for redis in (None, away):
        await alone(redis, "school", run)
    assert runs == ["school", "school"]
    await away.aclose()


async def test_a_hint_of_many_tenants_follows_each_whatever_becomes_of_one(services, parts, redis, monkeypatch):
    tenants = [f"t{number}" for number in range(12)]
    for tenant in tenants:
        await parts.post(a_statement(), tenant=tenant)
    sweeper, of = Sweeper(services), services.follower.follow_once

    async def follow_but_one(tenant):
        if tenant == "t3":
            raise StoreUnavailable("staged")
        return await of(tenant)

    monkeypatch.setattr(services.follower, "follow_once", follow_but_one)
    await follow({"services": services, "sweeper": sweeper, "redis": redis}, *tenants)
    await sweeper.built()
    assert await services.follower.lagging() == ["t3"]


async def test_what_is_long_in_the_making_keeps_neither_hints_nor_sweeps_from_other_tenants(services, parts, redis, monkeypatch):
    settle, for_ever = services.follower.settle, asyncio.Event()

    async def settle_for_ever(tenant):
        return await (for_ever.wait() if tenant == "long" else settle(tenant))

    monkeypatch.setattr(services.follower, "settle", settle_for_ever)
    monkeypatch.setattr("workers.follow.SHORT", 2)
    await parts.post(*(a_statement() for _ in range(3)), tenant="long")
    sweeper = Sweeper(services)
    for tenant in ("short", "other"):
        await parts.post(a_statement(), tenant=tenant)
    async with asyncio.timeout(20):
        await follow({"services": services, "sweeper": sweeper, "redis": redis}, "long", "short")
        await sweeper.sweep()
        while await services.follower.lagging() != ["long"]:
            await asyncio.sleep(0.05)
            await sweeper.sweep()
    sweeper.stop()


async def test_a_moment_of_many_tenants_is_a_few_hints(config, redis):
    queue = Queue(config.redis_url)
    queue.announce(f"tenant-{number}" for number in range(1_000))
    while queue._sending is not None:
        await asyncio.sleep(0.02)
    assert 1 < await redis.zcard("arq:queue") <= PARTITIONS
    await queue.close()
