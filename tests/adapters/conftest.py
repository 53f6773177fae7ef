"""What the tests of adapters share."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from kolibri_school import Pupil, School

from adapters.kolibri.world import WorldSchema, entries
from lrs.plugins import Entry

TRACES = Path(__file__).parents[2] / "fixtures" / "kolibri" / "traces"


@pytest.fixture(scope="session")
def kolibri_world() -> dict[str, Any]:
    """The school of the recordings, as an operator would PUT it."""
    world: dict[str, Any] = json.loads((TRACES / "world.json").read_text())
    return world


@pytest.fixture(scope="session")
def kolibri_entries(kolibri_world: dict[str, Any]) -> Sequence[Entry]:
    """What is kept of it. Hashing the passwords takes a second or two, so it is done once."""
    return list(entries(WorldSchema().load(kolibri_world)))


@pytest.fixture
def school(kolibri_entries: Sequence[Entry]) -> School:
    """A school where nothing has happened yet."""
    return School(kolibri_entries)


@pytest.fixture
async def pupil(school: School, kolibri_world: dict[str, Any]) -> AsyncIterator[Pupil]:
    """Whoever sends requests to the school."""
    async with TestClient(TestServer(school.app())) as client:
        yield Pupil(client, kolibri_world)
