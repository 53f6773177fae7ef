"""Redis is a hint: it is wiped, silenced and killed beside posts and two workers, and summaries are right again by themselves."""

import asyncio
import time

import aiohttp
import pytest
from builders import learner
from load import Load
from pymongo import MongoClient
from redis import Redis
from servers import RealServer
from test_crash import OPERATOR, POSTER, at_once, deployment, provision, verify
from test_jobs import SCHOOL, fill, manage, until

__all__ = ["deployment"]

RIGHT_WITHIN_S = 60


@pytest.fixture
def second_worker(deployment):
    worker = RealServer(deployment.worker.program, "", at_once)
    worker.start()
    yield worker
    worker.stop()


def is_followed(deployment) -> bool:
    """Whether all cursors are at the end of the log, as they lie in the database: nobody reads, so no reader helps."""
    with MongoClient(deployment.mongod.url) as client:
        found = client["lrs"]["cursors"].find_one({"_id": "school"}) or {}
        last = client["lrs"]["records"].find_one({"tenant": "school"}, sort=[("position", -1)])
        positions = found.get("positions", {})
        return bool(positions) and bool(last) and min(positions.values()) >= last["position"]


async def right_again(deployment) -> None:
    """Wait until all that was posted is followed, without reading any summary."""
    began = time.monotonic()
    while not await asyncio.to_thread(is_followed, deployment):
        assert time.monotonic() - began < RIGHT_WITHIN_S
        await asyncio.sleep(0.25)


async def test_summaries_are_right_again_whatever_becomes_of_redis(deployment, second_worker):
    await provision(deployment.base_url)
    load = Load(deployment.base_url, seed=3)
    running = asyncio.create_task(load.run(POSTER, clients=4, at_most_s=120))
    redis = Redis.from_url(deployment.redis.url)
    await asyncio.sleep(2)
    for _ in range(3):
        redis.flushall()
        await asyncio.sleep(0.7)
    deployment.redis.pause()
    await asyncio.sleep(4)
    deployment.redis.go_on()
    await asyncio.sleep(1)
    deployment.redis.kill()
    await asyncio.sleep(3)
    await asyncio.to_thread(deployment.redis.start)
    await asyncio.sleep(1)
    load.stop()
    await running
    assert load.promises.refusals == [] and len(load.promises.acknowledged) > 20
    await right_again(deployment)
    assert (await verify(deployment.base_url))["different"] == []
    # By then nothing is left in Redis that would stay for ever.
    for_ever = [key for key in redis.scan_iter("*") if redis.ttl(key) == -1]
    assert [key for key in for_ever if key != b"arq:queue"] == [] and redis.zcard("arq:queue") < 2_000


@pytest.mark.parametrize("silent", [False, True], ids=["stopped", "silent"])
async def test_a_worker_follows_and_works_while_there_is_no_redis(deployment, silent):
    await provision(deployment.base_url)
    await fill(deployment, 500, lambda number: f"learner-{number % 9}")
    await right_again(deployment)
    if silent:
        deployment.redis.pause()
    else:
        deployment.redis.kill()
    await fill(deployment, 500, lambda number: f"learner-{number % 9}")
    await right_again(deployment)
    job = await manage(deployment, "POST", f"{SCHOOL}/erase", {"actor": learner("learner-1")})

    async def over():
        found = job if "removed" in job else await manage(deployment, "GET", f"{SCHOOL}/jobs/{job['id']}")
        return "removed" in found or found["state"] == "done"

    await until(over)
    if silent:
        deployment.redis.go_on()


async def test_the_doctor_tells_of_a_worker_that_is_gone(deployment):
    async with aiohttp.ClientSession(base_url=deployment.base_url, headers=OPERATOR) as session:
        async def states():
            async with session.get("/manage/doctor") as answer:
                return {each["name"]: each["state"] for each in (await answer.json())["checks"]}

        async def well():
            return (await states()).get("workers") == "ok"

        async def ill():
            return (await states()).get("workers") == "bad"

        await until(well)
        deployment.worker.kill()
        await until(ill)
        async with session.get("/metrics") as answer:
            assert "lrs_workers 0.0" in await answer.text()
