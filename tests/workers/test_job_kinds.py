"""What is told of all jobs of a kind: how many, for how long they wait, how long they take."""

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer

from lrs.app import create_app
from lrs.store.jobs import STATES, Ending, KeptJobs


@pytest.fixture
def kept(database):
    return KeptJobs(database)


async def test_of_each_kind_there_are_counts_the_oldest_that_waits_and_the_last_run(kept, database):
    now = datetime.now(UTC)
    assert await kept.kinds() == {}
    for minutes in (1, 2):
        waits = await kept.add("school", "dig", {"minutes": minutes})
        await database["jobs"].update_one({"_id": waits.id}, {"$set": {"created": now - timedelta(minutes=minutes)}})
    for ago, seconds in ((100, 7.0), (50, 3.0), (200, 99.0)):
        await kept.add(f"of {ago}", "fill", {})
        done = await kept.claim("worker", ["fill"])
        await kept.finish(done, Ending({}))
        ended = now - timedelta(seconds=ago)
        await database["jobs"].update_one({"_id": done.id}, {"$set": {"started": ended - timedelta(seconds=seconds), "ended": ended}})
    kinds = await kept.kinds()
    assert {kind: {state: count for state, count in told.states.items() if count} for kind, told in kinds.items()} == {
        "dig": {"waiting": 2}, "fill": {"done": 3},
    }
    assert set(kinds["dig"].states) == set(STATES)
    assert 120 <= kinds["dig"].oldest_waiting_s < 180
    assert (kinds["dig"].last_run_s, kinds["fill"].oldest_waiting_s, kinds["fill"].last_run_s) == (None, 0.0, 3.0)


async def test_a_job_that_is_tried_again_waits_since_then(kept, database):
    job = await kept.add("school", "dig", {})
    await database["jobs"].update_one({"_id": job.id}, {"$set": {"created": datetime.now(UTC) - timedelta(days=3)}})
    await kept.cancel("school", job.id)
    await kept.retry("school", job.id)
    assert (await kept.kinds())["dig"].oldest_waiting_s < 60


async def test_metrics_tell_of_each_kind_of_job_there_is(kept, config, database):
    await kept.add("school", "dig", {})
    async with TestClient(TestServer(create_app(config))) as client:
        text = await (await client.get("/metrics")).text()
    assert 'lrs_jobs_by_kind{kind="dig",state="waiting"} 1.0' in text
    assert 'lrs_jobs_by_kind{kind="dig",state="failed"} 0.0' in text
    assert 'lrs_jobs_oldest_waiting_seconds{kind="dig"}' in text
    assert 'lrs_jobs_last_run_seconds{kind="dig"}' not in text
