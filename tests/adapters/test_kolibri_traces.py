"""Forty recordings of a real Kolibri 0.19.5, sent to the adapter in both spellings of the paths."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from kolibri_school import School
from kolibri_traces import Replay

from lrs.plugins import Entry

TRACES = Path(__file__).parents[2] / "fixtures" / "kolibri" / "traces"
NO_TRACES = {"world.json", "ops.json"}
RECORDED = sorted(path for path in TRACES.glob("*.json") if path.name not in NO_TRACES)


@pytest.mark.parametrize("spelling", ["kolibri", "documented"])
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_a_recorded_exchange_is_answered_as_kolibri_did(
    path: Path, spelling: str, kolibri_world: dict[str, Any], kolibri_entries: Sequence[Entry]
) -> None:
    ops = json.loads((TRACES / "ops.json").read_text())
    async with TestClient(TestServer(School(kolibri_entries).app())) as client:
        await Replay(client, kolibri_world, ops, documented=spelling == "documented").run(json.loads(path.read_text()))
