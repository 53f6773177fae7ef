"""Content in browsers: what a page of another origin may send and read. xAPI 1.0.3, Communication 1.2 and Appendix C; Fetch, 3.2."""

from dataclasses import replace

import pytest
from http_fakes import CONFIG, ID, stored, xapi

ORIGIN = {"Origin": "https://content.example.org"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,x-experience-api-version"}
RESOURCES = ("statements", "activities", "activities/state", "activities/profile", "agents", "agents/profile", "about")


@pytest.mark.parametrize("resource", RESOURCES)
async def test_every_resource_answers_a_preflight_without_credential(client, resource):
    """Fetch, 3.2.2: a preflight carries no credential, and is answered with an ok status."""
    for prefix in ("", "/t/school"):
        answer = await client.options(f"{prefix}/xapi/{resource}", headers=PREFLIGHT)
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "HEAD"])
async def test_a_page_may_use_every_method_of_xapi(client, method):
    """1.0.3 Communication 1.1 and 2.0: PUT, POST, GET, DELETE and HEAD."""
    answer = await client.options("/xapi/statements", headers=PREFLIGHT)
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")


@pytest.mark.parametrize("name", [
    "authorization", "content-type", "if-match", "if-none-match", "accept-language", "x-experience-api-version", "x-request-id",
])
async def test_a_page_may_send_every_header_of_xapi(client, name):
    """1.0.3 Communication 1.2: the headers of requests."""
    answer = await client.options("/xapi/statements", headers=PREFLIGHT)
    assert name in answer.headers["Access-Control-Allow-Headers"].lower().split(", ")


@pytest.mark.parametrize("name", [
    "etag", "last-modified", "x-experience-api-version", "x-experience-api-consistent-through", "retry-after", "x-request-id",
])
async def test_a_page_may_read_every_header_of_xapi(client, fakes, name):
    """1.0.3 Communication 1.2: the headers of answers."""
    fakes.statements.log = [stored()]
    answer = await client.get("/xapi/statements", params={"statementId": ID}, headers=xapi(**ORIGIN))
    assert name in answer.headers["Access-Control-Expose-Headers"].lower().split(", ")


@pytest.mark.parametrize(("path", "headers", "status"), [
    ("/xapi/statements", {}, 401), ("/xapi/statements", xapi(version=None), 400), ("/xapi/nowhere", xapi(), 404),
    ("/xapi/statements?foo=1", xapi(), 400),
])
async def test_a_page_may_read_errors_too(client, path, headers, status):
    """1.0.3 Communication 3.2: the error says what is wrong, which is of no use to a page that cannot read it."""
    answer = await client.get(path, headers={**headers, **ORIGIN})
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (status, "*")


async def test_no_cookie_is_ever_asked_for(client):
    """Fetch, 3.2.3: without Access-Control-Allow-Credentials a browser sends no cookie across origins."""
    for answer in (
        await client.options("/xapi/statements", headers=PREFLIGHT), await client.get("/xapi/statements", headers=xapi(**ORIGIN))
    ):
        assert "Access-Control-Allow-Credentials" not in answer.headers and "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(("origin", "allowed"), [
    ("https://content.example.org", True), ("https://lms.example.org:8443", True), ("https://evil.example.org", False),
    ("https://content.example.org.evil.example", False), ("null", False), ("http://content.example.org", False),
])
async def test_where_origins_are_named_only_those_may(aiohttp_client, fakes, origin, allowed):
    """Fetch, 3.2.3: an origin is compared as a whole; what depends on it says so to caches (RFC 7231, 7.1.4)."""
    config = replace(CONFIG, cors_origins="https://content.example.org, https://lms.example.org:8443")
    client = await aiohttp_client(fakes.app(config))
    answer = await client.get("/xapi/about", headers={"Origin": origin})
    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    assert answer.headers["Vary"] == "Origin"


async def test_an_options_that_is_no_preflight_is_not_allowed(client):
    """RFC 7231, 6.5.5: OPTIONS is no method of xAPI."""
    assert (await client.options("/xapi/statements", headers=xapi())).status == 405


async def test_management_is_not_for_pages_of_other_origins(client):
    """Design, promise 10: what is not xAPI is not opened to other origins."""
    answer = await client.options("/manage/tenants", headers=PREFLIGHT)
    assert answer.status == 405 and "Access-Control-Allow-Origin" not in answer.headers


async def test_adapters_paths_are_for_pages_of_named_origins_only(aiohttp_client, fakes):
    """Fetch, 3.2: "any page there is" holds for xAPI; other systems' paths are opened to those that are named."""
    named = await aiohttp_client(fakes.app(replace(CONFIG, cors_origins=ORIGIN["Origin"])))
    for path in ("/bells/ring", "/t/school/bells/ring"):
        preflight = await named.options(path, headers=PREFLIGHT)
        assert (preflight.status, preflight.headers["Access-Control-Allow-Origin"]) == (204, ORIGIN["Origin"])
        answer = await named.get(path, headers=ORIGIN)
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN["Origin"])
    assert "Access-Control-Allow-Origin" not in (await named.get("/healthz", headers=ORIGIN)).headers
    anybody = await aiohttp_client(fakes.app(replace(CONFIG, cors_origins="*")))
    assert (await anybody.options("/bells/ring", headers=PREFLIGHT)).status == 405
    assert "Access-Control-Allow-Origin" not in (await anybody.get("/bells/ring", headers=ORIGIN)).headers
