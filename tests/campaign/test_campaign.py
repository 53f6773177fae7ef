"""The fault campaign, shortly: one round by the command itself; and that it can be trusted to see what it looks for."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

from campaign.adversary import WEIGHTS, plan
from campaign.ledger import Ledger, as_sent
from campaign.statements import Author

TESTS = Path(__file__).parent.parent
GIVEN_UP_AFTER_S = 300


def test_a_round_of_faults_finds_no_promise_broken(tmp_path):
    """Another seed by LRS_TEST_SEED; more rounds by `tox -e campaign`."""
    command = [
        sys.executable, "-m", "campaign", "--rounds", "1", "--duration", "6", "--seed", os.environ.get("LRS_TEST_SEED", "1"),
        "--report", str(tmp_path / "report.json"), "--keep", str(tmp_path / "logs"),
    ]
    ended = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(TESTS)}, capture_output=True, text=True, timeout=GIVEN_UP_AFTER_S, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["findings"] == {}
    assert report["rounds"] == 1
    assert report["counts"]["statements acknowledged"] > 0
    assert report["counts"]["summaries verified"] > 0


def test_a_seed_gives_the_same_faults_and_leaves_out_what_it_is_told_to():
    first, again = plan(random.Random(7), 60), plan(random.Random(7), 60)
    assert first == again != plan(random.Random(8), 60)
    assert {each.kind for each in plan(random.Random(7), 300, ["kill_api"])} == set(WEIGHTS) - {"kill_api"}
    assert plan(random.Random(7), 60, list(WEIGHTS)) == []


def test_what_the_server_adds_is_no_difference_and_anything_else_is():
    sent = Author(random.Random(1)).statement()
    stored = {**sent, "stored": "2026-03-02T09:14:07.250Z", "authority": {"mbox": "mailto:lrs@example.org"}}
    assert as_sent(stored, [sent])
    assert not as_sent({**stored, "verb": {"id": "https://example.org/another"}}, [sent])
    assert not as_sent({name: value for name, value in stored.items() if name != "object"}, [sent])


def test_an_answer_that_says_nothing_leaves_a_request_unknown_and_one_that_does_settles_it():
    ledger, author = Ledger(), Author(random.Random(1))
    one, other = author.statement(), author.statement()
    request, second = ledger.begin([one, other]), ledger.begin([other])
    for status in (0, 503):
        ledger.note(request, status)
    assert request.unknown
    assert ledger.acknowledged == {}
    ledger.note(request, 200)
    assert ledger.acknowledged == {one["id"]: one, other["id"]: other}
    ledger.note(second, 409)
    assert second.refused
    assert ledger.alone_in(request) == [one["id"]]
