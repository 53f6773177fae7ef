"""Secrets, tokens and passwords: never in a line of log, in an error, in the database, or in Redis."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import ID, Fakes, a_statement, basic
from issuers import AUDIENCE, Issuer, an_issuer
from redis.asyncio import Redis
from structlog.testing import capture_logs

from lrs.app import create_app
from lrs.config import Config
from lrs.http import keys
from lrs.store.directory import Directory

PATH = "/xapi/statements"
SCHOOL = "/manage/tenants/school"
# Each is found again as text wherever it went.
SECRET, WRONG, API_KEY, WRONG_KEY = "s3cr3t-of-lms", "wr0ng-guess", "ap1-key-of-studyfetch-0123456789", "ap1-guess-0123456789"
OPERATOR_SECRET, SERVER_SECRET, PASSWORD = "0perator-secret", "s3rver-secret", "p4ssword-of-a-learner"
SECRETS = (SECRET, WRONG, API_KEY, WRONG_KEY, OPERATOR_SECRET, SERVER_SECRET, PASSWORD)
OPERATOR = {"Authorization": basic(f"op:{OPERATOR_SECRET}")}
VERSION = {"X-Experience-API-Version": "1.0.3"}


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with an_issuer() as issuer:
        yield issuer


@pytest.fixture
def guarded(config: Config, issuer: Issuer) -> Config:
    """A configuration of which every secret is known."""
    return replace(
        config, secret=SERVER_SECRET, operator=f"op:{OPERATOR_SECRET}", oidc_issuer=issuer.url, oidc_audience=AUDIENCE, rate_limit=1000.0
    )


async def everything_said(client: TestClient, tokens: list[str]) -> str:
    """Every answer but those that are to show a secret: to good and bad credentials, at good and bad requests."""
    said = []

    async def ask(method: str, path: str, headers: dict[str, str], **more: Any) -> None:
        async with client.request(method, path, headers=VERSION | headers, **more) as answer:
            said.append(f"{answer.status} {answer.headers} {await answer.text()}")

    twice = json.dumps({"secret": SECRET, "second": SECRET}).replace("second", "secret")
    for body in ("{", twice, json.dumps({"kind": "basic", "secret": SECRET, "api_key": API_KEY}),
                 json.dumps({"kind": "basic", "secret": SECRET + "\n", "scopes": ["all"]}), json.dumps([SECRET]),
                 json.dumps({"kind": "api_key", "api_key": API_KEY, "scopes": ["all"]})):
        await ask("POST", f"{SCHOOL}/credentials", OPERATOR, data=body.encode())
    for method, path in (("DELETE", f"{SCHOOL}/credentials/{WRONG_KEY}"), ("GET", f"{SCHOOL}/credentials"), ("GET", "/manage/status"),
                         ("PUT", f"{SCHOOL}/adapters/kolibri/settings"), ("GET", "/metrics"), ("GET", "/manage/tenants")):
        await ask(method, path, OPERATOR, **({"json": {"password": PASSWORD}} if method == "PUT" else {}))
    guests = [basic(f"lms:{SECRET}"), basic(f"lms:{WRONG}"), basic(f"{WRONG}:{SECRET}"), basic(f"op:{OPERATOR_SECRET}"), f"Basic {WRONG}"]
    headers = [{"Authorization": each} for each in guests] + [{"x-api-key": each} for each in (API_KEY, WRONG_KEY)]
    headers += [{"Authorization": f"Bearer {token}"} for token in tokens]
    for each in headers:
        await ask("GET", PATH, each)
        await ask("GET", f"/t/nobody{PATH}", each)
        await ask("POST", PATH, each, json=a_statement(verb={"id": "bad"}))
        await ask("PUT", PATH, each, params={"statementId": ID}, json=a_statement(id=ID))
        await ask("POST", "/api/logger/trackprogress/", each, json={})
        await ask("GET", "/manage/tenants", each)
    return "\n".join(said)


async def stored(config: Config, app: Any) -> str:
    """All there is in the database, and in Redis."""
    database = app[keys.DATABASE]
    documents = [str(each) for name in await database.collection_names() async for each in database[name].find({})]
    redis = Redis.from_url(config.redis_url)
    names = [key async for key in redis.scan_iter("lrs:*")]
    documents += [f"{name!r} {await redis.hgetall(name)!r}" for name in names]
    await redis.aclose()
    return "\n".join(documents)


def found_in(text: str, secrets: tuple[str, ...]) -> list[str]:
    """The secrets that stand in a text: plain, as bytes, or as they are sent in Basic."""
    return [each for each in secrets if each in text or basic(f"lms:{each}").split()[1] in text]


async def test_no_secret_token_or_password_is_in_a_log_an_error_the_database_or_redis(guarded: Config, issuer: Issuer) -> None:
    tokens = [issuer.token(), issuer.token(exp=1), issuer.token(tenant="nobody"), issuer.token(aud="x"), "junk-t0ken-of-somebody"]
    app = create_app(guarded)
    with capture_logs() as lines:
        async with TestClient(TestServer(app)) as client:
            await client.put(SCHOOL, headers=OPERATOR)
            for wanted in ({"kind": "basic", "key": "lms", "secret": SECRET}, {"kind": "api_key", "api_key": API_KEY}):
                made = await client.post(f"{SCHOOL}/credentials", json=wanted | {"scopes": ["all"]}, headers=OPERATOR)
                assert made.status == 201
            said = await everything_said(client, tokens)
            kept = await stored(guarded, app)
            await app[keys.DATABASE].drop()
    secrets = (*SECRETS, *tokens, *(token.rpartition(".")[2] for token in tokens[:4]))
    assert len(lines) > 60 and len(kept) > 1000 and said.count("401 ") > 10
    assert [found_in(text, secrets) for text in (str(lines), said, kept)] == [[], [], []]


async def test_an_unexpected_error_logs_its_traceback_without_what_was_sent(fakes: Fakes, capfd: pytest.CaptureFixture[str]) -> None:
    async with TestClient(TestServer(fakes.app())) as client:
        with capture_logs() as lines:
            answer = await client.post("/bells/break", headers={"Authorization": basic(f"lms:{SECRET}"), "x-api-key": API_KEY})
            assert answer.status == 500
            assert found_in(await answer.text() + str(lines), SECRETS) == []


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_logged_traceback_shows_no_local_variables(log_format: str) -> None:
    program = f"""
import structlog
from lrs.logs import configure
configure({log_format!r})
def verify(password):
    raise ValueError("it went wrong")
def login():
    verify({PASSWORD!r}[:0] + "".join(map(chr, {[ord(each) for each in PASSWORD]})))
try:
    login()
except ValueError:
    structlog.get_logger().exception("unexpected_error")
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "it went wrong" in ran.stderr and "in verify" in ran.stderr
    assert PASSWORD not in ran.stderr + ran.stdout


def test_a_configuration_shows_no_secret() -> None:
    config = Config(
        secret=SERVER_SECRET, operator=f"op:{OPERATOR_SECRET}", mongo_url=f"mongodb://me:{PASSWORD}@db.example/", redis_url=f"redis://:{SECRET}@r"
    )
    assert found_in(f"{config} {config!r}", SECRETS) == []


@pytest.mark.parametrize("api_key", ["a", "abc", "abcdef", "abcdefg", "short-key-1", "a-much-longer-key-of-thirty-two-ch"])
async def test_what_is_listed_of_an_api_key_is_too_little_to_use_or_to_guess(directory: Directory, api_key: str) -> None:
    await directory.add_credential("school", kind="api_key", key=api_key, secret=None, scopes=["all"])
    (listed,) = await directory.list_credentials("school")
    shown = listed["key"].partition("…")[0]
    assert len(shown) <= min(6, len(api_key) // 4)
    elsewhere = Directory(directory._database, "another-secret")
    assert listed["key"] != elsewhere._hint(api_key)  # the digest in it is keyed: guesses cannot be checked with it
    assert await directory.caller_of_basic(listed["key"], "") is None
    assert await directory.caller_of_api_key(listed["key"]) is None
    await directory.remove_credential("school", listed["key"])
    assert await directory.caller_of_api_key(api_key) is None


@pytest.fixture
async def directory() -> Directory:
    from mocks import MockDatabase

    directory = Directory(MockDatabase(), "a-secret")
    await directory.create_tenant("school")
    return directory
