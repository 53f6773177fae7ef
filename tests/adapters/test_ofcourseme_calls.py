"""The paths of OfCourseMe: what may call them, and what of a call becomes an event."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient, TestServer
from ofcourseme_desk import DENIED, EVENTS, KEY, Platform, a_store

from adapters.contract.directory import POWERLESS
from lrs.xapi.json_text import parse

REPORTS = ("completions", "search-conversion", "training-hours")


ODDLY_ENCODED = b'--a\r\nContent-Disposition: form-data; name="type"\r\nContent-Transfer-Encoding: zz\r\n\r\ny\r\n--a--'


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    store = a_store()
    async with TestClient(TestServer(store.app())) as client:
        yield Platform(client, store)


@pytest.mark.parametrize("headers", [
    {}, {"x-api-key": ""}, {"x-api-key": "another"}, {"x-api-key": POWERLESS}, {"x-api-key": "t\u00e9st"}, {"Authorization": "Basic eDp5"},
])
@pytest.mark.parametrize("target", [f"{EVENTS}?type=menu-click", *(f"/v2.0/reports/{name}" for name in REPORTS)])
async def test_who_has_no_key_that_may_is_denied_in_the_vendors_words(platform: Platform, target: str, headers: dict[str, str]) -> None:
    assert await platform.ask("GET", target, headers=headers) == (403, DENIED)
    assert (platform.statements, platform.store.events.kept) == ([], [])


async def test_a_key_counts_whatever_else_comes_beside_it(platform: Platform) -> None:
    status, _ = await platform.ask("GET", f"{EVENTS}?type=menu-click", headers={**KEY, "Authorization": "Bearer of-another-system"})
    assert status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_answer_names_the_statement_and_is_kept_nowhere(platform: Platform, method: str) -> None:
    answer = await platform.answer(method, f"{EVENTS}?type=menu-click")
    assert await answer.json() == {"status": "ok", "id": platform.statements[0]["id"]}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("target", "headers", "status"), [
    (EVENTS, KEY, 400), (EVENTS, {}, 403), ("/v2.0/reports/completions", KEY, 200), ("/v2.0/reports/completions?from=x", KEY, 400),
])
async def test_no_answer_at_all_may_be_cached(platform: Platform, target: str, headers: dict[str, str], status: int) -> None:
    answer = await platform.answer("GET", target, headers=headers)
    assert (answer.status, answer.headers["Cache-Control"]) == (status, "no-store")


async def test_a_refusal_has_the_code_and_says_why(platform: Platform) -> None:
    assert await platform.ask("GET", f"{EVENTS}?course_id=1") == (400, {"error": "NO-TYPE-PARAMETER", "message": "type: is missing"})
    status, body = await platform.ask("GET", f"{EVENTS}?type=course-complete&duration=-1")
    assert (status, body["error"]) == (400, "INVALID-PARAMETER")
    assert platform.statements == []


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
async def test_only_get_and_post_are_events(platform: Platform, method: str) -> None:
    answer = await platform.answer(method, f"{EVENTS}?type=menu-click")
    assert answer.status == (204 if method == "HEAD" else 405)
    assert (platform.statements, platform.store.events.kept) == ([], [])


async def test_a_preflight_is_no_event_and_needs_no_key(platform: Platform) -> None:
    asked = {"Origin": "https://lms.example.com", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-api-key"}
    answer = await platform.answer("OPTIONS", f"{EVENTS}?type=menu-click", headers=asked)
    assert answer.status < 500
    assert (platform.statements, platform.store.events.kept) == ([], [])


@pytest.mark.parametrize("header", [
    ("Purpose", "prefetch"), ("Sec-Purpose", "prefetch;prerender"), ("sec-purpose", "Prefetch"), ("X-Purpose", "preview"),
    ("X-Moz", "prefetch"),
])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
async def test_what_nobody_has_asked_for_yet_is_no_event(platform: Platform, method: str, header: tuple[str, str]) -> None:
    status, _ = await platform.ask(method, f"{EVENTS}?type=menu-click", headers={**KEY, header[0]: header[1]})
    assert (status, platform.statements, platform.store.events.kept) == (204, [], [])


async def test_equal_calls_at_once_are_so_many_events(platform: Platform) -> None:
    answers = await asyncio.gather(*(platform.ask("GET", f"{EVENTS}?type=menu-click&user_id=7") for _ in range(20)))
    assert len({body["id"] for _, body in answers}) == len(platform.statements) == 20


async def test_a_call_that_comes_again_with_its_event_id_gets_the_same_answer(platform: Platform) -> None:
    first = await platform.ask("GET", f"{EVENTS}?type=menu-click&event_id=1")
    again = await platform.ask("GET", f"{EVENTS}?type=logout&event_id=1")
    assert (first, len(platform.statements)) == (again, 1)


@pytest.mark.parametrize(("target", "user"), [
    ("?type=menu-click&user_id=J%FCrgen", "J\ufffdrgen"), ("?type=menu-click&user_id=a?b", "a?b"),
    ("?type=menu-click&user_id=a=b", "a=b"), ("?type=menu-click&&user_id=%E2%82%AC&", "\u20ac"),
])
async def test_a_query_is_read_as_it_was_sent(platform: Platform, target: str, user: str) -> None:
    status, _ = await platform.ask("GET", EVENTS + target)
    assert (status, platform.statements[0]["actor"]["account"]["name"]) == (200, user)


@pytest.mark.parametrize(("target", "user"), [
    (b"?type=menu-click&user_id=a#user_id=b", "a"), (b"?type=menu-click&user\\_id=b", "b"), (b"?type=menu-click&user_id=<{`|}>", "<{`|}>"),
])
async def test_a_target_that_no_client_should_send_is_read_all_the_same(platform: Platform, target: bytes, user: str) -> None:
    assert (await platform.say(b"GET " + EVENTS.encode() + target)).startswith(b"HTTP/1.1 200 ")
    assert platform.statements[0]["actor"]["account"]["name"] == user


async def test_what_is_kept_is_the_query_string_as_it_came(platform: Platform) -> None:
    await platform.ask("GET", f"{EVENTS}?TYPE=Menu-Click&user%5C_id=%ff&&x=+")
    assert [parse(each.text) for each in platform.store.events.kept] == [{"query": "TYPE=Menu-Click&user%5C_id=%ff&&x=+"}]


@pytest.mark.parametrize("data", [
    b"type=menu-click&user_id=a", {"type": "menu-click", "user_id": "a"}, b'{"type": "menu-click", "user_id": "a"}',
    b" type=menu-click&userId=a\r\n",
])
async def test_a_post_takes_a_form_and_json_alike(platform: Platform, data: Any) -> None:
    await platform.ask("POST", EVENTS, data=data)
    assert [each["actor"]["account"]["name"] for each in platform.statements] == ["a"]


async def test_a_form_of_parts_is_a_form_and_its_files_are_left(platform: Platform) -> None:
    form = FormData({"type": "menu-click", "user_id": "a&b#c"})
    form.add_field("photo", b"\xff", filename="a.png")
    await platform.ask("POST", EVENTS, data=form)
    assert [each["actor"]["account"]["name"] for each in platform.statements] == ["a&b#c"]


@pytest.mark.parametrize(("kind", "data"), [
    ("application/json", b"{"), ("application/json", b"\xff"), ("application/json", b'{"type": "a", "type": "b"}'),
    ("application/json", b"[]"), ("application/json", b'"menu-click"'), ("text/plain", b"{'type'"),
    ("multipart/form-data", b"x"), ("multipart/form-data; boundary=a", b"x"), ("multipart/form-data; boundary=a", ODDLY_ENCODED),
])
async def test_a_body_that_cannot_be_read_is_refused_with_a_code(platform: Platform, kind: str, data: bytes) -> None:
    status, body = await platform.ask("POST", EVENTS, headers={**KEY, "Content-Type": kind}, data=data)
    assert (status, body["error"], platform.statements) == (400, "INVALID-PARAMETER", [])


async def test_parameters_of_the_path_go_before_those_of_the_body(platform: Platform) -> None:
    for data in (b"user_id=b", b'{"user_id": "b", "query": "type=logout"}'):
        await platform.ask("POST", f"{EVENTS}?type=menu-click&user_id=a", data=data)
    assert {each["actor"]["account"]["name"] for each in platform.statements} == {"a"}


async def test_ten_thousand_parameters_are_refused_and_do_no_harm(platform: Platform) -> None:
    many = "&".join(f"p{number}={number}" for number in range(10_000))
    status, body = await platform.ask("POST", EVENTS, data=f"type=menu-click&{many}".encode())
    assert (status, body["error"], platform.statements) == (400, "INVALID-PARAMETER", [])
    status, _ = await platform.ask("POST", EVENTS, data=b"type=menu-click" + b"&user_id=7" * 10_000)
    assert (status, len(platform.statements)) == (200, 1)


async def test_a_tenant_in_the_path_must_be_that_of_the_key(platform: Platform) -> None:
    assert (await platform.ask("GET", f"/t/school{EVENTS}?type=menu-click"))[0] == 200
    assert await platform.ask("GET", f"/t/another{EVENTS}?type=menu-click") == (403, DENIED)
    assert len(platform.statements) == 1


async def test_a_report_knows_its_parameters_in_every_spelling(platform: Platform) -> None:
    await platform.ask("GET", f"{EVENTS}?type=search&entity_id=north&timestamp=2026-01-14T10:00:00Z")
    spelt = "entity%5C_id=north&FROM=2026-01-14&amp;To=2026-01-14"
    for query in ("entity_id=north", "entityId=north", spelt, "from=2026-01-14T11:00:00+01:00"):
        assert (await platform.report("search-conversion", query))["searches"] == 1
    assert (await platform.report("search-conversion", "entity-id=south"))["searches"] == 0


async def test_a_report_says_up_to_when_it_is_complete(platform: Platform) -> None:
    for name in REPORTS:
        answer = await platform.answer("GET", f"/v2.0/reports/{name}")
        assert answer.headers["X-Experience-API-Consistent-Through"].endswith("Z")
