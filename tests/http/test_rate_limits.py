"""How often a credential may ask: over real Redis, without it, and what whoever asks too often is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import CONFIG, Fakes, authority, managing, xapi
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from servers import real_redis

from lrs.config import Config
from lrs.embedded.ports import free_port
from lrs.errors import ConfigurationError, RateLimited
from lrs.http import keys
from lrs.http.access import access_parts
from lrs.plugins import Caller, Rate
from lrs.rate_limits import AWAY_FOR_S, PREFIX, RateLimits, default_rate, key_of

PATH = "/xapi/statements"
CREDENTIALS = "/manage/tenants/school/credentials"
# So slow that nothing is filled up while a test runs.
SLOW = 0.001


def a_caller(key: str = "k", rate: Rate | None = None, tenant: str = "school") -> Caller:
    return Caller(tenant, key, frozenset({"all"}), authority(key), rate)  # type: ignore[arg-type]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    redis = Redis.from_url(redis_url)
    stale = [key async for key in redis.scan_iter(f"{PREFIX}*")]
    if stale:
        await redis.delete(*stale)
    yield redis
    await redis.aclose()


@pytest.fixture
async def make_limits(redis_url: str, redis: Redis) -> AsyncIterator[Callable[..., RateLimits]]:
    made: list[RateLimits] = []

    def make(default: Rate | None = None, url: str = redis_url, **options: Any) -> RateLimits:
        made.append(RateLimits(url, default, **options))
        return made[-1]

    yield make
    for each in made:
        await each.close()


async def taken(limits: RateLimits, caller: Caller, tries: int) -> int:
    """How many of so many requests at once go through."""
    outcomes = await asyncio.gather(*(limits.take(caller) for _ in range(tries)), return_exceptions=True)
    assert all(outcome is None or isinstance(outcome, RateLimited) for outcome in outcomes)
    return outcomes.count(None)


async def test_a_burst_goes_through_and_what_is_beyond_does_not(make_limits: Callable[..., RateLimits]) -> None:
    assert await taken(make_limits(Rate(SLOW, 7)), a_caller(), 20) == 7


async def test_all_processes_share_one_bucket(make_limits: Callable[..., RateLimits]) -> None:
    rate = Rate(SLOW, 10)
    counts = await asyncio.gather(*(taken(make_limits(rate), a_caller(), 10) for _ in range(4)))
    assert sum(counts) == 10


async def test_a_bucket_fills_up_again_as_time_passes(make_limits: Callable[..., RateLimits]) -> None:
    limits = make_limits(Rate(20, 2))
    assert await taken(limits, a_caller(), 10) == 2
    with pytest.raises(RateLimited) as refused:
        await limits.take(a_caller())
    assert 0 < refused.value.retry_after_s <= 0.05
    await asyncio.sleep(refused.value.retry_after_s)
    await limits.take(a_caller())


async def test_who_waits_as_long_as_told_is_let_in(make_limits: Callable[..., RateLimits]) -> None:
    limits, entered = make_limits(Rate(50, 1)), 0
    while entered < 8:
        try:
            await limits.take(a_caller())
            entered += 1
        except RateLimited as refused:
            await asyncio.sleep(refused.retry_after_s)
            await limits.take(a_caller())
            entered += 1


async def test_every_credential_has_a_bucket_of_its_own(make_limits: Callable[..., RateLimits]) -> None:
    limits = make_limits(Rate(SLOW, 1))
    for caller in (a_caller("a"), a_caller("b"), a_caller("a", tenant="other"), a_caller("…|ä\udcff")):
        assert await taken(limits, caller, 3) == 1


async def test_a_credentials_own_limit_takes_the_place_of_the_servers(make_limits: Callable[..., RateLimits]) -> None:
    limits = make_limits(Rate(SLOW, 2))
    assert await taken(limits, a_caller("more", Rate(SLOW, 5)), 8) == 5
    assert await taken(limits, a_caller("without", Rate(0, 1)), 8) == 8
    assert await taken(make_limits(None), a_caller("only", Rate(SLOW, 3)), 8) == 3


async def test_without_a_limit_redis_is_not_asked(make_limits: Callable[..., RateLimits], redis: Redis) -> None:
    assert await taken(make_limits(None), a_caller(), 5) == 5
    assert [key async for key in redis.scan_iter(f"{PREFIX}*")] == []


async def test_every_key_in_redis_expires_once_it_says_nothing(make_limits: Callable[..., RateLimits], redis: Redis) -> None:
    limits = make_limits(Rate(10, 30))
    for number in range(5):
        await taken(limits, a_caller(f"key-{number}"), 20)
    found = [key async for key in redis.scan_iter(f"{PREFIX}*")]
    assert len(found) == 5
    assert all([0 < await redis.pttl(key) <= 4_000 for key in found])


async def test_a_wiped_redis_costs_nothing_but_the_count(make_limits: Callable[..., RateLimits], redis: Redis) -> None:
    limits = make_limits(Rate(SLOW, 2))
    assert await taken(limits, a_caller(), 4) == 2
    await redis.delete(key_of(a_caller()))
    await redis.script_flush()
    assert await taken(limits, a_caller(), 4) == 2


async def test_without_redis_everybody_is_let_in_and_one_line_of_log_says_so(
    make_limits: Callable[..., RateLimits], capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    limits = make_limits(Rate(SLOW, 1), url=f"redis://127.0.0.1:{free_port()}/0", now=lambda: now[0])
    tries = 0
    original = limits._take

    async def counted(**given: Any) -> Any:
        nonlocal tries
        tries += 1
        return await original(**given)

    limits._take = counted  # type: ignore[assignment]
    for _ in range(30):
        assert await taken(limits, a_caller(), 10) == 10
        now[0] += AWAY_FOR_S / 10
    assert capsys.readouterr().out.count("rate_limits_off") == 1
    assert tries <= 10 + 3  # those that asked at once before anybody knew, and one in a while


async def test_a_redis_that_hangs_holds_nobody_up_for_long(make_limits: Callable[..., RateLimits]) -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    limits = make_limits(Rate(SLOW, 1), url=f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
    async with asyncio.timeout(3):
        for _ in range(20):
            assert await taken(limits, a_caller(), 20) == 20
    server.close()


async def test_limits_hold_again_once_redis_is_back(make_limits: Callable[..., RateLimits], tmp_path: Path) -> None:
    server = real_redis(tmp_path)
    await asyncio.to_thread(server.start)
    limits = make_limits(Rate(SLOW, 3), url=server.url)
    assert await taken(limits, a_caller(), 6) == 3
    await asyncio.to_thread(server.kill)
    assert await taken(limits, a_caller(), 6) == 6
    await asyncio.to_thread(server.start)
    async with asyncio.timeout(10):
        while await taken(limits, a_caller("later"), 6) == 6:
            await asyncio.sleep(0.2)
    await asyncio.to_thread(server.stop)


@given(st.floats(min_value=0.001, max_value=1e6), st.integers(min_value=0, max_value=10**6))
def test_a_limit_always_lets_at_least_one_request_through(per_second: float, burst: int) -> None:
    rate = default_rate(per_second, burst)
    assert rate is not None and rate.burst >= 1 and rate.burst == (burst or rate.burst)


def test_no_limit_is_the_default() -> None:
    assert default_rate(Config().rate_limit, Config().rate_burst) is None


@pytest.mark.parametrize("settings", [{"LRS_RATE_LIMIT": "-1"}, {"LRS_RATE_LIMIT": "nan"}, {"LRS_RATE_LIMIT": "inf"},
                                      {"LRS_RATE_LIMIT": "many"}, {"LRS_RATE_BURST": "-1"}, {"LRS_RATE_BURST": "1.5"}])
def test_a_limit_that_cannot_be_stops_the_start(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="LRS_RATE"):
        Config.from_environment(settings)


@pytest.fixture
async def client(fakes: Fakes, redis_url: str, redis: Redis) -> AsyncIterator[TestClient]:
    """An application where each credential may ask three times."""
    app = fakes.app(replace(CONFIG, redis_url=redis_url, rate_limit=SLOW, rate_burst=3))
    app.cleanup_ctx.append(access_parts)
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_one_too_many_is_a_429_in_the_common_shape_that_says_when_to_come_back(client: TestClient) -> None:
    statuses = [(await client.get(PATH, headers=xapi())).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    answer = await client.get(PATH, headers=xapi())
    assert 1 <= int(answer.headers["Retry-After"]) <= 1000
    body = await answer.json()
    assert (body["error"], body["problems"]) == ("rate_limited", []) and body["request_id"] == answer.headers["X-Request-ID"]
    assert (await client.get(PATH, headers=xapi("all/read:secret"))).status == 200


async def test_wrong_secrets_and_the_operator_are_not_counted(client: TestClient) -> None:
    for _ in range(10):
        assert (await client.get(PATH, headers=xapi("all:wrong"))).status == 401
        assert (await client.get("/manage/tenants", headers=managing())).status == 200
    assert (await client.get(PATH, headers=xapi())).status == 200


async def test_what_a_scope_does_not_reach_is_counted_too(client: TestClient) -> None:
    statuses = [(await client.get(PATH, headers=xapi("define:secret"))).status for _ in range(5)]
    assert statuses == [403, 403, 403, 429, 429]


@pytest.mark.parametrize(("given", "kept"), [
    ({"per_second": 5, "burst": 9}, Rate(5, 9)), ({"per_second": 2.5}, Rate(2.5, 3)), ({"per_second": 0}, Rate(0, 1)),
    ({"per_second": 0.2}, Rate(0.2, 1)),
])
async def test_a_credential_gets_a_limit_when_it_is_made(client: TestClient, fakes: Fakes, given: dict, kept: Rate) -> None:
    wanted = {"kind": "basic", "key": "a", "secret": "s", "scopes": ["all"], "rate_limit": given}
    made = await client.post(CREDENTIALS, json=wanted, headers=managing())
    assert (made.status, (await made.json())["rate_limit"]["per_second"]) == (201, given["per_second"])
    assert fakes.directory.credentials[0]["rate"] == kept


@pytest.mark.parametrize("given", [
    {}, {"burst": 1}, {"per_second": -1}, {"per_second": "nan"}, {"per_second": 1, "burst": 0}, {"per_second": 1, "burst": 1.5},
    {"per_second": 1, "burst": "2"}, {"per_second": 1e9}, {"per_second": 1, "every": 2}, 5, [], "fast", None,
], ids=repr)
async def test_a_limit_that_cannot_be_is_refused_with_its_place(client: TestClient, fakes: Fakes, given: Any) -> None:
    wanted = {"kind": "basic", "scopes": ["all"], "rate_limit": given}
    answer = await client.post(CREDENTIALS, json=wanted, headers=managing())
    assert answer.status == 400
    assert (await answer.json())["problems"][0]["place"].startswith("rate_limit")
    assert fakes.directory.credentials == []


async def test_limits_come_to_every_application_that_is_configured(client: TestClient) -> None:
    assert keys.RATE_LIMITS in client.app  # type: ignore[operator]
