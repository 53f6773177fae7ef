"""A rebuild makes a generation of its own beside live traffic: it goes on where it was stopped, and readers see the old one or the new."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import TALLY
from conftest import Parts
from rollup_builders import DAYS, Stopped, assert_all_is_right, at, stops_after, total

from lrs.building import Pace
from lrs.materialize import Line
from lrs.store.cursors import Cursors
from lrs.store.editions import GRACE, Leftover

ADA = "mailto:ada@school.example.org"


@pytest.fixture
def process(database, config):
    """The parts of a process in which these materializers are installed."""
    return lambda *materializers: Parts.of(database, config, {each.name: each for each in materializers or (DAYS, TALLY)})


async def current(parts, materializer=DAYS):
    return (await Cursors(parts.database).read("school")).current(materializer).edition


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr("lrs.folding.CHUNK", 7)
    monkeypatch.setattr("lrs.building.CHUNK", 7)


async def test_a_rebuild_that_was_stopped_anywhere_goes_on_where_it_was(process, small_chunks):
    parts = process()
    await parts.post(*[at(number % 5, random.choice(["ada", "bob"])) for number in range(40)])
    await parts.follower.settle("school")
    before, reached = await current(parts), 0
    for stop in (0, 7, 21, 28):
        report, heard = stops_after(stop)
        with pytest.raises(Stopped):
            await process().rebuilder.build("school", report=report)
        assert heard[0] == (reached, 40)
        reached = heard[-1][0]
        assert await current(parts) == before
        await parts.post(at(1))
        await parts.database["records"].delete_one({"statement.timestamp": "never"})
        await parts.database["records"].delete_many({"position": await last_position(parts)})
    report, heard = stops_after(1_000)
    made = await process().rebuilder.build("school", report=report)
    assert made == await parts.database["summaries"].count_documents({"materializer": {"$regex": "#"}})
    assert heard[0][0] == reached
    assert heard[-1] == (40, 40)
    assert await current(parts) != before
    await assert_all_is_right(parts)


async def last_position(parts):
    (last,) = await parts.database["records"].find({}).sort("position", -1).to_list(1)
    return last["position"]


async def test_readers_see_the_old_generation_until_the_new_one_is_whole(process, small_chunks):
    parts, key = process(), "2026-03-02T01 mailto:ada@school.example.org https://school.example.org/activities/sums"
    await parts.post(*[at(1) for _ in range(30)])
    await parts.follower.settle("school")
    await parts.database["summaries"].update_one({"key": key}, {"$set": {"state": DAYS.encode(replace(DAYS.empty(), count=1000))}})
    seen = []

    async def look(done, of):
        seen.append(((await parts.summaries.saved("school", DAYS, [key]))[key].count, await total(parts)))

    await process().rebuilder.build("school", "test.days", report=look)
    assert set(seen) == {(1000, 30)}
    assert len(seen) > 4
    parts.follower._remembered.clear()
    assert (await parts.summaries.saved("school", DAYS, [key]))[key].count == 30
    assert await total(parts) == 30


async def test_what_comes_in_during_a_rebuild_is_in_both_generations(process, small_chunks):
    parts = process()
    await parts.post(*[at(number % 3) for number in range(20)])
    await parts.follower.settle("school")
    counts = []

    async def post_more(done, of):
        if done < 60:
            await parts.post(at(4, "bob"), at(5))
        counts.append(await total(parts))
        await parts.summaries.current("school", DAYS, "x")

    await process().rebuilder.build("school", report=post_more)
    assert counts == sorted(counts)
    assert await total(parts) == counts[-1]
    await assert_all_is_right(parts)


async def test_a_follower_that_was_at_it_when_a_rebuild_switched_over_saves_to_the_new_generation(process):
    parts, slow = process(), process()
    await parts.post(at(1))
    await parts.follower.settle("school")
    await parts.post(at(1), at(2))
    fold, reading, go_on = slow.follower.folding.fold, asyncio.Event(), asyncio.Event()

    async def fold_later(*given, **how):
        cells = await fold(*given, **how)
        slow.follower.folding.fold = fold
        reading.set()
        await go_on.wait()
        return cells

    slow.follower.folding.fold = fold_later
    following = asyncio.create_task(slow.follower.follow("school"))
    await reading.wait()
    await parts.rebuilder.build("school")
    retired = {"tenant": "school", "materializer": DAYS.edition}
    before = [each async for each in parts.database["summaries"].find(retired)]
    go_on.set()
    await following
    assert [each async for each in parts.database["summaries"].find(retired)] == before
    assert await total(parts) == 3
    await assert_all_is_right(parts)


async def test_rebuilds_at_once_make_one_generation_together(process, small_chunks):
    parts = process()
    await parts.post(*[at(number % 5) for number in range(40)])
    await parts.follower.settle("school")
    await asyncio.gather(*(process().rebuilder.build("school") for _ in range(3)))
    assert len({edition async for edition in editions(parts) if edition.startswith("test.days")}) == 2
    await assert_all_is_right(parts)


async def editions(parts):
    for edition in await parts.rebuilder.editions.all("school"):
        yield edition


async def test_a_retired_generation_goes_when_nobody_can_be_reading_it_any_more(process):
    parts = process()
    await parts.post(at(1), at(2))
    await parts.follower.settle("school")
    old = await current(parts)
    await parts.rebuilder.build("school", "test.days")
    assert await parts.rebuilder.tidy() == []
    assert await parts.database["lines"].count_documents({"label": old})
    later = datetime.now(UTC) + GRACE + timedelta(seconds=1)
    assert await parts.rebuilder.editions.tidy(later) == [f"school/{old}"]
    for name, field in (("lines", "label"), ("summaries", "materializer")):
        assert await parts.database[name].distinct(field, {field: {"$regex": "days"}}) == [await current(parts)]
    assert await parts.rebuilder.editions.tidy(later) == []
    await assert_all_is_right(parts)


async def test_a_reader_that_still_believes_in_the_old_generation_misses_nothing(process):
    parts, reader = process(), process()
    key = "2026-03-02T01 mailto:ada@school.example.org https://school.example.org/activities/sums"
    await parts.post(at(1))
    await parts.follower.settle("school")
    assert (await reader.summaries.current("school", DAYS, key)).count == 1
    await parts.rebuilder.build("school")
    await parts.post(at(1))
    await parts.follower.settle("school")
    assert (await reader.summaries.current("school", DAYS, key)).count == 2
    await parts.database["summaries"].delete_many({"materializer": DAYS.edition})
    assert (await reader.summaries.current("school", DAYS, key)).count == 2


async def test_a_new_version_is_built_at_a_rate_and_goes_on_too(process, small_chunks):
    parts, newer = process(), replace(DAYS, version=2)
    await parts.post(*[at(number % 5) for number in range(40)])
    await parts.follower.settle("school")
    report, _ = stops_after(14)
    with pytest.raises(Stopped):
        await process(newer).rebuilder.build("school", "test.days", report=report)
    report, heard = stops_after(1_000)
    await process(newer).rebuilder.build("school", "test.days", per_second=100_000, report=report)
    assert heard[0] == (14, 40)
    assert await total(process(newer), newer) == await total(parts) == 40


async def test_what_other_versions_left_is_listed_and_removed(process):
    newer = replace(DAYS, version=2)
    await process().post(at(1), at(2))
    await process().follower.settle("school")
    parts = process(newer, TALLY)
    await parts.follower.settle("school")
    labels = {newer.label, TALLY.label}
    assert await parts.rebuilder.editions.leftovers("school", labels) == [Leftover(DAYS.label, 2, 4)]
    assert await parts.rebuilder.editions.remove("school", [DAYS.label]) == 2
    assert await parts.rebuilder.editions.leftovers("school", labels) == []
    assert await parts.database["lines"].distinct("label") == [newer.label]
    # Should it be installed again, it is made anew.
    again = process()
    await again.follower.settle("school")
    assert await total(again) == 2
    await assert_all_is_right(again)


async def test_a_rebuild_after_a_change_of_keys_leaves_no_lines_of_the_old_ones(process):
    parts = process()
    await parts.post(at(1), at(2), at(3, "bob"))
    await parts.follower.settle("school")
    changed = replace(DAYS, keys=lambda statement: [key for key in DAYS.keys(statement) if "bob" not in key])
    mended = process(changed, TALLY)
    await mended.rebuilder.rebuild("school", "test.days")
    found = await mended.summaries.rows("school", changed, "all", since="2", by=["learner"], sums=["count"])
    assert found == [Line((ADA,), {"count": 2}, 0)]
    assert (await mended.rebuilder.verify("school")).different == []


async def test_pace_takes_no_more_than_so_many_a_second(monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr("lrs.building.asyncio.sleep", sleep)
    pace = Pace(50)
    assert (pace.portion, Pace(None).portion, Pace(0.5).portion) == (50, 1_000, 1)
    for _ in range(10):
        await pace.keep(50)
    assert 54 < sum(slept) <= 55  # as the clock does not go on here, each waits a second longer than the one before
