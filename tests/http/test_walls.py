"""The walls between tenants and the reach of scopes: laws over the whole matrix of routes, places and guests."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import ID, OTHER_ID, a_statement, basic
from walls import OF_ADAPTERS, ON_BEHALF, OPERATOR, STRANGERS, VERSION, Guest, Matrix, holders, key, places, provision

from lrs.app import create_app
from lrs.config import Config
from lrs.http import keys
from lrs.http.auth import SCOPES, Door
from lrs.http.routes import ROWS

OWN, FOREIGN, MISSING = "school", "other", "nobody"
EVERYWHERE = (None, OWN, FOREIGN, MISSING)


@pytest.fixture
async def client(config: Config) -> AsyncIterator[TestClient]:
    """The whole application, with two tenants and a credential for every scope of each."""
    app = create_app(config)
    async with TestClient(TestServer(app)) as client:
        await provision(client, OWN, FOREIGN)
        yield client
        await app[keys.DATABASE].drop()


async def test_a_scope_reaches_the_rows_that_name_it_and_is_a_403_at_all_others(client: TestClient) -> None:
    cells = [(place, named, guest) for place in places(Door.CALLER) for named in (None, OWN) for guest in holders(OWN)]
    matrix = await Matrix(client).fill(cells)
    wrong = [
        f"{place.method} {place.below(named)} by {guest.name}: {answer.status}"
        for (place, named, guest), answer in matrix.answers.items()
        if (answer.status == 403) != (guest.scope not in place.access.scopes) or answer.status == 401 or answer.status >= 500
    ]
    assert wrong == []
    assert len(cells) == len(places(Door.CALLER)) * 2 * len(SCOPES) * 2 >= 384


async def test_below_another_tenants_name_every_credential_is_refused_as_if_there_were_no_such_tenant(client: TestClient) -> None:
    cells = [(place, named, guest) for place in places(Door.CALLER) for named in (FOREIGN, MISSING) for guest in holders(OWN)]
    matrix = await Matrix(client).fill(cells)
    assert {answer.status for answer in matrix.answers.values()} == {403}
    # The doors of native events write their codes in capitals.
    assert len({answer.body.lower() for (place, _, _), answer in matrix.answers.items() if place.method != "HEAD"}) == 1


async def test_who_has_no_valid_credential_is_refused_in_the_same_words_everywhere(client: TestClient) -> None:
    cells = [(place, named, guest) for place in places(Door.CALLER) for named in EVERYWHERE for guest in STRANGERS]
    matrix = await Matrix(client).fill(cells)
    assert {answer.status for answer in matrix.answers.values()} == {401}
    answers = [(guest, answer) for (place, _, guest), answer in matrix.answers.items() if place.method != "HEAD"]
    bodies = {(guest.name == "nobody", answer.body.lower()) for guest, answer in answers}
    assert len(bodies) == 2  # no credential, and none that is known: a revoked one is like one that never was


async def test_management_knows_no_tenants_credential_and_tells_it_of_no_tenant(client: TestClient) -> None:
    guests = [*holders(OWN), *STRANGERS]
    cells = [(place, named, guest) for place in places(Door.OPERATOR) for named in (OWN, FOREIGN, MISSING) for guest in guests]
    matrix = await Matrix(client).fill(cells)
    assert {answer.status for answer in matrix.answers.values()} == {401}
    assert len({answer.body for (place, _, _), answer in matrix.answers.items() if place.method != "HEAD"}) == 1


async def test_an_adapters_path_gives_nothing_to_scopes_that_do_not_speak_of_it(client: TestClient) -> None:
    cells = [(place, named, guest) for place in places(None) for named in (None, OWN) for guest in holders(OWN)]
    matrix = await Matrix(client).fill(cells)
    wrong = [
        f"{place.method} {place.below(named)} by {guest.name}: {answer.status}"
        for (place, named, guest), answer in matrix.answers.items()
        if answer.status >= 500 or (guest.scope not in OF_ADAPTERS and answer.status not in (401, 403, 404, 405))
    ]
    assert wrong == []


async def test_an_adapters_path_tells_no_stranger_which_tenants_there_are(client: TestClient) -> None:
    guests = [each for each in holders(OWN) if each.scope in ("all", "events/write")]
    guests += [Guest(f"{each.name}, for another", {**each.headers, **ON_BEHALF}, each.scope) for each in guests]
    cells = [(place, named, guest) for place in places(None) for named in (FOREIGN, MISSING) for guest in (*guests, *STRANGERS)]
    matrix = await Matrix(client).fill(cells)
    for place, _, guest in cells:
        there, missing = matrix.at_both(place, guest, FOREIGN, MISSING)
        assert there == missing, (place, guest)
        assert there.status in (401, 403, 405), (place, guest, there)


AGENT = json.dumps({"mbox": "mailto:learner@example.org"})
ACTIVITY = "https://example.org/activities/1"
STATE = {"activityId": ACTIVITY, "agent": AGENT, "stateId": "bookmark"}
# What a request for something of a tenant says, by path: things that are there in one tenant.
SAID: dict[str, list[dict[str, str]]] = {
    "/xapi/statements": [{}, {"statementId": ID}, {"voidedStatementId": ID}, {"agent": AGENT}, {"activity": ACTIVITY}],
    "/xapi/activities": [{"activityId": ACTIVITY}], "/xapi/agents": [{"agent": AGENT}],
    "/xapi/activities/state": [STATE, {"activityId": ACTIVITY, "agent": AGENT}],
    "/xapi/activities/profile": [{"activityId": ACTIVITY, "profileId": "p"}, {"activityId": ACTIVITY}],
    "/xapi/agents/profile": [{"agent": AGENT, "profileId": "p"}, {"agent": AGENT}],
}


async def answers_to(client: TestClient, tenant: str) -> list[tuple[str, int, bytes]]:
    """What somebody with every right in one tenant is told, reading, writing, and deleting all that is in `SAID`."""
    told = []
    headers = {"Authorization": basic(f"{key(tenant, 'all')}:secret"), **VERSION}
    for method in ("GET", "HEAD", "DELETE", "PUT", "GET", "POST", "GET", "DELETE"):
        for row in (row for row in ROWS if row.path in SAID and row.method == method.replace("HEAD", "GET")):
            for params in SAID[row.path]:
                is_put = method == "PUT"
                more: dict[str, Any] = {"json": {"of": "mine"}} if method in ("PUT", "POST") else {}
                if row.path == "/xapi/statements" and more:
                    more = {"json": a_statement(id=ID if is_put else OTHER_ID, timestamp="2026-03-02T09:14:07Z")}
                    if bool(params) != is_put:
                        continue
                condition = {"If-None-Match": "*"} if is_put and "statements" not in row.path else {}
                async with client.request(method, row.path, params=params, headers=headers | condition, **more) as answer:
                    body = await answer.json() if answer.content_type == "application/json" and method != "HEAD" else await answer.read()
                    told.append((f"{method} {row.path} {params}", answer.status, without_times(body, tenant)))
    return told


def without_times(body: Any, tenant: str) -> str:
    """Text of an answer without what is different for everybody: when something was stored, and by whom."""
    if isinstance(body, dict):
        body = {name: json.loads(without_times(value, tenant)) for name, value in body.items() if name not in ("stored", "authority")}
    elif isinstance(body, list):
        body = [json.loads(without_times(value, tenant)) for value in body]
    return json.dumps(body.decode() if isinstance(body, bytes) else body)


async def test_what_one_tenant_has_changes_no_answer_to_another(client: TestClient) -> None:
    """Byte for byte: to an empty tenant in an empty store, and to an empty tenant beside one that has all of it."""
    assert {row.path for row in ROWS if row.access.door is Door.CALLER and row.path.startswith("/xapi")} == SAID.keys()
    alone = await answers_to(client, OWN)
    assert len({status for _, status, _ in alone}) > 2 and all(status < 500 for _, status, _ in alone)
    beside = await answers_to(client, FOREIGN)
    assert beside == alone
    await provision_content(client)
    await provision(client, "third")
    assert await answers_to(client, "third") == alone


async def provision_content(client: TestClient) -> None:
    """All that is in `SAID`, in the tenant of its own."""
    headers = {"Authorization": basic(f"{key(OWN, 'all')}:secret"), **VERSION}
    for path, said in SAID.items():
        if path.endswith(("state", "profile")):
            answer = await client.post(path, params=said[0], json={"of": "school"}, headers=headers)
            assert answer.status == 204, await answer.text()
    definition = {"id": ACTIVITY, "definition": {"name": {"en": "a name that one school gave"}}}
    assert (await client.post("/xapi/statements", json=a_statement(object=definition), headers=headers)).status == 200


async def test_management_by_the_operator_reaches_every_place(client: TestClient) -> None:
    """So that the refusals above are not those of paths that are not there."""
    for place in places(Door.OPERATOR):
        if place.method == "GET":
            answer = await client.get(place.below(OWN), headers=OPERATOR)
            assert answer.status in (200, 404) and answer.status != 401, place


def test_every_row_of_a_caller_names_scopes_that_exist_and_all_reaches_everything() -> None:
    for row in ROWS:
        if row.access.door is Door.CALLER:
            assert "all" in row.access.scopes <= set(SCOPES)
            assert ("all/read" in row.access.scopes) == (row.method == "GET"), row
        else:
            assert not row.access.scopes


def test_a_bind_beyond_loopback_is_refused_unless_told_otherwise() -> None:
    from lrs.errors import ConfigurationError

    for host in ("0.0.0.0", "::", "192.0.2.1", "lrs.example.org", ""):
        for secret in ("not-a-secret", "one of our own"):
            with pytest.raises(ConfigurationError):
                Config(host=host, secret=secret).refuse_unsafe()
            replace(Config(host=host, secret=secret), insecure=True).refuse_unsafe()
    for host in ("127.0.0.1", "localhost", "::1"):
        Config(host=host).refuse_unsafe()
