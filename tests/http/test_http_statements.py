"""The Statement resource over HTTP. xAPI 1.0.3, Communication 2.1."""

import hashlib
from dataclasses import asdict
from email.message import Message

import pytest
from aiohttp.test_utils import TestClient
from http_fakes import ID, KNOWN, OTHER_ID, THROUGH, THROUGH_US, Fakes, a_statement, authority, stored, xapi

from lrs.errors import InvalidStatements, Problem, StatementConflict, StoreUnavailable

PATH = "/xapi/statements"


async def test_posting_one_statement_gives_a_list_of_its_id(client: TestClient, fakes: Fakes) -> None:
    answer = await client.post(PATH, json=a_statement(id=ID), headers=xapi("statements/write:secret"))
    assert (answer.status, await answer.json()) == (200, [ID])
    (call,) = fakes.intake.calls
    assert call["statements"] == [a_statement(id=ID)]
    assert (call["tenant"], call["version"]) == ("school", "1.0.3")
    assert call["authority"] == authority("statements/write")


async def test_posting_a_batch_gives_the_ids_in_its_order(client: TestClient) -> None:
    answer = await client.post(PATH, json=[a_statement(id=OTHER_ID), a_statement(id=ID)], headers=xapi())
    assert await answer.json() == [OTHER_ID, ID]


async def test_posting_an_empty_batch_gives_no_ids(client: TestClient) -> None:
    answer = await client.post(PATH, json=[], headers=xapi())
    assert (answer.status, await answer.json()) == (200, [])


async def test_a_request_of_2_0_is_judged_by_2_0(client: TestClient, fakes: Fakes) -> None:
    await client.post(PATH, json=a_statement(), headers=xapi(version="2.0.0"))
    assert fakes.intake.calls[0]["version"] == "2.0.0"


async def test_post_takes_no_parameters(client: TestClient) -> None:
    answer = await client.post(PATH, params={"statementId": ID}, json=a_statement(), headers=xapi())
    assert answer.status == 400
    assert (await answer.json())["problems"][0]["place"] == "statementId"


async def test_every_bad_statement_of_a_batch_is_named(client: TestClient, fakes: Fakes) -> None:
    problems = [Problem(0, "actor", "is required"), Problem(3, "verb.id", "must be an IRI")]
    fakes.intake.fails = InvalidStatements(problems)
    answer = await client.post(PATH, json=[a_statement()] * 4, headers=xapi())
    assert answer.status == 400
    body = await answer.json()
    assert body["error"] == "invalid_statements"
    assert body["problems"] == [asdict(problem) for problem in problems]
    assert body["request_id"] == answer.headers["X-Request-ID"]


async def test_a_conflict_is_a_409_that_names_the_id(client: TestClient, fakes: Fakes) -> None:
    fakes.intake.fails = StatementConflict([ID])
    answer = await client.post(PATH, json=a_statement(id=ID), headers=xapi())
    assert answer.status == 409
    body = await answer.json()
    assert body["error"] == "statement_conflict"
    assert ID in body["message"]


async def test_a_store_that_is_away_is_a_503_to_try_again(client: TestClient, fakes: Fakes) -> None:
    fakes.intake.fails = StoreUnavailable("no answer in time")
    answer = await client.post(PATH, json=a_statement(), headers=xapi())
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


async def test_put_stores_under_the_id_of_the_parameter(client: TestClient, fakes: Fakes) -> None:
    answer = await client.put(PATH, params={"statementId": ID}, json=a_statement(), headers=xapi())
    assert (answer.status, await answer.read()) == (204, b"")
    assert fakes.intake.calls[0]["statements"] == [{"id": ID, **a_statement()}]


async def test_put_takes_the_statements_own_id_in_any_case(client: TestClient, fakes: Fakes) -> None:
    answer = await client.put(PATH, params={"statementId": ID}, json=a_statement(id=ID.upper()), headers=xapi())
    assert answer.status == 204
    assert fakes.intake.calls[0]["statements"] == [a_statement(id=ID.upper())]


@pytest.mark.parametrize("params", [
    {}, {"statementId": OTHER_ID}, {"statementId": "no-uuid"}, {"statementid": ID},
    {"statementId": ID, "format": "ids"}, [("statementId", ID), ("statementId", ID)],
])
async def test_put_without_the_right_id_is_refused(client: TestClient, fakes: Fakes, params: object) -> None:
    answer = await client.put(PATH, params=params, json=a_statement(id=ID), headers=xapi())
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_parameter")
    assert not fakes.intake.calls


@pytest.mark.parametrize("body", ["[{}]", '"text"', "1", "null"])
async def test_put_takes_one_object_only(client: TestClient, body: str) -> None:
    headers = xapi() | {"Content-Type": "application/json"}
    answer = await client.put(PATH, params={"statementId": ID}, data=body, headers=headers)
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_body")


async def test_an_id_that_is_no_text_is_left_to_the_checker(client: TestClient, fakes: Fakes) -> None:
    await client.put(PATH, params={"statementId": ID}, json=a_statement(id=7), headers=xapi())
    assert fakes.intake.calls[0]["statements"] == [a_statement(id=7)]


async def test_a_statement_is_read_by_its_id(client: TestClient, fakes: Fakes) -> None:
    fakes.statements.log = [stored(OTHER_ID), stored(ID)]
    answer = await client.get(PATH, params={"statementId": ID.upper()}, headers=xapi("statements/read:secret"))
    body = await answer.read()
    assert (answer.status, await answer.json()) == (200, stored(ID))
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Last-Modified"] == "Sun, 22 Nov 2026 06:09:41 GMT"
    assert answer.headers["ETag"] == f'"{hashlib.sha1(body).hexdigest()}"'
    assert answer.headers["X-Experience-API-Consistent-Through"] == THROUGH


async def test_an_unknown_id_is_a_404(client: TestClient) -> None:
    for name in ("statementId", "voidedStatementId"):
        answer = await client.get(PATH, params={name: ID}, headers=xapi())
        assert (answer.status, (await answer.json())["error"]) == (404, "not_found")


async def test_a_voided_statement_is_read_by_voided_statement_id_only(client: TestClient, fakes: Fakes) -> None:
    fakes.statements.log, fakes.statements.voided = [stored(ID)], {ID}
    assert (await client.get(PATH, params={"statementId": ID}, headers=xapi())).status == 404
    answer = await client.get(PATH, params={"voidedStatementId": ID}, headers=xapi())
    assert (answer.status, (await answer.json())["id"]) == (200, ID)


async def test_no_match_is_an_empty_page(client: TestClient) -> None:
    answer = await client.get(PATH, params={"verb": "https://example.org/never"}, headers=xapi())
    assert (answer.status, await answer.json()) == (200, {"statements": [], "more": ""})
    assert answer.headers["X-Experience-API-Consistent-Through"] == THROUGH


async def test_every_filter_reaches_the_store(client: TestClient, fakes: Fakes) -> None:
    params = {
        "agent": '{"mbox": "mailto:learner@example.org"}', "verb": "https://example.org/verb",
        "activity": "https://example.org/a", "registration": ID, "related_agents": "true", "related_activities": "true",
        "since": THROUGH, "until": "2026-11-23T00:00:00Z", "limit": "3", "ascending": "true", "format": "ids",
    }
    assert (await client.get(PATH, params=params, headers=xapi())).status == 200
    ((tenant, query),) = fakes.statements.asked
    assert tenant == "school"
    assert (query.agent, query.verb, query.activity, query.registration, query.since_us, query.limit) == (
        "mailto:learner@example.org", "https://example.org/verb", "https://example.org/a", ID, THROUGH_US, 3,
    )
    assert query.related_agents and query.related_activities and query.ascending


@pytest.mark.parametrize("params", [
    {"foo": "bar"}, {"StatementId": ID}, {"statementId": ID, "voidedStatementId": ID},
    {"statementId": ID, "limit": "1"},
    {"limit": "-1"}, {"agent": "{"}, {"since": "yesterday"}, {"ascending": "1"}, {"format": "pretty"},
    [("limit", "1"), ("limit", "2")], {"more": "x", "limit": "1"},
])
async def test_bad_parameters_are_refused_and_still_say_what_is_consistent(client: TestClient, params: object) -> None:
    answer = await client.get(PATH, params=params, headers=xapi())
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_parameter")
    # As it is now, not as it was known: who waits for it may be refused each time.
    assert answer.headers["X-Experience-API-Consistent-Through"] == THROUGH


async def test_format_ids_and_canonical_are_applied(client: TestClient, fakes: Fakes) -> None:
    fakes.statements.log = [stored(ID)]
    answer = await client.get(PATH, params={"format": "ids"}, headers=xapi())
    assert (await answer.json())["statements"][0]["verb"] == {"id": "http://adlnet.gov/expapi/verbs/experienced"}
    german = xapi() | {"Accept-Language": "en;q=0.1, de"}
    answer = await client.get(PATH, params={"statementId": ID, "format": "canonical"}, headers=german)
    assert (await answer.json())["verb"]["display"] == {"de": "erlebte"}


async def test_attachments_true_is_multipart_with_the_statements_first(client: TestClient, fakes: Fakes) -> None:
    fakes.statements.log = [stored(ID)]
    answer = await client.get(PATH, params={"attachments": "true"}, headers=xapi())
    kind = Message()
    kind["Content-Type"] = answer.headers["Content-Type"]
    assert kind.get_content_type() == "multipart/mixed"
    boundary = f"--{kind.get_param('boundary')}".encode()
    first, end = (await answer.read()).split(boundary)[1:]
    assert first.startswith(b"\r\nContent-Type: application/json\r\n\r\n{") and end == b"--\r\n"
    assert answer.headers["X-Experience-API-Consistent-Through"] == THROUGH


@pytest.mark.parametrize("params", [{}, {"statementId": ID}, {"foo": "bar"}])
async def test_head_is_get_without_a_body(client: TestClient, fakes: Fakes, params: dict[str, str]) -> None:
    fakes.statements.log = [stored(ID)]
    got = await client.get(PATH, params=params, headers=xapi())
    head = await client.head(PATH, params=params, headers=xapi())
    changing = {"Date", "X-Request-ID"}
    assert (head.status, await head.read()) == (got.status, b"")
    if got.status == 200:
        assert {**head.headers, **dict.fromkeys(changing)} == {**got.headers, **dict.fromkeys(changing)}


@pytest.mark.parametrize(("pair", "seen"), [
    ("all", 2), ("all/read", 2), ("statements/read", 2), ("statements/read/mine", 1),
    ("statements/read,statements/read/mine", 2),
])
async def test_who_may_read_only_the_own_statements_sees_those(
    client: TestClient, fakes: Fakes, pair: str, seen: int
) -> None:
    fakes.statements.log = [stored(ID, by="statements/read/mine"), stored(OTHER_ID, by="somebody")]
    answer = await client.get(PATH, headers=xapi(f"{pair}:secret"))
    assert len((await answer.json())["statements"]) == seen
    other = await client.get(PATH, params={"statementId": OTHER_ID}, headers=xapi(f"{pair}:secret"))
    assert other.status == (200 if seen == 2 else 404)


async def test_every_answer_to_a_post_or_put_says_what_is_consistent(client: TestClient) -> None:
    answers = [
        await client.post(PATH, json=a_statement(), headers=xapi()),
        await client.post(PATH, data=b"{", headers=xapi() | {"Content-Type": "application/json"}),
        await client.put(PATH, params={"statementId": ID}, json=a_statement(), headers=xapi()),
        await client.delete(PATH, headers=xapi()),
        await client.get(PATH),
    ]
    assert [answer.status for answer in answers] == [200, 400, 204, 405, 401]
    assert {answer.headers["X-Experience-API-Consistent-Through"] for answer in answers} == {KNOWN}


async def test_without_a_watermark_there_is_no_page(client: TestClient, fakes: Fakes) -> None:
    fakes.watermark.fails = StoreUnavailable("the log cannot be fenced right now")
    assert (await client.get(PATH, headers=xapi())).status == 503
