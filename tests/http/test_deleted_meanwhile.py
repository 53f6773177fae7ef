"""What is still on its way when its tenant is deleted is stored nowhere, also if a tenant of that name is there by then."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import a_statement, basic, xapi

from lrs.app import create_app
from lrs.config import Config
from lrs.errors import Unauthorized
from lrs.events import CHUNK, Events, Source
from lrs.http import keys
from lrs.plugins import load_adapters
from lrs.store.departed import Departed
from lrs.store.directory import Directory
from lrs.store.mongo import Database
from lrs.store.native_events import Kept, Origin

OPERATOR = {"Authorization": basic("operator:operator-secret")}
SCHOOL = "/manage/tenants/school"
STATEMENTS = "/xapi/statements"
STATE = "/xapi/activities/state?activityId=https://a.example/1&agent=%7B%22mbox%22:%22mailto:a@b.example%22%7D&stateId=s"
JSON = {"Content-Type": "application/json"}
BOUNDARY = {"Content-Type": "multipart/mixed; boundary=b"}
PART = b"--b\r\nContent-Type: application/json\r\n\r\n%b\r\n--b--\r\n"


@pytest.fixture
async def client(config: Config, database: Database) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(create_app(config))) as client:
        yield client


async def make(client: TestClient) -> None:
    """The tenant, and always the same credential."""
    assert (await client.put(SCHOOL, headers=OPERATOR)).status == 201
    wanted = {"kind": "basic", "key": "k", "secret": "s", "scopes": ["all"]}
    assert (await client.post(f"{SCHOOL}/credentials", json=wanted, headers=OPERATOR)).status == 201


async def status_of(client: TestClient, method: str, path: str, headers: dict[str, str], parts: list[bytes], *, anew: bool) -> int:
    """Of a request whose tenant is deleted when a part of its body has come; `anew`: and made again."""
    begun, rest = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield parts[0]
        begun.set()
        await rest.wait()
        yield parts[1]

    answer = asyncio.create_task(client.request(method, path, data=body(), headers=headers))
    await begun.wait()
    await asyncio.sleep(0.2)
    assert (await client.delete(SCHOOL, headers=OPERATOR)).status == 204
    if anew:
        await make(client)
    rest.set()
    return (await answer).status


async def stored(database: Database) -> dict[str, int]:
    counted = {name: await database[name].count_documents({}) for name in ("records", "documents", "native_events")}
    return {name: count for name, count in counted.items() if count}


BODIES: list[Any] = [
    ("POST", STATEMENTS, JSON, [json.dumps(a_statement()).encode()[:20], json.dumps(a_statement()).encode()[20:]]),
    ("POST", STATEMENTS, BOUNDARY, [PART[:10], PART[10:] % json.dumps(a_statement()).encode()]),
    ("PUT", STATE, JSON | {"If-None-Match": "*"}, [b'{"a":', b"1}"]),
    ("POST", "/adapters/studyfetch/events", JSON, [b"[", b'{"any": 1}]']),
]


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize(("method", "path", "headers", "parts"), BODIES, ids=["statements", "multipart", "document", "events"])
async def test_a_body_that_ends_after_its_tenant_is_stored_nowhere(
    client: TestClient, database: Database, method: str, path: str, headers: dict[str, str], parts: list[bytes], anew: bool
) -> None:
    await make(client)
    assert await status_of(client, method, path, xapi("k:s") | headers, parts, anew=anew) == 401
    assert await stored(database) == {}


@pytest.mark.parametrize("anew", [False, True])
async def test_an_import_ends_with_its_tenant(client: TestClient, database: Database, anew: bool) -> None:
    await make(client)
    lines = [b"".join(json.dumps(a_statement()).encode() + b"\n" for _ in range(600)) for _ in range(2)]
    headers = OPERATOR | {"Content-Type": "application/x-ndjson"}
    assert await status_of(client, "POST", f"{SCHOOL}/import", headers, lines, anew=anew) == 404
    assert await stored(database) == {}


async def test_a_tenant_is_known_the_moment_it_is_made(client: TestClient) -> None:
    directory = client.server.app[keys.DIRECTORY]
    assert await directory.life("school") is None
    await make(client)
    assert await directory.life("school") is not None


async def test_events_are_interpreted_no_further_than_their_tenant_lives() -> None:
    lives, interpreted = iter([1, 2]), []

    class Kind(Events):
        async def interpret(self, source: Source, kept: Any, *, wait: bool = False) -> list[Any]:
            interpreted.extend(kept)
            return []

    class Keeping:
        async def keep(self, tenant: str, adapter: str, texts: Any, origin: Origin) -> list[Kept]:
            return [Kept(tenant, adapter, number, text) for number, text in enumerate(texts)]

    async def life(_tenant: str) -> datetime:
        return datetime(2026, 1, next(lives), tzinfo=UTC)

    adapter = load_adapters()["studyfetch"]
    events = Kind(Keeping(), None, None, life)  # type: ignore[arg-type]
    with pytest.raises(Unauthorized):
        await events.take(Source(adapter, "school", {}, {}), [b"{}"] * (2 * CHUNK), Origin("", "", "", {}))  # type: ignore[arg-type]
    assert len(interpreted) == CHUNK


async def test_what_a_paused_process_writes_for_a_deleted_tenant_is_swept_away(database: Database) -> None:
    directory, departed = Directory(database, "a-secret"), Departed(database)
    for tenant in ("left", "other"):
        await directory.create_tenant(tenant)
    await directory.delete_tenant("left")
    assert await departed.sweep() == 0
    for tenant in ("left", "other"):
        await database["documents"].insert_one({"_id": f"late of {tenant}", "tenant": tenant})
    await database["cursors"].insert_one({"_id": "left"})
    assert await departed.sweep() == 1
    assert [each["_id"] async for each in database["documents"].find({})] == ["late of other"]
    assert await database["cursors"].count_documents({}) == 0
    assert await directory.tenants() == ["other"]


async def test_a_tenant_that_was_made_anew_is_none_to_sweep(database: Database) -> None:
    directory, departed = Directory(database, "a-secret"), Departed(database)
    await directory.create_tenant("school")
    await directory.delete_tenant("school")
    await directory.create_tenant("school")
    await database["documents"].insert_one({"_id": "new", "tenant": "school"})
    assert await departed.sweep() == 0
    assert await database["documents"].count_documents({}) == 1


async def test_a_sweep_that_was_cut_off_is_taken_up_later_and_a_deletion_is_not(database: Database) -> None:
    departed, tenants = Departed(database), database["tenants"]
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    for tenant, leaving in (("cut-off", "late"), ("deleting", True)):
        await departed.remember(tenant)
        await tenants.insert_one({"_id": tenant, "created": long_ago, "leaving": leaving})
        await database["documents"].insert_one({"_id": tenant, "tenant": tenant})
    assert await departed.sweep() == 1
    assert [each["_id"] async for each in tenants.find({})] == ["deleting"]


async def test_a_deletion_is_remembered_for_a_day(database: Database) -> None:
    departed = Departed(database)
    await departed.remember("left")
    await database["departed"].update_many({}, {"$set": {"at": datetime.now(UTC) - timedelta(days=2)}})
    await departed.sweep()
    assert await database["departed"].count_documents({}) == 0
