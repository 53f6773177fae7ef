"""The way of native events: raw first, then translated, then stored through the one door in; nothing is lost or counted twice."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from builders import AUTHORITY
from conftest import Parts
from toy_adapter import BASE, GATE

from lrs.events import Events, Outcome, Source
from lrs.plugins import Adapter, Profile
from lrs.store.documents import Documents
from lrs.store.mongo import Database
from lrs.store.native_events import NativeEvents, Origin, body_of
from lrs.xapi.documents import AGENT_PROFILE
from lrs.xapi.json_text import dump, parse

ORIGIN = Origin("gate@1", "request-1", "a-key", AUTHORITY)


def source_of(adapter: Adapter = GATE, tenant: str = "school") -> Source:
    return Source(adapter, tenant, adapter.settings().load({}), AUTHORITY)


class Gate:
    """Takes events as a process does."""

    def __init__(self, parts: Parts) -> None:
        clock = lambda: datetime.now(UTC)  # noqa: E731
        self.kept = NativeEvents(parts.database, clock)
        self.documents = Documents(parts.database, clock)
        self.events = Events(self.kept, parts.intake, self.documents)

    async def take(self, *events: Any, adapter: Adapter = GATE) -> list[Outcome]:
        outcomes = await self.events.take(source_of(adapter), [dump(each) for each in events], ORIGIN)
        await self.events.drain()
        return outcomes


@pytest.fixture
def gate(parts: Parts) -> Gate:
    return Gate(parts)


async def documents_of(database: Database) -> list[Mapping[str, Any]]:
    return [each async for each in database["native_events"].find({}).sort("received", 1)]


async def test_an_event_becomes_its_statement_and_stays_as_it_came(gate, parts):
    [outcome] = await gate.take({"id": 1, "who": "ada"})
    assert outcome.kind == "stored"
    [kept] = await documents_of(parts.database)
    assert kept["body"] == '{"id":1,"who":"ada"}'
    assert kept["outcome"] == "stored" and "pending" not in kept
    assert (kept["by"], kept["request"], kept["caller"]) == ("gate@1", "request-1", "a-key")
    assert kept["statements"] == await parts.all_ids()


async def test_an_event_that_comes_again_is_a_duplicate_and_stores_nothing_new(gate, parts):
    await gate.take({"id": 1, "who": "ada"})
    [outcome] = await gate.take({"id": 1, "who": "ada"})
    assert outcome.kind == "duplicate"
    assert len(await parts.all_ids()) == 1


async def test_an_event_that_was_corrected_later_is_a_duplicate_and_no_conflict(gate, parts):
    await gate.take({"id": 1, "who": "ada"})
    outcomes = await gate.take({"id": 1, "who": "ben"}, {"id": 2, "who": "ben"})
    assert [each.kind for each in outcomes] == ["duplicate", "stored"]
    assert len(await parts.all_ids()) == 2


async def test_of_two_equal_events_in_one_batch_the_first_is_stored(gate, parts):
    outcomes = await gate.take({"id": 1, "who": "ada"}, {"id": 1, "who": "ben"})
    assert [each.kind for each in outcomes] == ["stored", "duplicate"]


@pytest.mark.parametrize(("event", "kind", "code"), [
    ("text", "shape", "INVALID_EVENT"),
    ({"id": 1}, "value", "NOBODY"),
    ({"id": 1, "who": "ada", "crash": True}, "translation", "BROKEN_TRANSLATION"),
    ({"id": 1, "who": "ada", "bend": True}, "translation", "BROKEN_TRANSLATION"),
])
async def test_a_bad_event_is_a_dead_letter_with_its_reason_and_its_neighbours_are_stored(gate, parts, event, kind, code):
    outcomes = await gate.take({"id": 7, "who": "ada"}, event, {"id": 8, "who": "ada"})
    assert [each.kind for each in outcomes] == ["stored", "dead", "stored"]
    dead = (await documents_of(parts.database))[1]
    assert dead["outcome"] == "dead" and dead["statements"] == []
    assert (dead["reason"]["kind"], dead["reason"]["code"]) == (kind, code)
    assert parse(body_of(dead)) == event
    assert len(await parts.all_ids()) == 2


async def test_a_text_that_is_no_json_is_kept_byte_for_byte(gate, parts):
    for text in (b'{"id": 1,', b"\xff\xfe"):
        [outcome] = await gate.events.take(source_of(), [text], ORIGIN)
        assert outcome.fate.reason["kind"] == "unreadable"
    assert [body_of(each) for each in await documents_of(parts.database)] == [b'{"id": 1,', b"\xff\xfe"]


async def test_an_event_that_says_nothing_to_store_is_no_dead_letter(gate, parts):
    [outcome] = await gate.take({"id": 1, "who": "ada", "silent": True})
    assert (outcome.kind, outcome.error) == ("nothing", None)


async def test_what_an_event_teaches_about_a_person_is_kept_as_an_agent_profile_and_the_last_one_counts(gate):
    await gate.take({"id": 1, "who": "ada", "name": "Ada"}, {"id": 2, "who": "ben", "name": "Ben"})
    await gate.take({"id": 1, "who": "ada", "name": "Ada L."})
    known = await gate.documents.profiles("school", AGENT_PROFILE, f"{BASE}/profile")
    assert {agent.rpartition("|")[2]: parse(content) for agent, content in known.items()} == {
        "ada": {"name": "Ada L."}, "ben": {"name": "Ben"},
    }


async def test_receipt_times_are_unique_over_all_processes(make_parts):
    gates = [Gate(make_parts()) for _ in range(3)]
    clock = datetime(2026, 1, 1, tzinfo=UTC)
    for each in gates:
        each.kept._clock = lambda: clock
    taken = await asyncio.gather(*(each.take(*({"id": f"{n}-{i}", "who": "ada"} for i in range(20))) for n, each in enumerate(gates)))
    stamps = [outcome.kept.received_us for outcomes in taken for outcome in outcomes]
    assert len(set(stamps)) == 60


async def test_a_large_batch_is_taken_whole_whatever_is_wrong_with_some(gate, parts):
    events = [{"id": i % 900, "who": "" if i % 10 == 3 else "ada"} for i in range(1000)]
    outcomes = await gate.take(*events)
    counted = {kind: sum(each.kind == kind for each in outcomes) for kind in ("stored", "duplicate", "dead")}
    assert counted == {"stored": 810, "duplicate": 90, "dead": 100}
    assert len(await parts.all_ids()) == 500  # a page


async def test_a_translator_that_gives_no_id_is_found_out(gate):
    def without_id(event: Any, settings: Any, received_us: int) -> Any:
        [statement] = GATE.translate(event, settings, received_us)
        return [{name: value for name, value in statement.items() if name != "id"}]

    [outcome] = await gate.take({"id": 1, "who": "ada"}, adapter=replace(GATE, translate=without_id))
    assert outcome.fate.reason["kind"] == "translation"


async def test_a_profile_of_nobody_is_a_broken_translation_and_stores_nothing(gate, parts):
    def of_nobody(event: Any, settings: Any) -> Any:
        return (Profile("agents", "https://gate.example.org/ada", f"{BASE}/profile", {}),)

    [outcome] = await gate.take({"id": 1, "who": "ada"}, adapter=replace(GATE, teaches=of_nobody))
    assert outcome.fate.reason["kind"] == "translation"
    assert await parts.all_ids() == []
