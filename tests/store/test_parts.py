"""What is saved in several transactions: whoever loaded before the first of them saves nothing that rests on that."""

import asyncio

import pytest
from builders import TALLY
from conftest import Parts
from rollup_builders import DAYS, assert_all_is_right, at

from lrs.errors import StoreUnavailable
from lrs.store.cursors import Fence


@pytest.fixture
def process(database, config):
    """The parts of a process in which these materializers are installed."""
    return lambda: Parts.of(database, config, {each.name: each for each in (DAYS, TALLY)})


async def test_who_had_read_before_another_wrote_the_first_of_several_parts_reads_again(process, monkeypatch):
    monkeypatch.setattr("lrs.store.leases.LEASE_S", 0.1)
    monkeypatch.setattr("lrs.store.leases.Leases._keep", lambda *_: asyncio.sleep(0))
    monkeypatch.setattr("lrs.store.saving.MOST_CELLS", 1)
    parts, slow = process(), process()
    await parts.post(at(3))
    await parts.follower.settle("school")
    await parts.post(at(3))
    fold, folded, go_on = slow.follower.folding.fold, asyncio.Event(), asyncio.Event()

    async def fold_once_and_wait(*given):
        cells = await fold(*given)
        slow.follower.folding.fold = fold
        folded.set()
        await go_on.wait()
        return cells

    slow.follower.folding.fold = fold_once_and_wait
    following = asyncio.create_task(slow.follower.follow("school"))
    await folded.wait()
    await asyncio.sleep(0.2)
    saving, written = parts.saved._saving, []
    together = saving._together

    async def but_for_the_last(tenant, cells, fence):
        if fence.moved:
            raise StoreUnavailable("the process has ended")
        written.extend(cells)
        return await together(tenant, cells, fence)

    saving._together = but_for_the_last
    with pytest.raises(StoreUnavailable):
        await parts.follower.follow("school")
    assert any(DAYS.edition in each.id for each in written)
    go_on.set()
    await following
    await assert_all_is_right(parts)
    saving._together = together
    await parts.post(at(3))
    await assert_all_is_right(parts)


@pytest.mark.parametrize("epoch", ["", "e0"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_parts_follow_each_other_and_leave_the_epoch_as_it_was_with_the_cursors_moved(epoch, number):
    fence = Fence("school", epoch, {"positions.x@1": 7}, {"positions.x@1": 3})
    parts = fence.in_parts(number)
    assert [each.epoch for each in parts[1:]] == [each.leaves for each in parts[:-1]]
    assert (parts[0].epoch, parts[-1].leaves, len({each.epoch for each in parts})) == (epoch, epoch, number)
    assert [each.moved for each in parts] == [{}] * (number - 1) + [fence.moved]
    assert all(each.stand == fence.stand for each in parts)


async def test_a_tenant_without_an_epoch_is_followed_in_several_parts(process, monkeypatch):
    monkeypatch.setattr("lrs.store.saving.MOST_CELLS", 1)
    parts = process()
    await parts.post(at(3))
    await parts.follower.settle("school")
    await parts.database["cursors"].update_one({"_id": "school"}, {"$unset": {"epoch": ""}})
    for _ in range(2):
        await parts.post(at(3), at(3), at(3))
        await parts.follower.settle("school")
    await assert_all_is_right(parts)
