"""Whose turn it is to follow a log: a worker's, or that of whoever reads; and how often."""

import asyncio

import pytest
from builders import TALLY
from conftest import Parts
from rollup_builders import DAYS, at, counted

from lrs.follow import FEW
from lrs.queue import BETWEEN_S, MOMENT_S, Queue
from lrs.store.leases import Leases


@pytest.fixture
def process(database, config):
    """The parts of a process in which two materializers are installed."""
    return lambda: Parts.of(database, config, {each.name: each for each in (TALLY, DAYS)})


async def test_a_lease_is_kept_for_as_long_as_the_work_takes(process, monkeypatch):
    monkeypatch.setattr("lrs.store.leases.LEASE_S", 0.15)
    holder, other = Leases(process().database), Leases(process().database)
    async with holder.held("school", "follow") as ours:
        assert ours
        for _ in range(10):
            await asyncio.sleep(0.05)
            assert not await other.take("school", "follow")
    assert await other.take("school", "follow")


async def test_many_new_records_are_left_to_a_worker_that_gets_further(process, monkeypatch):
    monkeypatch.setattr("lrs.follow.LEFT_FOR_S", 1000)
    reader, worker = process(), process()
    worker.follower._hinted = True
    await worker.follower.settle("school")
    folded = []
    counted(reader.follower.folding, ["fold"], folded)
    await worker.post(*[at(1) for _ in range(FEW + 1)])
    reading = asyncio.create_task(reader.summaries.find("school", TALLY, {}))
    await asyncio.sleep(0.3)
    assert not reading.done()
    await worker.follower.follow("school")
    assert {summary.count for _, summary in await reading} == {FEW + 1}
    assert not folded
    await worker.post(*[at(1) for _ in range(FEW)])
    assert {summary.count for _, summary in await reader.summaries.find("school", TALLY, {})} == {2 * FEW + 1}
    assert folded


async def test_a_reader_that_no_worker_helps_does_it_itself(process):
    reader = process()
    await reader.follower.settle("school")
    await reader.post(*[at(1) for _ in range(3 * FEW)])
    assert {summary.count for _, summary in await reader.summaries.find("school", TALLY, {})} == {3 * FEW}


async def test_the_reads_of_one_answer_follow_the_log_once(process):
    parts, followed = process(), []
    await parts.post(at(1))
    await parts.follower.settle("school")
    await parts.post(at(2))
    counted(parts.watermark, ["through"], followed)
    _, summaries = await parts.summaries.brought_up("school")
    assert len(followed) == 1
    await parts.post(at(3))
    assert len(await summaries.find("school", DAYS, {})) == 2
    assert len(followed) == 1
    assert len(await parts.summaries.find("school", DAYS, {})) == 3
    assert len(followed) == 2


async def test_however_many_ask_at_whatever_moment_one_run_of_a_process_is_at_a_log(process):
    parts, under_way = process(), 0
    await parts.follower.settle("school")
    follow = parts.follower._follow

    async def alone(tenant):
        nonlocal under_way
        assert not under_way
        under_way += 1
        try:
            return await follow(tenant)
        finally:
            under_way -= 1

    async def ask(number):
        await asyncio.sleep(number / 1000)
        asking = asyncio.create_task(parts.follower.follow_once("school"))
        if number % 7 == 0:
            await asyncio.sleep(0.002)
            asking.cancel()
            await asyncio.wait([asking])
        else:
            await asking

    parts.follower._follow = alone
    await asyncio.gather(*(ask(number) for number in range(100)), parts.post(*[at(1) for _ in range(20)]))
    assert not parts.follower._flights


async def test_the_first_hint_comes_soon_and_those_after_it_at_intervals(monkeypatch):
    queue, waited, sent = Queue("redis://127.0.0.1:1"), [], []

    async def sleep(seconds):
        waited.append(seconds)

    async def enqueue(hints):
        sent.append([about for _, about, _ in hints])
        if len(sent) < 3:
            queue.announce(["school"])

    monkeypatch.setattr("lrs.queue.asyncio.sleep", sleep)
    queue._enqueue = enqueue
    queue.announce(["school"])
    await queue._sending
    assert sent == [[("school",)]] * 3
    assert waited[0] == MOMENT_S
    assert all(MOMENT_S < seconds <= BETWEEN_S for seconds in waited[1:])
