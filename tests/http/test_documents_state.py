"""What is the State resource's own: registrations, and removing all. xAPI 1.0.3, Communication 2.3; IEEE 9274.1.1, 4.1.6.2."""

from collections.abc import Callable
from typing import Any

import pytest
from document_desk import ANY, REGISTRATION, STATE

OTHER = "0e2f2d6c-8a9d-4a44-9f43-3c6d3e6f7a22"
pytestmark = pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])


async def _filled(desk_at: Callable[..., Any], version: str) -> Any:
    """States "a" and "b" without registration, "a" and "c" within one, "d" within another."""
    desk = await desk_at(STATE, version)
    for state, registration in (("a", None), ("b", None), ("a", REGISTRATION), ("c", REGISTRATION), ("d", OTHER)):
        content = {"state": state, "in": registration}
        assert (await desk("PUT", content, headers=ANY, stateId=state, registration=registration)).status == 204
    return desk


async def test_a_state_within_a_registration_is_another_than_without(desk_at: Callable[..., Any], version: str) -> None:
    """In the context of the specified Activity, Agent, and registration (if specified). Communication 2.3."""
    desk = await _filled(desk_at, version)
    assert (await (await desk("GET", stateId="a")).json())["in"] is None
    assert (await (await desk("GET", stateId="a", registration=REGISTRATION)).json())["in"] == REGISTRATION
    assert (await desk("GET", stateId="c")).status == 404


async def test_a_registration_is_the_same_in_either_case(desk_at: Callable[..., Any], version: str) -> None:
    """A UUID's letters have no case. RFC 4122, 3."""
    desk = await _filled(desk_at, version)
    assert (await desk("GET", stateId="c", registration=REGISTRATION.upper())).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
async def test_a_registration_must_be_a_uuid(desk_at: Callable[..., Any], version: str, method: str) -> None:
    """400 Bad Request. Communication 2.3, table of parameters."""
    desk = await desk_at(STATE, version)
    for text in ("true", "", REGISTRATION[:-1], f"{{{REGISTRATION}}}"):
        answer = await desk(method, {} if method in ("PUT", "POST") else None, registration=text)
        assert (answer.status, (await answer.json())["problems"][0]["place"]) == (400, "registration")


async def test_ids_are_those_of_the_registration_or_of_all(desk_at: Callable[..., Any], version: str) -> None:
    """All state data for this context (Activity + Agent [+ registration if specified]). Communication 2.3."""
    desk = await _filled(desk_at, version)
    assert await (await desk("GET", stateId=None, registration=REGISTRATION)).json() == ["a", "c"]
    assert await (await desk("GET", stateId=None)).json() == ["a", "b", "c", "d"]


async def test_all_states_of_a_registration_are_removed_and_no_others(desk_at: Callable[..., Any], version: str) -> None:
    """Multiple Document DELETE. Communication 2.3."""
    desk = await _filled(desk_at, version)
    assert (await desk("DELETE", stateId=None, registration=REGISTRATION)).status == 204
    assert await (await desk("GET", stateId=None)).json() == ["a", "b", "d"]


async def test_all_states_of_an_agent_in_an_activity_are_removed_and_no_others(desk_at: Callable[..., Any], version: str) -> None:
    """Multiple Document DELETE, without registration. Communication 2.3."""
    desk = await _filled(desk_at, version)
    bob = '{"mbox": "mailto:bob@school.example.org"}'
    await desk("PUT", {}, headers=ANY, agent=bob)
    await desk("PUT", {}, headers=ANY, activityId="https://school.example.org/activities/other")
    assert (await desk("DELETE", stateId=None)).status == 204
    assert await (await desk("GET", stateId=None)).json() == []
    assert (await desk("GET", agent=bob)).status == 200
    assert (await desk("GET", activityId="https://school.example.org/activities/other")).status == 200


async def test_since_is_not_for_removing(desk_at: Callable[..., Any], version: str) -> None:
    """DELETE has no such parameter. Communication 2.3."""
    desk = await _filled(desk_at, version)
    assert (await desk("DELETE", stateId=None, since="2026-01-01T00:00:00Z")).status == 400
    assert len(await (await desk("GET", stateId=None)).json()) == 4


async def test_removing_all_takes_no_precondition(desk_at: Callable[..., Any], version: str) -> None:
    """A tag is of one document: what it could mean for many is not guessed at the price of data. Communication 3.1."""
    desk = await _filled(desk_at, version)
    assert (await desk("DELETE", stateId=None, headers={"If-Match": '"x"'})).status == 400
    assert len(await (await desk("GET", stateId=None)).json()) == 4
