"""Export and import: all of a tenant's statements as lines."""

import asyncio
import gzip
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientPayloadError
from aiohttp.test_utils import TestClient
from builders import a_statement, a_void_of
from http_fakes import managing
from kolibri_served import NDJSON, OPERATOR, kolibri_process

from lrs.config import Config
from lrs.errors import StoreUnavailable
from lrs.http.keys import STATEMENTS
from lrs.store.mongo import Database
from lrs.store.records import Stored

AUTHORITY = {"objectType": "Agent", "mbox": "mailto:elsewhere@example.org"}


@pytest.fixture
async def client(config: Config, database: Database) -> AsyncIterator[TestClient[Any, Any]]:
    async with kolibri_process(config, (), "one", "two") as client:
        yield client


def lines_of(statements: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in statements)


async def take(client: TestClient[Any, Any], tenant: str, lines: bytes, **headers: str) -> tuple[int, Any]:
    async with client.post(f"/manage/tenants/{tenant}/import", data=lines, headers=NDJSON | headers) as answer:
        return answer.status, await answer.json()


async def give(client: TestClient[Any, Any], tenant: str, **params: str) -> list[dict[str, Any]]:
    async with client.get(f"/manage/tenants/{tenant}/export", headers=OPERATOR, params=params) as answer:
        assert answer.status == 200, await answer.text()
        return [json.loads(line) for line in (await answer.read()).splitlines()]


async def test_what_is_exported_and_imported_is_the_same_but_for_stored(client: TestClient[Any, Any]) -> None:
    target = a_statement(version="1.0.2", authority=AUTHORITY)
    modern = a_statement(version="2.0.0", context={"extensions": {"https://e.org/$x.y": 123456789012345678901234567890}})
    sent = [target, a_void_of(target["id"], authority=AUTHORITY), modern, a_statement(authority=AUTHORITY)]
    assert await take(client, "one", lines_of(sent)) == (200, {"read": 4, "stored": 4})
    first = await give(client, "one")
    assert [each["id"] for each in first] == [each["id"] for each in sent]
    assert [each["authority"] for each in first] == [AUTHORITY, AUTHORITY, first[2]["authority"], AUTHORITY]
    assert await take(client, "two", lines_of(first)) == (200, {"read": 4, "stored": 4})
    second = await give(client, "two")
    assert all(one.pop("stored") < other.pop("stored") for one, other in zip(first, second, strict=True))
    assert second == first


async def test_an_import_sent_again_stores_nothing_again(client: TestClient[Any, Any]) -> None:
    sent = [a_statement() for _ in range(1_200)]
    assert await take(client, "one", lines_of(sent[:700])) == (200, {"read": 700, "stored": 700})
    assert await take(client, "one", lines_of(sent)) == (200, {"read": 1_200, "stored": 500})
    assert [each["id"] for each in await give(client, "one")] == [each["id"] for each in sent]


async def test_a_compressed_import_with_empty_lines_and_without_a_last_line_end_is_taken(
    client: TestClient[Any, Any]
) -> None:
    lines = b"\n\r\n" + lines_of([a_statement(), a_statement()]).rstrip()
    assert await take(client, "one", gzip.compress(lines), **{"Content-Encoding": "gzip"}) == (200, {"read": 2, "stored": 2})


@pytest.mark.parametrize(("line", "place"), [(b"{", ""), (b"[]", ""), (b'{"actor": 1}', "actor")])
async def test_a_bad_line_is_named_and_nothing_of_its_batch_is_stored(
    client: TestClient[Any, Any], line: bytes, place: str
) -> None:
    lines = lines_of([a_statement() for _ in range(600)]) + line + b"\n" + lines_of([a_statement()])
    status, body = await take(client, "one", lines)
    assert (status, body["error"], body["problems"][0]["index"]) == (400, "invalid_statements", 600)
    assert any(problem["place"].startswith(place) for problem in body["problems"])
    assert len(await give(client, "one")) == 500


async def test_another_statement_under_a_known_id_is_a_conflict(client: TestClient[Any, Any]) -> None:
    statement = a_statement()
    await take(client, "one", lines_of([statement]))
    other = {**statement, "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"}}
    status, body = await take(client, "one", lines_of([other]))
    assert (status, body["error"], statement["id"] in body["message"]) == (409, "statement_conflict", True)


async def test_an_export_since_a_time_goes_on_where_the_last_one_ended(client: TestClient[Any, Any]) -> None:
    await take(client, "one", lines_of([a_statement() for _ in range(3)]))
    last = (await give(client, "one"))[-1]["stored"]
    later = a_statement()
    await take(client, "one", lines_of([later]))
    assert [each["id"] for each in await give(client, "one", since=last)] == [later["id"]]
    async with client.get("/manage/tenants/one/export?since=soon", headers=OPERATOR) as answer:
        assert (answer.status, (await answer.json())["problems"][0]["place"]) == (400, "since")


async def test_export_and_import_are_the_operators_alone(client: TestClient[Any, Any]) -> None:
    for method, path in (("GET", "export"), ("POST", "import")):
        async with client.request(method, f"/manage/tenants/one/{path}", headers=managing()) as answer:
            assert answer.status == 401
        async with client.request(method, f"/manage/tenants/nobody/{path}", headers=OPERATOR) as answer:
            assert answer.status == 404


async def test_an_export_that_breaks_off_does_not_look_like_a_whole_one(
    client: TestClient[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_given: Any) -> AsyncIterator[Stored]:
        yield Stored('{"id":"' + "x" * 100_000 + '"}', 1)
        raise StoreUnavailable("gone")

    monkeypatch.setattr(client.app[STATEMENTS], "in_order", breaks)
    with pytest.raises(ClientPayloadError):
        async with client.get("/manage/tenants/one/export", headers=OPERATOR) as answer:
            await answer.read()


async def lrs(client: TestClient[Any, Any], *words: str) -> tuple[int, bytes, str]:
    """A command as people run it: exit code, output, and what it says beside that."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lrs", *words, "--url", str(client.make_url("/")), stdout=PIPE, stderr=PIPE,
        env={**os.environ, "LRS_OPERATOR": "operator:operator-secret"},
    )
    output, beside = await process.communicate()
    return process.returncode or 0, output, beside.decode()


async def test_the_commands_move_a_tenant_by_a_file(client: TestClient[Any, Any], tmp_path: Path) -> None:
    await take(client, "one", lines_of([a_statement() for _ in range(1_100)]))
    code, exported, _ = await lrs(client, "export", "one")
    assert (code, exported.count(b"\n")) == (0, 1_100)
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(exported)
    packed.write_bytes(gzip.compress(exported))
    for file, new in ((packed, 1_100), (plain, 0)):
        _, output, _ = await lrs(client, "import", "two", str(file))
        assert output.decode() == f"1100 statements read, {new} of them new in two\n"
    assert [each["id"] for each in await give(client, "two")] == [each["id"] for each in await give(client, "one")]
    plain.write_bytes(exported + b"{\n")
    code, _, beside = await lrs(client, "import", "two", str(plain))
    assert code == 1 and "line 1001 and on" in beside
