"""Summaries are a recount: whatever comes in whichever order, saved, current and rebuilt summaries are the fold of the log."""

import asyncio
import random

import pytest
from builders import TALLY, a_statement, a_void_of, learner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lrs.materialize import fold
from lrs.store.cursors import Cursors
from lrs.store.positions import last_at
from lrs.store.records import statement_of

KEY = "mailto:ada@school.example.org"
SUMS = "https://school.example.org/activities/sums"


async def recount(parts, key=KEY):
    """The fold of what the log holds for a key, by reading it from beginning to end."""
    statements = [
        statement_of(record) async for record in parts.database["records"].find({"tenant": "school", "voided": None}).sort("position", 1)
    ]
    return fold(TALLY, [each for each in statements if key in TALLY.keys(each)])


async def saved(parts, key=KEY):
    return (await parts.summaries.saved("school", TALLY, [key])).get(key, TALLY.empty())


async def test_a_summary_without_statements_is_empty(parts):
    assert await parts.summaries.current("school", TALLY, KEY) == TALLY.empty()


async def test_current_reflects_what_was_just_acknowledged_saved_or_not(parts):
    for number in range(1, 8):
        await parts.post(a_statement())
        if number % 3 == 0:
            await parts.follower.settle("school")
        assert (await parts.summaries.current("school", TALLY, KEY)).count == number


async def test_find_reflects_what_was_just_acknowledged_and_filters_by_facet(parts):
    await parts.post(*[a_statement() for _ in range(6)], a_statement(actor=learner("bob"), object={"id": "https://x.example/y"}))
    assert [key for key, _ in await parts.summaries.find("school", TALLY, {"size": "many"})] == [SUMS, KEY]
    assert len(await parts.summaries.find("school", TALLY, {"size": ["many", "few"]})) == 4


async def test_a_void_is_subtracted_from_current_saved_and_listed_summaries(parts, make_parts):
    sent = [a_statement() for _ in range(5)]
    await parts.post(*sent)
    await parts.follower.settle("school")
    await parts.post(a_void_of(sent[2]["id"], actor=learner("teacher")))
    left = tuple(each["id"] for each in sent if each is not sent[2])
    assert (await make_parts().summaries.current("school", TALLY, KEY)).ids == left
    await parts.follower.settle("school")
    assert (await saved(parts)).ids == left


async def test_a_void_that_came_first_counts_when_its_target_comes(parts, make_parts):
    target = a_statement()
    await parts.post(a_void_of(target["id"], actor=learner("teacher")))
    await parts.follower.settle("school")
    await make_parts().post(target, a_statement())
    await parts.follower.settle("school")
    assert (await saved(parts)).count == 1


async def test_a_void_whose_process_ended_before_it_took_effect_is_made_good_by_the_follower(parts, make_parts):
    target = a_statement()
    await parts.post(target, a_statement())
    (void,) = await parts.post(a_void_of(target["id"], actor=learner("teacher")))
    records = parts.database["records"]
    await records.update_one({"_id": f"school/{target['id']}"}, {"$unset": {"voided": 1}})
    await records.update_one({"_id": f"school/{void.id}"}, {"$unset": {"keys": 1}})
    reader = make_parts()
    await reader.follower.settle("school")
    await reader.follower.settle("school")
    assert (await saved(parts)).count == 1
    assert (await parts.rebuilder.verify("school")).different == []


async def test_two_followers_at_once_save_the_same_as_one(parts, make_parts):
    others = [make_parts() for _ in range(3)]
    for _ in range(5):
        await asyncio.gather(
            *(other.post(*[a_statement(actor=learner(random.choice("abc"))) for _ in range(7)]) for other in others),
            *(other.follower.follow("school") for other in others),
        )
    await parts.follower.settle("school")
    assert (await parts.rebuilder.verify("school")).different == []
    assert (await saved(parts, SUMS)).count == 105


async def test_a_log_longer_than_a_chunk_is_followed_to_its_end(parts):
    for _ in range(5):
        await parts.post(*[a_statement() for _ in range(450)])
    await parts.follower.settle("school")
    assert await saved(parts) == await recount(parts)
    assert await parts.follower.behind("school") is None


async def test_verify_finds_a_summary_that_is_not_its_recount_and_rebuild_restores_it(parts):
    await parts.post(*[a_statement() for _ in range(3)])
    await parts.follower.settle("school")
    summaries = parts.database["summaries"]
    right = await summaries.find_one({"key": KEY})
    await summaries.update_one({"key": KEY}, {"$set": {"state": b'{"count":99,"ids":[],"total":0.0}'}})
    assert (await parts.rebuilder.verify("school")).different == [f"test.tally:{KEY}"]
    assert await parts.rebuilder.rebuild("school") == {"test.tally": 2}
    assert (await parts.rebuilder.verify("school")).different == []
    current = (await Cursors(parts.database).read("school")).current(TALLY)
    assert (await summaries.find_one({"key": KEY, "materializer": current.edition}))["state"] == right["state"]


async def test_verify_misses_neither_a_lost_nor_an_invented_summary(parts):
    await parts.post(a_statement())
    await parts.follower.settle("school")
    summaries = parts.database["summaries"]
    await summaries.update_one({"key": KEY}, {"$set": {"_id2": 1}})
    found = await summaries.find_one({"key": KEY})
    await summaries.delete_one({"key": KEY})
    await summaries.insert_one({**found, "_id": f"school/{TALLY.label}/nobody", "key": "nobody"})
    assert set((await parts.rebuilder.verify("school")).different) == {f"test.tally:{KEY}", "test.tally:nobody"}
    await parts.rebuilder.rebuild("school")
    assert (await parts.rebuilder.verify("school")).different == []


async def test_rebuild_keys_records_anew(parts):
    await parts.post(a_statement(), a_statement())
    await parts.database["records"].update_many({}, {"$set": {"keys": ["test.tally@1:stale", "other@1:kept"]}})
    await parts.rebuilder.rebuild("school")
    assert (await saved(parts)).count == 2
    records = [record async for record in parts.database["records"].find({})]
    assert all(set(record["keys"]) == {"other@1:kept", TALLY.record_key(KEY), TALLY.record_key(SUMS)} for record in records)


async def test_a_rebuild_beside_live_traffic_ends_with_right_summaries(parts, make_parts):
    writer = make_parts()

    async def write():
        for _ in range(30):
            await writer.post(*[a_statement() for _ in range(5)])
            await writer.follower.settle("school")

    writing = asyncio.create_task(write())
    for _ in range(3):
        await parts.rebuilder.rebuild("school")
    await writing
    assert (await parts.rebuilder.verify("school")).different == []
    assert (await parts.summaries.current("school", TALLY, KEY)).count == 150


async def test_a_late_transaction_of_a_slow_process_is_in_the_next_settle(parts, make_parts):
    """What was stamped before a follower ran and commits after it has to be stamped anew."""
    slow = make_parts()
    await slow.post(a_statement())
    taken = slow.log._writer.take

    async def take_and_dawdle(count, now):
        positions = await taken(count, now)
        slow.log._writer.take = taken
        await parts.follower.settle("school")
        return positions

    slow.log._writer.take = take_and_dawdle
    await slow.post(a_statement())
    await parts.follower.settle("school")
    assert (await saved(parts)).count == 2


ACTORS = st.sampled_from(["ada", "bob"])
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.lists(ACTORS, min_size=1, max_size=4), st.integers(0, 1)),
        st.tuples(st.just("again"), st.integers(0, 30), st.integers(0, 1)),
        st.tuples(st.just("void"), st.integers(0, 30), st.integers(0, 1)),
        st.tuples(st.just("void first"), st.just(0), st.integers(0, 1)),
        st.tuples(st.just("settle"), st.just(0), st.integers(0, 1)),
    ), min_size=1, max_size=14,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
async def test_any_batching_repetition_voiding_and_following_equals_one_rebuild(make_parts, moves):
    processes = [make_parts(), make_parts()]
    tenant = f"tenant{random.getrandbits(60)}"
    posted: list[dict] = []
    promised: list[dict] = []
    for kind, what, process in moves:
        at = processes[process]
        if kind == "post":
            batch = [a_statement(actor=learner(name)) for name in what] + promised
            promised.clear()
            posted += batch
            await at.post(*batch, tenant=tenant)
        elif kind == "again" and posted:
            await at.post(posted[what % len(posted)], tenant=tenant)
        elif kind == "void" and posted:
            await at.post(a_void_of(posted[what % len(posted)]["id"], actor=learner("teacher")), tenant=tenant)
        elif kind == "void first":
            promised.append(a_statement())
            await at.post(a_void_of(promised[-1]["id"], actor=learner("teacher")), tenant=tenant)
        elif kind == "settle":
            await at.follower.settle(tenant)
    keys = {key for each in posted for key in TALLY.keys(each)}
    current = {key: await processes[0].summaries.current(tenant, TALLY, key) for key in keys}
    await processes[1].follower.settle(tenant)
    states = await processes[1].saved.states(tenant, TALLY, sorted(keys))
    through = last_at(await processes[0].watermark.through(fresh=True))
    recounts = await processes[0].saved.refold(tenant, TALLY, sorted(keys), through=through)
    assert current == recounts
    assert {key: state for key, (_, state) in states.items()} == {key: TALLY.encode(each) for key, each in recounts.items()}
    assert (await processes[1].rebuilder.verify(tenant)).different == []


@given(st.lists(st.floats(-1, 1)), st.integers(0, 20))
def test_folding_in_any_two_batches_equals_folding_at_once(scores, cut):
    statements = [a_statement(result={"score": {"scaled": score}}) for score in scores]
    assert fold(TALLY, statements[cut:], fold(TALLY, statements[:cut])) == fold(TALLY, statements)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_summary_survives_its_encoding(count):
    summary = fold(TALLY, [a_statement() for _ in range(count)])
    assert TALLY.decode(TALLY.encode(summary)) == summary
