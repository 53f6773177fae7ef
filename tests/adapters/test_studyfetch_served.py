"""The StudyFetch adapter in the whole application, on a real database."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import encode_basic_auth
from aiohttp.test_utils import TestClient, TestServer

from lrs.app import create_app
from lrs.config import Config
from lrs.store.mongo import Database

OPERATOR = {"Authorization": encode_basic_auth("operator", "operator-secret")}
NDJSON = {"Content-Type": "application/x-ndjson"}
EVENTS, USAGE = "/adapters/studyfetch/events", "/api/v1/usage"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
SUBJECTS = (
    "/events", "/users/u1/summary", "/users/u1/progress", "/groups/7b/summary", "/resources/test-5/users",
    "/compare?groupIds=7b,8c", "/features?groupIds=7b", "/summary?period=daily&startDate=2026-01-01&endDate=2026-02-01&groupBy=group",
    "/summary?period=hourly&startDate=2026-01-12T09:10:00Z&endDate=2026-01-12T09:30:00Z&groupBy=user",
)


def key(tenant: str, may: str = "all") -> dict[str, str]:
    return {"x-api-key": f"{tenant}-{may.replace('/', '-')}"}


def an_event(event_id: str, event_type: str, **more: Any) -> dict[str, Any]:
    event = {"id": event_id, "eventType": event_type, "userId": "u1", "groupIds": ["7b"], "resourceId": "test-5",
             "timestamp": "2026-01-12T09:00:00Z"}
    return {**event, **more}


CLASS = [
    an_event("1", "test_started", metadata={"attemptId": "a"}),
    an_event("2", "test_completed", timestamp="2026-01-12T09:20:00Z", metadata={"attemptId": "a", "score": 6, "maxScore": 10}),
    an_event("3", "test_completed", timestamp="2026-01-12T09:40:00Z", groupIds=["7b", "8c"], metadata={"score": 9, "maxScore": 10}),
    an_event("4", "component_accessed", userId="u2", resourceId="cmp-9", metadata={"componentType": "flashcards", "rest": 2**70}),
    an_event("5", "cache_hit", userId=None, resourceId=None, timestamp="2026-01-13T00:00:00Z"),
]


@pytest.fixture
async def client(config: Config, database: Database) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(create_app(config))) as client:
        for tenant in ("a", "b"):
            assert (await client.put(f"/manage/tenants/{tenant}", headers=OPERATOR)).status == 201
            for scope in ("all", "events/write", "reports/read"):
                credential = {"kind": "api_key", **{"api_key": key(tenant, scope)["x-api-key"]}, "scopes": [scope]}
                await client.post(f"/manage/tenants/{tenant}/credentials", headers=OPERATOR, json=credential)
            basic = {"kind": "basic", "key": tenant, "secret": "secret", "scopes": ["all"]}
            await client.post(f"/manage/tenants/{tenant}/credentials", headers=OPERATOR, json=basic)
        yield client


async def taken(client: TestClient[Any, Any], body: Any, tenant: str = "a", **options: Any) -> tuple[int, Any]:
    answer = await client.post(EVENTS, headers=key(tenant), **(options or {"json": body}))
    return answer.status, await answer.json()


async def everything(client: TestClient[Any, Any], tenant: str) -> list[Any]:
    answers = [await client.get(USAGE + path, headers=key(tenant)) for path in SUBJECTS]
    assert {each.status for each in answers} == {200}
    assert all("X-LRS-Consistent-Through" in each.headers for each in answers)
    return [await each.json() for each in answers]


async def test_a_bad_item_of_a_batch_is_rejected_alone_and_told_with_its_place(client):
    status, told = await taken(client, [5, CLASS[0], {"id": "x"}, CLASS[0], an_event("7", "sso_login", timestamp="24:00")])
    assert (status, told["stored"], told["duplicates"]) == (200, 1, 1)
    assert [(each["index"], each["error"], each["place"]) for each in told["rejected"]] == [
        (0, "INVALID_JSON", ""), (2, "MISSING_EVENT_TYPE", "eventType"), (4, "INVALID_TIMESTAMP", "timestamp"),
    ]


@pytest.mark.parametrize(("body", "code"), [
    ([{"id": "x"}, 5], "MISSING_EVENT_TYPE"), ([None, {"id": "x"}], "INVALID_JSON"), (5, "INVALID_JSON"),
    (an_event("x", "sso_login", timestamp="soon"), "INVALID_TIMESTAMP"),
])
async def test_if_no_item_is_usable_the_first_ones_code_is_the_errors(client, body, code):
    status, told = await taken(client, body)
    assert (status, told["error"]) == (400, code)
    assert told["message"]


async def test_what_is_no_json_or_has_no_known_key_is_refused_in_the_same_shape(client):
    status, told = await taken(client, None, data=b'{"eventType": "sso_login"')
    assert (status, told["error"]) == (400, "INVALID_JSON")
    answer = await client.post(EVENTS, json=CLASS)
    assert (answer.status, (await answer.json())["error"]) == (401, "UNAUTHORIZED")


async def test_lines_are_taken_as_events(client):
    lines = b'{"eventType":"sso_login","id":1}\n\n{"eventType":"sso_login","id":"1"}\n{"eventType":"sso_logout","id":2}\n'
    answer = await client.post(EVENTS, headers={**key("a"), **NDJSON}, data=lines)
    assert (answer.status, (await answer.json())) == (200, {"stored": 2, "duplicates": 1, "rejected": []})


async def test_a_strict_tenant_refuses_unknown_types(client):
    settings = {"unknown_event_types": "refuse"}
    await client.put("/manage/tenants/a/adapters/studyfetch/settings", headers=OPERATOR, json=settings)
    status, told = await taken(client, an_event("1", "quiz_battle"))
    assert (status, told["error"]) == (400, "UNKNOWN_EVENT_TYPE")
    answer = await client.put("/manage/tenants/a/adapters/studyfetch/settings", headers=OPERATOR, json={"source": "studyfetch"})
    assert answer.status == 400


async def test_a_key_may_do_what_its_scopes_say_and_sees_its_own_tenant_alone(client):
    await taken(client, CLASS)
    written = await client.post(EVENTS, headers=key("a", "reports/read"), json=CLASS)
    read = await client.get(f"{USAGE}/events", headers=key("a", "events/write"))
    assert (written.status, read.status, (await read.json())["error"]) == (403, 403, "FORBIDDEN")
    assert (await client.post(EVENTS, headers=key("a", "events/write"), json=CLASS)).status == 200
    for headers, path, total in ((key("a", "reports/read"), USAGE, 5), (key("b"), USAGE, 0), (key("a"), f"/t/a{USAGE}", 5)):
        assert (await (await client.get(f"{path}/events", headers=headers)).json())["total"] == total
    assert (await client.get(f"/t/a{USAGE}/events", headers=key("b"))).status == 403


async def test_a_voided_statement_leaves_all_reports(client):
    await taken(client, CLASS[:1] + CLASS[2:], tenant="b")
    await taken(client, CLASS)
    as_tenant = {"Authorization": encode_basic_auth("a", "secret"), "X-Experience-API-Version": "1.0.3"}
    found = await (await client.get("/xapi/statements", headers=as_tenant)).json()
    [gone] = [each["id"] for each in found["statements"] if each["timestamp"] == "2026-01-12T09:20:00.000Z"]
    before = await everything(client, "a")
    void = {"actor": {"mbox": "mailto:admin@example.org"}, "verb": {"id": VOIDED}, "object": {"objectType": "StatementRef", "id": gone}}
    assert (await client.post("/xapi/statements", headers=as_tenant, json=void)).status == 200
    assert before != await everything(client, "a") == await everything(client, "b")


async def test_a_tenant_that_has_only_the_statements_of_another_gives_the_same_answers(client):
    await taken(client, CLASS)
    exported = await (await client.get("/manage/tenants/a/export", headers=OPERATOR)).read()
    imported = await client.post("/manage/tenants/b/import", headers={**OPERATOR, **NDJSON}, data=exported)
    assert imported.status == 200
    assert await everything(client, "b") == await everything(client, "a")


async def test_metadata_too_long_for_a_summary_is_shown_whole(client):
    metadata = {"componentType": "explainers", "essay": "é" * 500_000, "big": 2**70}
    await taken(client, [an_event(str(number), "component_usage", metadata=metadata) for number in range(4)])
    listed = await (await client.get(f"{USAGE}/events", headers=key("a"))).json()
    assert [each["metadata"] for each in listed["events"]] == [metadata] * 4


async def test_events_count_the_same_in_whatever_order_they_come(client):
    await taken(client, CLASS)
    for event in reversed(CLASS):
        await taken(client, event, tenant="b")
        await everything(client, "b")
    assert await everything(client, "b") == await everything(client, "a")
