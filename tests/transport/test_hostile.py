"""Senders that are slow, endless or mad, against a real `lrs serve`: each is cut off, others are served, memory stays flat."""

import contextlib
import gzip
import http.client
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from laws import SHAPE
from served import CREDENTIAL, LEARNER, OPERATOR, Answer, Served, answer_on, basic, serving, written

MIB = 1024 * 1024
BODY_LIMIT = 4 * MIB
# Generous: the interpreter keeps some of what it has had. Without limits, what follows would take gigabytes.
MAY_GROW = 96 * MIB
PATIENCE_S = 30.0
MANY = 300
XAPI = [("Authorization", basic(CREDENTIAL)), ("X-Experience-API-Version", "1.0.3"), ("Content-Type", "application/json")]
MANAGING = [("Authorization", basic(OPERATOR)), ("Content-Type", "application/json")]
STATEMENTS, TRACKING, CREDENTIALS = "/xapi/statements", "/api/logger/trackprogress", "/manage/tenants/school/credentials"
FOR_HER = [("Authorization", basic(CREDENTIAL)), ("X-LRS-On-Behalf-Of", LEARNER)]
NATIVE = [*FOR_HER, ("Content-Type", "application/json")]
FORM = [*FOR_HER, ("Content-Type", "multipart/form-data; boundary=x")]
TAKERS = [(STATEMENTS, XAPI), (TRACKING, NATIVE), (TRACKING, FORM), (CREDENTIALS, MANAGING)]
TAKER_IDS = ["statements", "a native path", "a native form", "management"]


@pytest.fixture(scope="module")
def served(mongo_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Impatient, and with a low limit of bodies, so that it can be passed often in little time."""
    log = tmp_path_factory.mktemp("hostile") / "serve.log"
    with serving(mongo_url, redis_url, log, LRS_REQUEST_TIMEOUT="1", LRS_BODY_LIMIT=str(BODY_LIMIT)) as served:
        yield served
    assert "Traceback" not in log.read_text()


@pytest.fixture(autouse=True)
def flat(served: Served) -> Iterator[None]:
    """Whatever a test sends, memory is afterwards what it was, more or less, and nothing is stored; others are answered."""
    before, kept = served.rss(), served.kept()
    yield
    assert served.rss() - before < MAY_GROW
    assert served.kept() == kept
    assert_answers(served)


def assert_answers(served: Served) -> None:
    assert served.call("GET", STATEMENTS, X_Experience_API_Version="1.0.3").status == 200


def drip(connection: socket.socket, piece: bytes = b"x") -> bytes:
    """Send byte after byte until something comes back; b"" if it is the end of the connection."""
    connection.settimeout(0.1)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            connection.sendall(piece)
            return connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            continue
        except ConnectionError:
            return b""
    raise AssertionError("whoever sends next to nothing is never cut off")


def assert_told(answer: Answer | None, *statuses: int) -> None:
    assert answer is not None and answer.status in statuses, answer
    assert answer.json.keys() in (SHAPE, {"detail"})  # the latter is what a native path says of a body it cannot read


@pytest.mark.parametrize("start", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: "], ids=["before", "within"])
def test_a_head_that_comes_byte_by_byte_is_cut_off(served: Served, start: bytes) -> None:
    with served.connection() as connection:
        connection.sendall(start)
        assert drip(connection) in (b"", b"H")


def test_a_second_head_on_a_connection_gets_no_more_time_than_the_first(served: Served) -> None:
    with served.connection() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert_alive(answer_on(connection))
        connection.sendall(b"GET /healthz HTTP/1.1\r\nX-Long: ")
        assert drip(connection) in (b"", b"H")


def assert_alive(answer: Answer | None) -> None:
    assert answer is not None and answer.status == 200


@pytest.mark.parametrize("length", ["Content-Length: 1000000", "Transfer-Encoding: chunked"], ids=["of known length", "in chunks"])
@pytest.mark.parametrize(("path", "headers"), TAKERS, ids=TAKER_IDS)
def test_a_body_that_comes_byte_by_byte_is_refused_and_its_connection_closed(served: Served, path, headers, length) -> None:
    with served.connection() as connection:
        connection.sendall(written("POST", path, [*headers, tuple(length.split(": ")), ("Connection", "keep-alive")], b""))
        assert drip(connection, b"1\r\nx\r\n" if "chunked" in length else b"x") == b"H"
        connection.settimeout(PATIENCE_S)
        answer = answer_on(connection)
        assert_told(answer, 408)
        assert answer.headers["Connection"] == "close"
        assert ended(connection)


def ended(connection: socket.socket) -> bool:
    with contextlib.suppress(ConnectionError):
        while connection.recv(65536):
            pass
    return True


def test_a_connection_on_which_nothing_is_said_is_closed(served: Served) -> None:
    with served.connection() as connection:
        connection.settimeout(PATIENCE_S)
        assert connection.recv(1) == b""


def test_a_body_that_comes_slowly_but_steadily_is_taken(served: Served) -> None:
    body = b" " * 64_000 + b"[]"  # nothing in it, so nothing is stored
    with served.connection() as connection:
        connection.sendall(written("POST", STATEMENTS, [*XAPI, ("Content-Length", str(len(body)))], b""))
        for start in range(0, len(body), 4_000):  # at some 40 kB a second, for longer than the time a request has
            connection.sendall(body[start : start + 4_000])
            time.sleep(0.1)
        answer = answer_on(connection)
    assert answer is not None and answer.status in (200, 400)


def test_many_slow_senders_keep_nobody_from_an_answer(served: Served) -> None:
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(served.connection()) for _ in range(MANY)]
        for number, connection in enumerate(slow):
            head = written("POST", STATEMENTS, [*XAPI, ("Content-Length", "100000")], b"[")
            connection.sendall(head if number % 2 else head[: number % 100])
        assert_answers(served)


def test_many_idle_connections_cost_little_and_are_closed(served: Served) -> None:
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(served.connection()) for _ in range(MANY)]
        assert_answers(served)
        for connection in idle:
            connection.settimeout(PATIENCE_S)
            assert connection.recv(1) == b""


@cache
def bomb(packed: Callable[[bytes], bytes]) -> bytes:
    """Some 60 kB that are 64 MiB, and no JSON: it ends within an array."""
    return packed(b"[" + b" " * 64 * MIB)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize(("path", "headers"), TAKERS, ids=TAKER_IDS)
def test_a_small_body_that_expands_without_end_is_too_large(served: Served, path, headers, encoding) -> None:
    packed = bomb(gzip.compress if encoding == "gzip" else zlib.compress)
    for _ in range(5):
        assert_told(served.ask("POST", path, [*headers, ("Content-Encoding", encoding)], packed), *refusals(headers))


def refusals(headers: list[tuple[str, str]]) -> tuple[int, ...]:
    """A form has no end there, so it may also be called broken before it is called too large."""
    return (413, 400) if headers is FORM else (413,)


@pytest.mark.parametrize(("path", "headers"), TAKERS, ids=TAKER_IDS)
def test_a_body_over_the_limit_is_refused_by_its_length_before_it_is_sent(served: Served, path, headers) -> None:
    with served.connection() as connection:
        connection.sendall(written("POST", path, [*headers, ("Content-Length", str(1024 * MIB))], b""))
        assert_told(answer_on(connection), *refusals(headers), 408)


@pytest.mark.parametrize(("path", "headers"), TAKERS, ids=TAKER_IDS)
def test_a_body_in_chunks_without_end_is_refused_at_the_limit(served: Served, path, headers) -> None:
    chunk = b"%x\r\n" % MIB + b" " * MIB + b"\r\n"
    with served.connection() as connection:
        connection.sendall(written("POST", path, [*headers, ("Transfer-Encoding", "chunked")], b""))
        with contextlib.suppress(ConnectionError):
            for _ in range(128):
                connection.sendall(chunk)
        with contextlib.suppress(ConnectionError):  # it may be closed before the answer could be read
            answer = answer_on(connection)
            assert answer is None or answer.status in refusals(headers)


FLOODS = {
    "one long header": b"GET /healthz HTTP/1.1\r\nX-Long: " + b"x" * 8 * MIB + b"\r\n\r\n",
    "many headers": b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X-%d: x\r\n" % number for number in range(100_000)) + b"\r\n",
    "one long name": b"GET /healthz HTTP/1.1\r\n" + b"x" * 8 * MIB + b": x\r\n\r\n",
    "a long path": b"GET /" + b"x" * 8 * MIB + b" HTTP/1.1\r\n\r\n",
    "no line at all": b"x" * 8 * MIB,
    "only ends of lines": b"\r\n" * 4 * MIB,
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 1000,
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_head_without_end_is_refused_in_our_shape_or_cut_off(served: Served, flood: bytes) -> None:
    for _ in range(3):
        try:
            answer = served.say(flood)
        except (ConnectionError, http.client.HTTPException):
            continue
        if answer is not None:
            assert_told(answer, 400, 431)


def test_a_head_a_little_too_large_is_told_so(served: Served) -> None:
    assert_told(served.ask("GET", "/healthz", [("X-Long", "x" * 20_000)]), 431)


@pytest.mark.parametrize("path", ["/healthz", "/nowhere"])
@pytest.mark.parametrize("expected", [b"x", b"\x80100-continue", b"100-continue, x"])
def test_what_cannot_be_expected_is_refused_in_our_shape(served: Served, path: str, expected: bytes) -> None:
    assert_told(served.ask("GET", path, [("Expect", expected)]), 417)


def test_thousands_of_requests_sent_at_once_wait_in_line(served: Served) -> None:
    request = written("GET", STATEMENTS, [*XAPI, ("Connection", "keep-alive")], b"")
    with served.connection() as connection:
        connection.settimeout(1)
        with contextlib.suppress(ConnectionError, TimeoutError):  # answers are never read, so in the end nothing more is taken
            connection.sendall(request * 20_000)
        assert_answers(served)
