"""Two processes on one database: what one is told holds in the other, and a deleted tenant is gone from both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import ID, a_statement, basic, xapi
from motor.motor_asyncio import AsyncIOMotorGridFSBucket

from lrs.app import create_app
from lrs.config import Config
from lrs.http import keys
from lrs.http.routes import ROWS
from lrs.plugins import load_adapters
from lrs.store.mongo import Database

OPERATOR = {"Authorization": basic("operator:operator-secret")}
PATH = "/xapi/statements"
TENANTS = "/manage/tenants"
SCHOOL = f"{TENANTS}/school"


class Processes:
    """Two applications on one database, as two processes are."""

    def __init__(self, clients: list[TestClient], apps: list[web.Application]) -> None:
        self.clients, self.apps = clients, apps

    async def manage(self, method: str, path: str, body: Any = None) -> Any:
        sent = {} if body is None else {"json": body}
        answer = await self.clients[0].request(method, path, headers=OPERATOR, **sent)
        assert answer.status < 300, await answer.text()
        return await answer.json() if answer.content_type == "application/json" else None


@pytest.fixture
async def processes(config: Config) -> AsyncIterator[Processes]:
    async with AsyncExitStack() as stack:
        apps = [create_app(config), create_app(config)]
        clients = [await stack.enter_async_context(TestClient(TestServer(app))) for app in apps]
        yield Processes(clients, apps)
        await apps[0][keys.DATABASE].drop()


async def refused_after(client: TestClient, headers: dict[str, str]) -> float:
    """Seconds until a credential that was good is refused."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(5):
        while (await client.get(PATH, headers=headers)).status != 401:
            await asyncio.sleep(0.02)
    return loop.time() - began


async def test_a_revoked_credential_is_refused_by_every_process_within_a_second(processes: Processes) -> None:
    await processes.manage("PUT", SCHOOL)
    await processes.manage("POST", f"{SCHOOL}/credentials", {"kind": "basic", "key": "k", "secret": "s", "scopes": ["all"]})
    await processes.manage("POST", f"{SCHOOL}/credentials", {"kind": "api_key", "api_key": "a-long-api-key", "scopes": ["all"]})
    both = (xapi("k:s"), {"x-api-key": "a-long-api-key", "X-Experience-API-Version": "1.0.3"})
    for headers in both:
        for client in processes.clients:
            assert (await client.get(PATH, headers=headers)).status == 200
    for key, headers in zip(("k", "a-long-api-key"), both, strict=True):
        await processes.manage("DELETE", f"{SCHOOL}/credentials/{key}")
        seconds = await asyncio.gather(*(refused_after(client, headers) for client in processes.clients))
        assert max(seconds) < 1


async def test_a_host_leads_to_its_tenant_in_every_process_within_a_second(processes: Processes) -> None:
    await processes.manage("PUT", SCHOOL, {"hosts": ["school.example"]})
    await processes.manage("PUT", f"{TENANTS}/other")
    await processes.manage("POST", f"{TENANTS}/other/credentials", {"kind": "basic", "key": "o", "secret": "s", "scopes": ["all"]})
    headers = xapi("o:s", Host="school.example")
    assert [(await client.get(PATH, headers=headers)).status for client in processes.clients] == [403, 403]
    taken = await processes.clients[1].put(f"{TENANTS}/third", json={"hosts": ["school.example"]}, headers=OPERATOR)
    assert (taken.status, (await taken.json())["error"]) == (409, "host_taken")
    assert "third" not in (await processes.manage("GET", TENANTS))["tenants"]
    await processes.manage("PUT", SCHOOL, {"hosts": []})
    async with asyncio.timeout(1):
        while [(await client.get(PATH, headers=headers)).status for client in processes.clients] != [200, 200]:
            await asyncio.sleep(0.02)


async def fill(processes: Processes, tenant: str) -> None:
    """Something of a tenant wherever something can be."""
    client, database = processes.clients[0], processes.apps[0][keys.DATABASE]
    await processes.manage("PUT", f"{TENANTS}/{tenant}", {"hosts": [f"{tenant}.example"]})
    wanted = {"kind": "basic", "key": f"k-{tenant}", "secret": "s", "scopes": ["all"]}
    await processes.manage("POST", f"{TENANTS}/{tenant}/credentials", wanted)
    headers = xapi(f"k-{tenant}:s")
    assert (await client.post(PATH, json=a_statement(id=ID, result={"response": tenant}), headers=headers)).status == 200
    params = {"activityId": "https://a.example/1", "agent": '{"mbox":"mailto:a@b.example"}', "stateId": "s", "profileId": "p"}
    for row in ROWS:
        if row.method == "PUT" and row.path.startswith("/xapi/") and row.path != PATH:
            taken = {name: value for name, value in params.items() if name[:5] in ("state", "activ", "agent", "profi")}
            await client.put(row.path, params=taken, json={"of": tenant}, headers=headers | {"If-None-Match": "*"})
    for adapter in load_adapters():
        await client.put(f"{TENANTS}/{tenant}/adapters/{adapter}/settings", json={}, headers=OPERATOR)
    await processes.manage("POST", f"{TENANTS}/{tenant}/settle")
    bucket = AsyncIOMotorGridFSBucket(database["x"].database, bucket_name="attachments")
    await bucket.upload_from_stream("sha2", b"of " + tenant.encode(), metadata={"tenant": tenant})


async def everything(database: Database) -> dict[str, list[Any]]:
    return {name: [each async for each in database[name].find({})] for name in await database.collection_names()}


async def test_a_deleted_tenant_leaves_nothing_in_any_collection_and_takes_nothing_of_others(processes: Processes) -> None:
    for tenant in ("leaving-school", "staying-school"):
        await fill(processes, tenant)
    database = processes.apps[0][keys.DATABASE]
    before = await everything(database)
    assert "leaving-school" in str(before)
    await processes.manage("DELETE", f"{TENANTS}/leaving-school")
    after = await everything(database)
    assert [name for name, documents in after.items() if "leaving-school" in str(documents)] == []
    for name, documents in before.items():
        staying = [each for each in documents if "staying-school" in str(each)]
        assert len([each for each in after[name] if "staying-school" in str(each)]) == len(staying), name
    assert len(after["attachments.chunks"]) == 1
    for client in processes.clients:
        assert (await client.get(PATH, headers=xapi("k-leaving-school:s"))).status == 401


async def test_a_tenant_made_again_has_nothing_of_its_former_life(processes: Processes) -> None:
    await fill(processes, "school")
    await processes.manage("DELETE", SCHOOL)
    await processes.manage("PUT", SCHOOL)
    assert await processes.manage("GET", SCHOOL) == {"tenant": "school", "hosts": []}
    assert await processes.manage("GET", f"{SCHOOL}/credentials") == {"credentials": []}
    await processes.manage("POST", f"{SCHOOL}/credentials", {"kind": "basic", "key": "new", "secret": "s", "scopes": ["all"]})
    page = await (await processes.clients[1].get(PATH, headers=xapi("new:s"))).json()
    assert page["statements"] == []
