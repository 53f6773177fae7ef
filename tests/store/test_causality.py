"""What a process knows to have happened, it sees in all it reads from then on, whichever member answers."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from bson.timestamp import Timestamp
from builders import a_statement
from conftest import Parts
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.monitoring import CommandListener

from lrs.config import Config
from lrs.store import mongo
from lrs.store.causality import Elections, MajorityAfter
from lrs.store.mongo import Database
from lrs.store.watermark import Watermark


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
    cluster_time = {"clusterTime": Timestamp(at_s, 1), "signature": {}}
    return SimpleNamespace(reply=SimpleNamespace(is_writable=is_writable, election_id=number, cluster_time=cluster_time))


async def test_what_is_read_after_the_watermark_was_raised_is_not_from_before(heard, config, database):
    mine = Database.connect(config)
    await Watermark(mine, lambda: datetime.now(UTC)).through()
    raised_at = max(time for name, time in heard.done if name == "update")
    await mine["records"].find_one({})
    await mine["records"].find({}).to_list(None)
    await mine["records"].aggregate([{"$match": {}}]).to_list(None)
    reads = [concern for name, concern in heard.asked if name in ("find", "aggregate")]
    assert len(reads) == 3
    for concern in reads:
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


def test_what_was_learnt_is_never_unlearnt():
    reads = MajorityAfter()
    for time in (Timestamp(5, 2), Timestamp(5, 1), None, Timestamp(4, 9)):
        reads.learn(time)
    assert reads.document["afterClusterTime"] == Timestamp(5, 2)


async def test_a_fresh_watermark_covers_what_was_stored_by_a_clock_that_is_ahead(database, parts):
    def ahead() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=30)

    log = Log(database, Watermark(database, ahead), ahead, 20.0)
    await Intake(log, {}, MockQueue(), ahead).accept([a_statement()], tenant="school", authority=AUTHORITY)
    (stored,) = [each["stored"] async for each in parts.statements.in_order("school", None, 2**52)]
    assert await parts.watermark.through(fresh=True) >= parse_timestamp(stored) > datetime.now(UTC).timestamp() * 1e6


async def test_the_watermark_of_a_process_never_falls_behind_that_of_another(database):
    ahead = Watermark(database, lambda: datetime.now(UTC) + timedelta(seconds=30))
    behind = Watermark(database, lambda: datetime.now(UTC))
    assert await ahead.through() <= await behind.through()


async def test_a_process_keeps_what_another_one_promised_even_if_its_own_clock_lags(database):
    ahead = Watermark(database, lambda: datetime.now(UTC) + timedelta(seconds=30))
    behind = Watermark(database, lambda: datetime.now(UTC))
    promised = await ahead.through()
    await behind.through()
    await behind.confirm(promised)
    assert behind.known() >= promised
