"""The version header: what is taken, and what every answer carries. xAPI 1.0.3, Communication 3.3."""

from dataclasses import replace

import pytest
from aiohttp.test_utils import TestClient
from http_fakes import CONFIG, Fakes, xapi
from pytest_aiohttp.plugin import AiohttpClient

PATH = "/xapi/statements"
HEADER = "X-Experience-API-Version"


@pytest.mark.parametrize(("asked", "answered"), [
    ("1.0", "1.0.3"), ("1.0.0", "1.0.3"), ("1.0.2", "1.0.3"), ("1.0.3", "1.0.3"), ("1.0.32", "1.0.3"),
    ("2.0", "2.0.0"), ("2.0.0", "2.0.0"), ("2.0.1", "2.0.0"),
])
async def test_a_version_we_speak_is_answered_with_its_latest_patch(
    client: TestClient, asked: str, answered: str
) -> None:
    answer = await client.get(PATH, headers=xapi(version=asked))
    assert (answer.status, answer.headers[HEADER]) == (200, answered)


@pytest.mark.parametrize("asked", [
    None, "", "0.8", "0.9", "0.95", "1", "1.0.", "1.0.x", "1.1", "1.1.0", "2", "2.1.0", "3.0.0", "1.0.3 ,2.0.0",
    "v1.0.3", "1.0.٣", "BAD",
])
@pytest.mark.parametrize("default", ["1.0.3", "2.0.0"])
async def test_any_other_version_is_a_400_under_the_default(
    fakes: Fakes, aiohttp_client: AiohttpClient, asked: str | None, default: str
) -> None:
    client = await aiohttp_client(fakes.app(replace(CONFIG, xapi_default_version=default)))
    for answer in (
        await client.get(PATH, headers=xapi(version=asked)),
        await client.post(PATH, json={}, headers=xapi(version=asked)),
        await client.put(PATH, json={}, headers=xapi(version=asked)),
    ):
        assert (answer.status, answer.headers[HEADER]) == (400, default)
        assert (await answer.json())["problems"][0]["place"] == HEADER


async def test_a_request_that_fails_is_answered_under_its_own_version(client: TestClient) -> None:
    answers = [
        await client.get(PATH, headers={HEADER: "1.0.2"}),
        await client.get(PATH, params={"foo": "bar"}, headers=xapi(version="1.0.2")),
        await client.delete(PATH, headers=xapi(version="1.0.2")),
        await client.get("/xapi/nothing", headers=xapi(version="1.0.2")),
    ]
    assert [answer.status for answer in answers] == [401, 400, 405, 404]
    assert {answer.headers[HEADER] for answer in answers} == {"1.0.3"}


@pytest.mark.parametrize("version", [None, "0.9", "1.0.3", "nonsense"])
async def test_about_needs_neither_credential_nor_version(client: TestClient, version: str | None) -> None:
    headers = {HEADER: version} if version else {}
    answer = await client.get("/xapi/about", headers=headers)
    assert answer.status == 200
    about = await answer.json()
    assert about.keys() == {"version"} and {"1.0.0", "1.0.3", "2.0.0"} <= set(about["version"])
    assert answer.headers[HEADER] == ("1.0.3" if version == "1.0.3" else "2.0.0")
    assert (await client.head("/t/school/xapi/about")).status == 200


async def test_paths_beside_xapi_carry_no_xapi_headers(client: TestClient) -> None:
    answer = await client.get("/healthz")
    assert HEADER not in answer.headers and "X-Experience-API-Consistent-Through" not in answer.headers
