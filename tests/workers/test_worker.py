"""The worker service on a real Redis: hints are taken, missed ones are swept up, and Redis may go at any time."""

import asyncio
import dataclasses

from arq.connections import create_pool
from builders import TALLY, a_statement
from servers import real_redis

from lrs.queue import Queue, redis_settings
from workers.follow import Sweeper, sweep
from workers.settings import worker_of

KEY = "mailto:ada@school.example.org"


async def saved_count(parts):
    found = await parts.saved.load("school", TALLY, [KEY])
    return found[KEY].summary.count if found else 0


async def burst(config, services):
    sweeper = Sweeper(services)
    worker = worker_of(config, services, burst=True, sweeper=sweeper)
    worker.cron_jobs = []
    try:
        await worker.main()
    finally:
        await worker.close()
    await sweeper.built()


async def test_a_hint_brings_the_summaries_up_to_date(parts, config, services, redis):
    queue = Queue(config.redis_url)
    await parts.post(a_statement())
    queue.announce(["school"])
    while not await redis.zcard("arq:queue"):
        await asyncio.sleep(0.02)
    await burst(config, services)
    assert await saved_count(parts) == 1
    await queue.close()


async def test_many_posts_in_a_moment_make_one_hint(config, redis):
    queue = Queue(config.redis_url)
    for _ in range(500):
        queue.announce(["school"])
    await asyncio.sleep(0.5)
    assert await redis.zcard("arq:queue") == 1
    await queue.close()


async def test_a_hint_given_while_its_forerunner_runs_is_not_lost(redis):
    queue = Queue("redis://127.0.0.1:1")
    queue._tenants = {"school"}
    first, second = [[await redis.enqueue_job(name, *about, _job_id=key) for name, about, key in queue._hints(at)] for at in (1, 2)]
    assert all([*first, *second]) and len(first) == len(second) == 1


async def test_the_sweep_finds_what_nobody_was_told_of(parts, services, database):
    await services.directory.create_tenant("school")
    await parts.post(a_statement())
    sweeper = Sweeper(services)
    await sweep({"sweeper": sweeper})
    await sweeper.built()
    assert await saved_count(parts) == 1


async def test_posts_go_on_without_redis_and_hints_flow_again_when_it_is_back(database, config, tmp_path, make_parts):
    server = real_redis(tmp_path)
    await asyncio.to_thread(server.start)
    queue = Queue(server.url)
    queue.announce(["school"])
    await asyncio.sleep(0.5)
    await asyncio.to_thread(server.kill)
    parts = dataclasses.replace(make_parts())
    parts.intake._queue = queue
    await parts.post(a_statement())
    await asyncio.sleep(0.5)
    assert not queue.reachable
    await asyncio.to_thread(server.start)
    pool = await create_pool(redis_settings(server.url))
    async with asyncio.timeout(10):
        while not await pool.zcard("arq:queue"):
            await parts.post(a_statement())
            await asyncio.sleep(0.2)
    await pool.aclose()
    await queue.close()
    await asyncio.to_thread(server.stop)


async def test_without_a_worker_the_queue_stays_bounded(config, redis, monkeypatch):
    queue = Queue(config.redis_url)
    monkeypatch.setattr("lrs.queue.MOMENT_S", 0.001)
    for _ in range(400):
        queue.announce(["school"])
        await asyncio.sleep(0.002)
    assert 1 < await redis.zcard("arq:queue") <= 64
    await queue.close()


async def test_every_key_a_hint_leaves_in_redis_expires(config, redis):
    queue = Queue(config.redis_url)
    queue.announce(["school", "other"])
    queue.announce_job("a job")
    await asyncio.sleep(0.4)
    keys = [key async for key in redis.scan_iter("*")]
    assert len([key for key in keys if key.startswith(b"arq:job:")]) in (2, 3) and b"arq:queue" in keys
    assert all([await redis.ttl(key) > 0 for key in keys])
    await queue.close()
