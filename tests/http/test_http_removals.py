"""Erasure and retention over HTTP: who can be erased, and for how long things are kept."""

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import a_statement, basic, xapi
from working import working

from lrs.app import create_app
from lrs.config import Config
from lrs.store.mongo import Database

OPERATOR = {"Authorization": basic("operator:operator-secret")}
SCHOOL = "/manage/tenants/school"
ADA = {"account": {"homePage": "https://school.example.org", "name": "ada"}}


@pytest.fixture
async def client(config: Config, database: Database) -> AsyncIterator[TestClient]:
    async with working(config), TestClient(TestServer(create_app(config))) as client:
        await client.put(SCHOOL, headers=OPERATOR)
        credential = {"kind": "basic", "key": "k", "secret": "s", "scopes": ["all"]}
        await client.post(f"{SCHOOL}/credentials", json=credential, headers=OPERATOR)
        yield client


@pytest.mark.parametrize("whom", [{"actor": ADA}, {"home_page": "https://school.example.org", "name": "ada"}])
async def test_a_learner_is_erased_by_an_agent_or_by_an_account(client: TestClient, whom: dict) -> None:
    for actor in (ADA, {"mbox": "mailto:bob@school.example.org"}):
        await client.post("/xapi/statements", json=a_statement(actor=actor), headers=xapi("k:s"))
    answer = await client.post(f"{SCHOOL}/erase", json={**whom, "wait": True}, headers=OPERATOR)
    receipt = await answer.json()
    assert (answer.status, receipt["removed"]["statements"]) == (200, 1)
    page = await (await client.get("/xapi/statements", headers=xapi("k:s"))).json()
    assert [each["actor"] for each in page["statements"]] == [{"mbox": "mailto:bob@school.example.org"}]
    jobs = await (await client.get(f"{SCHOOL}/jobs", headers=OPERATOR)).text()
    assert "ada" not in jobs and receipt["learner"] in jobs


@pytest.mark.parametrize("wrong", [
    {}, {"actor": {}}, {"actor": {"objectType": "Group", "member": [ADA]}}, {"actor": ADA, "name": "ada"}, {"name": "ada"},
    {"home_page": "school", "name": "ada"}, {"home_page": "https://a.example", "name": ""}, {"actor": "ada"},
    {"actor": ADA, "all": True}, [],
])
async def test_who_is_not_told_exactly_is_not_erased(client: TestClient, wrong: object) -> None:
    answer = await client.post(f"{SCHOOL}/erase", json=wrong, headers=OPERATOR)
    assert answer.status == 400
    assert (await (await client.get(f"{SCHOOL}/jobs", headers=OPERATOR)).json())["jobs"] == []


async def test_a_retention_is_for_ever_until_it_is_said_and_again_when_it_is_taken_back(client: TestClient) -> None:
    for days in (30, None):
        assert (await client.put(f"{SCHOOL}/retention", json={"days": days}, headers=OPERATOR)).status == 204
        assert await (await client.get(f"{SCHOOL}/retention", headers=OPERATOR)).json() == {"days": days}
    done = await (await client.post(f"{SCHOOL}/retain", json={"wait": True}, headers=OPERATOR)).json()
    assert done == {"days": None, "removed": {}}


@pytest.mark.parametrize("wrong", [{}, {"days": 0}, {"days": -1}, {"days": "7"}, {"days": 1.5}, {"days": 10**6}, []])
async def test_a_retention_that_cannot_be_is_refused(client: TestClient, wrong: object) -> None:
    assert (await client.put(f"{SCHOOL}/retention", json=wrong, headers=OPERATOR)).status == 400
