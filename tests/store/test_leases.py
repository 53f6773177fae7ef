"""Several processes that keep up summaries do the work once; should one of them be killed, the next takes over."""

import asyncio

import pytest
from builders import TALLY, a_statement
from conftest import Parts
from rollup_builders import DAYS, assert_all_is_right, at, total

from lrs.errors import StoreUnavailable
from lrs.folding import CHUNK_BYTES
from lrs.store.cursors import Cursors
from lrs.store.leases import Leases
from lrs.store.positions import LAST


@pytest.fixture
def process(database, config):
    """The parts of a process in which these materializers are installed."""
    return lambda: Parts.of(database, config, {each.name: each for each in (DAYS, TALLY)})


class Counted:
    """How many records were folded, by all of these processes."""

    def __init__(self, *processes):
        self.records = 0
        for each in processes:
            each.follower.folding.fold = self._counting(each.follower.folding.fold)

    def _counting(self, fold):
        async def counting(chunk, *given, **how):
            self.records += len(chunk.records)
            return await fold(chunk, *given, **how)

        return counting


async def test_processes_that_follow_at_once_fold_each_record_once(process, monkeypatch):
    monkeypatch.setattr("lrs.folding.CHUNK", 10)
    processes = [process() for _ in range(4)]
    await processes[0].follower.settle("school")
    counted = Counted(*processes)
    for _ in range(3):
        await processes[0].post(*[at(number % 7) for number in range(40)])
        await asyncio.gather(*(each.follower.settle("school") for each in processes), *(total(each) for each in processes))
    assert counted.records == 120
    assert await total(processes[3]) == 120
    await assert_all_is_right(processes[1])


async def test_processes_that_build_at_once_fold_each_record_once(process, monkeypatch):
    monkeypatch.setattr("lrs.folding.CHUNK", 10)
    monkeypatch.setattr("lrs.building.LOOKS_EVERY_S", 0.01)
    processes = [process() for _ in range(3)]
    await processes[0].post(*[at(number % 7) for number in range(40)])
    counted = Counted(*processes)
    await asyncio.gather(*(each.follower.settle("school") for each in processes))
    assert counted.records == 40
    await asyncio.gather(*(each.rebuilder.build("school") for each in processes))
    assert counted.records == 80
    await assert_all_is_right(processes[0])


def before_it_begins(process, do):
    """The process asks for what it is to make, and somebody does this before it has said that it begins."""
    cursors = process.follower.builder._cursors
    begin = cursors.begin

    async def begin_late(*given):
        cursors.begin = begin
        await do()
        await begin(*given)

    cursors.begin = begin_late


async def test_who_hears_only_after_a_rebuild_that_another_began_it_does_not_do_it_again(process):
    quick, slow = process(), process()
    await quick.post(*[at(number % 7) for number in range(40)])
    await quick.follower.settle("school")
    counted = Counted(quick, slow)
    before_it_begins(slow, lambda: quick.rebuilder.build("school"))
    made = await slow.rebuilder.build("school")
    assert counted.records == 40
    assert made == sum([await quick.saved.count("school", each) for each in await current(quick)])
    # Whoever asks afterwards means it.
    await slow.rebuilder.build("school")
    assert counted.records == 80
    await assert_all_is_right(slow)


async def current(process):
    cursor = await Cursors(process.database).read("school")
    return [cursor.current(each) for each in (DAYS, TALLY)]


async def test_who_hears_only_after_the_first_summaries_that_another_made_them_does_not_make_them_again(process):
    quick, slow = process(), process()
    await quick.post(*[at(number % 7) for number in range(40)])
    counted = Counted(quick, slow)
    before_it_begins(slow, lambda: quick.follower.settle("school"))
    await slow.follower.settle("school")
    assert counted.records == 40
    assert await current(slow) == [DAYS, TALLY]
    await assert_all_is_right(slow)


async def test_what_another_made_between_seeing_that_it_is_missing_and_asking_for_it_is_not_made_again(process):
    quick, slow = process(), process()
    await quick.post(*[at(number % 7) for number in range(40)])
    counted = Counted(quick, slow)
    build = slow.follower.builder.build

    async def build_late(*given, **how):
        await quick.follower.settle("school")
        return await build(*given, **how)

    slow.follower.builder.build = build_late
    await slow.follower.settle("school")
    assert counted.records == 40
    assert await current(slow) == [DAYS, TALLY]


async def test_a_rebuild_that_another_fault_made_begin_late_is_made_all_the_same(process):
    parts = process()
    await parts.post(*[at(number % 7) for number in range(40)])
    await parts.follower.settle("school")
    counted = Counted(parts)
    before_it_begins(parts, lambda: Cursors(parts.database).supersede("school"))
    await parts.rebuilder.build("school")
    assert counted.records == 40


async def test_whoever_is_killed_at_it_is_replaced_when_the_lease_runs_out(process, monkeypatch):
    monkeypatch.setattr("lrs.store.leases.LEASE_S", 0.3)
    parts = process()
    await parts.follower.settle("school")
    await parts.post(at(1), at(2))
    assert await Leases(parts.database).take("school", "follow")
    assert await total(parts) == 2


async def test_a_lease_that_is_prolonged_stays_with_its_holder(database, monkeypatch):
    monkeypatch.setattr("lrs.store.leases.LEASE_S", 0.3)
    holder, other = Leases(database), Leases(database)
    for _ in range(4):
        assert await holder.take("school", "follow")
        assert not await other.take("school", "follow")
        await asyncio.sleep(0.15)
    await other.give_back("school", "follow")
    assert not await other.take("school", "follow")
    assert await other.take("school", "build")
    assert await other.take("another", "follow")
    await holder.give_back("school", "follow")
    assert await other.take("school", "follow")


async def test_a_reader_waits_for_who_is_at_it_and_does_not_do_it_again(process):
    busy, reader = process(), process()
    await busy.follower.settle("school")
    await busy.post(at(1), at(2))
    counted = Counted(reader)
    write, writing, go_on = busy.saved.write, asyncio.Event(), asyncio.Event()

    async def write_later(*given):
        writing.set()
        await go_on.wait()
        return await write(*given)

    busy.saved.write = write_later
    following = asyncio.create_task(busy.follower.follow("school"))
    await writing.wait()
    reading = asyncio.create_task(total(reader))
    await asyncio.sleep(0.2)
    assert not reading.done()
    go_on.set()
    assert await reading == 2
    await following
    assert counted.records == 0


async def test_a_reader_is_told_to_come_back_when_who_is_at_it_gets_nowhere(process, monkeypatch):
    monkeypatch.setattr("lrs.follow.PATIENCE_S", 0.2)
    parts = process()
    await parts.follower.settle("school")
    await parts.post(at(1))
    stuck = Leases(parts.database)
    assert await stuck.take("school", "follow")
    with pytest.raises(StoreUnavailable):
        await total(parts)
    await stuck.give_back("school", "follow")
    assert await total(parts) == 1


async def test_nothing_is_written_for_who_asks_again_when_nothing_is_new(process):
    parts = process()
    await parts.post(at(1))
    assert await total(parts) == 1
    before = await parts.database["cursors"].find_one({"_id": "school"})
    assert await total(parts) == 1
    assert await parts.database["cursors"].find_one({"_id": "school"}) == before


async def test_a_chunk_is_bounded_by_bytes_too(process):
    parts = process()
    long = "x" * (CHUNK_BYTES // 300)
    await parts.post(*[a_statement(result={"response": long}) for _ in range(400)])
    await parts.post(*[a_statement(result={"response": long}) for _ in range(400)])
    chunk = await parts.follower.folding.next("school", -1, LAST)
    assert 250 <= len(chunk.records) <= 500
    assert chunk.end == chunk.records[-1]["position"]
    rest = await parts.follower.folding.next("school", chunk.end, LAST)
    assert rest.records[0]["position"] > chunk.end
    await parts.follower.settle("school")
    assert await total(parts) == 800
