"""`lrs serve` and `lrs worker` against a MongoDB and Redis of one's own."""

import http.client
import os
import signal
import socket
from base64 import b64encode
from pathlib import Path

import pytest
from supervised import alive, children_of, interrupt, lines_until, lrs, none_left, running, until

from lrs.embedded.ports import free_port

OPERATOR = "operator:operator-secret"


@pytest.fixture
def environment(mongo_url: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "LRS_MONGO_URL": mongo_url, "LRS_REDIS_URL": redis_url, "LRS_SECRET": "a-secret-for-tests",
        "LRS_OPERATOR": OPERATOR, "LRS_MONGO_DATABASE": f"test_serve_{os.getpid()}", "XDG_DATA_HOME": str(tmp_path),
    }


@pytest.fixture
def port() -> int:
    return free_port()


def answers(port: int, path: str = "/readyz") -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_one_process_answers_and_ends_on_sigint(environment, port):
    with running("-m", "lrs", "serve", "--port", str(port), **environment) as process:
        assert until(lambda: answers(port), 30)
        code, _ = interrupt(process)
        assert code == 0


def test_several_processes_share_the_port_and_one_that_dies_is_replaced(environment, port):
    with running("-m", "lrs", "serve", "--port", str(port), "--workers", "2", **environment) as process:
        assert until(lambda: answers(port), 30)
        assert until(lambda: len(children_of(process.pid)) == 2, 10)
        assert "2 processes are listening" in lines_until(process, "2 processes are listening")
        first = children_of(process.pid)
        os.kill(first[0], signal.SIGKILL)
        assert until(lambda: len(set(children_of(process.pid)) - {first[0]}) == 2, 20)
        assert until(lambda: answers(port), 30)
        last = children_of(process.pid)
        code, _ = interrupt(process)
        assert code == 0 and not any(alive(pid) for pid in last)


def test_several_processes_end_with_their_parent(environment, port):
    with running("-m", "lrs", "serve", "--port", str(port), "--workers", "2", **environment) as process:
        assert until(lambda: answers(port), 30)
        children = children_of(process.pid)
        process.kill()
        process.wait()
        assert none_left(children)


def test_what_is_being_answered_at_sigterm_is_answered_before_the_end(environment, port):
    with running("-m", "lrs", "serve", "--port", str(port), **environment) as process:
        assert until(lambda: answers(port), 30)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.putrequest("PUT", "/manage/tenants/drained")
        connection.putheader("Authorization", f"Basic {b64encode(OPERATOR.encode()).decode()}")
        connection.putheader("Content-Length", "2")
        connection.endheaders(b"{")
        slow = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        slow.request("GET", "/healthz")
        slow.getresponse().read()  # the first request has surely arrived
        process.send_signal(signal.SIGTERM)
        assert until(lambda: not listens(port), 10)
        connection.send(b"}")
        assert connection.getresponse().status in (201, 204)
        assert process.wait(30) == 0


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use_is_one_line(environment, workers):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        outcome = lrs("serve", "--port", str(port), "--workers", workers, **environment)
    assert outcome.returncode == 1
    assert outcome.stderr == f"lrs: cannot listen on 127.0.0.1:{port}: Address already in use; another --port may do\n"


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("serve", "--port", "0", "--workers", "2"), ("worker",)])
def test_no_database_is_told_and_ends_with_1(environment, command):
    nowhere = {**environment, "LRS_MONGO_URL": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300"}
    outcome = lrs(*command, **nowhere)
    assert outcome.returncode == 1
    assert "lrs: MongoDB does not answer" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_listening_beyond_loopback_without_tls_is_refused(environment):
    outcome = lrs("serve", "--host", "0.0.0.0", "--port", "0", **environment)
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("lrs: binding 0.0.0.0 without TLS: ")
    assert outcome.stderr.count("\n") == 1


def test_a_setting_that_cannot_be_is_one_line(environment):
    outcome = lrs("serve", **{**environment, "LRS_PORT": "eighty"})
    assert outcome.returncode == 1
    assert outcome.stderr == "lrs: LRS_PORT: 'eighty' is not a value of type int\n"


def test_a_worker_ends_on_sigint(environment):
    with running("-m", "lrs", "worker", **environment) as process:
        assert not until(lambda: process.poll() is not None, 3)
        code, output = interrupt(process)
        assert code == 0 and "Traceback" not in output


def test_a_worker_waits_for_a_redis_that_is_away(environment):
    away = {**environment, "LRS_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}
    with running("-m", "lrs", "worker", **away) as process:
        assert not until(lambda: process.poll() is not None, 5)
        code, output = interrupt(process)
        assert code == 0 and "Traceback" not in output


def test_an_operators_command_without_an_lrs_is_one_line(environment, port):
    outcome = lrs("tenants", "list", "--url", f"http://127.0.0.1:{port}", **environment)
    assert outcome.returncode == 1
    assert outcome.stderr.startswith(f"lrs: no LRS answers at http://127.0.0.1:{port}: ")
    assert outcome.stderr.count("\n") == 1


def test_an_operators_command_without_a_credential_is_one_line(tmp_path):
    outcome = lrs("tenants", "list", "--data", str(tmp_path))
    assert outcome.returncode == 1
    assert outcome.stderr == f"lrs: set LRS_OPERATOR to key:secret: no `lrs up` has made one in {tmp_path}\n"
