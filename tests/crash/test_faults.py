"""A replica set of three and two API processes under load, while the primary, an API process and Redis fail in turn."""

import asyncio
import contextlib
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from load import VERSION, Load
from replica_set import RealReplicaSet
from servers import READY_WITHIN_S, RealServer, real_redis
from test_crash import POSTER, at_once, is_ready, provision, verify, walk

from lrs.embedded.ports import free_port
from lrs.embedded.process import Program
from lrs.xapi.times import parse_timestamp

CONSISTENT_THROUGH = "X-Experience-API-Consistent-Through"
# What a fault lasts, and how long all is well between two of them, in seconds.
LASTS_S, BETWEEN_S = 3.0, 0.7


@dataclass
class Cluster:
    """A small installation of which every part can fail by itself."""

    mongo: RealReplicaSet
    redis: RealServer
    apis: list[RealServer]

    async def hand_over(self) -> None:
        await asyncio.to_thread(self.mongo.step_down)
        await asyncio.sleep(LASTS_S)

    async def kill_primary(self) -> None:
        primary = await asyncio.to_thread(self.mongo.primary)
        primary.kill()
        await asyncio.sleep(LASTS_S)
        await asyncio.to_thread(primary.start)

    async def pause_api(self) -> None:
        await self._paused(self.apis[0])

    async def pause_redis(self) -> None:
        await self._paused(self.redis)

    async def _paused(self, server: RealServer) -> None:
        server.pause()
        await asyncio.sleep(LASTS_S)
        server.go_on()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    mongo, redis = RealReplicaSet(tmp_path / "mongo"), real_redis(tmp_path / "redis")
    environment = {
        **os.environ, "LRS_MONGO_URL": mongo.url, "LRS_REDIS_URL": redis.url, "LRS_SECRET": "a-secret-for-tests",
        "LRS_OPERATOR": "operator:operator-secret",
    }

    def server(name: str, command: str, *options: str, url: str = "") -> RealServer:
        argv = (sys.executable, "-m", "lrs", command, *options)
        program = Program(name, argv, stop_within=20, log=tmp_path / f"{name}.log", environment=environment)
        return RealServer(program, url, (lambda: is_ready(url)) if url else at_once)

    def api(number: int) -> RealServer:
        port = free_port()
        return server(f"api{number}", "serve", "--port", str(port), url=f"http://127.0.0.1:{port}")

    with contextlib.ExitStack() as stack:
        apis = [api(1), api(2)]
        for each in (mongo, redis, *apis, server("worker", "worker")):
            stack.callback(each.stop)
            each.start()
        yield Cluster(mongo, redis, apis)


@dataclass
class Reader:
    """Follows the store by `since`, and takes of every answer only what it is told is all there is up to then."""

    urls: list[str]
    since: str = "2020-01-01T00:00:00Z"
    seen: set[str] = field(default_factory=set)
    rounds: int = 0

    async def follow(self, stopped_us: asyncio.Future[int]) -> None:
        """Round after round, at one process after the other, until it has been told of all there was when it was stopped."""
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(headers={**POSTER, **VERSION}, timeout=timeout) as session:
            while not stopped_us.done() or parse_timestamp(self.since) < stopped_us.result():
                await self._round(session, self.urls[self.rounds % len(self.urls)])
                await asyncio.sleep(0.02)

    async def _round(self, session: aiohttp.ClientSession, base_url: str) -> None:
        """One walk from where the last one ended; if it breaks off, the next one begins there again."""
        self.rounds += 1
        path: str | None = f"/xapi/statements?ascending=true&limit=100&since={self.since}"
        through, found = "", {}
        while path:
            try:
                async with session.get(base_url + path) as response:
                    if response.status != 200:
                        return
                    page, through = await response.json(), through or response.headers[CONSISTENT_THROUGH]
            except (aiohttp.ClientError, OSError, TimeoutError):
                return
            found |= {each["id"]: parse_timestamp(each["stored"]) for each in page["statements"]}
            path = page.get("more")
        if parse_timestamp(through) > parse_timestamp(self.since):
            self.seen |= {each for each, stored in found.items() if stored <= parse_timestamp(through)}
            self.since = through


async def in_turn(faults: list[Callable[[], Awaitable[None]]]) -> None:
    for fault in faults:
        await asyncio.sleep(BETWEEN_S)
        await fault()
    await asyncio.sleep(BETWEEN_S)


@pytest.mark.parametrize("seed", [int(os.environ.get("LRS_TEST_SEED", "1"))])
async def test_whatever_fails_promises_are_kept_and_a_follower_misses_nothing(cluster, seed):
    urls = [each.url for each in cluster.apis]
    await provision(urls[0])
    loads = [Load(url, seed=seed + number) for number, url in enumerate(urls)]
    running = [asyncio.create_task(load.run(POSTER, clients=4, at_most_s=60)) for load in loads]
    reader, stopped_us = Reader(urls), asyncio.get_running_loop().create_future()
    following = asyncio.create_task(reader.follow(stopped_us))
    faults = [cluster.hand_over, cluster.kill_primary, cluster.pause_api, cluster.pause_redis]
    random.Random(seed).shuffle(faults)
    await in_turn(faults)
    for load in loads:
        load.stop()
    await asyncio.gather(*running)
    stopped_us.set_result(time.time_ns() // 1000)
    await asyncio.wait_for(following, READY_WITHIN_S)

    assert [load.promises.refusals for load in loads] == [[], []]
    acknowledged = [batch for load in loads for batch in load.promises.acknowledged]
    assert len(acknowledged) > 50
    found = await walk(urls[1])
    assert max(found.values()) == 1
    assert [each for batch in acknowledged for each in batch if each not in found] == []
    sent = [batch for load in loads for batch in load.promises.sent]
    assert [batch for batch in sent if 0 < sum(each in found for each in batch) < len(batch)] == []
    assert set(found) - reader.seen == set()
    report = await verify(urls[1])
    assert report["checked"] > 0
    assert report["different"] == []
