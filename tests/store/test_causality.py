"""What a process knows to have happened, it sees in all it reads from then on, whichever member answers."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from bson.timestamp import Timestamp
from builders import AUTHORITY, a_statement
from conftest import Parts
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import OperationFailure
from pymongo.hello import Hello
from pymongo.monitoring import CommandListener

from lrs.config import Config
from lrs.intake import Intake
from lrs.queue import Queue
from lrs.store import mongo
from lrs.store.causality import Elections, MajorityAfter
from lrs.store.log import Log
from lrs.store.mongo import Database
from lrs.store.positions import last_at
from lrs.store.watermark import Watermark
from lrs.xapi.times import parse_timestamp


class Heard(CommandListener):
    """The commands of a client, and when the server says that each was done."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.done: list[tuple[str, Timestamp]] = []

    def started(self, event: Any) -> None:
        self.asked.append((event.command_name, event.command.get("readConcern")))

    def succeeded(self, event: Any) -> None:
        self.done.append((event.command_name, event.reply.get("operationTime")))

    def failed(self, event: Any) -> None:
        pass


@pytest.fixture
async def heard(config: Config, monkeypatch: pytest.MonkeyPatch) -> Heard:
    heard = Heard()

    def client(*arguments: Any, event_listeners: list[Any], **options: Any) -> Any:
        return AsyncIOMotorClient(*arguments, event_listeners=[*event_listeners, heard], **options)

    monkeypatch.setattr(mongo, "AsyncIOMotorClient", client)
    return heard


def an_election(number: int, at_s: int, *, is_writable: bool = True) -> Any:
    """The answer of a member that has written up to there. The time that it tells is ahead of that, as after a transaction."""
    return SimpleNamespace(reply=Hello({
        "ok": 1, "setName": "rs", "isWritablePrimary": is_writable, "secondary": not is_writable, "electionId": number,
        "lastWrite": {"opTime": {"ts": Timestamp(at_s, 1), "t": number}}, "$clusterTime": {"clusterTime": Timestamp(at_s, 2)},
    }))


async def test_what_is_read_after_the_watermark_was_raised_is_not_from_before(heard, config, database):
    mine = Database.connect(config)
    await Watermark(mine, lambda: datetime.now(UTC)).through()
    raised_at = max(time for name, time in heard.done if name == "update")
    await mine["records"].find_one({})
    await mine["records"].find({}).to_list(None)
    await mine["records"].aggregate([{"$match": {}}]).to_list(None)
    reads = [concern for name, concern in heard.asked if name in ("find", "aggregate")]
    for concern in reads[-3:]:
        assert concern["level"] == "majority"
        assert concern["afterClusterTime"] >= raised_at
    mine.close()


async def test_what_is_read_after_a_statement_was_stored_is_not_from_before(heard, config, database):
    mine = Database.connect(config)
    parts = Parts.of(mine, config, {})
    await parts.post(a_statement())
    committed_at = max(time for name, time in heard.done if name == "commitTransaction")
    assert await parts.all_ids()
    assert next(concern for name, concern in reversed(heard.asked) if name == "find")["afterClusterTime"] >= committed_at
    mine.close()


def test_a_new_primary_is_read_no_earlier_than_it_was_elected():
    reads = MajorityAfter()
    elections = Elections(reads)
    assert reads.document == {"level": "majority"}
    elections.succeeded(an_election(1, 100))
    elections.succeeded(an_election(1, 200))  # it still leads, and what it has done since is not yet safe with a majority
    assert reads.document["afterClusterTime"] == Timestamp(100, 1)
    elections.succeeded(an_election(9, 900, is_writable=False))
    assert reads.document["afterClusterTime"] == Timestamp(100, 1)
    elections.succeeded(an_election(2, 300))
    assert reads.document["afterClusterTime"] == Timestamp(300, 1)


async def test_a_process_that_begins_after_a_transaction_waits_for_nothing_that_is_not_written_yet(config, database):
    async with database.transaction() as session:
        await database["writers"].insert_many([{"_id": "a"}, {"_id": "b"}], session=session)
    begun = Database.connect(config)
    assert await begun.ping()
    learnt = begun["writers"].read_concern.document["afterClusterTime"]
    hello = await database._client.admin.command("hello")
    assert learnt <= hello["lastWrite"]["opTime"]["ts"]
    assert await begun["writers"].count_documents({}) == 2
    begun.close()


def test_what_was_learnt_is_never_unlearnt():
    reads = MajorityAfter()
    for time in (Timestamp(5, 2), Timestamp(5, 1), None, Timestamp(4, 9)):
        reads.learn(time)
    assert reads.document["afterClusterTime"] == Timestamp(5, 2)


async def test_a_fresh_watermark_covers_what_was_stored_by_a_clock_that_is_ahead(config, database, parts):
    def ahead() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=30)

    log = Log(database, Watermark(database, ahead), ahead, 20.0)
    await Intake(log, {}, Queue(config.redis_url), ahead).accept([a_statement()], tenant="school", authority=AUTHORITY)
    (stored,) = [each.stored async for each in parts.statements.in_order("school", None, 2**52)]
    assert await parts.watermark.through(fresh=True) >= parse_timestamp(stored) > datetime.now(UTC).timestamp() * 1e6


async def test_a_member_that_does_not_know_of_a_time_yet_is_asked_again_later(database):
    """A primary that was paused and replaced is asked for what happened since, before anybody has told it."""
    database["records"].read_concern.learn(Timestamp(2**31, 1))
    with pytest.raises(OperationFailure) as refused:
        await database["records"].find_one({})
    assert mongo.is_transient(refused.value)
    assert not mongo.is_transient(OperationFailure("another option", mongo.INVALID_OPTIONS))


async def test_the_watermark_of_a_process_never_falls_behind_that_of_another(database):
    ahead = Watermark(database, lambda: datetime.now(UTC) + timedelta(seconds=30))
    behind = Watermark(database, lambda: datetime.now(UTC))
    assert await ahead.through() <= await behind.through()


async def test_a_raise_that_comes_second_is_read_after_what_the_first_waited_for(database):
    """Both wait for one transaction; once it is over the floor is there already, and what was committed below it must be seen."""
    writers, watermark = database["writers"], Watermark(database, lambda: datetime.now(UTC))
    await writers.insert_many([{"_id": "a", "floor": 0}, {"_id": "b", "floor": 0}])
    async with await database._client.start_session() as session:
        async with session.start_transaction():
            await writers.update_one({"_id": "b"}, {"$set": {"floor": last_at(2**51)}}, session=session)
            raising = asyncio.create_task(watermark.through())
            while (await database["writers"].find_one({"_id": "a"}))["floor"] == 0:
                await asyncio.sleep(0.01)
        committed_at = session.operation_time
    await raising
    assert database["records"].read_concern.document["afterClusterTime"] >= committed_at


async def test_a_process_keeps_what_another_one_promised_even_if_its_own_clock_lags(database):
    ahead = Watermark(database, lambda: datetime.now(UTC) + timedelta(seconds=30))
    behind = Watermark(database, lambda: datetime.now(UTC))
    promised = await ahead.through()
    await behind.through()
    await behind.confirm(promised)
    assert behind.known() >= promised
