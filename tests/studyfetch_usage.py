"""Usage in a store in memory: what events become there, and what the usage calls answer."""

from collections.abc import Iterable, Sequence
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from adapters.contract.directory import MemoryDirectory
from adapters.contract.memory import MemoryStore
from adapters.studyfetch.facts import fact_of
from adapters.studyfetch.routes import adapter
from adapters.studyfetch.schema import SettingsSchema
from adapters.studyfetch.summaries import MATERIALIZERS
from adapters.studyfetch.translate import translate

SETTINGS = SettingsSchema().load({})
RECEIVED_US = 1_769_904_000_000_000
KEY = {"x-api-key": "a-key"}


def statements_of(events: Sequence[Any]) -> list[Any]:
    """What events become, each once."""
    return list({each["id"]: each for event in reversed(events) for each in translate(event, SETTINGS, RECEIVED_US)}.values())


def store_of(events: Iterable[Any]) -> MemoryStore:
    """A store in memory that has taken events."""
    directory = MemoryDirectory({}, KEY["x-api-key"], "contract:secret")
    store = MemoryStore.of(adapter, MATERIALIZERS, directory, "2026-02-01T00:00:00Z")
    store.statements.log = statements_of(list(events))
    return store


async def answers_of(store: MemoryStore, *paths: str) -> list[Any]:
    """What the usage calls answer."""
    async with TestClient(TestServer(store.app())) as client:
        answers = [await client.get(f"/api/v1/usage{path}", headers=KEY) for path in paths]
        assert [each.status for each in answers] == [200] * len(paths)
        return [await each.json() for each in answers]


def facts_of(events: Sequence[Any]) -> list[Any]:
    """What is known of them."""
    return [fact for each in statements_of(events) if (fact := fact_of(each)) is not None]
