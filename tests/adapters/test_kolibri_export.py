"""Everything is derived from statements: a tenant that has only those of another gives the same answers."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiohttp import encode_basic_auth
from aiohttp.test_utils import TestClient
from kolibri_served import NDJSON, OPERATOR, kolibri_process
from kolibri_traces import Replay
from working import working

from lrs.config import Config
from lrs.plugins import Entry
from lrs.store.mongo import Database

TRACES = Path(__file__).parents[2] / "fixtures" / "kolibri" / "traces"
RECORDED = sorted(path for path in TRACES.glob("*.json") if path.name not in {"world.json", "ops.json"})
OPS = json.loads((TRACES / "ops.json").read_text())


@pytest.fixture
async def client(
    config: Config, database: Database, kolibri_entries: Sequence[Entry]
) -> AsyncIterator[TestClient[Any, Any]]:
    async with kolibri_process(config, kolibri_entries, "a", "b") as client:
        yield client


class Reader:
    """Reads all that can be read of a tenant, as anybody of the world."""

    def __init__(self, client: TestClient[Any, Any], world: Mapping[str, Any], tenant: str) -> None:
        self.client, self.world, self.tenant = client, world, tenant

    async def send(self, method: str, path: str, user: str, **options: Any) -> tuple[int, Any]:
        known = self.world["users"][user]
        headers = {"Authorization": encode_basic_auth(known["username"], known["password"])}
        async with self.client.request(method, f"/t/{self.tenant}/api/logger/{path}", headers=headers, **options) as got:
            return got.status, await got.json()

    async def everything(self, tried: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Answers by request: totals, attempts by several readers, tries and diffs of the users at the contents."""
        answers: dict[str, Any] = {}
        active = {user for user, _ in tried}
        for name in sorted(name for name, user in self.world["users"].items() if user["id"] in active):
            answers[f"total {name}"] = await self.send("GET", f"userprogress/{self.world['users'][name]['id']}/", name)
        for reader in ("admin", "coach_reef", "director", "u01"):
            answers[f"attempts {reader}"] = await self.send("GET", "attemptlog/", reader)
        for user, content in tried:
            params = {"user": user, "content": content}
            answers[f"logs {params}"] = await self.send("GET", "masterylog/", "admin", params=params)
            for index in count():
                status, diff = await self.send("GET", f"masterylog/{index}/diff/", "admin", params=params)
                if status == 404:
                    break
                answers[f"diff {index} {params}"] = diff
        return answers

    async def starts(self, names: Mapping[str, str], bodies: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Any]:
        """What starts answer, but for the session that each of them makes."""
        answers = []
        for user, body in bodies:
            status, answer = await self.send("POST", "trackprogress/", names[user], json=body)
            if isinstance(answer, dict):
                assert answer.pop("session_id")
            answers.append((status, answer))
        return answers


def started(statements: Sequence[Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Each thing that a user has started, as (user, the body of a start)."""
    bodies: dict[str, tuple[str, dict[str, Any]]] = {}
    for statement in statements:
        fact = statement["context"]["extensions"].get("https://lrs.example.org/xapi/extensions/kolibri", {})
        if fact.get("event") != "start" or "user" not in fact or "unit_id" in fact["context"]:
            continue
        body = {name: value for name, value in fact["context"].items() if name != "mastery_level"}
        if "node_id" in body:
            body |= {"content_id": fact["content"], "channel_id": fact["channel"], "kind": fact["kind"]}
            if "criterion" in fact:
                body["mastery_model"] = fact["criterion"]
        bodies[json.dumps([fact["user"], body], sort_keys=True)] = (fact["user"], body)
    return list(bodies.values())


async def test_a_tenant_that_has_only_the_statements_of_another_answers_every_read_the_same(
    client: TestClient[Any, Any], kolibri_world: dict[str, Any], config: Config
) -> None:
    for path in RECORDED:
        await Replay(PrefixedClient(client, "/t/a"), kolibri_world, OPS, documented=False).run(  # type: ignore[arg-type]
            json.loads(path.read_text())
        )
    async with client.get("/manage/tenants/a/export", headers=OPERATOR) as exported:
        lines = await exported.read()
    statements = [json.loads(line) for line in lines.splitlines()]
    async with client.post("/manage/tenants/b/import", data=lines, headers=NDJSON) as imported:
        assert await imported.json() == {"read": len(statements), "stored": len(statements)}
    async with working(config), client.post("/manage/tenants/b/rebuild", json={"wait": True}, headers=OPERATOR) as rebuilt:
        assert rebuilt.status == 200
    bodies = started(statements)
    names = {user["id"]: name for name, user in kolibri_world["users"].items()}
    tried = [(user, body.get("content_id", body.get("quiz_id"))) for user, body in bodies]
    assert len(tried) > 30
    one, other = (Reader(client, kolibri_world, tenant) for tenant in ("a", "b"))
    assert await one.everything(tried) == await other.everything(tried)
    assert await one.starts(names, bodies) == await other.starts(names, bodies)
    for tenant in ("a", "b"):
        path = f"/manage/tenants/{tenant}/verify"
        async with working(config), client.post(path, json={"wait": True}, headers=OPERATOR) as verified:
            assert (await verified.json())["different"] == []


class PrefixedClient:
    """A client of one tenant."""

    def __init__(self, client: TestClient[Any, Any], prefix: str) -> None:
        self._client, self._prefix = client, prefix

    def request(self, method: str, path: str, **options: Any) -> Any:
        return self._client.request(method, self._prefix + path, **options)
