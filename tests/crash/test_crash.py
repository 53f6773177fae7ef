"""kill -9 of every process in turn, under load: what was acknowledged is there once, and every summary equals its recount."""

import asyncio
import contextlib
import os
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from load import CONTENT, LEARNERS, VERSION, Load, login
from servers import RealServer, real_mongod, real_redis

from lrs.embedded.ports import free_port
from lrs.embedded.process import Program

OPERATOR = login("operator", "operator-secret")
POSTER = login("poster", "poster-secret")
SCHOOL = {
    "facilities": {"harbour": {"id": "0" * 31 + "1", "name": "Harbour", "default": True}},
    "users": {
        name: {"id": f"{number:032x}", "username": name, "password": f"pw-{name}", "facility": "harbour", "kind": "learner"}
        for number, name in enumerate(LEARNERS, 10)
    },
}


@dataclass
class Deployment:
    """All processes of a small installation, each to be killed on its own."""

    mongod: RealServer
    redis: RealServer
    api: RealServer
    worker: RealServer

    @property
    def base_url(self) -> str:
        return self.api.url


async def is_ready(url: str) -> bool:
    def ask() -> bool:
        try:
            return bool(urllib.request.urlopen(f"{url}/readyz", timeout=2).status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return await asyncio.to_thread(ask)


async def at_once() -> bool:
    return True


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    mongod, redis, port = real_mongod(tmp_path / "mongod"), real_redis(tmp_path / "redis"), free_port()
    environment = {
        **os.environ, "LRS_MONGO_URL": mongod.url, "LRS_REDIS_URL": redis.url, "LRS_SECRET": "a-secret-for-tests",
        "LRS_OPERATOR": "operator:operator-secret",
    }

    def program(name: str, *options: str) -> Program:
        argv = (sys.executable, "-m", "lrs", name, *options)
        return Program(name, argv, stop_within=20, log=tmp_path / f"{name}.log", environment=environment)

    url = f"http://127.0.0.1:{port}"
    api = RealServer(program("serve", "--port", str(port)), url, lambda: is_ready(url))
    worker = RealServer(program("worker"), "", at_once)
    with contextlib.ExitStack() as stack:
        for server in (mongod, redis, api, worker):
            stack.callback(server.stop)
            server.start()
        yield Deployment(mongod, redis, api, worker)


async def provision(base_url: str) -> None:
    """A tenant with a credential and a school of three learners."""
    async with aiohttp.ClientSession(base_url=base_url, headers=OPERATOR) as session:
        for method, path, body in (
            ("PUT", "/manage/tenants/school", None),
            ("POST", "/manage/tenants/school/credentials",
             {"kind": "basic", "key": "poster", "secret": "poster-secret", "scopes": ["all"]}),
            ("PUT", "/manage/tenants/school/adapters/kolibri/reference/world", SCHOOL),
        ):
            async with session.request(method, path, json=body) as response:
                assert response.status in (200, 201, 204), await response.text()


async def walk(base_url: str) -> Counter[str]:
    """How often each statement comes when all of them are read, page by page."""
    found: Counter[str] = Counter()
    async with aiohttp.ClientSession(base_url=base_url, headers={**POSTER, **VERSION}) as session:
        path = "/xapi/statements?limit=200"
        while path:
            async with session.get(path) as response:
                assert response.status == 200, await response.text()
                page = await response.json()
            found.update(each["id"] for each in page["statements"])
            path = page.get("more", "")
    return found


async def verify(base_url: str) -> dict:
    async with aiohttp.ClientSession(base_url=base_url, headers=OPERATOR) as session:
        async with session.post("/manage/tenants/school/verify", json={"wait": True}) as response:
            assert response.status == 200, await response.text()
            return await response.json()


async def mastery_log(base_url: str, name: str) -> dict:
    query = {"content": CONTENT, "user": SCHOOL["users"][name]["id"]}
    async with aiohttp.ClientSession(base_url=base_url, headers=login(name, f"pw-{name}")) as session:
        async with session.get("/api/logger/masterylog/", params=query) as response:
            assert response.status == 200, await response.text()
            (log,) = await response.json()
            return log


@pytest.mark.parametrize("victims", [("api", "worker", "mongod", "redis", "api", "mongod")])
async def test_nothing_acknowledged_is_lost_or_doubled_whatever_is_killed(deployment, victims):
    await provision(deployment.base_url)
    load = Load(deployment.base_url, seed=1)
    running = asyncio.create_task(load.run(POSTER, clients=8, at_most_s=120))
    for victim in victims:
        await asyncio.sleep(1.0)
        server = getattr(deployment, victim)
        server.kill()
        await asyncio.sleep(0.3)
        await asyncio.to_thread(server.start)
    await asyncio.sleep(1.0)
    load.stop()
    await running
    promises = load.promises
    assert promises.refusals == []

    found = await walk(deployment.base_url)
    assert max(found.values()) == 1
    missing = [each for batch in promises.acknowledged for each in batch if each not in found]
    assert missing == []
    assert len(promises.acknowledged) > 50
    halves = [batch for batch in promises.sent if 0 < sum(each in found for each in batch) < len(batch)]
    assert halves == []

    report = await verify(deployment.base_url)
    assert report["different"] == []
    assert report["checked"] > 0
    for name in LEARNERS:
        log = await mastery_log(deployment.base_url, name)
        assert promises.updates_acknowledged[name] <= log["time_spent"] <= promises.updates_sent[name]
        assert log["correct"] == log["time_spent"]
