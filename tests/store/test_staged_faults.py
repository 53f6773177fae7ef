"""Faults of the database and of processes, each staged so that it happens every time."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from builders import TALLY, a_statement, a_void_of, learner
from pymongo.errors import AutoReconnect, BulkWriteError, PyMongoError

from lrs.errors import InvalidStatement, StatementConflict, StoreUnavailable
from lrs.folding import Chunk
from lrs.store.mongo import is_transient
from lrs.store.positions import last_at, stored_us_of
from lrs.store.watermark import now_us

ADA, TEACHER = "mailto:ada@school.example.org", "mailto:teacher@school.example.org"


async def fails_once(*_args, **_options):
    raise AutoReconnect("staged: the connection was lost")


class Failing:
    """A collection one operation of which loses its connection the first time."""

    def __init__(self, collection, operation):
        self._collection, self._operation, self.failed = collection, operation, False

    def __getattr__(self, name):
        if name == self._operation and not self.failed:
            self.failed = True
            return fails_once
        return getattr(self._collection, name)


async def test_a_writer_whose_registration_broke_off_half_way_never_writes_below_the_watermark(parts, make_parts):
    ahead = await raised_by(parts, timedelta(seconds=40))
    half = make_parts()
    half.log._writer._writers = Failing(half.database["writers"], "find_one")
    (accepted,) = await half.post(a_statement())
    record = await parts.database["records"].find_one({"_id": f"school/{accepted.id}"})
    assert stored_us_of(record["position"]) > ahead


async def raised_by(parts, by: timedelta) -> int:
    """The watermark, after somebody whose clock runs ahead by so much has raised it."""
    parts.watermark._clock = lambda: datetime.now(UTC) + by
    return await parts.watermark.through(fresh=True)


async def test_a_reader_does_not_wait_for_a_writer_that_sleeps_amid_its_transaction(parts, make_parts):
    sleeper = make_parts()
    await sleeper.post(a_statement())
    before = await parts.watermark.through(fresh=True)
    (position,) = await sleeper.log._writer.take(1, now_us(lambda: datetime.now(UTC)))
    async with sleeper.database.transaction() as session:
        await sleeper.log._writer.fence(position, session)
        await asyncio.sleep(0.2)
        async with asyncio.timeout(3):
            assert before <= await parts.watermark.through() < stored_us_of(position)


async def test_who_must_know_that_nothing_is_missing_is_told_that_it_cannot_be_known_now(parts, make_parts, monkeypatch):
    monkeypatch.setattr("lrs.store.watermark.RAISE_WITHIN_S", 0.5)
    sleeper = make_parts()
    await sleeper.post(a_statement())
    (position,) = await sleeper.log._writer.take(1, now_us(lambda: datetime.now(UTC)))
    async with sleeper.database.transaction() as session:
        await sleeper.log._writer.fence(position, session)
        with pytest.raises(StoreUnavailable):
            await parts.watermark.through(fresh=True)
    assert await parts.watermark.through(fresh=True) > stored_us_of(position)


async def test_what_a_killed_writer_held_is_dropped_and_one_that_was_only_paused_stamps_anew(parts, make_parts, monkeypatch):
    monkeypatch.setattr("lrs.store.watermark.DROPPED_AFTER_S", 0.2)
    sleeper = make_parts()
    await sleeper.post(a_statement())
    (position,) = await sleeper.log._writer.take(1, now_us(lambda: datetime.now(UTC)))
    with pytest.raises(PyMongoError) as refused:
        async with sleeper.database.transaction() as session:
            await sleeper.log._writer.fence(position, session)
            assert await parts.watermark.through(fresh=True) > stored_us_of(position)
    assert is_transient(refused.value)
    await sleeper.post(again := a_statement())
    assert again["id"] in await parts.all_ids()


async def test_a_void_that_was_refused_with_its_batch_voids_nothing_that_was_gathered_with_it(parts):
    taken, target = a_statement(), a_statement()
    await parts.post(taken)
    stored, refused = await asyncio.gather(
        parts.post(target),
        parts.post(a_void_of(target["id"]), a_statement(id=taken["id"], actor=learner("bob"))), return_exceptions=True,
    )
    assert isinstance(refused, StatementConflict)
    assert stored[0].stored
    assert await parts.statements.get("school", target["id"], voided=False)


async def test_a_void_whose_commit_was_not_confirmed_takes_effect_on_a_target_that_comes_later(parts, make_parts):
    other, target = make_parts(), a_statement()
    await other.post(a_statement())
    append_once = parts.log._append_once

    async def append_and_lose_the_answer(*given):
        parts.log._append_once = append_once
        await append_once(*given)
        raise AutoReconnect("staged: committed, but the answer was lost")

    parts.log._append_once = append_and_lose_the_answer
    await parts.post(a_void_of(target["id"], actor=learner("teacher")))
    await parts.follower.settle("school")
    await other.post(target)
    assert await parts.statements.get("school", target["id"], voided=True)


async def test_a_thousand_voids_that_wait_for_their_targets_cost_a_few_round_trips_only(parts):
    raised = []
    raise_to_now = parts.watermark._raise

    async def counted():
        raised.append(1)
        return await raise_to_now()

    parts.watermark._raise = counted
    await parts.post(*[a_void_of(str(uuid.uuid4())) for _ in range(1000)])
    assert len(raised) <= 2


async def test_saved_summaries_that_were_lost_are_whole_again_with_the_next_statement(parts):
    await parts.post(a_statement(), a_statement())
    await parts.follower.settle("school")
    await parts.database["summaries"].delete_many({})
    assert (await parts.summaries.current("school", TALLY, ADA)).count == 2
    await parts.post(a_statement())
    await parts.follower.settle("school")
    assert (await parts.summaries.current("school", TALLY, ADA)).count == 3
    assert (await parts.rebuilder.verify("school")).different == []


async def test_a_lost_cursor_costs_a_second_reading_only(parts):
    sent = [a_statement() for _ in range(5)]
    await parts.post(*sent)
    await parts.follower.settle("school")
    await parts.post(a_void_of(sent[0]["id"], actor=learner("teacher")), a_statement())
    await parts.database["cursors"].delete_many({})
    await parts.follower.settle("school")
    await parts.database["cursors"].delete_many({})
    await parts.follower.settle("school")
    assert (await parts.rebuilder.verify("school")).different == []
    assert (await parts.summaries.current("school", TALLY, ADA)).count == 5


async def test_a_rebuild_after_a_change_of_keys_keeps_what_voids_count_for_by_themselves(parts):
    target = a_statement()
    await parts.post(target, a_statement())
    await parts.post(a_void_of(target["id"], actor=learner("teacher")))
    await parts.database["records"].update_many({}, {"$set": {"keys": []}})
    await parts.database["summaries"].delete_many({})
    await parts.rebuilder.rebuild("school")
    for key in (TEACHER, ADA):
        assert (await parts.summaries.saved("school", TALLY, [key]))[key].count == 1
    void = await parts.database["records"].find_one({"voids": target["id"]})
    assert TALLY.record_key(ADA) in void["keys"]


async def test_following_many_voids_costs_no_transaction_for_each(parts):
    targets = [a_statement() for _ in range(50)]
    await parts.post(*targets)
    await parts.post(*[a_void_of(each["id"], actor=learner("teacher")) for each in targets])
    late = []
    parts.log.void_late = lambda *given: late.append(given)
    await parts.follower.settle("school")
    assert late == []


async def test_a_void_left_alone_by_its_process_waits_for_the_transaction_that_stores_its_target(parts, make_parts):
    """Its process ends right after the commit; the target is stored by a transaction that saw nothing of the void."""
    slow, target = make_parts(), a_statement()
    await parts.post(a_void_of(str(uuid.uuid4())))  # from now on every writer knows that voids may be waiting
    await slow.post(a_statement())
    through = last_at(await parts.watermark.through(fresh=True))
    looked, go_on = asyncio.Event(), asyncio.Event()
    insert = slow.log._insert

    async def insert_later(records, session):
        looked.set()
        await go_on.wait()
        await insert(records, session)

    slow.log._insert = insert_later
    storing = asyncio.create_task(slow.post(target))
    await looked.wait()
    await parts.log._insistently(lambda: parts.log._append_once([prepared_void(parts, target["id"])]))
    fenced_at = last_at(now_us(lambda: datetime.now(UTC)))
    assert fenced_at > through
    records = [each async for each in parts.database["records"].find({"voids": target["id"]})]
    following = asyncio.create_task(parts.follower.folding.fold(Chunk("school", records, through, records[-1]["position"]), [TALLY]))
    await asyncio.sleep(0.3)
    go_on.set()
    await asyncio.gather(storing, following)
    assert await parts.statements.get("school", target["id"], voided=True)


def prepared_void(parts, target_id):
    void = a_void_of(target_id, actor=learner("teacher"))
    return parts.intake._prepared(void, "school", {"mbox": "mailto:lrs@school.example.org"}, "1.0.3", "2026-03-02T09:14:07.250Z")


async def test_a_thousand_voids_in_a_batch_flag_their_targets_with_a_few_commands(parts):
    targets = [a_statement() for _ in range(1000)]
    await parts.post(*targets)
    commands = []
    records = parts.log._records

    class Counted:
        def __getattr__(self, name):
            commands.append(name)
            return getattr(records, name)

    parts.log._records = Counted()
    await parts.post(*[a_void_of(each["id"]) for each in targets])
    assert len(commands) < 10
    assert not set(await parts.all_ids()) & {each["id"] for each in targets}


@pytest.mark.parametrize("value", [{1: 2}, {1, 2}, object(), "\ud800"])
async def test_what_cannot_be_written_is_refused_by_itself(parts, value):
    """Statements of adapters were never JSON: what one cannot say there is its sender's trouble alone."""
    neighbour, poison = a_statement(), a_statement(result={"extensions": {"https://x.example/y": value}})
    stored, refused, also_stored = await asyncio.gather(
        parts.post(neighbour), parts.post(poison), parts.post(a_statement()), return_exceptions=True
    )
    assert isinstance(refused, InvalidStatement)
    assert stored[0].stored
    assert also_stored[0].stored


def test_what_a_majority_did_not_confirm_may_pass():
    assert is_transient(BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}))
    assert not is_transient(BulkWriteError({"writeErrors": [{"code": 2}], "writeConcernErrors": [{"code": 64}]}))
