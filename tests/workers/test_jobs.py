"""Jobs: taken once, carried out whole, given up by nobody, and told of as they are."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from builders import TALLY, a_statement
from working import working

from lrs.errors import JobNotInState, NotFound, StoreUnavailable
from lrs.jobs import JobLost, Jobs, Running
from lrs.queue import Queue
from lrs.store.jobs import Ending, KeptJobs
from workers.jobs import MOST_TRIES


@pytest.fixture
async def jobs(database, config):
    queue = Queue(config.redis_url)
    yield Jobs(KeptJobs(database), queue)
    await queue.close()


@pytest.fixture
def kept(database):
    return KeptJobs(database)


@pytest.fixture
def carried_out(config):
    """A worker whose only kind of job is "dig"."""
    @asynccontextmanager
    async def work(dig: Callable[[Any, Running], Any], at_once: int = 2):
        async with working(config, {"dig": dig}, {TALLY.name: TALLY}, at_once) as services:
            yield services

    return work


async def lease_runs_out(database, job_id):
    await database["jobs"].update_one({"_id": job_id}, {"$set": {"pause_ms": 0}})


async def test_a_job_ends_with_what_its_task_gives(jobs, carried_out):
    async def dig(_services, running):
        await running.advance(3, 4)
        return {"deep": running.job.arguments["deep"]}

    job = await jobs.start("school", "dig", {"deep": 7})
    assert (job.state, job.tries) == ("waiting", 0)
    async with carried_out(dig):
        job = await jobs.over(job, 10)
    assert (job.state, job.result, job.done, job.total, job.error) == ("done", {"deep": 7}, 3, 4, None)
    assert job.created <= job.started <= job.ended


async def test_the_same_job_is_not_started_twice_while_it_waits(jobs, kept):
    first, second = await jobs.start("school", "dig", {"deep": 1}), await jobs.start("school", "dig", {"deep": 1})
    other, elsewhere = await jobs.start("school", "dig", {"deep": 2}), await jobs.start("other", "dig", {"deep": 1})
    assert first.id == second.id and len({first.id, other.id, elsewhere.id}) == 3
    await kept.claim("somebody", ["dig"])
    assert (await jobs.start("school", "dig", {"deep": 1})).id != first.id


async def test_of_many_workers_one_has_a_job(database, jobs):
    for _ in range(20):
        await jobs.start(str(uuid.uuid4()), "dig", {})
    claimed = await asyncio.gather(*(KeptJobs(database).claim(f"worker {number}", ["dig"]) for number in range(40)))
    ids = [job.id for job in claimed if job]
    assert len(ids) == len(set(ids)) == 20


async def test_one_job_of_a_kind_runs_for_a_tenant_and_those_of_others_do_not_wait_for_it(jobs, kept):
    mine = [await jobs.start("school", "dig", {"deep": number}) for number in range(3)]
    other = await jobs.start("other", "dig", {})
    assert (await kept.claim("a", ["dig", "fill"])).id == mine[0].id
    assert (await kept.claim("b", ["dig", "fill"])).id == other.id
    assert await kept.claim("c", ["dig", "fill"]) is None
    fill = await jobs.start("school", "fill", {})
    assert (await kept.claim("c", ["dig", "fill"])).id == fill.id


async def test_a_job_whose_worker_is_gone_goes_on_from_its_checkpoint_elsewhere(database, jobs, kept, carried_out):
    job = await jobs.start("school", "dig", {})
    lost = Running(await kept.claim("lost", ["dig"]), kept)
    await lost.advance(2, 5, {"at": 2}, keep=True)
    assert await kept.claim("another", ["dig"]) is None
    await lease_runs_out(database, job.id)
    seen = []

    async def dig(_services, running):
        seen.append(running.checkpoint)
        return {}

    async with carried_out(dig):
        assert (await jobs.over(job, 10)).state == "done"
    assert seen == [{"at": 2}]
    with pytest.raises(JobLost):
        await lost.save()


async def test_a_lease_is_renewed_whatever_the_task_does_meanwhile(database, jobs, carried_out, monkeypatch):
    monkeypatch.setattr("workers.jobs.RENEWED_EVERY_S", 0.05)
    monkeypatch.setattr("lrs.store.jobs.LEASE_S", 0.5)
    begun = []

    async def dig(_services, _running):
        begun.append(1)
        await asyncio.sleep(2)
        return {}

    job = await jobs.start("school", "dig", {})
    async with carried_out(dig), carried_out(dig):
        assert (await jobs.over(job, 10)).state == "done"
    assert len(begun) == 1


async def test_what_fails_is_tried_again_and_then_dead_and_can_be_retried(database, jobs, carried_out, monkeypatch):
    monkeypatch.setattr("workers.jobs.LONGEST_PAUSE_S", 0.01)
    tries, mended = [], []

    async def dig(_services, running):
        tries.append(running.checkpoint)
        if not mended:
            raise ZeroDivisionError("the spade broke")
        return {"deep": 1}

    job = await jobs.start("school", "dig", {})
    async with carried_out(dig):
        job = await jobs.over(job, 20)
        assert (job.state, job.error) == ("failed", {"type": "ZeroDivisionError", "message": "the spade broke"})
        assert len(tries) == job.tries == MOST_TRIES
        assert [each.id for each in (await jobs.list("school", "failed"))[0]] == [job.id]
        mended.append(1)
        job = await jobs.over(await jobs.retry("school", job.id), 10)
    assert (job.state, job.result, job.error) == ("done", {"deep": 1}, None)


async def test_a_job_that_gets_further_each_time_never_counts_as_dead(jobs, carried_out, monkeypatch):
    monkeypatch.setattr("workers.jobs.LONGEST_PAUSE_S", 0.01)

    async def dig(_services, running):
        deep = (running.checkpoint or 0) + 1
        await running.advance(deep, checkpoint=deep, keep=True)
        if deep < 3 * MOST_TRIES:
            raise StoreUnavailable("an election")
        return {"deep": deep}

    job = await jobs.start("school", "dig", {})
    async with carried_out(dig):
        assert (await jobs.over(job, 20)).result == {"deep": 3 * MOST_TRIES}


async def test_a_job_that_kills_its_worker_every_time_is_dead_in_the_end(database, jobs, kept, carried_out):
    job = await jobs.start("school", "dig", {})
    for number in range(MOST_TRIES):
        assert await kept.claim(f"worker {number}", ["dig"])
        await lease_runs_out(database, job.id)

    async def dig(_services, _running):
        raise AssertionError("nobody digs here any more")

    async with carried_out(dig):
        job = await jobs.over(job, 10)
    assert job.state == "failed" and "lost" in job.error["message"]


async def test_what_cannot_be_is_not_tried_again(jobs, carried_out):
    async def dig(_services, _running):
        raise NotFound("there is no ground")

    job = await jobs.start("school", "dig", {})
    async with carried_out(dig):
        job = await jobs.over(job, 10)
    assert (job.state, job.tries, job.error["type"]) == ("failed", 1, "NotFound")


async def test_a_cancelled_job_stops_within_a_moment_and_can_go_on(jobs, carried_out, monkeypatch):
    monkeypatch.setattr("workers.jobs.RENEWED_EVERY_S", 0.05)
    begun, stopped, may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def dig(_services, running):
        await running.advance(1, checkpoint="here", keep=True)
        begun.set()
        try:
            await may_end.wait()
        finally:
            stopped.set()
        return {"from": running.checkpoint}

    job = await jobs.start("school", "dig", {})
    async with carried_out(dig):
        await asyncio.wait_for(begun.wait(), 10)
        assert (await jobs.cancel("school", job.id)).state == "cancelled"
        await asyncio.wait_for(stopped.wait(), 10)
        with pytest.raises(JobNotInState):
            await jobs.cancel("school", job.id)
        may_end.set()
        assert (await jobs.over(await jobs.retry("school", job.id), 10)).result == {"from": "here"}


async def test_a_worker_that_ends_gives_its_jobs_back_at_once(jobs, carried_out):
    begun = asyncio.Event()

    async def dig(_services, running):
        await running.advance(1, checkpoint={"at": 1}, keep=True)
        begun.set()
        await asyncio.sleep(60)

    job = await jobs.start("school", "dig", {})
    async with carried_out(dig):
        await asyncio.wait_for(begun.wait(), 10)
    job = await jobs.get("school", job.id)
    assert (job.state, job.holder, job.checkpoint, job.error) == ("waiting", None, {"at": 1}, None)


async def test_no_more_jobs_run_at_once_than_a_worker_is_told(jobs, carried_out):
    now, most = [], []

    async def dig(_services, _running):
        now.append(1)
        most.append(len(now))
        await asyncio.sleep(0.05)
        now.pop()
        return {}

    started = [await jobs.start(f"school {number}", "dig", {}) for number in range(10)]
    async with carried_out(dig, at_once=3):
        for job in started:
            assert (await jobs.over(job, 10)).state == "done"
    assert max(most) == 3


async def test_pages_of_jobs_hold_each_once_latest_first(jobs, monkeypatch):
    monkeypatch.setattr("lrs.jobs.MOST_IN_A_PAGE", 4)
    started = [(await jobs.start("school", "dig", {"deep": number})).id for number in range(10)]
    await jobs.start("other", "dig", {})
    found, after = [], None
    while True:
        page, after = await jobs.list("school", None, after)
        found += [each.id for each in page]
        if after is None:
            break
    assert found == sorted(started, reverse=True)


async def test_nothing_of_a_job_is_seen_by_another_tenant(jobs):
    job = await jobs.start("school", "dig", {})
    for ask in (jobs.get, jobs.cancel, jobs.retry):
        with pytest.raises(NotFound):
            await ask("other", job.id)
    assert await jobs.list("other") == ([], None)


async def test_an_ending_may_take_the_place_of_the_arguments_and_be_kept_for_ever(database, jobs, carried_out):
    async def dig(_services, running):
        await running.advance(1, checkpoint={"of": running.job.arguments["of"]}, keep=True)
        return Ending({"removed": 1}, arguments={"of": "a digest"}, forgotten=False)

    job = await jobs.start("school", "dig", {"of": "a person"})
    async with carried_out(dig):
        await jobs.over(job, 10)
    document = await database["jobs"].find_one({"_id": job.id})
    assert "a person" not in str(document) and "expires" not in document


async def test_a_rate_bounds_what_a_task_does_in_a_second(jobs, kept):
    await jobs.start("school", "dig", {"per_second": 100})
    running, loop = Running(await kept.claim("a", ["dig"]), kept), asyncio.get_running_loop()
    began = loop.time()
    for _ in range(10):
        await running.pace(5)
    assert loop.time() - began >= 0.45


async def test_rebuild_and_verify_are_jobs(parts, jobs, config):
    await parts.post(*(a_statement() for _ in range(5)))
    async with working(config, materializers={TALLY.name: TALLY}):
        rebuilt = await jobs.over(await jobs.start("school", "rebuild", {}), 10)
        verified = await jobs.over(await jobs.start("school", "verify", {}), 10)
    assert rebuilt.result == {"rebuilt": {TALLY.name: 2}}
    assert verified.result == {"checked": 2, "lines": 0, "different": [], "more": 0}
    assert (rebuilt.done, rebuilt.total, verified.done, verified.total) == (5, 5, 2, 2)
