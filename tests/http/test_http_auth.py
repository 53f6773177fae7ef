"""Credentials, scopes, and the walls between tenants."""

import asyncio
import base64
from dataclasses import replace

import pytest
from aiohttp.test_utils import TestClient
from http_fakes import CONFIG, OPERATOR, Fakes, a_statement, basic, managing, xapi
from pytest_aiohttp.plugin import AiohttpClient

from lrs.errors import StoreUnavailable
from lrs.http.auth import SCOPES, Door, basic_pair
from lrs.http.routes import ROWS, Row

PATH = "/xapi/statements"
READS = {"all", "all/read", "statements/read", "statements/read/mine"}
WRITES = {"all", "statements/write"}
JUNK = [
    "", " ", "Basic", "Basic ", "Basic !!!", "Basic YWxsOnNlY3JldA=", "Basic:YWxsOnNlY3JldA==", "Basic ä:ö",
    "Basic " + "A" * 4000, "Basic " + base64.b64encode(b"no colon").decode(),
    "Basic " + base64.b64encode(b"\xff\xfe:\x00").decode(),
    "Bearer YWxsOnNlY3JldA==", "Digest username=all",
    basic("all:wrong"), basic("all:"), basic(":"), basic("all:sécret"),
]


@pytest.mark.parametrize("header", JUNK)
async def test_junk_for_a_credential_is_a_401_with_a_challenge(client: TestClient, header: str) -> None:
    for answer in (
        await client.get(PATH, headers=xapi() | {"Authorization": header}),
        await client.post(PATH, json=a_statement(), headers=xapi() | {"Authorization": header}),
        await client.get("/manage/tenants", headers={"Authorization": header}),
    ):
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
        assert (await answer.json())["error"] == "unauthorized"


async def test_bytes_that_are_no_text_are_no_credential(client: TestClient) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    for header in (b"Authorization: Basic \xff\xfe", b"x-api-key: \xff\xfe"):
        writer.write(b"GET /xapi/statements HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n")
        status = await reader.readline()
        assert status.split()[1] in (b"401", b"400"), status
        length = 0
        while (line := await reader.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        await reader.readexactly(length)
    writer.close()


async def test_no_credential_is_a_401(client: TestClient) -> None:
    answer = await client.get(PATH, headers={"X-Experience-API-Version": "1.0.3"})
    assert answer.status == 401


async def test_an_api_key_is_a_credential_too(client: TestClient, fakes: Fakes) -> None:
    headers = {"x-api-key": "key-of-all", "X-Experience-API-Version": "1.0.3"}
    assert (await client.post(PATH, json=a_statement(), headers=headers)).status == 200
    assert fakes.intake.calls[0]["tenant"] == "school"
    assert (await client.get(PATH, headers=headers | {"x-api-key": "unknown"})).status == 401


async def test_a_directory_that_is_away_is_no_refusal(client: TestClient, fakes: Fakes) -> None:
    fakes.directory.fails = StoreUnavailable("the database does not answer")
    assert (await client.get(PATH, headers=xapi())).status == 503


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_scope_reaches_what_it_says_and_nothing_else(client: TestClient, fakes: Fakes, scope: str) -> None:
    read = await client.get(PATH, headers=xapi(f"{scope}:secret"))
    head = await client.head(PATH, headers=xapi(f"{scope}:secret"))
    written = await client.post(PATH, json=a_statement(), headers=xapi(f"{scope}:secret"))
    put = await client.put(PATH, headers=xapi(f"{scope}:secret"))
    assert read.status == head.status == (200 if scope in READS else 403)
    assert written.status == (200 if scope in WRITES else 403)
    assert put.status == (400 if scope in WRITES else 403)
    assert bool(fakes.intake.calls) == (scope in WRITES)
    if scope not in READS:
        assert (await read.json())["error"] == "forbidden"


async def test_a_credential_without_scopes_reaches_nothing(client: TestClient) -> None:
    assert (await client.get(PATH, headers=xapi(":secret"))).status == 403


async def test_every_path_of_a_tenant_is_there_below_its_prefix(client: TestClient) -> None:
    assert (await client.get(f"/t/school{PATH}", headers=xapi())).status == 200
    assert (await client.post(f"/t/school{PATH}", json=a_statement(), headers=xapi())).status == 200


async def test_another_tenants_prefix_is_refused_in_the_same_words_whether_it_exists_or_not(
    client: TestClient, fakes: Fakes
) -> None:
    fakes.directory.names.add("other")
    bodies = []
    for tenant in ("other", "nobody"):
        answer = await client.get(f"/t/{tenant}{PATH}", headers=xapi() | {"X-Request-ID": "one"})
        assert answer.status == 403
        bodies.append(await answer.read())
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.access.door is Door.OPERATOR], ids=lambda row: f"{row.method} {row.path}"
)
async def test_management_is_the_operators_alone(client: TestClient, row: Row) -> None:
    path = row.path.format(tenant="school", adapter="bells", name="tower", key="k", job="1", edition="e@1", received="1", statement="1")
    for headers in ({}, xapi(), {"Authorization": basic(OPERATOR + "x")}, {"Authorization": basic(OPERATOR[:-1])}):
        assert (await client.request(row.method, path, headers=headers)).status == 401


async def test_without_an_operator_management_is_off(fakes: Fakes, aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(fakes.app(replace(CONFIG, operator="")))
    for headers in ({}, managing(), {"Authorization": basic(":")}):
        assert (await client.get("/manage/tenants", headers=headers)).status == 403


async def test_the_operator_is_no_caller(client: TestClient) -> None:
    assert (await client.get(PATH, headers=managing() | {"X-Experience-API-Version": "1.0.3"})).status == 401


@pytest.mark.parametrize(("header", "pair"), [
    (basic("key:secret"), ("key", "secret")), (basic("key:se:cret"), ("key", "se:cret")),
    (basic("schlüssel:ß"), ("schlüssel", "ß")), ("basic " + basic("key:").split()[1], ("key", "")),
    ("Basic   " + basic("a:b").split()[1] + " ", ("a", "b")),
])
def test_a_basic_header_is_key_and_secret(header: str, pair: tuple[str, str]) -> None:
    assert basic_pair(header) == pair
