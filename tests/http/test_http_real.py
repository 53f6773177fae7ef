"""The whole application over real MongoDB and Redis: from a posted statement to what is read, alone and mounted."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import ID, OTHER_ID, a_statement, basic, xapi
from working import working

from lrs.app import create_app
from lrs.config import Config
from lrs.http import keys
from lrs.store.mongo import Database

OPERATOR = {"Authorization": basic("operator:operator-secret")}
STATEMENTS = "/xapi/statements"


@pytest.fixture
async def drops(config: Config) -> AsyncIterator[None]:
    """Leaves nothing in the database."""
    yield
    database = Database.connect(config)
    await database.drop()
    database.close()


@pytest.fixture(params=["", "/lrs"], ids=["alone", "mounted"])
async def lms(request: pytest.FixtureRequest, config: Config, drops: None) -> AsyncIterator["Lms"]:
    """A client with a credential of the tenant "school"."""
    app = create_app(config)
    host = app
    if request.param:
        host = web.Application()
        host.add_subapp(request.param, app)
    async with TestClient(TestServer(host)) as client:
        lms = Lms(client, app, request.param)
        await lms.provision("school", "all")
        yield lms


class Lms:
    def __init__(self, client: TestClient, app: web.Application, prefix: str) -> None:
        self.client, self.app, self.prefix = client, app, prefix
        self.pair = ""

    async def provision(self, tenant: str, *scopes: str) -> None:
        """Make a tenant (if need be) and a credential, and use it from now on."""
        await self.client.put(f"{self.prefix}/manage/tenants/{tenant}", headers=OPERATOR)
        wanted = {"kind": "basic", "scopes": scopes}
        path = f"{self.prefix}/manage/tenants/{tenant}/credentials"
        made = await (await self.client.post(path, json=wanted, headers=OPERATOR)).json()
        self.pair = f"{made['key']}:{made['secret']}"

    async def __call__(self, method: str, path: str, version: str = "1.0.3", **more: object) -> tuple[int, object]:
        answer = await self.client.request(method, self.prefix + path, headers=xapi(self.pair, version), **more)
        return answer.status, (await answer.json() if answer.content_type == "application/json" else None)


async def test_what_is_posted_is_read_at_once(lms: Lms) -> None:
    assert await lms("POST", STATEMENTS, json=a_statement(id=ID)) == (200, [ID])
    status, statement = await lms("GET", STATEMENTS, params={"statementId": ID})
    assert status == 200
    assert statement.items() >= a_statement(id=ID).items()
    assert {"stored", "timestamp", "authority", "version"} <= statement.keys()
    _, page = await lms("GET", STATEMENTS)
    assert page == {"statements": [statement], "more": ""}


async def test_put_again_is_nothing_new_and_another_under_its_id_a_conflict(lms: Lms) -> None:
    for statement, status in ((a_statement(), 204), (a_statement(), 204), (a_statement(result={"success": True}), 409)):
        assert (await lms("PUT", STATEMENTS, params={"statementId": ID}, json=statement))[0] == status
    _, page = await lms("GET", STATEMENTS)
    assert len(page["statements"]) == 1


async def test_a_bad_statement_stores_nothing_of_its_batch_and_is_named(lms: Lms) -> None:
    status, answer = await lms("POST", STATEMENTS, json=[a_statement(id=ID), a_statement(verb={"id": "no iri"})])
    assert (status, answer["problems"][0]["index"], answer["problems"][0]["place"]) == (400, 1, "verb.id")
    assert (await lms("GET", STATEMENTS))[1]["statements"] == []


async def test_pages_lead_through_everything(lms: Lms) -> None:
    _, ids = await lms("POST", STATEMENTS, version="2.0.0", json=[a_statement() for _ in range(7)])
    for order, expected in (("true", ids), ("false", ids[::-1])):
        status, page = await lms("GET", STATEMENTS, params={"limit": "3", "ascending": order})
        found = list(page["statements"])
        while page["more"]:
            assert page["more"].startswith(lms.prefix)
            status, page = await lms("GET", page["more"].removeprefix(lms.prefix))
            found += page["statements"]
        assert (status, [each["id"] for each in found]) == (200, expected)


async def test_a_voided_statement_is_found_by_voided_statement_id_only(lms: Lms) -> None:
    await lms("POST", STATEMENTS, json=a_statement(id=ID))
    reference = {"objectType": "StatementRef", "id": ID}
    void = a_statement(verb={"id": "http://adlnet.gov/expapi/verbs/voided"}, object=reference)
    await lms("POST", STATEMENTS, json=void)
    assert (await lms("GET", STATEMENTS, params={"statementId": ID}))[0] == 404
    assert (await lms("GET", STATEMENTS, params={"voidedStatementId": ID}))[0] == 200


async def test_the_watermark_reaches_what_was_posted(lms: Lms) -> None:
    await lms("POST", STATEMENTS, json=a_statement(id=ID))
    _, statement = await lms("GET", STATEMENTS, params={"statementId": ID})
    await asyncio.sleep(0.15)
    answer = await lms.client.get(f"{lms.prefix}{STATEMENTS}", headers=xapi(lms.pair))
    assert answer.headers["X-Experience-API-Consistent-Through"] >= statement["stored"]


async def test_only_the_own_statements_are_seen_where_the_scope_says_so(lms: Lms) -> None:
    await lms("POST", STATEMENTS, json=a_statement(id=ID))
    await lms.provision("school", "statements/write", "statements/read/mine")
    await lms("POST", STATEMENTS, json=a_statement(id=OTHER_ID))
    _, page = await lms("GET", STATEMENTS)
    assert [each["id"] for each in page["statements"]] == [OTHER_ID]
    assert (await lms("GET", STATEMENTS, params={"statementId": ID}))[0] == 404


async def test_tenants_see_nothing_of_each_other(lms: Lms) -> None:
    await lms("POST", STATEMENTS, json=a_statement(id=ID))
    await lms.provision("other", "all")
    assert (await lms("GET", STATEMENTS))[1]["statements"] == []
    assert (await lms("GET", STATEMENTS, params={"statementId": ID}))[0] == 404
    assert (await lms("POST", STATEMENTS, json=a_statement(id=ID, result={"success": True})))[0] == 200
    assert (await lms("GET", f"/t/school{STATEMENTS}"))[0] == 403


async def test_management_settles_rebuilds_and_verifies(lms: Lms, config: Config) -> None:
    await lms("POST", STATEMENTS, json=a_statement())
    school = f"{lms.prefix}/manage/tenants/school"
    answers = {}
    async with working(config):
        for what, body in (("settle", None), ("rebuild", {"wait": True}), ("verify", {"wait": True})):
            answer = await lms.client.post(f"{school}/{what}", json=body, headers=OPERATOR)
            assert answer.status == 200
            answers[what] = await answer.json()
    assert answers["verify"]["different"] == []
    status = await (await lms.client.get(f"{lms.prefix}/manage/status", headers=OPERATOR)).json()
    assert (status["mongo"], status["tenants"]) == (True, 1)
    assert (await lms.client.get(f"{lms.prefix}/readyz")).status == 200


async def test_a_deleted_tenants_credential_is_worth_nothing(lms: Lms) -> None:
    assert (await lms.client.delete(f"{lms.prefix}/manage/tenants/school", headers=OPERATOR)).status == 204
    assert (await lms("GET", STATEMENTS))[0] == 401


async def test_200_statements_from_20_clients_are_200(lms: Lms) -> None:
    async def post_ten() -> None:
        for _ in range(10):
            assert (await lms("POST", STATEMENTS, json=a_statement()))[0] == 200

    await asyncio.gather(*(post_ten() for _ in range(20)))
    _, page = await lms("GET", STATEMENTS, params={"limit": "500"})
    assert len({each["id"] for each in page["statements"]}) == 200


async def test_what_was_submitted_is_stored_before_the_application_ends(config: Config, drops: None) -> None:
    server = TestServer(create_app(config))
    async with TestClient(server) as client:
        lms = Lms(client, server.app, "")
        await lms.provision("school", "all")
        intake = server.app[keys.INTAKE]
        submitted = asyncio.create_task(
            intake.accept([a_statement(id=ID)], tenant="school", authority=a_statement()["actor"], version="1.0.3")
        )
        await asyncio.sleep(0)
    (accepted,) = await submitted
    assert (accepted.id, accepted.stored) == (ID, True)
