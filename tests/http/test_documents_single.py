"""One document: stored, given back, merged, removed. Every law holds of all three resources, under both versions."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from document_desk import ACTIVITY_PROFILE, ANY, ID_OF, JSON, PARAMS, STATE

pytestmark = pytest.mark.parametrize("path", PARAMS)
VERSIONS = pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
BYTES = bytes(range(256))


@VERSIONS
async def test_what_is_put_is_given_back_byte_for_byte_with_its_type(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """Documents are arbitrary binary data. xAPI 1.0.3, Communication 2.2, table of properties; IEEE 9274.1.1, 4.1.6.2."""
    desk = await desk_at(path, version)
    put = await desk("PUT", BYTES, headers={"Content-Type": "image/x-own; q=\"1\"", **ANY})
    answer = await desk("GET")
    assert (put.status, await put.read(), answer.status) == (204, b"", 200)
    assert (await answer.read(), answer.headers["Content-Type"]) == (BYTES, "image/x-own; q=\"1\"")


async def test_json_is_given_back_as_it_was_written(desk_at: Callable[..., Any], path: str) -> None:
    """White space, key order and digits are the client's. Communication 2.2."""
    desk, text = await desk_at(path), b'{ "z": 1.000000000000000000001,\n "a": {"b.c$": [1E400]} }'
    await desk("PUT", text, headers=ANY)
    assert await (await desk("GET")).read() == text


@pytest.mark.parametrize("content", [b"[1, 2]", b'"text"', b"17", b"null"])
async def test_any_json_value_may_be_put(desk_at: Callable[..., Any], path: str, content: bytes) -> None:
    """Only merging needs an object. Communication 2.2, "JSON Procedure"."""
    desk = await desk_at(path)
    assert (await desk("PUT", content, headers=ANY)).status == 204
    assert await (await desk("GET")).read() == content


async def test_an_empty_document_without_a_type_is_a_document(desk_at: Callable[..., Any], path: str) -> None:
    """Contents are arbitrary. Communication 2.2."""
    desk = await desk_at(path)
    put = await desk("PUT", b"", headers={"Content-Type": "", **ANY})
    answer = await desk("GET")
    assert (put.status, answer.status, await answer.read()) == (204, 200, b"")


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("content", [b"{", b"", b"{} x", b'{"a": 1, "a": 2}', b"NaN", b'"\\ud800"', b"\xff"])
async def test_what_is_called_json_and_is_not_is_refused(
    desk_at: Callable[..., Any], path: str, method: str, content: bytes
) -> None:
    """The content type must be that of the content. Communication 3.2."""
    desk = await desk_at(path)
    answer = await desk(method, content, headers={"Content-Type": "application/json; charset=utf-8"})
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_body")
    assert (await desk("GET")).status == 404


async def test_a_document_that_is_not_there_is_not_found(desk_at: Callable[..., Any], path: str) -> None:
    """404 may be returned by any method that returns a uniquely identified resource. Communication 3.2."""
    desk = await desk_at(path)
    assert ((await desk("GET")).status, (await desk("HEAD")).status) == (404, 404)


async def test_head_answers_as_get_does_without_the_body(desk_at: Callable[..., Any], path: str) -> None:
    """Communication 1.1."""
    desk = await desk_at(path)
    await desk("PUT", {"a": 1}, headers=ANY)
    got, head = await desk("GET"), await desk("HEAD")
    assert (head.status, await head.read()) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Last-Modified", "X-Experience-API-Version"):
        assert head.headers[name] == got.headers[name]


@VERSIONS
async def test_the_etag_is_the_sha1_of_the_content_in_lower_case_and_quotes(
    desk_at: Callable[..., Any], path: str, version: str
) -> None:
    """Communication 3.1, LRS Requirements; IEEE 9274.1.1, 4.1.4."""
    desk = await desk_at(path, version)
    await desk("PUT", BYTES, headers={"Content-Type": "a/b", **ANY})
    assert await desk.tag() == f'"{hashlib.sha1(BYTES).hexdigest()}"'


@VERSIONS
async def test_last_modified_is_when_it_last_changed(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """Communication 2.2, "Last Modified"."""
    desk = await desk_at(path, version)
    await desk("PUT", {}, headers=ANY)
    assert (await desk("GET")).headers["Last-Modified"] == "Sun, 22 Nov 2026 06:00:00 GMT"
    desk.clock.forward(61)
    await desk("POST", {"a": 1})
    assert (await desk("GET")).headers["Last-Modified"] == "Sun, 22 Nov 2026 06:01:01 GMT"


async def test_a_posted_object_is_merged_into_the_one_that_is_there_one_level_deep(
    desk_at: Callable[..., Any], path: str
) -> None:
    """Communication 2.2, "JSON Procedure": the properties posted are set, the others stay."""
    desk = await desk_at(path)
    await desk("PUT", {"x": {"deep": 1}, "y": "bar"}, headers=ANY)
    posted = await desk("POST", {"x": {"other": 2}, "z": "faz"})
    assert (posted.status, await posted.read()) == (204, b"")
    assert await (await desk("GET")).json() == {"x": {"other": 2}, "y": "bar", "z": "faz"}


async def test_merging_keeps_numbers_as_they_were_written(desk_at: Callable[..., Any], path: str) -> None:
    """Merging sets properties and changes no other. Communication 2.2, "JSON Procedure"."""
    desk = await desk_at(path)
    await desk("PUT", b'{"big":123456789012345678901234567890,"x":1}', headers=ANY)
    await desk("POST", b'{"fine":0.10000000000000000000001}')
    assert await (await desk("GET")).read() == b'{"big":123456789012345678901234567890,"x":1,"fine":0.10000000000000000000001}'


async def test_a_post_where_nothing_is_stores_what_it_sends(desk_at: Callable[..., Any], path: str) -> None:
    """There is nothing to merge with, so any content will do. Communication 2.2, "JSON Procedure"."""
    desk = await desk_at(path)
    assert (await desk("POST", b"\x00text", headers={"Content-Type": "text/x-own"})).status == 204
    answer = await desk("GET")
    assert (await answer.read(), answer.headers["Content-Type"]) == (b"\x00text", "text/x-own")


@pytest.mark.parametrize(("there", "posted"), [
    (("text/plain", b"{}"), ("application/json", b"{}")),
    (("application/json", b"{}"), ("text/plain", b"{}")),
    (("application/json", b"[1]"), ("application/json", b"{}")),
    (("application/json", b"{}"), ("application/json", b"[1]")),
    (("text/plain", b"a"), ("text/plain", b"b")),
])
async def test_only_two_json_objects_can_be_merged(
    desk_at: Callable[..., Any], path: str, there: tuple[str, bytes], posted: tuple[str, bytes]
) -> None:
    """Else 400, and the document stays as it is. Communication 2.2, "JSON Procedure", Requirements."""
    desk = await desk_at(path)
    await desk("PUT", there[1], headers={"Content-Type": there[0], **ANY})
    answer = await desk("POST", posted[1], headers={"Content-Type": posted[0]})
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_body")
    kept = await desk("GET")
    assert (kept.headers["Content-Type"], await kept.read()) == there


async def test_delete_removes_a_document_and_is_content_with_none(desk_at: Callable[..., Any], path: str) -> None:
    """204 No Content. Communication 2.3, 2.6, 2.7."""
    desk = await desk_at(path)
    await desk("PUT", {}, headers=ANY)
    assert [(await desk("DELETE")).status, (await desk("GET")).status, (await desk("DELETE")).status] == [204, 404, 204]


async def test_an_id_may_be_any_text(desk_at: Callable[..., Any], path: str) -> None:
    """An id is a String set by the client. Communication 2.2."""
    desk = await desk_at(path)
    for text in ("ä/.$ \x00", "a" * 2_000, "../x", "%2F", " "):
        assert (await desk("PUT", {"id": text}, headers=ANY, **{ID_OF[path]: text})).status == 204
        assert await (await desk("GET", **{ID_OF[path]: text})).json() == {"id": text}


async def test_a_document_is_no_page_of_ours(desk_at: Callable[..., Any], path: str) -> None:
    """Whoever may write must not be able to run scripts in the name of the store, nor may a browser serve an old copy."""
    desk = await desk_at(path)
    await desk("PUT", b"<script>", headers={"Content-Type": "text/html", **ANY})
    headers = (await desk("GET")).headers
    assert headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in headers["Content-Security-Policy"]
    assert "no-cache" in headers["Cache-Control"]


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
async def test_an_unknown_or_misspelt_parameter_is_refused(desk_at: Callable[..., Any], path: str, method: str) -> None:
    """Parameters that are not recognized, or match in all but case. Communication 3.2, Requirements."""
    desk = await desk_at(path)
    for name in ("foo", ID_OF[path].lower()):
        answer = await desk(method, {} if method in ("PUT", "POST") else None, **{name: "x"})
        assert (answer.status, (await answer.json())["problems"][0]["place"]) == (400, name)


@pytest.mark.parametrize("method", ["PUT", "POST", "GET", "DELETE"])
async def test_what_names_the_context_is_required(desk_at: Callable[..., Any], path: str, method: str) -> None:
    """activityId and agent, as the resource has them. Communication 2.3, 2.6, 2.7."""
    desk = await desk_at(path)
    for name in PARAMS[path].keys() - {ID_OF[path]}:
        answer = await desk(method, {} if method in ("PUT", "POST") else None, **{name: None})
        assert (answer.status, (await answer.json())["problems"][0]["place"]) == (400, name)


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_what_is_stored_needs_an_id(desk_at: Callable[..., Any], path: str, method: str) -> None:
    """stateId and profileId are required for a single document. Communication 2.3, 2.6, 2.7."""
    desk = await desk_at(path)
    answer = await desk(method, {}, **{ID_OF[path]: None})
    assert (answer.status, (await answer.json())["problems"][0]["place"]) == (400, ID_OF[path])


async def test_since_is_not_for_a_single_document(desk_at: Callable[..., Any], path: str) -> None:
    """It is a parameter of the request for ids. Communication 2.3, 2.6, 2.7, 3.2."""
    assert (await (await desk_at(path))("GET", since="2026-11-22T00:00:00Z")).status == 400


async def test_a_document_over_the_limit_is_too_large(desk_at: Callable[..., Any], path: str) -> None:
    """413 Request Entity Too Large. Communication 3.2."""
    desk = await desk_at(path)
    assert (await desk("PUT", b"x" * 20_001, headers={"Content-Type": "a/b", **ANY})).status == 413


async def test_an_activity_must_be_named_by_an_iri_and_an_agent_by_an_agent(desk_at: Callable[..., Any], path: str) -> None:
    """Communication 2.3, 2.6, 2.7: types of the parameters; 2.6: "an Agent Object and not a Group"."""
    desk = await desk_at(path)
    bad = {
        "activityId": ["true", "no iri", ""],
        "agent": ["true", "x", "{}", "[]", '{"mbox": "x"}', '{"name": "Ada"}', '{"objectType": "Group", "mbox": "mailto:a@b.org"}'],
    }
    for name in PARAMS[path].keys() & bad.keys():
        for text in bad[name]:
            assert (await desk("GET", **{name: text})).status == 400, text


async def test_equal_agents_share_documents_however_they_are_spelt(desk_at: Callable[..., Any], path: str) -> None:
    """An agent is who its identifier says; a name is none. xAPI 1.0.3, Data 2.4.2.3."""
    if path == ACTIVITY_PROFILE:
        return
    desk = await desk_at(path)
    await desk("PUT", {"a": 1}, headers=ANY)
    spelt = '{"name": "A", "objectType": "Agent", "mbox": "mailto:ada@SCHOOL.example.ORG"}'
    assert await (await desk("GET", agent=spelt)).json() == {"a": 1}
    assert (await desk("GET", agent='{"mbox": "mailto:bob@school.example.org"}')).status == 404


async def test_resources_do_not_see_each_others_documents(desk_at: Callable[..., Any], path: str) -> None:
    """Each is a resource of its own. Communication 2.2."""
    await (await desk_at(path))("PUT", {}, headers=ANY)
    for other in PARAMS.keys() - {path}:
        assert (await (await desk_at(other))("GET", **{ID_OF[other]: PARAMS[path][ID_OF[path]]})).status == 404


async def test_scopes_say_who_may_read_and_write(desk_at: Callable[..., Any], path: str) -> None:
    """xAPI 1.0.3, Communication 4.2."""
    scope, other = ("state", "profile") if path == STATE else ("profile", "state")
    statuses = {}
    for pair in (scope, f"{scope}/read", "all/read", "all", other, "statements/write"):
        desk = await desk_at(path, "1.0.3", f"{pair}:secret")
        written = await desk("POST", {}, headers=JSON)
        statuses[pair] = (written.status, (await desk("GET")).status, (await desk("DELETE")).status)
    assert statuses == {
        scope: (204, 200, 204), f"{scope}/read": (403, 404, 403), "all/read": (403, 404, 403), "all": (204, 200, 204),
        other: (403, 403, 403), "statements/write": (403, 403, 403),
    }


