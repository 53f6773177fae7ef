"""A materializer that fails, or is new: no post is refused for it, no other summary waits for it, and no wrong number is told."""

import asyncio
from dataclasses import replace

import pytest
from builders import TALLY, a_statement, a_void_of, learner
from conftest import Parts

from lrs.errors import StoreUnavailable
from lrs.materialize import BrokenMaterializer

ADA, BOB = "mailto:ada@school.example.org", "mailto:bob@school.example.org"
POISON = {"extensions": {"https://x.example/poison": True}}


def _failing_step(summary, statement):
    return TALLY.step(summary, statement) if "result" not in statement else summary / 0


def _failing_keys(statement):
    return TALLY.keys(statement) if "result" not in statement else statement["no such thing"]


STEP_FAILS = replace(TALLY, name="test.step", step=_failing_step)
KEYS_FAIL = replace(TALLY, name="test.keys", keys=_failing_keys)


@pytest.fixture
def process(database, config):
    """The parts of a process in which these materializers are installed."""
    return lambda *materializers: Parts.of(database, config, {each.name: each for each in materializers})


async def count(parts, materializer, key=ADA):
    found = await parts.summaries.saved("school", materializer, [key])
    return found[key].count if key in found else None


async def test_keys_that_fail_neither_refuse_a_statement_nor_keep_it_from_other_summaries(process):
    parts = process(KEYS_FAIL, TALLY)
    await parts.post(a_statement(result=POISON), a_statement())
    await parts.follower.settle("school")
    assert await count(parts, TALLY) == 2
    assert await count(parts, KEYS_FAIL) == 1


async def test_keys_that_were_mended_are_right_after_a_rebuild(process):
    await process(KEYS_FAIL, TALLY).post(a_statement(result=POISON))
    mended = process(replace(KEYS_FAIL, keys=TALLY.keys), TALLY)
    await mended.rebuilder.rebuild("school")
    assert await count(mended, KEYS_FAIL) == 1


async def test_a_step_that_fails_costs_its_own_summary_only(process):
    parts = process(STEP_FAILS, TALLY)
    await parts.post(a_statement(result=POISON), a_statement(), a_statement(actor=learner("bob"), object={"id": "https://x.example/b"}))
    await parts.follower.settle("school")
    assert await count(parts, TALLY) == 2
    assert await count(parts, STEP_FAILS, BOB) == 1
    assert await count(parts, STEP_FAILS) is None
    assert await parts.follower.behind("school") is None


async def test_a_summary_that_cannot_be_folded_is_never_told_wrong(process):
    parts = process(STEP_FAILS, TALLY)
    await parts.post(a_statement())
    await parts.follower.settle("school")
    await parts.post(a_statement(result=POISON))
    await parts.follower.settle("school")
    await parts.post(a_statement())
    await parts.follower.settle("school")
    assert await count(parts, STEP_FAILS) is None
    with pytest.raises(BrokenMaterializer):
        await parts.summaries.current("school", STEP_FAILS, ADA)
    assert f"test.step:{ADA}" in (await parts.rebuilder.verify("school")).different


async def test_a_step_that_was_mended_is_whole_with_the_next_statement(process):
    parts = process(STEP_FAILS)
    await parts.post(a_statement(), a_statement(result=POISON))
    await parts.follower.settle("school")
    mended = process(replace(STEP_FAILS, step=TALLY.step))
    await mended.post(a_statement())
    await mended.follower.settle("school")
    assert await count(mended, STEP_FAILS) == 3
    assert (await mended.rebuilder.verify("school")).different == []


async def test_a_saved_summary_of_another_shape_is_folded_anew(process):
    parts = process(TALLY)
    await parts.post(a_statement())
    await parts.follower.settle("school")
    await parts.database["summaries"].update_many({}, {"$set": {"state": b'{"count":"many"}'}})
    assert (await parts.summaries.current("school", TALLY, ADA)).count == 1
    await parts.post(a_statement())
    await parts.follower.settle("school")
    assert await count(parts, TALLY) == 2


async def test_a_new_version_tells_the_whole_history_without_a_rebuild(process):
    before = process(TALLY)
    sent = [a_statement() for _ in range(5)]
    await before.post(*sent)
    await before.post(a_void_of(sent[0]["id"], actor=learner("teacher")))
    await before.follower.settle("school")
    newer = replace(TALLY, version=2)
    after = process(newer)
    await after.post(a_statement())
    assert (await after.summaries.current("school", newer, ADA)).count == 5
    assert await count(after, newer, "mailto:teacher@school.example.org") == 1
    await after.follower.settle("school")
    assert (await after.rebuilder.verify("school")).different == []


async def test_while_processes_of_two_versions_run_both_tell_the_whole_history(process):
    newer = replace(TALLY, version=2)
    old, new = process(TALLY), process(newer)
    for _ in range(3):
        await old.post(a_statement())
        await new.post(a_statement())
        await old.follower.settle("school")
        await new.follower.settle("school")
    assert (await old.rebuilder.verify("school")).different == []
    assert (await new.rebuilder.verify("school")).different == []
    assert await count(old, TALLY) == await count(new, newer) == 6


async def test_a_reader_of_summaries_that_are_being_made_is_told_to_come_back(process, monkeypatch):
    await process().post(*[a_statement() for _ in range(3)])
    monkeypatch.setattr("lrs.follow.BUILT_WITHIN_S", 0.05)
    parts, go_on = process(TALLY), asyncio.Event()
    folded = parts.follower.folding.fold

    async def fold_later(*given, **how):
        await go_on.wait()
        return await folded(*given, **how)

    parts.follower.folding.fold = fold_later
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await parts.summaries.current("school", TALLY, ADA)
        with pytest.raises(StoreUnavailable):
            await parts.summaries.find("school", TALLY, {})
    go_on.set()
    monkeypatch.setattr("lrs.follow.BUILT_WITHIN_S", 5)
    assert (await parts.summaries.current("school", TALLY, ADA)).count == 3


async def test_a_tenant_that_was_made_again_is_followed_from_its_beginning(process):
    parts = process(TALLY)
    await parts.post(a_statement())
    await parts.follower.settle("school")
    for name in ("records", "summaries", "cursors"):
        await parts.database[name].delete_many({})
    await parts.post(a_statement())
    assert [summary.count for _, summary in await parts.summaries.find("school", TALLY, {})] == [1, 1]


async def test_the_tenants_that_lag_are_found_by_hops_through_the_index(process, database):
    parts = process(TALLY)
    for tenant in ("a", "b", "c"):
        await parts.post(a_statement(), tenant=tenant)
        await parts.follower.settle(tenant)
    await parts.post(a_statement(), tenant="b")
    await parts.post(a_statement(), tenant="d")
    assert await parts.follower.lagging() == ["b", "d"]
    stages = [{"$sort": {"tenant": -1, "position": -1}}, {"$group": {"_id": "$tenant", "last": {"$first": "$position"}}}]
    plan = await database._database.command("explain", {"aggregate": "records", "pipeline": stages, "cursor": {}}, verbosity="queryPlanner")
    assert "DISTINCT_SCAN" in str(plan)


async def test_the_trouble_of_one_tenant_does_not_keep_the_sweep_from_the_others(process, database, config):
    from workers.follow import Sweeper
    from workers.services import Services

    parts = process(TALLY)
    for tenant in ("a", "school"):
        await parts.post(a_statement(), tenant=tenant)
    services = Services.of(database, {TALLY.name: TALLY}, config)
    settle = services.follower.settle

    async def settle_but_one(tenant):
        if tenant == "a":
            raise StoreUnavailable("staged")
        return await settle(tenant)

    services.follower.settle = settle_but_one
    sweeper = Sweeper(services)
    await sweeper.sweep()
    await sweeper.built()
    assert await count(parts, TALLY) == 1
