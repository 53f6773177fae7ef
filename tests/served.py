"""A real `lrs serve` for tests, with a tenant in it, and a client that sends exactly the bytes it is told to."""

import base64
import contextlib
import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from supervised import GONE_WITHIN_S, until

from lrs.embedded.ports import free_port

OPERATOR = "operator:operator-secret"
CREDENTIAL = "writer:writer-secret"
API_KEY = "the-api-key-of-the-school"
# A learner of the school, by the id Kolibri knows.
LEARNER = "a" * 32
WORLD = {
    "facilities": {"home": {"id": "1" * 32, "default": True}}, "users": {"ada": {"id": LEARNER, "username": "ada", "facility": "home"}},
}
READY_WITHIN_S = 60.0
PATIENCE_S = 60.0
# What moves by itself, is only a saved copy of what can be had from the rest, or keeps what was refused, too.
NOT_KEPT = frozenset({"writers", "watermark", "cursors", "leases", "summaries", "lines", "revisions", "native_events"})
# bytes go out as they are; text as UTF-8.
Headers = Iterable[tuple[str | bytes, str | bytes]]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


class Served:
    """One process of the API on a database of its own; it says nothing to it by itself."""

    def __init__(self, port: int, pid: int, database: Any) -> None:
        self.port, self.pid, self.database = port, pid, database

    def ask(self, method: str | bytes, target: str | bytes, headers: Headers = (), body: bytes = b"") -> Answer | None:
        """One request on a connection of its own; Content-Length is added unless the headers say how the body goes."""
        return self.say(written(method, target, headers, body))

    def say(self, raw: bytes) -> Answer | None:
        """The answer to these bytes; None if the connection ends without one."""
        with self.connection() as connection:
            with contextlib.suppress(ConnectionError):  # it may answer and close before it has heard all
                connection.sendall(raw)
            return answer_on(connection, raw.partition(b" ")[0].decode("latin-1"))

    def connection(self) -> socket.socket:
        """A connection on which nothing has been said."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)

    def call(self, method: str, path: str, value: Any = None, *, pair: str = CREDENTIAL, **headers: str) -> Answer:
        """A well-formed request of a credential."""
        named = [(name.replace("_", "-"), each) for name, each in headers.items()]
        body = b"" if value is None else json.dumps(value).encode()
        answer = self.ask(method, path, [("Authorization", basic(pair)), ("Content-Type", "application/json"), *named], body)
        assert answer is not None
        return answer

    def kept(self) -> dict[str, int]:
        """How many documents there are in each collection of what is kept."""
        names = sorted(set(self.database.list_collection_names()) - NOT_KEPT)
        return {name: self.database[name].estimated_document_count() for name in names}

    def rss(self) -> int:
        """Resident memory in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def cpu_s(self) -> float:
        """Seconds of processor it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def basic(pair: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(pair.encode()).decode()


def written(method: str | bytes, target: str | bytes, headers: Headers, body: bytes) -> bytes:
    """A request as bytes. The connection is to be closed after it, unless a header says otherwise."""
    lines = [(_bytes(name), _bytes(value)) for name, value in headers]
    names = {name.lower() for name, _ in lines}
    if not names & {b"content-length", b"transfer-encoding"}:
        lines.append((b"Content-Length", str(len(body)).encode()))
    if b"connection" not in names:
        lines.append((b"Connection", b"close"))
    head = b"".join(name + b": " + value + b"\r\n" for name, value in [(b"Host", b"127.0.0.1"), *lines])
    return _bytes(method) + b" " + _bytes(target) + b" HTTP/1.1\r\n" + head + b"\r\n" + body


def answer_on(connection: socket.socket, method: str = "GET") -> Answer | None:
    """The next answer on a connection; None if it ends without one."""
    response = http.client.HTTPResponse(connection, method=method)
    try:
        response.begin()
        return Answer(response.status, dict(response.getheaders()), response.read())
    except (ConnectionError, http.client.BadStatusLine):
        return None
    finally:
        response.close()


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


@contextlib.contextmanager
def serving(mongo_url: str, redis_url: str, log: Path, **environment: str) -> Iterator[Served]:
    """`lrs serve` with the tenant "school", which the credentials above belong to; its database is dropped in the end.

    What it logs goes to a file: nobody reads a pipe while bytes are sent.
    """
    name, port = f"test_{secrets.token_hex(6)}", free_port()
    told = {
        "LRS_MONGO_URL": mongo_url, "LRS_REDIS_URL": redis_url, "LRS_SECRET": "a-secret-for-tests",
        "LRS_OPERATOR": OPERATOR, "LRS_MONGO_DATABASE": name, **environment,
    }
    argv = [sys.executable, "-m", "lrs", "serve", "--port", str(port)]
    with MongoClient(mongo_url) as client, log.open("wb") as output:
        process = subprocess.Popen(
            argv, env=_environment(told), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            served = Served(port, process.pid, client[name])
            assert until(lambda: process.poll() is not None or _is_ready(served), READY_WITHIN_S)
            assert process.poll() is None, log.read_text()
            _provision(served)
            yield served
        finally:
            process.terminate()
            try:
                process.wait(GONE_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            client.drop_database(name)


def _environment(more: dict[str, str]) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if not name.startswith("LRS_")}, **more}


def _provision(served: Served) -> None:
    key, _, secret = CREDENTIAL.partition(":")
    school = "/manage/tenants/school"
    for method, path, value in (
        ("PUT", school, None),
        ("POST", f"{school}/credentials", {"kind": "basic", "key": key, "secret": secret, "scopes": ["all"]}),
        ("POST", f"{school}/credentials", {"kind": "api_key", "api_key": API_KEY, "scopes": ["all"]}),
        ("PUT", f"{school}/adapters/kolibri/reference/world", WORLD),
    ):
        assert served.call(method, path, value, pair=OPERATOR).status in (201, 204)


def _is_ready(served: Served) -> bool:
    try:
        answer = served.ask("GET", "/readyz")
    except OSError:
        return False
    return answer is not None and answer.status == 200
