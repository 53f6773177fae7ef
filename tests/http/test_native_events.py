"""The generic door of adapters, and their dead letters, over real MongoDB: what a system posts and is answered, what an operator sees."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import basic
from toy_adapter import GATE, NAMESPACE

from lrs.app import create_app
from lrs.config import Config
from lrs.errors import InvalidEvent
from lrs.http.keys import ADAPTERS, EVENTS
from lrs.store.mongo import Database
from lrs.xapi.build import uuid5_of

OPERATOR = {"Authorization": basic("operator:operator-secret")}
SCHOOL = "/manage/tenants/school"
DOOR = "/adapters/gate/events"
KEY = {"x-api-key": "a-key-of-the-gate"}


@pytest.fixture
async def client(config: Config, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestClient]:
    monkeypatch.setattr("lrs.app.load_adapters", lambda: {"gate": GATE})
    async with TestClient(TestServer(create_app(config))) as client:
        await client.put(SCHOOL, headers=OPERATOR)
        for key, scopes in (("a-key-of-the-gate", ["events/write"]), ("a-reader", ["reports/read"])):
            body = {"kind": "api_key", "api_key": key, "scopes": scopes}
            assert (await client.post(f"{SCHOOL}/credentials", json=body, headers=OPERATOR)).status == 201
        yield client
    database = Database.connect(config)
    await database.drop()
    database.close()


@pytest.fixture
def post(client: TestClient) -> Callable[..., Any]:
    async def post(body: Any, path: str = DOOR, headers: Any = KEY, kind: str = "application/json") -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await client.post(path, data=data, headers={**headers, "Content-Type": kind})
        return answer.status, await answer.json()

    return post


def gone(id_: int, **more: Any) -> dict[str, Any]:
    return {"id": id_, "who": "ada", **more}


@pytest.mark.parametrize("body", [
    gone(1), [gone(1)], {"events": [gone(1)]}, b'{"id": 1, "who": "ada"}\n',
], ids=["an object", "an array", "an object of events", "a line"])
async def test_an_event_may_come_in_any_of_the_four_shapes_and_counts_once(post, body):
    assert await post(body) == (200, {"stored": 1, "duplicates": 0, "rejected": []})
    assert await post([gone(1), gone(2)]) == (200, {"stored": 1, "duplicates": 1, "rejected": []})


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/json", "text/plain"])
async def test_lines_are_events_whatever_type_they_are_called(post, kind):
    body = b'{"id": 1, "who": "ada"}\n\n{"id": 2,\r\n{"id": 3, "who": "ben"}'
    status, answer = await post(body, kind=kind)
    assert (status, answer["stored"]) == (200, 2)
    assert [(each["index"], each["error"]) for each in answer["rejected"]] == [(1, "INVALID_JSON")]


async def test_a_batch_stores_the_good_events_and_tells_of_each_bad_one_where_and_why(post):
    status, answer = await post([gone(1), 7, {"id": 2}, gone(3)])
    assert (status, answer["stored"]) == (200, 2)
    assert answer["rejected"] == [
        {"index": 1, "error": "INVALID_EVENT", "place": "", "message": "must be an object"},
        {"index": 2, "error": "NOBODY", "place": "who", "message": "who: must be who went through"},
    ]


@pytest.mark.parametrize(("body", "status", "code"), [
    ({"id": 1}, 400, "NOBODY"), (b"{", 400, "INVALID_JSON"), (b"", 400, "INVALID_JSON"), (gone(1, crash=True), 500, "BROKEN_TRANSLATION"),
])
async def test_if_nothing_can_be_used_the_answer_is_the_first_error(post, body, status, code):
    answered, answer = await post(body)
    assert (answered, answer["error"], answer["stored"]) == (status, code, 0)


async def test_a_line_that_is_no_body_of_the_adapters_stops_no_other_line(client, post, monkeypatch):
    def strict(body: Any) -> list[Any]:
        if not isinstance(body, dict):
            raise InvalidEvent("", "must be an object", reason="shape")
        return [body]

    monkeypatch.setitem(client.app[ADAPTERS], "gate", replace(GATE, split=strict))
    status, answer = await post(b'{"id": 1, "who": "ada"}\n7\n{"id": 2, "who": "ben"}', kind="application/x-ndjson")
    assert (status, answer["stored"], [each["index"] for each in answer["rejected"]]) == (200, 2, [1])


async def test_a_body_that_the_adapter_fails_to_split_is_kept_for_the_day_it_can(client, post, monkeypatch):
    monkeypatch.setitem(client.app[ADAPTERS], "gate", replace(GATE, split=lambda body: body["nothing"]))
    assert (await post(gone(1)))[0] == 500
    [letter] = (await (await client.get(f"{SCHOOL}/dead-letters", headers=OPERATOR)).json())["dead_letters"]
    assert (letter["reason"]["kind"], json.loads(letter["body"])) == ("translation", gone(1))


async def test_a_body_of_too_many_events_is_refused_before_any_is_kept(post, monkeypatch):
    monkeypatch.setattr("lrs.native_bodies.MOST_EVENTS", 3)
    status, answer = await post([gone(i) for i in range(4)])
    assert (status, answer["error"]) == (413, "TOO_LARGE")
    assert await post([gone(0)]) == (200, {"stored": 1, "duplicates": 0, "rejected": []})


async def test_a_small_body_cannot_become_any_amount_of_text(client, post, monkeypatch):
    monkeypatch.setattr("lrs.native_bodies.MOST_OCTETS", 0)
    assert (await post([gone(i) for i in range(8)]))[0] == 200
    monkeypatch.setitem(client.app[ADAPTERS], "gate", replace(GATE, split=lambda body: [body] * 8))
    assert (await post(gone(9)))[0] == 413


async def test_an_empty_batch_is_no_error(post):
    assert await post([]) == (200, {"stored": 0, "duplicates": 0, "rejected": []})


@pytest.mark.parametrize(("path", "headers", "status", "code"), [
    (DOOR, {}, 401, "UNAUTHORIZED"),
    (DOOR, {"x-api-key": "wrong"}, 401, "UNAUTHORIZED"),
    (DOOR, {"x-api-key": "a-reader"}, 403, "FORBIDDEN"),
    ("/adapters/nobody/events", KEY, 404, "NOT_FOUND"),
    (f"/t/elsewhere{DOOR}", KEY, 403, "FORBIDDEN"),
])
async def test_who_may_not_enter_is_told_so_in_the_words_of_native_systems(post, path, headers, status, code):
    answered, answer = await post(gone(1), path, headers)
    assert (answered, answer["error"]) == (status, code)


async def test_the_door_is_there_below_the_tenants_prefix_too(post):
    assert (await post(gone(1), f"/t/school{DOOR}"))[0] == 200


async def test_an_operator_finds_a_dead_letter_and_tries_it_again_with_an_edited_event(client, post):
    await post([gone(1), {"id": 2, "gate": 5}])
    listed = await (await client.get(f"{SCHOOL}/dead-letters", headers=OPERATOR)).json()
    [letter] = listed["dead_letters"]
    assert listed["counts"] == [{"adapter": "gate", "kind": "value", "count": 1}]
    assert (letter["body"], letter["reason"]["place"], letter["index"]) == ('{"id":2,"gate":5}', "who", 1)
    place = f"{SCHOOL}/dead-letters/{letter['id']}"
    assert await (await client.get(place, headers=OPERATOR)).json() == letter
    again = await client.post(f"{place}/retry", headers=OPERATOR)
    assert (await again.json())["outcome"] == "dead"
    edited = await client.post(f"{place}/retry", json={"event": gone(2)}, headers=OPERATOR)
    assert (await edited.json())["outcome"] == "stored"
    assert (await client.get(place, headers=OPERATOR)).status == 404
    assert await post(gone(2)) == (200, {"stored": 0, "duplicates": 1, "rejected": []})


async def test_dead_letters_are_listed_page_by_page_each_once_and_by_kind(client, post):
    await post([{"id": i} if i % 2 else i for i in range(250)])
    seen, more = [], None
    while True:
        params = {"kind": "value", **({"more": more} if more else {})}
        page = await (await client.get(f"{SCHOOL}/dead-letters", params=params, headers=OPERATOR)).json()
        seen += [each["index"] for each in page["dead_letters"]]
        if (more := page["more"]) is None:
            break
    assert seen == list(range(1, 250, 2))


@pytest.mark.parametrize("params", [{"kind": "odd"}, {"more": "odd"}, {"more": f"gate/{'9' * 25}"}, {"other": "1"}])
async def test_a_wrong_question_for_dead_letters_is_refused(client, params):
    assert (await client.get(f"{SCHOOL}/dead-letters", params=params, headers=OPERATOR)).status == 400


async def test_from_a_statement_an_operator_finds_the_event_behind_it(client, post):
    await post([gone(1), gone(2)])
    await post(gone(2))
    await client.app[EVENTS].drain()  # what became of an event is noted a moment after the answer
    statement_id = uuid5_of(NAMESPACE, ["event", 2])
    found = await client.get(f"{SCHOOL}/native-events/{statement_id.upper()}", headers=OPERATOR)
    events = (await found.json())["native_events"]
    assert [(json.loads(each["body"])["id"], each["outcome"], each["index"]) for each in events] == [(2, "stored", 1), (2, "duplicate", 0)]
