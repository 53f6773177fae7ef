"""Documents, agents and activities over real MongoDB: races between clients, and what statements say."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from document_desk import ACTIVITY, AGENT, ANY, PARAMS, STATE, Clock, Desk
from http_fakes import ID, OTHER_ID, a_statement, basic, xapi

from lrs.app import create_app
from lrs.config import Config
from lrs.store.mongo import Database

OPERATOR = {"Authorization": basic("operator:operator-secret")}
AGENT_TEXT = PARAMS[STATE]["agent"]


@pytest.fixture
async def client(config: Config) -> AsyncIterator[TestClient]:
    """A client whose header stands for a credential "all" of the tenant "school"."""
    async with TestClient(TestServer(create_app(config))) as client:
        await provision(client, "school", "all")
        yield client
    database = Database.connect(config)
    await database.drop()
    database.close()


async def provision(client: TestClient, tenant: str, key: str, *scopes: str) -> None:
    await client.put(f"/manage/tenants/{tenant}", headers=OPERATOR)
    credential = {"kind": "basic", "key": key, "secret": "secret", "scopes": scopes or ("all",)}
    await client.post(f"/manage/tenants/{tenant}/credentials", json=credential, headers=OPERATOR)


async def get(client: TestClient, path: str, pair: str = "all:secret", version: str = "1.0.3", **params: str) -> Any:
    answer = await client.get(f"/xapi/{path}", params=params, headers=xapi(pair, version))
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def post(client: TestClient, *statements: dict[str, Any], pair: str = "all:secret") -> None:
    answer = await client.post("/xapi/statements", json=statements, headers=xapi(pair))
    assert answer.status == 200, await answer.text()


def about(**definition: Any) -> dict[str, Any]:
    return a_statement(object={"id": ACTIVITY, "definition": definition})


@pytest.mark.parametrize("path", PARAMS)
async def test_of_many_clients_who_put_at_once_what_must_be_new_one_wins(client: TestClient, path: str) -> None:
    """If-None-Match: "*" detects a resource the client is not aware of. xAPI 1.0.3, Communication 3.1."""
    desk = Desk(client, path, PARAMS[path], Clock())
    answers = await asyncio.gather(*(desk("PUT", {"by": each}, headers=ANY) for each in range(20)))
    assert Counter(answer.status for answer in answers) == {204: 1, 412: 19}
    winner = next(each for each, answer in enumerate(answers) if answer.status == 204)
    assert await (await desk("GET")).json() == {"by": winner}


@pytest.mark.parametrize("path", PARAMS)
async def test_clients_who_count_up_together_lose_nothing(client: TestClient, path: str) -> None:
    """If-Match detects modifications made since the document was fetched: read, add one, write, and again if refused. 3.1."""
    desk = Desk(client, path, PARAMS[path], Clock())
    await desk("PUT", {"count": 0}, headers=ANY)

    async def count_up() -> None:
        while True:
            there = await desk("GET")
            more = {"count": (await there.json())["count"] + 1}
            if (await desk("PUT", more, headers={"If-Match": there.headers["ETag"]})).status == 204:
                return

    await asyncio.gather(*(count_up() for _ in range(10)))
    assert await (await desk("GET")).json() == {"count": 10}


async def test_a_deleted_tenants_documents_are_gone(client: TestClient) -> None:
    """Deleting a tenant leaves nothing of it."""
    desk = Desk(client, STATE, PARAMS[STATE], Clock())
    await desk("PUT", {}, headers=ANY)
    await client.delete("/manage/tenants/school", headers=OPERATOR)
    await provision(client, "school", "all")
    assert (await desk("GET")).status == 404


async def test_documents_of_one_tenant_are_nothing_to_another(client: TestClient) -> None:
    """No credential learns the existence of anything of another tenant."""
    desk = Desk(client, STATE, PARAMS[STATE], Clock())
    await desk("PUT", {}, headers=ANY)
    await provision(client, "other", "their")
    theirs = Desk(client, STATE, PARAMS[STATE], Clock(), pair="their:secret")
    assert [(await theirs("GET")).status, (await theirs("DELETE", stateId=None)).status, (await desk("GET")).status] == [404, 204, 200]


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
async def test_an_activity_has_all_that_statements_said_about_it(client: TestClient, version: str) -> None:
    """The complete Activity Object, at once. Communication 2.5; IEEE 9274.1.1, 4.1.6.4."""
    await post(client, about(name={"en": "Sums"}, type="https://example.org/type"), about(name={"de": "Summen"}))
    assert await get(client, "activities", version=version, activityId=ACTIVITY) == {
        "objectType": "Activity", "id": ACTIVITY,
        "definition": {"name": {"en": "Sums", "de": "Summen"}, "type": "https://example.org/type"},
    }


async def test_a_definition_goes_on_growing_after_it_was_saved(client: TestClient) -> None:
    """What was folded and what came since are one. Communication 2.5."""
    await post(client, about(name={"en": "Sums"}))
    await client.post("/manage/tenants/school/settle", headers=OPERATOR)
    await post(client, about(name={"de": "Summen"}))
    activity = await get(client, "activities", activityId=ACTIVITY)
    assert activity["definition"]["name"] == {"en": "Sums", "de": "Summen"}


async def test_a_voided_statement_defines_nothing(client: TestClient) -> None:
    """It no longer counts. xAPI 1.0.3, Data 2.3.2."""
    await post(client, {**about(type="https://example.org/wrong"), "id": ID})
    await post(client, a_statement(verb={"id": "http://adlnet.gov/expapi/verbs/voided"}, object={"objectType": "StatementRef", "id": ID}))
    assert "definition" not in await get(client, "activities", activityId=ACTIVITY)


async def test_definitions_and_names_are_of_one_tenant(client: TestClient) -> None:
    """No credential learns the existence of anything of another tenant."""
    await post(client, {**about(type="https://example.org/type"), "actor": {**AGENT, "name": "Ada"}})
    await provision(client, "other", "their")
    assert "definition" not in await get(client, "activities", pair="their:secret", activityId=ACTIVITY)
    assert "name" not in await get(client, "agents", pair="their:secret", agent=AGENT_TEXT)


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
async def test_an_agent_nobody_knows_is_a_person_all_the_same(client: TestClient, version: str) -> None:
    """With the information of the request. Communication 2.4, Requirements."""
    asked = '{"account": {"homePage": "https://example.org", "name": "x"}, "name": "X"}'
    assert await get(client, "agents", version=version, agent=asked) == {
        "objectType": "Person", "account": [{"homePage": "https://example.org", "name": "x"}], "name": ["X"],
    }


async def test_a_person_has_the_names_that_statements_use(client: TestClient) -> None:
    """List of names of Agents retrieved. Communication 2.4."""
    await post(client, a_statement(actor={**AGENT, "name": "Ada"}), a_statement(actor={**AGENT, "name": "A. Lovelace"}))
    person = await get(client, "agents", agent=AGENT_TEXT)
    assert (person["objectType"], person["mbox"], set(person["name"])) == ("Person", [AGENT["mbox"]], {"Ada", "A. Lovelace"})


@pytest.mark.parametrize(("path", "name", "bad"), [
    ("agents", "agent", "not json"), ("agents", "agent", '{"objectType": "Group", "mbox": "mailto:a@b.org"}'),
    ("activities", "activityId", "no iri"),
])
async def test_the_one_parameter_is_required_and_judged(client: TestClient, path: str, name: str, bad: str) -> None:
    """400 Bad Request. Communication 2.4, 2.5, 3.2."""
    good = AGENT_TEXT if path == "agents" else ACTIVITY
    for params in ({}, {name: bad}, {name: good, "foo": "bar"}, {name.title(): good}):
        assert (await client.get(f"/xapi/{path}", params=params, headers=xapi())).status == 400


@pytest.mark.parametrize(("path", "params"), [("agents", {"agent": AGENT_TEXT}), ("activities", {"activityId": ACTIVITY})])
async def test_head_of_agents_and_activities_is_get_without_a_body(client: TestClient, path: str, params: dict[str, str]) -> None:
    """Communication 1.1; an ETag with each answer to GET, 3.1."""
    got = await client.get(f"/xapi/{path}", params=params, headers=xapi())
    head = await client.head(f"/xapi/{path}", params=params, headers=xapi())
    assert (head.status, await head.read()) == (200, b"")
    assert all(head.headers[each] == got.headers[each] for each in ("ETag", "Content-Length", "Content-Type"))


@pytest.mark.parametrize(("scope", "status"), [
    ("all/read", 200), ("statements/read", 200), ("statements/read/mine", 403), ("state", 403), ("statements/write", 403),
])
async def test_who_sees_only_the_own_statements_learns_nothing_from_others(client: TestClient, scope: str, status: int) -> None:
    """Definitions and names come from all statements. Communication 4.2."""
    await provision(client, "school", OTHER_ID, scope)
    for path, params in (("agents", {"agent": AGENT_TEXT}), ("activities", {"activityId": ACTIVITY})):
        answer = await client.get(f"/xapi/{path}", params=params, headers=xapi(f"{OTHER_ID}:secret"))
        assert answer.status == status


async def test_the_type_of_a_category_is_known_though_no_summary_holds_it(client: TestClient, database: Database) -> None:
    """A profile is on every statement of a system; its summary would be one of everything. Communication 2.5."""
    profile = {"id": "https://example.org/profile", "definition": {"type": "http://adlnet.gov/expapi/activities/profile"}}
    said = [a_statement(id=None, context={"contextActivities": {"category": [profile]}}) for _ in range(3)]
    for each in said:
        del each["id"]
    await post(client, *said)
    assert (await get(client, "activities", activityId=profile["id"]))["definition"] == profile["definition"]
    assert await database["records"].count_documents({"keys": {"$regex": "profile$"}}) == 0
    assert "definition" not in await get(client, "activities", activityId="https://example.org/none")
