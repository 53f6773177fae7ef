"""kill -9 of the worker amid a job: another goes on from where it was, and the outcome is as if nothing had happened."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from builders import a_statement, learner
from load import VERSION
from pymongo import MongoClient
from test_crash import OPERATOR, POSTER, deployment, provision, verify, walk

__all__ = ["deployment"]

SCHOOL = "/manage/tenants/school"
# What a process that was killed amid a transaction was changing, MongoDB keeps from others for a minute.
WITHIN_S = 180


async def manage(deployment: Any, method: str, path: str, body: Any = None) -> Any:
    async with aiohttp.ClientSession(base_url=deployment.base_url, headers=OPERATOR) as session:
        async with session.request(method, path, json=body) as response:
            assert response.status < 300, await response.text()
            return await response.json()


async def fill(deployment: Any, count: int, name: Callable[[int], str]) -> None:
    """Statements of learners about activities, in batches."""
    async with aiohttp.ClientSession(base_url=deployment.base_url, headers={**POSTER, **VERSION}) as session:
        for first in range(0, count, 500):
            batch = [
                a_statement(actor=learner(name(number)), object={"id": f"https://school.example.org/activities/{number % 97}"})
                for number in range(first, first + 500)
            ]
            async with session.post("/xapi/statements", json=batch) as response:
                assert response.status == 200, await response.text()


async def until(ask: Callable[[], Awaitable[Any]]) -> Any:
    """What is asked for, once it is there."""
    async with asyncio.timeout(WITHIN_S):
        while not (found := await ask()):
            await asyncio.sleep(0.02)
    return found


async def job_once(deployment: Any, job: str, good: Callable[[Any], bool]) -> Any:
    """A job once it is as it should be."""
    async def ask() -> Any:
        now = await manage(deployment, "GET", f"{SCHOOL}/jobs/{job}")
        return now if good(now) else None

    return await until(ask)


async def killed_amid(deployment: Any, job: str, times: int) -> Any:
    """Kill the worker so many times while it has the job; the job once it is over."""
    for number in range(times):
        await job_once(deployment, job, lambda now, least=number: now["state"] == "running" and now["done"] > least)
        deployment.worker.kill()
        assert (await manage(deployment, "GET", f"{SCHOOL}/jobs/{job}"))["state"] == "running"
        await asyncio.to_thread(deployment.worker.start)
    return await job_once(deployment, job, lambda now: now["state"] in ("done", "failed"))


async def test_a_rebuild_survives_kill_9_of_its_worker_again_and_again(deployment):
    await provision(deployment.base_url)
    await fill(deployment, 1_000, lambda number: f"learner-{number % 50}")
    await manage(deployment, "POST", f"{SCHOOL}/settle")
    job = await manage(deployment, "POST", f"{SCHOOL}/rebuild", {"per_second": 200})
    job = await killed_amid(deployment, job["id"], 2)
    assert (job["state"], job["error"]) == ("done", None)
    assert (await verify(deployment.base_url))["different"] == []


async def test_an_erasure_survives_kill_9_of_its_worker_again_and_again_and_counts_each_thing_once(deployment):
    await provision(deployment.base_url)
    await fill(deployment, 3_000, lambda number: "ada" if number % 2 else f"learner-{number % 50}")
    await manage(deployment, "POST", f"{SCHOOL}/settle")
    before = await walk(deployment.base_url)
    job = await manage(deployment, "POST", f"{SCHOOL}/erase", {"actor": learner("ada"), "per_second": 300})
    job = await killed_amid(deployment, job["id"], 3)
    assert (job["state"], job["error"]) == ("done", None)
    assert job["result"]["removed"]["statements"] == 1_500
    after = await walk(deployment.base_url)
    assert (len(before), len(after)) == (3_000, 1_500)
    assert (await verify(deployment.base_url))["different"] == []
    with MongoClient(deployment.mongod.url) as client:
        left = [f"{name}: {each}" for name in client["lrs"].list_collection_names() for each in client["lrs"][name].find({})]
    assert [each for each in left if "ada@" in each] == []
    assert not [each for each in left if each.startswith("removals")]
