"""The alternate request syntax: a POST that stands for any other request of 1.0.x. xAPI 1.0.3, Communication 1.3."""

import json
from urllib.parse import urlencode

import pytest
from aiohttp import web
from http_fakes import ID, a_statement, basic, stored

PATH = "/xapi/statements"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SAID = {"Authorization": basic("all:secret"), "X-Experience-API-Version": "1.0.3"}


async def say(client, method, headers=FORM, path=PATH, **fields):
    return await client.post(f"{path}?method={method}", data=urlencode({**SAID, **fields}), headers=headers)


async def test_a_put_is_stored_under_the_id_in_the_form(client, fakes):
    """1.0.3 Communication 1.3, Content: the content is the form parameter "content"."""
    answer = await say(client, "PUT", statementId=ID, content=json.dumps(a_statement()))
    assert answer.status == 204
    assert fakes.intake.calls[0]["statements"] == [{"id": ID, **a_statement()}]


async def test_content_is_utf_8(client, fakes):
    """1.0.3 Communication 1.3, Content: the content is interpreted as a UTF-8 string."""
    sent = a_statement(result={"response": "動詞 & = + %"})
    assert (await say(client, "POST", content=json.dumps(sent, ensure_ascii=False))).status == 200
    assert fakes.intake.calls[0]["statements"] == [sent]


async def test_a_get_answers_with_what_is_stored(client, fakes):
    """1.0.3 Communication 1.3: also to GET statements, because of limits on the length of query strings."""
    fakes.statements.log = [stored()]
    answer = await say(client, "GET", statementId=ID)
    assert (await answer.json())["id"] == ID


async def test_parameters_are_fields_of_the_form(client, fakes):
    """1.0.3 Communication 1.3, Method: no other query string parameters; they are in the form."""
    assert (await say(client, "GET", limit="3", verb="https://x.example/v", ascending="true")).status == 200
    _, query = fakes.statements.asked[0]
    assert (query.limit, query.verb, query.ascending) == (3, "https://x.example/v", True)


async def test_another_parameter_in_the_query_is_refused(client):
    """1.0.3 Communication 1.3, Method: any other query string parameter must not be there."""
    answer = await client.post(f"{PATH}?method=GET&limit=1", data=urlencode(SAID), headers=FORM)
    assert answer.status == 400


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
async def test_the_form_says_who_asks_in_whatever_case(client, name):
    """1.0.3 Communication 1.3, Headers: form parameters are treated as headers, whose names have no case (RFC 7230, 3.2)."""
    fields = {name: SAID["Authorization"], "X-Experience-API-Version": "1.0.3"}
    assert (await client.post(f"{PATH}?method=GET", data=urlencode(fields), headers=FORM)).status == 200


async def test_the_credential_may_be_in_the_header_all_the_same(client):
    """1.0.3 Communication 1.3, Headers: the headers MAY be in the form."""
    answer = await client.post(f"{PATH}?method=GET", data="", headers={**FORM, **SAID})
    assert answer.status == 200


async def test_without_any_credential_it_is_refused(client):
    """1.0.3 Communication 4.0: the alternate syntax opens no door."""
    answer = await client.post(f"{PATH}?method=GET", data="X-Experience-API-Version=1.0.3", headers=FORM)
    assert answer.status == 401


async def test_scopes_are_those_of_the_method_that_is_meant(client, fakes):
    """1.0.3 Communication 4.2: who may only write cannot read through a POST."""
    fields = {"Authorization": basic("statements/write:secret"), "statementId": ID}
    assert (await say(client, "GET", **fields)).status == 403
    assert (await say(client, "PUT", **fields, content=json.dumps(a_statement()))).status == 204


async def test_the_version_in_the_form_is_the_version_of_the_answer(client):
    """1.0.3 Communication 3.3: every answer has the header, here too."""
    answer = await say(client, "GET", **{"X-Experience-API-Version": "1.0.1"})
    assert (answer.status, answer.headers["X-Experience-API-Version"]) == (200, "1.0.3")


async def test_without_a_version_it_is_refused(client):
    """1.0.3 Communication 3.3: requests without a version are rejected."""
    answer = await client.post(f"{PATH}?method=GET", data=urlencode({"Authorization": SAID["Authorization"]}), headers=FORM)
    assert answer.status == 400


@pytest.mark.parametrize("where", ["form", "header"])
async def test_2_0_has_no_alternate_syntax(client, where):
    """IEEE 9274.1.1: the alternate request syntax is no longer part of it."""
    version = {"X-Experience-API-Version": "2.0.0"}
    if where == "form":
        answer = await say(client, "GET", **version)
    else:
        form = urlencode({"Authorization": SAID["Authorization"]})
        answer = await client.post(f"{PATH}?method=GET", data=form, headers={**FORM, **version})
    assert answer.status == 400


@pytest.mark.parametrize("content_type", ["text/plain;charset=UTF-8", "application/x-www-form-urlencoded; charset=utf-8"])
async def test_a_beacon_is_read_as_a_form(client, fakes, content_type):
    """1.0.3 Communication 1.3: the Content-Type header SHOULD be that of a form; beacons cannot choose it."""
    answer = await say(client, "POST", headers={"Content-Type": content_type}, content=json.dumps(a_statement()))
    assert answer.status == 200 and len(fakes.intake.calls) == 1


async def test_json_is_no_form(client):
    """1.0.3 Communication 3.2: a body that is not of the form it must have is a bad request."""
    answer = await client.post(f"{PATH}?method=GET", json=SAID)
    assert answer.status == 400


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "TRACE", "", "GET PUT"])
async def test_a_method_that_xapi_does_not_have_is_refused(client, method):
    """1.0.3 Communication 1.3, Method: the intended xAPI method."""
    assert (await say(client, method)).status == 400


async def test_a_method_that_the_resource_does_not_have_is_not_allowed(client):
    """1.0.3 Communication 1.3: it stands for the request that is meant, which is a 405."""
    assert (await say(client, "DELETE")).status == 405


async def test_a_place_that_is_not_there_is_not_found(client):
    """1.0.3 Communication 1.3: it stands for the request that is meant, which is a 404."""
    assert (await say(client, "GET", path="/xapi/nowhere")).status == 404


async def test_a_head_is_answered_without_a_body(client, fakes):
    """1.0.3 Communication 1.1: the answer to HEAD has headers only."""
    fakes.statements.log = [stored()]
    answer = await say(client, "HEAD", statementId=ID)
    assert (answer.status, await answer.read()) == (200, b"")


async def test_content_length_in_the_form_is_taken_and_not_trusted(client, fakes):
    """1.0.3 Communication 1.3, Headers: Content-Length SHOULD be the content's, and LRPs count it in several ways."""
    assert (await say(client, "POST", content=json.dumps(a_statement()), **{"Content-Length": "7"})).status == 200
    assert fakes.intake.calls[0]["statements"] == [a_statement()]


async def test_a_field_given_twice_is_refused(client):
    """1.0.3 Communication 3.2: which one is meant cannot be known."""
    body = urlencode([*SAID.items(), ("limit", "1"), ("limit", "2")])
    assert (await client.post(f"{PATH}?method=GET", data=body, headers=FORM)).status == 400


@pytest.mark.parametrize("body", [b"limit=%FF", b"\xff\xfe", b"limit", b"&&"])
async def test_what_is_no_form_in_utf_8_is_refused(client, body):
    """1.0.3 Communication 1.4: all is UTF-8."""
    assert (await client.post(f"{PATH}?method=GET", data=body, headers={**FORM, **SAID})).status == 400


async def test_a_field_cannot_smuggle_a_header_in(client):
    """RFC 7230, 3.2.4: no line breaks within a header."""
    assert (await say(client, "GET", Authorization=SAID["Authorization"] + "\r\nX-Api-Key: x")).status == 400


async def test_a_post_without_method_is_an_ordinary_one(client, fakes):
    """1.0.3 Communication 2.1.2: POST is told apart by the parameters passed."""
    assert (await client.post(PATH, json=a_statement(), headers=SAID)).status == 200
    assert len(fakes.intake.calls) == 1


@pytest.mark.parametrize("prefix", ["/lrs", "/deep/lrs"])
async def test_it_works_below_every_prefix(aiohttp_client, fakes, prefix):
    """1.0.3 Communication 1.3: for all resources, wherever they are mounted."""
    host = web.Application()
    host.add_subapp(prefix, fakes.app())
    mounted = await aiohttp_client(host)
    fakes.statements.log = [stored()]
    for path in (f"{prefix}{PATH}", f"{prefix}/t/school{PATH}"):
        answer = await say(mounted, "GET", path=path, statementId=ID)
        assert (answer.status, answer.headers["X-Experience-API-Version"]) == (200, "1.0.3")
        assert (await answer.json())["id"] == ID


async def test_more_of_a_page_leads_on_by_an_ordinary_get(client, fakes):
    """1.0.3 Communication 2.1.3: `more` is an IRL to be fetched."""
    fakes.statements.log = [stored(), stored("00000000-0000-4000-8000-000000000001")]
    page = await (await say(client, "GET", limit="1")).json()
    following = await (await client.get(page["more"], headers=SAID)).json()
    assert [each["id"] for each in following["statements"]] == ["00000000-0000-4000-8000-000000000001"]
