"""The pathway adapter in the whole application, on a real database: import, read, jobs, voids, walls, and a move to another store."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import encode_basic_auth
from aiohttp.test_utils import TestClient, TestServer
from pathway_documents import a_log, a_pathway, a_response, an_activity, completed, emails, of
from working import working

from adapters.pathway.routes import PATH
from lrs.app import create_app
from lrs.config import Config
from lrs.store.mongo import Database

OPERATOR = {"Authorization": encode_basic_auth("operator", "operator-secret")}
EVENTS, XAPI = "/adapters/pathway/events", {"X-Experience-API-Version": "1.0.3"}
MANY = 600


def who(tenant: str, may: str = "all") -> dict[str, str]:
    return {"Authorization": encode_basic_auth(f"{tenant}-{may.replace('/', '-')}", "secret")}


@pytest.fixture
async def client(config: Config, database: Database) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(create_app(config))) as client:
        for tenant in ("a", "b"):
            assert (await client.put(f"/manage/tenants/{tenant}", headers=OPERATOR)).status == 201
            for scope in ("all", "events/write", "reports/read"):
                credential = {"kind": "basic", "key": f"{tenant}-{scope.replace('/', '-')}", "secret": "secret", "scopes": [scope]}
                await client.post(f"/manage/tenants/{tenant}/credentials", headers=OPERATOR, json=credential)
        yield client


async def take(client: TestClient[Any, Any], document: Any, tenant: str = "a", **headers: str) -> tuple[int, Any]:
    answer = await client.post(EVENTS, json=document, headers={**who(tenant), **headers})
    return answer.status, await answer.json()


async def ask(client: TestClient[Any, Any], tenant: str = "a", **query: Any) -> tuple[int, Any]:
    answer = await client.post(PATH, data=json.dumps({"pathway": "P1", **query}), headers=who(tenant))
    assert answer.status != 200 or "X-Experience-API-Consistent-Through" in answer.headers
    return answer.status, await answer.json()


async def logs(client: TestClient[Any, Any], tenant: str = "a", **query: Any) -> Any:
    status, body = await ask(client, tenant, **query)
    assert status == 200, body
    return body["data"][0]["activities"][0]["logs"]


async def test_the_door_counts_rows_and_tells_which_were_refused(client):
    rows = [a_log("a@x"), a_log("b@x", at="soon"), completed("c@x"), a_log("a@x"), "nobody"]
    status, told = await take(client, of(*rows))
    assert (status, told["stored"], told["duplicates"]) == (200, 2, 1)
    assert [(each["index"], each["place"]) for each in told["rejected"]] == [(1, "log.status.timestamp"), (4, "log")]
    status, told = await take(client, of(*rows))
    assert (status, told["stored"], told["duplicates"], len(told["rejected"])) == (200, 0, 3, 2)


@pytest.mark.parametrize("document", [{"status": "error", "message": "gone"}, of(a_log(at="soon")), {}, []])
async def test_a_document_of_which_nothing_can_be_used_is_refused(client, document):
    status, told = await take(client, document)
    assert status == (200 if document == [] else 400)
    assert document == [] or told["error"] == "INVALID_EVENT"
    assert (await ask(client))[0] in (200, 404)


async def test_what_was_acknowledged_is_read_at_once_and_by_whoever_may_only_read(client):
    await take(client, of(a_log("b@x"), completed("a@x")))
    assert emails(await logs(client)) == ["a@x", "b@x"]
    for scope, status in (("reports/read", 200), ("events/write", 403)):
        answer = await client.post(PATH, data='{pathway:"P1"}', headers=who("a", scope))
        assert answer.status == status
    answer = await client.post(EVENTS, json=of(a_log()), headers=who("a", "reports/read"))
    assert answer.status == 403


async def test_nothing_is_seen_from_another_tenant(client):
    await take(client, of(a_log("ada@example.com", firstname="Ada")))
    assert (await ask(client, "b"))[0] == 404
    await take(client, of(completed("ada@example.com", firstname="Eve")), "b")
    assert [each["firstname"] for each in await logs(client)] == ["Ada"]
    assert [each["firstname"] for each in await logs(client, "b")] == ["Eve"]


async def test_profiles_are_xapi_profile_documents_and_follow_the_last_import(client):
    await take(client, of(a_log("Ada@x", groups=["old"])))
    await take(client, of(a_log("ada@X", groups=["new"], telephone="27")))
    agent = {"account": {"homePage": "https://pathways.example.com", "name": "ada@x"}}
    params = {"agent": json.dumps(agent), "profileId": "https://lrs.example.org/xapi/profiles/pathway-user"}
    answer = await client.get("/xapi/agents/profile", params=params, headers={**who("a"), **XAPI})
    assert (await answer.json())["groups"] == ["new"]
    assert [each["telephone"] for each in await logs(client, groups=["new"])] == ["27"]
    assert await logs(client, groups=["old"]) == []


async def test_activities_keep_the_order_in_which_they_were_first_seen(client):
    await take(client, a_response(a_pathway(*(an_activity(id=each) for each in ("C", "A", "B")))))
    await take(client, a_response(a_pathway(an_activity(a_log(), id="D"), an_activity(a_log(), id="B", name="B anew"))))
    _, body = await ask(client)
    assert [each["ID"] for each in body["data"][0]["activities"]] == ["C", "A", "B", "D"]
    assert body["data"][0]["activities"][2]["name"] == "B anew"


async def test_a_statement_posted_to_xapi_counts_and_a_voided_one_no_more(client):
    await take(client, of(a_log("ada@x", progress=20)))
    base = "https://lrs.example.org/xapi/activities/pathway"
    statement = {
        "actor": {"mbox": "mailto:ada@x.example"}, "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": f"{base}/activities/S1"}, "context": {"contextActivities": {"parent": {"id": f"{base}/pathways/P1"}}},
        "result": {"score": {"raw": 7, "min": 0, "max": 10, "scaled": 0.7}},
    }
    answer = await client.post("/xapi/statements", json=statement, headers={**who("a"), **XAPI})
    [posted] = await answer.json()
    told = {each["email"]: each for each in await logs(client)}
    assert told["ada@x.example"]["status"]["complete"] is True
    assert told["ada@x.example"]["fulfilment"]["story"] == {"score": 70}
    void = {
        "actor": {"mbox": "mailto:ada@x.example"}, "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": posted},
    }
    assert (await client.post("/xapi/statements", json=void, headers={**who("a"), **XAPI})).status == 200
    assert emails(await logs(client)) == ["ada@x"]


async def test_a_large_document_is_a_job_whose_end_is_the_same_as_at_once(client, config):
    document = of(*(a_log(f"u{number}@x", progress=number % 100, lastname=f"L{number:05}") for number in range(MANY)), a_log(at="soon"))
    async with working(config):
        answer = await client.post(EVENTS, json=document, headers={**who("a"), "Prefer": "respond-async"})
        assert answer.status == 202
        told = await answer.json()
        while told["state"] in ("waiting", "running"):
            await asyncio.sleep(0.05)
            told = await (await client.get(answer.headers["Location"], headers=who("a"))).json()
    assert (told["state"], told["done"], told["total"]) == ("done", MANY + 3, MANY + 3)
    assert told["events"] == {"stored": MANY, "dead": 1, "nothing": 2}
    assert emails(await logs(client)) == [f"u{number}@x" for number in range(MANY)]
    assert (await take(client, document))[1]["duplicates"] == MANY


async def test_statements_that_were_moved_to_another_tenant_answer_the_same(client):
    await take(client, of(completed("ada@example.com"), a_log("", firstname="Zoë", lastname="Cruz", progress=12.5, at="")))
    lines = await (await client.get("/manage/tenants/a/export", headers=OPERATOR)).read()
    moved = await client.post("/manage/tenants/b/import", data=lines, headers={**OPERATOR, "Content-Type": "application/x-ndjson"})
    assert moved.status == 200
    (_, here), (_, there) = await ask(client), await ask(client, "b")
    assert there["data"] == here["data"] and there["hash"] == here["hash"]
