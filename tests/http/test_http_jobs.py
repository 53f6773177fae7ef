"""Jobs over HTTP: started, looked at, cancelled and retried, by the operator of their tenant only."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import basic

from lrs.app import create_app
from lrs.config import Config
from lrs.store.jobs import KeptJobs
from lrs.store.mongo import Database

OPERATOR = {"Authorization": basic("operator:operator-secret")}
SCHOOL = "/manage/tenants/school"


class Desk:
    """The operator at an application without a worker, below a mount prefix."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    async def __call__(self, method: str, path: str, body: object = None) -> tuple[int, dict]:
        answer = await self.client.request(method, path, json=body, headers=OPERATOR)
        return answer.status, (await answer.json() if answer.content_type == "application/json" else {})


@pytest.fixture
async def desk(config: Config, database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr("lrs.http.jobs.MOMENT_S", 0.05)
    host = web.Application()
    host.add_subapp("/lrs", create_app(config))
    async with TestClient(TestServer(host)) as client:
        desk = Desk(client)
        await desk("PUT", f"/lrs{SCHOOL}")
        yield desk


async def test_a_job_that_is_started_is_where_its_location_says(desk: Desk) -> None:
    answer = await desk.client.post(f"/lrs{SCHOOL}/rebuild", json={"per_second": 50}, headers=OPERATOR)
    job = await answer.json()
    assert (answer.status, job["state"]) == (202, "waiting")
    assert await desk("GET", answer.headers["Location"]) == (200, job)


async def test_a_job_is_cancelled_once_and_retried_once(desk: Desk) -> None:
    _, job = await desk("POST", f"/lrs{SCHOOL}/verify")
    path = f"/lrs{SCHOOL}/jobs/{job['id']}"
    for what, state in (("cancel", "cancelled"), ("retry", "waiting")):
        status, now = await desk("POST", f"{path}/{what}")
        assert (status, now["state"]) == (200, state)
        status, refused = await desk("POST", f"{path}/{what}")
        assert (status, refused["error"]) == (409, "job_not_in_state")


async def test_pages_of_jobs_are_walked_by_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrs.jobs.MOST_IN_A_PAGE", 2)
    started = [(await desk("POST", f"/lrs{SCHOOL}/rebuild", {"per_second": number}))[1]["id"] for number in range(1, 6)]
    await desk("POST", f"/lrs{SCHOOL}/jobs/{started[2]}/cancel")
    found, path = [], f"/lrs{SCHOOL}/jobs?state=waiting"
    while path:
        status, page = await desk("GET", path)
        found += [each["id"] for each in page["jobs"]]
        path = page["more"]
    assert found == [started[4], started[3], started[1], started[0]]


@pytest.mark.parametrize("query", ["state=dead", "after=1", "after=%00", "limit=3", "state=done&state=done"])
async def test_a_list_that_is_asked_for_wrongly_is_refused(desk: Desk, query: str) -> None:
    assert (await desk("GET", f"/lrs{SCHOOL}/jobs?{query}"))[0] == 400


@pytest.mark.parametrize("job", ["1", "%ED%A0%80", "f" * 24, "..%2F..", "a" * 2000])
async def test_a_job_that_is_not_there_is_a_404(desk: Desk, job: str) -> None:
    for method, path in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry")):
        assert (await desk(method, f"/lrs{SCHOOL}/jobs/{job}{path}"))[0] == 404


async def test_jobs_of_a_tenant_go_with_it(desk: Desk, database: Database) -> None:
    await desk("POST", f"/lrs{SCHOOL}/verify")
    assert (await desk("DELETE", f"/lrs{SCHOOL}"))[0] == 204
    assert sum((await KeptJobs(database).counts()).values()) == 0
