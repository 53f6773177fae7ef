"""The golden cases of the Kolibri adapter: what calls become, what is read from them, what is refused.

With LRS_REGENERATE=1 the expectations are written anew; review the difference.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from kolibri_desk import Desk
from kolibri_school import TENANT, School
from kolibri_traces import Replay

from lrs.plugins import Entry
from lrs.xapi.validate import check_batch

FOLDER = Path(__file__).parents[2] / "fixtures" / "kolibri"
CONFIG = json.loads((FOLDER / "config.json").read_text())
CASES = sorted(FOLDER.glob("[0-9][0-9]-*.json"))


def desk_of(case: dict[str, Any], world: Replay) -> Desk:
    """A desk that has taken the calls of a case."""
    desk = Desk(CONFIG["settings"], **CONFIG["clock"])
    for call in world.filled(case["input"]["calls"]):
        if "start" in call:
            desk.start(call["start"], call.get("user"))
        else:
            desk.update(f"{call['session']:032x}", call["update"])
    return desk


async def outcome_of(case: dict[str, Any], client: TestClient[Any, Any], school: School, replay: Replay) -> Any:
    """What is compared with the expectation: statements, or the answers to requests."""
    if case["kind"] == "translate":
        statements = desk_of(case, replay).statements
        check_batch(statements, "1.0.3")
        check_batch(statements, "2.0.0")
        return statements
    if case["kind"] == "read":
        school.logs.statements[TENANT] += desk_of(case, replay).statements
    answers = []
    for request in case["input"]["requests"]:
        status, body = await replay.send(request)
        answers.append({"status": status, "body": body})
    if case["kind"] == "error":
        assert not school.logs.statements[TENANT], "what is refused leaves something behind"
    return answers


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
async def test_a_golden_case_comes_out_as_it_says(
    path: Path, kolibri_world: dict[str, Any], kolibri_entries: Sequence[Entry]
) -> None:
    case = json.loads(path.read_text())
    school = School(kolibri_entries, settings=CONFIG["settings"])
    async with TestClient(TestServer(school.app())) as client:
        outcome = await outcome_of(case, client, school, Replay(client, kolibri_world, {}, documented=False))
    if os.environ.get("LRS_REGENERATE"):
        path.write_text(json.dumps({**case, "expected": outcome}, indent=2, ensure_ascii=False) + "\n")
    assert outcome == case.get("expected")


def test_every_file_of_the_fixtures_is_claimed_by_a_test() -> None:
    claimed = {*CASES, FOLDER / "config.json", *(FOLDER / "traces").glob("*.json")}
    assert {path for path in FOLDER.rglob("*") if path.is_file()} == claimed


def test_every_kind_of_case_is_there() -> None:
    assert {json.loads(path.read_text())["kind"] for path in CASES} == {"translate", "read", "error"}
