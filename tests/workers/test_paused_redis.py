"""A Redis that is there and says nothing (SIGSTOP): posts do not notice, and hints flow again once it goes on."""

import asyncio

import pytest
from arq.connections import create_pool
from builders import a_statement
from servers import real_redis

from lrs.queue import Queue, redis_settings


@pytest.fixture
def paused_redis(tmp_path):
    server = real_redis(tmp_path)
    server.start()
    yield server
    server.go_on()
    server.stop()


async def test_a_post_is_answered_at_once_and_hints_come_back_while_redis_says_nothing(paused_redis, parts, monkeypatch):
    monkeypatch.setattr("lrs.queue.SENT_WITHIN_S", 0.3)
    monkeypatch.setattr("lrs.queue.AWAY_FOR_S", 0.3)
    queue = Queue(paused_redis.url)
    parts.intake._queue = queue
    await parts.post(a_statement())
    await asyncio.sleep(0.3)
    paused_redis.pause()
    for _ in range(3):
        async with asyncio.timeout(5):
            await parts.post(a_statement())
        await asyncio.sleep(0.3)
    assert not queue.reachable
    paused_redis.go_on()
    pool = await create_pool(redis_settings(paused_redis.url))
    await pool.flushdb()
    async with asyncio.timeout(10):
        while not await pool.zcard("arq:queue"):
            await parts.post(a_statement())
            await asyncio.sleep(0.1)
    await pool.aclose()
    await queue.close()


async def test_closing_does_not_wait_for_a_redis_that_says_nothing(paused_redis):
    queue = Queue(paused_redis.url)
    queue.announce(["school"])
    await asyncio.sleep(0.3)
    paused_redis.pause()
    queue.announce(["school"])
    await asyncio.sleep(0.3)
    async with asyncio.timeout(5):
        await queue.close()
