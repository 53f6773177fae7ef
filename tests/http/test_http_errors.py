"""Every error in one shape, with the headers and the status that belong to it."""

import asyncio

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient
from http_fakes import Fakes, a_statement, managing, xapi
from pymongo.errors import AutoReconnect, OperationFailure
from pytest_aiohttp.plugin import AiohttpClient

from lrs import errors
from lrs.errors import BrokenTranslation, ConfigurationError, LRSError, PlacedError
from lrs.http.errors import STATUS, status_of

# Bases, which nobody raises, and what is our own fault.
WITHOUT_A_ROW = {LRSError, PlacedError, BrokenTranslation, ConfigurationError}


def test_every_error_has_a_status_or_is_our_own_fault() -> None:
    kinds = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, LRSError)}
    assert kinds - set(STATUS) == WITHOUT_A_ROW


def test_an_error_of_an_adapter_has_the_status_of_what_it_is() -> None:
    class BellCracked(errors.InvalidEvent):
        pass

    assert status_of(BellCracked("bells.0", "is cracked")) == 400
    assert status_of(BrokenTranslation("no verb")) == 500


@pytest.mark.parametrize(("method", "path", "status", "code"), [
    ("GET", "/nothing/here", 404, "not_found"), ("DELETE", "/xapi/statements", 405, "method_not_allowed"),
    ("PROPFIND", "/healthz", 405, "method_not_allowed"), ("GET", "/xapi/statements/", 404, "not_found"),
])
async def test_aiohttps_own_errors_have_our_shape(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    body = await answer.json()
    assert (answer.status, body["error"]) == (status, code)
    assert body.keys() == {"error", "message", "problems", "request_id"}
    assert body["request_id"] == answer.headers["X-Request-ID"]


async def test_a_405_says_what_is_allowed(client: TestClient) -> None:
    answer = await client.delete("/xapi/statements")
    assert answer.headers["Allow"] == "GET,HEAD,POST,PUT"


async def test_what_we_did_not_expect_is_a_500_in_shape_and_a_line_in_the_log(client: TestClient) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await client.post("/bells/break", headers={"X-Request-ID": "the-broken-one"})
    assert answer.status == 500
    body = await answer.json()
    assert (body["error"], body["request_id"]) == ("internal_error", "the-broken-one")
    assert "rope" not in str(body)
    logged = [(line["event"], line["log_level"]) for line in lines]
    assert logged == [("unexpected_error", "error"), ("request", "info")]
    assert {line["request_id"] for line in lines} == {"the-broken-one"}


async def test_a_broken_translation_is_a_500_and_its_reason_is_for_the_log(client: TestClient, fakes: Fakes) -> None:
    fakes.intake.fails = BrokenTranslation("verb is missing")
    answer = await client.post("/xapi/statements", json=a_statement(), headers=xapi())
    assert (answer.status, (await answer.json())["message"].count("verb")) == (500, 0)


@pytest.mark.parametrize(("error", "status"), [
    (AutoReconnect("away"), 503), (OperationFailure("primary stepped down", 189), 503),
    (OperationFailure("bad query", 2), 500), (ConnectionRefusedError("somebody else's"), 500),
])
async def test_a_database_that_may_come_back_is_a_503_and_what_will_not_pass_a_500(
    client: TestClient, fakes: Fakes, error: Exception, status: int
) -> None:
    fakes.intake.fails = error
    answer = await client.post("/xapi/statements", json=a_statement(), headers=xapi())
    assert (answer.status, "Retry-After" in answer.headers) == (status, status == 503)
    assert str(error) not in await answer.text()


async def test_an_adapters_own_error_shape_stays(client: TestClient) -> None:
    answer = await client.post("/bells/refuse")
    assert (answer.status, await answer.json()) == (409, {"id": "NOT_RUNG"})


@pytest.mark.parametrize("target", [
    b"/xapi/statements?verb=\xff", b"/xapi/statements?%ff=%fe", b"/\xff\xfe", b"/t/%ff/xapi/statements", b"/%00?a=%00",
])
async def test_bytes_that_are_no_text_in_the_address_are_answered(client: TestClient, target: bytes) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    headers = "".join(f"{name}: {value}\r\n" for name, value in xapi().items()).encode()
    writer.write(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")
    status = int((await reader.readline()).split()[1])
    writer.close()
    assert 400 <= status < 500


async def test_what_marshmallow_refuses_is_named_by_its_place(client: TestClient) -> None:
    body = {"kind": "basic", "scopes": ["all", "everything"], "color": "red"}
    answer = await client.post("/manage/tenants/school/credentials", json=body, headers=managing())
    assert answer.status == 400
    answered = await answer.json()
    assert answered["error"] == "invalid_body"
    assert {each["place"] for each in answered["problems"]} == {"scopes.1", "color"}


async def test_errors_of_a_mounted_application_have_our_shape_and_headers(
    fakes: Fakes, aiohttp_client: AiohttpClient
) -> None:
    host = web.Application()
    host.add_subapp("/lrs", fakes.app())
    client = await aiohttp_client(host)
    for path, status in (("/lrs/xapi/nothing", 404), ("/lrs/xapi/statements", 401), ("/lrs/bells/break", 405)):
        answer = await client.get(path)
        assert answer.status == status
        assert (await answer.json())["request_id"] == answer.headers["X-Request-ID"]
        assert ("X-Experience-API-Version" in answer.headers) == ("/xapi/" in path)
    assert (await client.post("/lrs/bells/break")).status == 500
