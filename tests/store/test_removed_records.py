"""After records were physically removed, summaries and lines are as if they had never been; whatever runs meanwhile."""

import asyncio
import random
from dataclasses import replace

import pytest
from builders import TALLY
from conftest import Parts
from rollup_builders import DAYS, Stopped, assert_all_is_right, at, erase, stops_after, total

from lrs.store.traces import remove_all_of


@pytest.fixture
def process(database, config):
    """The parts of a process in which these materializers are installed."""
    return lambda *materializers: Parts.of(database, config, {each.name: each for each in materializers or (DAYS, TALLY)})


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr("lrs.folding.CHUNK", 7)
    monkeypatch.setattr("lrs.building.CHUNK", 7)


async def assert_no_trace(parts, name):
    for collection in ("summaries", "lines"):
        async for each in parts.database[collection].find({}):
            assert f"{name}@" not in str(each), each


async def test_after_records_were_removed_nothing_of_them_is_in_summaries_or_lines(process):
    parts = process()
    await parts.post(*[at(number % 3, name) for number in range(9) for name in ("ada", "bob")])
    await parts.follower.settle("school")
    old = process(replace(DAYS, version=0))
    await old.follower.settle("school")
    await parts.rebuilder.build("school", "test.days")
    report, _ = stops_after(0)
    with pytest.raises(Stopped):
        await parts.rebuilder.build("school", report=report)
    assert await erase(parts, "ada") == 1  # of all summaries she was in, one is about others, too
    await assert_no_trace(parts, "ada")
    assert await total(parts) == 9
    await assert_all_is_right(parts)
    await parts.rebuilder.build("school")
    await assert_all_is_right(parts)


@pytest.mark.parametrize("new", [True, False], ids=["a cell that was not there", "one that was"])
async def test_a_follower_that_has_read_what_is_being_erased_does_not_bring_it_back(process, new):
    parts, slow = process(), process()
    if not new:
        await parts.post(at(1, "ada"), at(1, "bob"))
    await parts.follower.settle("school")
    await parts.post(at(1, "ada"), at(1, "bob"))
    fold, go_on, read = slow.follower.folding.fold, asyncio.Event(), asyncio.Event()

    async def fold_later(*given, **how):
        cells = await fold(*given, **how)
        slow.follower.folding.fold = fold
        read.set()
        await go_on.wait()
        return cells

    slow.follower.folding.fold = fold_later
    following = asyncio.create_task(slow.follower.follow("school"))
    await read.wait()
    await erase(parts, "ada")
    go_on.set()
    await following
    await assert_no_trace(parts, "ada")
    await assert_all_is_right(parts)


async def test_erasing_beside_followers_and_rebuilds_ends_right(process, small_chunks):
    parts, others = process(), [process() for _ in range(2)]
    names = ["ada", "bob", "eve", "joe"]
    await parts.post(*[at(number % 6, random.choice(names)) for number in range(60)])

    async def follow(other):
        for _ in range(8):
            await other.post(*[at(number, random.choice(["bob", "joe"])) for number in range(5)])
            await other.follower.settle("school")

    async def go_about_it():
        await erase(parts, "ada")
        await erase(parts, "eve")

    await asyncio.gather(*(follow(other) for other in others), process().rebuilder.build("school"), go_about_it())
    await parts.follower.settle("school")
    for name in ("ada", "eve"):
        await assert_no_trace(parts, name)
    await assert_all_is_right(parts)


async def test_a_follower_that_was_at_it_when_the_tenant_was_removed_leaves_nothing(process):
    parts = process()
    await parts.post(at(1))
    await parts.follower.settle("school")
    await parts.post(at(1), at(2))
    fold = parts.follower.folding.fold

    async def fold_late(*given, **how):
        cells = await fold(*given, **how)
        await remove_all_of("school", parts.database)
        return cells

    parts.follower.folding.fold = fold_late
    await parts.follower.follow("school")
    for name in ("summaries", "lines", "cursors", "records"):
        assert await parts.database[name].count_documents({}) == 0
