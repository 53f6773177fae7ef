"""Jobs over native events: dead letters in bulk, history under a new version, imports for later, and what was kept and forgotten."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from builders import AUTHORITY, TALLY
from toy_adapter import BASE, GATE, translate

from lrs.errors import InvalidEvent
from lrs.events import Source
from lrs.jobs import Jobs
from lrs.plugins import Adapter
from lrs.queue import Queue
from lrs.retranslation import REPLACED_BY
from lrs.store.jobs import KeptJobs, spelled_out
from lrs.store.native_events import NativeEvents, Origin
from lrs.store.records import statement_of
from lrs.xapi.json_text import dump
from workers.jobs import Runner
from workers.native_events import sweep_events
from workers.services import Services
from workers.tasks import TASKS

ORIGIN = Origin("gate@1", "a-request", "a-key", AUTHORITY)


def renamed(event: Any, settings: Any, received_us: int) -> Any:
    """The gate's second version: gates have other names, nobody is allowed, and one kind of event says nothing any more."""
    if isinstance(event, dict) and event.get("gate") == "closed":
        raise InvalidEvent("gate", "is closed")
    if isinstance(event, dict) and not event.get("who"):
        event = {**event, "who": "somebody"}
    if isinstance(event, dict) and event.get("gate") == "gone":
        return []
    return [
        {**each, "object": {**each["object"], "id": f"{each['object']['id']}/{event['gate']}"}} if event.get("gate") == 7 else each
        for each in translate(event, settings, received_us)
    ]


SECOND = replace(GATE, version="2", translate=renamed)


class Desk:
    """One worker, and whoever asks it for something."""

    def __init__(self, database: Any, config: Any, adapter: Adapter) -> None:
        self.queue = Queue(config.redis_url)
        self.services = Services.of(database, {TALLY.name: TALLY}, config, {"gate": adapter}, self.queue)
        self.source = Source(adapter, "school", adapter.settings().load({}), AUTHORITY)
        self.kept = KeptJobs(database)

    async def take(self, *events: Any) -> None:
        await self.services.events.take(self.source, [dump(each) for each in events], ORIGIN)
        await self.services.events.drain()

    async def do(self, kind: str, /, **arguments: Any) -> Any:
        jobs = Jobs(self.kept, self.queue)
        job = await jobs.start("school", kind, arguments)
        await Runner(self.kept, self.services, TASKS, 1).work(asyncio.Event(), burst=True)
        job = await jobs.get("school", job.id)
        assert job.state == "done", job.error
        return spelled_out(job.result)


@pytest.fixture
async def desk_of(database, config):
    desks: list[Desk] = []

    def make(adapter: Adapter = GATE) -> Desk:
        desks.append(Desk(database, config, adapter))
        return desks[-1]

    yield make
    for desk in desks:
        await desk.queue.close()


async def counting(parts: Any) -> list[str]:
    """The objects of all statements that count."""
    found = parts.database["records"].find({"voided": None, "voids": None})
    return [statement_of(each)["object"]["id"] async for each in found]


def gone(id_: int, **more: Any) -> dict[str, Any]:
    return {"id": id_, "who": "ada", **more}


async def test_dead_letters_are_replayed_in_bulk_and_a_dry_run_tells_the_difference_before(desk_of, parts):
    await desk_of().take(*(gone(i, who="" if i % 2 else "ada") for i in range(600)), "text")
    second = desk_of(SECOND)
    foreseen = await second.do("replay", dry_run=True)
    assert foreseen["counts"] == {"stored": 300, "dead": 1}
    change = foreseen["changes"][0]
    assert change["was"]["place"] == "who"
    assert change["now"]["statements"][0]["actor"]["account"]["name"] == "somebody"
    assert len(await parts.all_ids()) == 300
    assert (await second.do("replay"))["counts"] == {"stored": 300, "dead": 1}
    assert await parts.database["records"].count_documents({}) == 600
    assert (await second.do("replay", kind="shape"))["counts"] == {"dead": 1}
    assert (await second.do("replay", kind="value"))["counts"] == {}


async def test_history_is_translated_anew_by_voiding_with_a_reference_and_never_in_place(desk_of, parts):
    await desk_of().take(gone(1), gone(2, gate=7), gone(3, gate="gone"), gone(4, gate="closed"), gone(2, gate=8))
    before = {each["_id"]: statement_of(each) async for each in parts.database["records"].find({})}
    second = desk_of(SECOND)
    assert (await second.do("retranslate", adapter="gate", dry_run=True))["counts"] == {"same": 1, "changed": 2, "failed": 1}
    assert set(before) == {each["_id"] async for each in parts.database["records"].find({})}
    told = await second.do("retranslate", adapter="gate")
    assert told["counts"] == {"same": 1, "changed": 2, "failed": 1}
    records = {each["_id"]: each async for each in parts.database["records"].find({})}
    assert all(statement_of(records[each]) == statement for each, statement in before.items())
    voids = [statement_of(each) for each in records.values() if "voids" in each]
    assert len(voids) == 2
    [void] = [each for each in voids if "context" in each]
    replacement = statement_of(records[f"school/{void['context']['extensions'][REPLACED_BY]}"])
    assert replacement["object"]["id"] == f"{BASE}/gates/7/7"
    assert statement_of(records[f"school/{void['object']['id']}"])["object"]["id"] == f"{BASE}/gates/7"


async def test_translating_history_again_finds_it_the_same_and_back_again_works_too(desk_of, parts):
    first, second = desk_of(), desk_of(SECOND)
    await first.take(gone(2, gate=7))
    for desk, changed in ((second, 1), (second, 0), (first, 1), (first, 0), (second, 1), (second, 0)):
        counts = (await desk.do("retranslate", adapter="gate"))["counts"]
        assert counts == ({"changed": 1} if changed else {"same": 1})
        [object_id] = await counting(parts)
        assert object_id == f"{BASE}/gates/7" + ("/7" if desk is second else "")


async def test_a_statement_that_somebody_voided_stays_voided(desk_of, parts):
    await desk_of().take(gone(2, gate=7))
    [statement_id] = await parts.all_ids()
    await parts.post({
        "actor": AUTHORITY, "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": statement_id},
    })
    assert (await desk_of(SECOND).do("retranslate", adapter="gate"))["counts"] == {"same": 1}
    assert await counting(parts) == []


async def test_events_set_aside_are_interpreted_by_a_job(desk_of, parts):
    desk = desk_of()
    batch, kept = await desk.services.events.set_aside(desk.source, [dump(gone(i, who="ada" if i else "")) for i in range(600)], ORIGIN)
    assert await parts.all_ids() == []
    told = await desk.do("interpret", adapter="gate", batch=batch, first_us=kept[0].received_us, last_us=kept[-1].received_us, total=600)
    assert told["events"] == {"stored": 599, "dead": 1}
    assert await parts.database["records"].count_documents({}) == 599
    assert await parts.database["native_events"].count_documents({"pending": {"$exists": True}}) == 0


async def test_what_was_kept_and_forgotten_is_found_and_interpreted(desk_of, parts):
    desk = desk_of()
    kept = NativeEvents(parts.database, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    await kept.keep("school", "gate", [dump(gone(1)), dump(gone(2, who=""))], ORIGIN)
    await kept.keep("school", "uninstalled", [b"{}"], ORIGIN)
    await sweep_events({"services": desk.services})
    assert len(await parts.all_ids()) == 1
    outcomes = [each["outcome"] async for each in parts.database["native_events"].find({}).sort("received", 1)]
    # What is not installed here may be elsewhere: it can be replayed there.
    assert sorted(outcomes) == ["dead", "dead", "stored"]


async def test_one_event_that_cannot_be_seen_to_does_not_keep_the_sweep_from_the_next(desk_of, parts, monkeypatch):
    monkeypatch.setattr("workers.native_events.ABANDONED_AFTER_US", -3600 * 1_000_000)
    desk = desk_of()
    await parts.database["settings"].insert_one({"_id": "poison/gate", "tenant": "poison", "adapter": "gate", "settings": {"gone": 1}})
    await desk.services.native_events.keep("poison", "gate", [dump(gone(1))], ORIGIN)
    await desk.services.native_events.keep("school", "gate", [dump(gone(2))], ORIGIN)
    await sweep_events({"services": desk.services})
    outcomes = [each["outcome"] async for each in parts.database["native_events"].find({}).sort("_id", 1)]
    assert outcomes == ["dead", "stored"]


async def test_what_was_stored_and_not_noted_is_found_to_be_its_events_own_and_can_be_translated_anew(desk_of, parts, monkeypatch):
    monkeypatch.setattr("workers.native_events.ABANDONED_AFTER_US", -3600 * 1_000_000)
    desk = desk_of()
    await desk.take(gone(1, gate=7), gone(1, gate=7))
    first = await parts.database["native_events"].find_one({"outcome": "stored"})
    unnoted = {"$set": {"pending": True}, "$unset": {"outcome": "", "statements": "", "reason": ""}}
    await parts.database["native_events"].update_many({}, unnoted)
    await sweep_events({"services": desk.services})
    outcomes = [each["outcome"] async for each in parts.database["native_events"].find({}).sort("_id", 1)]
    assert outcomes == ["stored", "duplicate"], first
    assert (await desk_of(SECOND).do("retranslate", adapter="gate"))["counts"] == {"changed": 1}


async def imported(desk, parts, count: int) -> Any:
    """An import whose job nobody has taken up."""
    batch, kept = await desk.services.events.set_aside(desk.source, [dump(gone(number)) for number in range(count)], ORIGIN)
    return await Jobs(desk.kept, desk.queue, desk.services.native_events).start("school", "interpret", {
        "adapter": "gate", "batch": batch, "first_us": kept[0].received_us, "last_us": kept[-1].received_us, "total": count,
    })


async def test_events_of_a_cancelled_import_are_interpreted_by_the_next_sweep_those_of_one_that_waits_not(desk_of, parts, monkeypatch):
    monkeypatch.setattr("workers.native_events.ABANDONED_AFTER_US", -3600 * 1_000_000)
    desk = desk_of()
    job = await imported(desk, parts, 3)
    await sweep_events({"services": desk.services})
    assert await parts.all_ids() == []
    await Jobs(desk.kept, desk.queue, desk.services.native_events).cancel("school", job.id)
    await sweep_events({"services": desk.services})
    assert len(await parts.all_ids()) == 3


async def test_of_an_import_that_was_never_acknowledged_nothing_stays(desk_of, parts):
    desk = desk_of()
    kept = NativeEvents(parts.database, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    await kept.keep("school", "gate", [dump(gone(1)), dump(gone(2))], ORIGIN, batch="its request failed")
    await kept.keep("school", "gate", [dump(gone(3))], ORIGIN, batch="its job is lost")
    await desk.kept.add("school", "interpret", {"adapter": "gate", "batch": "its job is lost"})
    await sweep_events({"services": desk.services})
    assert [each["batch"] async for each in parts.database["native_events"].find({})] == ["its job is lost"]
    assert len(await parts.all_ids()) == 1
