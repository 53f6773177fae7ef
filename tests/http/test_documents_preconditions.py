"""Preconditions of documents. xAPI 1.0.3, Communication 3.1; IEEE 9274.1.1, 4.1.4; RFC 2616, 14.24 and 14.26."""

from collections.abc import Callable
from typing import Any

import pytest
from document_desk import ANY, ID_OF, PARAMS, PROFILES, STATE

VERSIONS = ["1.0.3", "2.0.0"]
pytestmark = [pytest.mark.parametrize("path", PARAMS), pytest.mark.parametrize("version", VERSIONS)]
OTHER = '"1111111111111111111111111111111111111111"'


async def test_if_none_match_any_stores_what_is_new_and_refuses_what_is_there(
    desk_at: Callable[..., Any], path: str, version: str
) -> None:
    """An LRS MUST handle If-None-Match with "*" on PUT, answer 412 and change nothing. Communication 3.1, LRS Requirements."""
    desk = await desk_at(path, version)
    assert (await desk("PUT", {"a": 1}, headers=ANY)).status == 204
    refused = await desk("PUT", {"a": 2}, headers=ANY)
    assert (refused.status, (await refused.json())["error"]) == (412, "precondition_failed")
    assert await (await desk("GET")).json() == {"a": 1}


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_if_match_with_the_current_tag_lets_a_change_through(
    desk_at: Callable[..., Any], path: str, version: str, method: str
) -> None:
    """An LRS MUST handle If-Match on PUT, SHOULD on POST and DELETE. Communication 3.1."""
    desk = await desk_at(path, version)
    await desk("PUT", {"a": 1}, headers=ANY)
    content = None if method == "DELETE" else {"a": 2}
    assert (await desk(method, content, headers={"If-Match": await desk.tag()})).status == 204
    now = await desk("GET")
    assert (now.status == 404) if method == "DELETE" else (await now.json() == {"a": 2})


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_if_match_with_another_tag_is_a_412_and_changes_nothing(
    desk_at: Callable[..., Any], path: str, version: str, method: str
) -> None:
    """MUST return 412 Precondition Failed, MUST NOT make a modification. Communication 3.1."""
    desk = await desk_at(path, version)
    await desk("PUT", {"a": 1}, headers=ANY)
    refused = await desk(method, None if method == "DELETE" else {"a": 2}, headers={"If-Match": OTHER})
    assert (refused.status, (await refused.json())["error"]) == (412, "precondition_failed")
    assert await (await desk("GET")).json() == {"a": 1}


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("tag", ["*", OTHER])
async def test_if_match_fails_where_nothing_is(
    desk_at: Callable[..., Any], path: str, version: str, method: str, tag: str
) -> None:
    """If "*" is given and no current entity exists, 412. RFC 2616, 14.24."""
    desk = await desk_at(path, version)
    assert (await desk(method, None if method == "DELETE" else {}, headers={"If-Match": tag})).status == 412
    assert (await desk("GET")).status == 404


async def test_if_match_any_replaces_whatever_is_there(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """RFC 2616, 14.24."""
    desk = await desk_at(path, version)
    await desk("PUT", {"a": 1}, headers=ANY)
    assert (await desk("PUT", {"a": 2}, headers={"If-Match": "*"})).status == 204
    assert await (await desk("GET")).json() == {"a": 2}


async def test_one_of_several_tags_will_do(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """If-Match is a list. RFC 2616, 14.24."""
    desk = await desk_at(path, version)
    await desk("PUT", {"a": 1}, headers=ANY)
    assert (await desk("PUT", {"a": 2}, headers={"If-Match": f"{OTHER}, {await desk.tag()}"})).status == 204


async def test_a_tag_without_quotes_is_taken_as_with_them(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """Clients that calculate the SHA-1 themselves leave the quotes out. Communication 3.1, Client Requirements."""
    desk = await desk_at(path, version)
    await desk("PUT", {"a": 1}, headers=ANY)
    assert (await desk("PUT", {"a": 2}, headers={"If-Match": (await desk.tag()).strip('"')})).status == 204


async def test_a_weak_tag_never_matches_for_a_change(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """If-Match uses the strong comparison. RFC 2616, 14.24."""
    desk = await desk_at(path, version)
    await desk("PUT", {"a": 1}, headers=ANY)
    assert (await desk("PUT", {"a": 2}, headers={"If-Match": f"W/{await desk.tag()}"})).status == 412


async def test_a_header_with_nothing_in_it_is_refused(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """It is not known what the client wants, so nothing is changed. Communication 3.2."""
    desk = await desk_at(path, version)
    answer = await desk("PUT", {}, headers={"If-Match": ","})
    assert (answer.status, (await answer.json())["problems"][0]["place"]) == (400, "If-Match")


async def test_a_put_without_either_header_over_a_document_is_a_conflict(
    desk_at: Callable[..., Any], path: str, version: str
) -> None:
    """409, an explanation, no modification; 1.0.3 permits it for states. Communication 3.1; IEEE 9274.1.1, 4.1.4."""
    desk = await desk_at(path, version)
    assert (await desk("PUT", {"a": 1}, headers=ANY)).status == 204
    answer = await desk("PUT", {"a": 2})
    if path == STATE and version == "1.0.3":
        assert answer.status == 204
        return
    told = await answer.json()
    assert (answer.status, told["error"]) == (409, "document_conflict")
    assert "current state" in told["message"] and "If-Match" in told["message"]
    assert await (await desk("GET")).json() == {"a": 1}


async def test_a_put_without_either_header_where_nothing_is(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """A client making a PUT of a profile MUST include one (400 under 1.0.3); 2.0 asks for it only over a document. 3.1; 4.1.4."""
    desk = await desk_at(path, version)
    required = path in PROFILES and version == "1.0.3"
    answer = await desk("PUT", {"a": 1})
    assert (answer.status, (await desk("GET")).status) == ((400, 404) if required else (204, 200))
    if required:
        assert (await answer.json())["problems"][0]["place"] == "If-Match"


async def test_a_post_needs_no_precondition(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """Only PUT MUST have one. Communication 3.1, Client Requirements."""
    desk = await desk_at(path, version)
    assert [(await desk("POST", {"a": each})).status for each in (1, 2)] == [204, 204]


async def test_a_post_under_if_none_match_any_stores_only_what_is_new(
    desk_at: Callable[..., Any], path: str, version: str
) -> None:
    """SHOULD handle If-None-Match with "*" on POST. Communication 3.1."""
    desk = await desk_at(path, version)
    assert [(await desk("POST", {"a": each}, headers=ANY)).status for each in (1, 2)] == [204, 412]
    assert await (await desk("GET")).json() == {"a": 1}


async def test_a_client_that_has_the_document_gets_no_second_copy(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """304 Not Modified, by the weak comparison. RFC 2616, 14.26."""
    desk = await desk_at(path, version)
    await desk("PUT", {"a": 1}, headers=ANY)
    tag = await desk.tag()
    for given in (tag, f"W/{tag}", "*"):
        answer = await desk("GET", headers={"If-None-Match": given})
        assert (answer.status, await answer.read(), answer.headers["ETag"]) == (304, b"", tag)
    assert (await desk("GET", headers={"If-None-Match": OTHER})).status == 200
    assert (await desk("GET", headers={"If-Match": OTHER})).status == 412


async def test_ids_have_a_tag_and_the_time_of_the_latest_change(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """When returning multiple documents, the most recent. Communication 2.2, "Last Modified", and 3.1."""
    desk = await desk_at(path, version)
    await desk("PUT", {}, headers=ANY)
    before = await desk("GET", **{ID_OF[path]: None})
    desk.clock.forward(10)
    await desk("PUT", {}, headers=ANY, **{ID_OF[path]: "another"})
    after = await desk("GET", **{ID_OF[path]: None})
    assert before.headers["ETag"] != after.headers["ETag"]
    assert after.headers["Last-Modified"] == "Sun, 22 Nov 2026 06:00:10 GMT"


async def test_since_is_exclusive_and_about_changes_too(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """Entries that have been stored or updated since the timestamp. Communication 2.3, 2.6, 2.7."""
    desk, nothing = await desk_at(path, version), {ID_OF[path]: None}
    await desk("PUT", {}, headers=ANY, **{ID_OF[path]: "one"})
    desk.clock.forward(10)
    await desk("PUT", {}, headers=ANY, **{ID_OF[path]: "two"})

    async def ids(since: str) -> Any:
        return await (await desk("GET", **nothing, since=since)).json()

    assert await ids("2026-11-22T06:00:00.249Z") == ["one", "two"]
    assert await ids("2026-11-22T06:00:00.250Z") == ["two"]
    assert await ids("2026-11-22T07:00:10.249+01:00") == ["two"]
    assert await ids("2026-11-22T06:00:10.250Z") == []
    desk.clock.forward(10)
    await desk("POST", {"a": 1}, **{ID_OF[path]: "one"})
    assert await ids("2026-11-22T06:00:10.250Z") == ["one"]


async def test_since_must_be_a_timestamp(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """400 Bad Request. Communication 2.3, 2.6, 2.7."""
    desk = await desk_at(path, version)
    for text in ("true", "not a timestamp", "", "yesterday"):
        answer = await desk("GET", **{ID_OF[path]: None}, since=text)
        assert (answer.status, (await answer.json())["problems"][0]["place"]) == (400, "since")


async def test_where_nothing_is_the_ids_are_none(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """An array of ids, with no prior knowledge needed. Communication 2.2."""
    answer = await (await desk_at(path, version))("GET", **{ID_OF[path]: None})
    assert (answer.status, await answer.json(), "Last-Modified" in answer.headers) == (200, [], False)


async def test_only_states_are_deleted_together(desk_at: Callable[..., Any], path: str, version: str) -> None:
    """profileId is required to delete a profile. Communication 2.3, 2.6, 2.7."""
    desk = await desk_at(path, version)
    await desk("PUT", {}, headers=ANY)
    answer = await desk("DELETE", **{ID_OF[path]: None})
    assert answer.status == (400 if path in PROFILES else 204)
    assert (await desk("GET")).status == (200 if path in PROFILES else 404)
