"""Following `more`: complete, signed, bound to a tenant, and below every prefix."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from http_fakes import THROUGH, Fakes, stored, xapi
from pytest_aiohttp.plugin import AiohttpClient

from lrs.errors import InvalidParameter
from lrs.http.cursors import Cursor, seal, unseal
from lrs.xapi.query import StatementQuery

PATH = "/xapi/statements"


def many(count: int) -> list[dict]:
    return [stored(f"00000000-0000-4000-8000-{number:012x}") for number in range(count)]


async def walk(client: TestClient, path: str, params: dict[str, str]) -> list[str]:
    """All ids, page by page."""
    page = await (await client.get(path, params=params, headers=xapi())).json()
    ids = [each["id"] for each in page["statements"]]
    while page["more"]:
        page = await (await client.get(page["more"], headers=xapi())).json()
        ids += [each["id"] for each in page["statements"]]
    return ids


async def test_following_more_gives_everything_once(client: TestClient, fakes: Fakes) -> None:
    fakes.statements.log = many(25)
    assert await walk(client, PATH, {"limit": "4"}) == [each["id"] for each in fakes.statements.log]


async def test_without_a_limit_a_page_is_as_long_as_the_server_allows(client: TestClient, fakes: Fakes) -> None:
    fakes.statements.log = many(25)
    page = await (await client.get(PATH, headers=xapi())).json()
    assert len(page["statements"]) == 10 and page["more"]


async def test_every_page_asks_what_the_first_one_asked(client: TestClient, fakes: Fakes) -> None:
    fakes.statements.log = many(3)
    await walk(client, PATH, {"limit": "1", "verb": "https://example.org/verb", "ascending": "true", "format": "ids"})
    queries = [query for _, query in fakes.statements.asked]
    assert len(queries) == 3 and len(set(queries)) == 1


async def test_every_page_carries_the_watermark_of_the_first(client: TestClient, fakes: Fakes) -> None:
    fakes.statements.log = many(3)
    first = await (await client.get(PATH, params={"limit": "1"}, headers=xapi())).json()
    fakes.watermark.now_us += 60_000_000
    second = await client.get(first["more"], headers=xapi())
    assert second.headers["X-Experience-API-Consistent-Through"] == THROUGH


async def test_a_more_link_is_followed_with_another_version(client: TestClient, fakes: Fakes) -> None:
    fakes.statements.log = many(3)
    first = await (await client.get(PATH, params={"limit": "1"}, headers=xapi())).json()
    assert (await client.get(first["more"], headers=xapi(version="2.0.0"))).status == 200


async def test_a_tampered_more_link_is_refused(client: TestClient, fakes: Fakes) -> None:
    fakes.statements.log = many(3)
    more = (await (await client.get(PATH, params={"limit": "1"}, headers=xapi())).json())["more"]
    payload, _, signature = more.partition("=")[2].partition(".")
    other_end = "A" if signature[-1] != "A" else "E"
    for token in (
        "", ".", payload, f"{payload}.", f".{signature}", f"x{payload}.{signature}", f"{payload}.{signature}x",
        f"{payload}.é", f"{payload}.{signature[:-1]}{other_end}", "\x00", "í\xa0\x80",
    ):
        answer = await client.get(PATH, params={"more": token}, headers=xapi())
        assert (answer.status, (await answer.json())["problems"][0]["place"]) == (400, "more"), token


@pytest.mark.parametrize("prefix", ["", "/lrs", "/a/b"])
@pytest.mark.parametrize("tenant", ["", "/t/school"])
async def test_a_more_link_stays_below_its_prefixes(
    fakes: Fakes, aiohttp_client: AiohttpClient, prefix: str, tenant: str
) -> None:
    fakes.statements.log = many(3)
    host = fakes.app()
    if prefix:
        host = web.Application()
        host.add_subapp(prefix, fakes.app())
    client = await aiohttp_client(host)
    page = await (await client.get(f"{prefix}{tenant}{PATH}", params={"limit": "1"}, headers=xapi())).json()
    assert page["more"].startswith(f"{prefix}{tenant}{PATH}?more=")
    assert len(await walk(client, f"{prefix}{tenant}{PATH}", {"limit": "1"})) == 3


def test_a_cursor_comes_back_as_it_was_sealed() -> None:
    query = StatementQuery(agent="mailto:ä@example.org", since_us=-5, limit=7, related_agents=True, format="ids")
    cursor = Cursor("school", query, 2**62, 1_795_327_782_123_456)
    assert unseal(seal(cursor, "secret"), "secret", "school") == cursor


@pytest.mark.parametrize(("secret", "tenant"), [("another", "school"), ("secret", "another"), ("", "school")])
def test_a_cursor_opens_with_its_secret_for_its_tenant_only(secret: str, tenant: str) -> None:
    token = seal(Cursor("school", StatementQuery(), 1, 2), "secret")
    with pytest.raises(InvalidParameter):
        unseal(token, secret, tenant)
