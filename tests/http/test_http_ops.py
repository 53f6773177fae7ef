"""Being alive, being ready, being watched, and ending well."""

import asyncio
import json
import logging

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import Fakes, a_statement, xapi
from pytest_aiohttp.plugin import AiohttpClient

from lrs import logs
from lrs.http.routes import ROWS


async def test_alive_needs_nothing(client: TestClient, fakes: Fakes) -> None:
    fakes.database.up = False
    assert (await client.get("/healthz")).status == 200


@pytest.mark.parametrize(("mongo", "redis", "status"), [(True, True, 200), (True, False, 200), (False, True, 503)])
async def test_ready_needs_mongo_and_only_reports_redis(
    client: TestClient, fakes: Fakes, mongo: bool, redis: bool, status: int
) -> None:
    fakes.database.up, fakes.queue.reachable = mongo, redis
    answer = await client.get("/readyz")
    body = await answer.json()
    assert (answer.status, body["mongo"], body["redis"]) == (status, mongo, redis)


@pytest.mark.parametrize("prefix", ["", "/lrs"])
async def test_on_the_way_down_it_is_not_ready_and_what_is_under_way_is_answered(fakes: Fakes, prefix: str) -> None:
    held, entered = asyncio.Event(), asyncio.Event()

    async def slow_accept(statements: list, **_more: object) -> list:
        entered.set()
        await held.wait()
        return []

    fakes.intake.accept = slow_accept  # type: ignore[method-assign]
    app = fakes.app()
    host = web.Application()
    if prefix:
        host.add_subapp(prefix, app)
    server = TestServer(host if prefix else app)
    async with TestClient(server) as client:
        assert (await client.get(f"{prefix}/readyz")).status == 200
        posting = asyncio.create_task(client.post(f"{prefix}/xapi/statements", json=a_statement(), headers=xapi()))
        await entered.wait()
        await (host if prefix else app).shutdown()
        answer = await client.get(f"{prefix}/readyz")
        assert (answer.status, (await answer.json())["draining"]) == (503, True)
        held.set()
        assert (await posting).status == 200


async def test_metrics_count_requests_by_route_never_by_path(client: TestClient) -> None:
    for path in ("/t/school/xapi/statements", "/t/other/xapi/statements", "/no/such/path"):
        await client.get(path, headers=xapi())
    await client.request("PROPFIND", "/healthz")
    text = await (await client.get("/metrics")).text()
    assert 'lrs_http_request_seconds_count{method="GET",route="/t/{tenant}/xapi/statements",status="200"} 1.0' in text
    assert 'lrs_http_request_seconds_count{method="GET",route="/t/{tenant}/xapi/statements",status="403"} 1.0' in text
    assert 'method="GET",route="unmatched",status="404"' in text
    assert 'method="other",route="unmatched",status="405"' in text
    assert "no/such" not in text and "PROPFIND" not in text


async def test_metrics_tell_how_it_goes_over_all_processes(client: TestClient, fakes: Fakes) -> None:
    text = await (await client.get("/metrics")).text()
    told = ("lrs_follow_lag_seconds 1.5", "lrs_follow_lagging_tenants 2.0", 'lrs_jobs{state="failed"} 3.0', "lrs_workers 1.0")
    assert [each for each in (*told, "lrs_sweep_age_seconds 4.0") if each not in text] == []
    fakes.health.condition = None
    text = await (await client.get("/metrics")).text()
    assert "lrs_follow_lag_seconds NaN" in text and 'lrs_jobs{state="failed"} NaN' in text


async def test_two_applications_do_not_share_metrics(fakes: Fakes, aiohttp_client: AiohttpClient) -> None:
    one, other = await aiohttp_client(fakes.app()), await aiohttp_client(fakes.app())
    await one.get("/healthz")
    assert "/healthz" not in await (await other.get("/metrics")).text()


async def test_a_request_is_one_line_with_tenant_route_and_status(client: TestClient) -> None:
    with structlog.testing.capture_logs() as lines:
        await client.post("/xapi/statements", json=a_statement(), headers=xapi())
        await client.get("/t/school/bells/ring")
        await client.get("/nothing")
    assert [(line["method"], line["route"], line["tenant"], line["status"]) for line in lines] == [
        ("POST", "/xapi/statements", "school", 200), ("GET", "/t/{tenant}/bells/ring", "school", 200),
        ("GET", "unmatched", None, 404),
    ]
    assert all(line["duration_ms"] > 0 for line in lines)


@pytest.mark.parametrize(("given", "kept"), [
    ("abc-123", True), ("a" * 128, True), ("a" * 129, False), ("", False), ("two words", False), ("é", False),
    ("a{b}", False),
])
async def test_a_sane_request_id_is_kept_and_another_replaced(client: TestClient, given: str, kept: bool) -> None:
    answer = await client.get("/healthz", headers={"X-Request-ID": given})
    assert (answer.headers["X-Request-ID"] == given) == kept
    assert len(answer.headers["X-Request-ID"]) >= 3


async def test_adapters_paths_are_served_as_they_are_and_below_the_tenants_prefix(client: TestClient) -> None:
    assert await (await client.get("/bells/ring")).json() == {"rung": True, "tenant": None}
    assert await (await client.get("/t/other/bells/ring")).json() == {"rung": True, "tenant": "other"}


def test_no_path_is_in_the_table_twice() -> None:
    rows = [(row.method, row.path) for row in ROWS]
    assert len(rows) == len(set(rows))


@pytest.fixture
def _logs_as_before() -> object:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.mark.usefixtures("_logs_as_before")
def test_json_logs_are_one_object_a_line_ours_and_the_libraries(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    structlog.get_logger("ours").info("request", tenant="school", kind=object)
    logging.getLogger("theirs").warning("slow %s", "disk")
    try:
        raise ZeroDivisionError("the rope tore")
    except ZeroDivisionError:
        structlog.get_logger("ours").exception("unexpected_error")
        logging.getLogger("theirs").exception("also")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("request", "info"), ("slow disk", "warning"), ("unexpected_error", "error"), ("also", "error"),
    ]
    assert lines[0]["tenant"] == "school" and all("timestamp" in line for line in lines)
    assert "the rope tore" in lines[2]["exception"] and "the rope tore" in lines[3]["exception"]


@pytest.mark.usefixtures("_logs_as_before")
def test_console_logs_are_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("console")
    structlog.get_logger("ours").info("request", tenant="school")
    logging.getLogger("theirs").warning("slow %s", "disk")
    text = capfd.readouterr().err
    assert "tenant=school" in text and "slow disk" in text
