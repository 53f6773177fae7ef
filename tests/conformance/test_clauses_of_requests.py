"""Requests for statements, clause by clause, over small fakes."""

from dataclasses import replace

import pytest
from http_fakes import CONFIG, ID, OTHER_ID, THROUGH, a_statement, managing, stored, xapi

PATH = "/xapi/statements"
VERSION = "X-Experience-API-Version"


async def ask(client, version="1.0.3", pair="all:secret", headers=None, **params):
    return await client.get(PATH, params=params, headers=xapi(pair, version, **(headers or {})))


# Versions


@pytest.mark.parametrize(("own", "expected"), [("1.0.3", "1.0.3"), ("2.0.0", "2.0.0"), (None, "2.0.0")])
async def test_who_names_no_version_is_refused_under_the_tenants(client, fakes, own, expected):
    """1.0.3 Communication 3.3: every answer has the header; of a request without one, the tenant decides, then the server."""
    fakes.directory.versions["school"] = own
    answer = await client.get(PATH, headers=xapi(version=None))
    assert (answer.status, answer.headers[VERSION]) == (400, expected)


async def test_the_tenants_version_is_nothing_to_who_names_one(client, fakes):
    """1.0.3 Communication 3.3: the request decides."""
    fakes.directory.versions["school"] = "1.0.3"
    assert (await ask(client, "2.0.0")).headers[VERSION] == "2.0.0"


async def test_a_tenants_version_is_set_by_management(client, fakes):
    """Design 3: the default version is the server's, or the tenant's own."""
    answer = await client.put("/manage/tenants/school", json={"xapi_default_version": "1.0.3"}, headers=managing())
    assert (answer.status, fakes.directory.versions) == (204, {"school": "1.0.3"})
    answer = await client.put("/manage/tenants/school", json={"xapi_default_version": "0.9"}, headers=managing())
    assert answer.status == 400


@pytest.mark.parametrize("asked", ["1.0.3", "2.0.0"])
async def test_a_statement_of_2_0_is_not_converted_for_a_reader_of_1_0(client, fakes, asked):
    """1.0.3 Communication 3.3, Conversion: newer statements MUST NOT be converted into a prior version's format."""
    newer = {**stored(), "version": "2.0.0", "context": {"contextAgents": [
        {"objectType": "contextAgent", "agent": {"mbox": "mailto:mentor@example.org"}}
    ]}}
    fakes.statements.log = [newer]
    assert await (await ask(client, asked, statementId=ID)).json() == newer


async def test_a_statement_of_1_0_is_not_converted_for_a_reader_of_2_0(client, fakes):
    """1.0.3 Communication 3.3, Conversion: prior statements MAY be converted; ours stay as they came."""
    fakes.statements.log = [stored()]
    assert (await (await ask(client, "2.0.0", statementId=ID)).json())["version"] == "1.0.0"


@pytest.mark.parametrize(("method", "path"), [("DELETE", PATH), ("PUT", "/xapi/about"), ("PATCH", "/xapi/agents")])
async def test_a_method_that_is_not_there_is_answered_with_a_version(client, method, path):
    """1.0.3 Communication 3.3: the header is in every response."""
    answer = await client.request(method, path, headers=xapi())
    assert (answer.status, answer.headers[VERSION]) == (405, "1.0.3")


# One statement


async def test_last_modified_is_the_time_of_storing(client, fakes):
    """IEEE 9274.1.1 4.1.6.1; 1.0.3 Communication 2.1.3: Last-Modified SHOULD be the statement's stored."""
    fakes.statements.log = [stored()]
    assert (await ask(client, statementId=ID)).headers["Last-Modified"] == "Sun, 22 Nov 2026 06:09:41 GMT"


async def test_the_watermark_of_one_statement_is_that_of_a_page(client, fakes):
    """1.0.3 Communication 2.1.3: the header is in every answer to GET statements."""
    fakes.statements.log = [stored()]
    assert (await ask(client, statementId=ID)).headers["X-Experience-API-Consistent-Through"] == THROUGH


async def test_head_says_what_get_says_but_for_the_body(client, fakes):
    """1.0.3 Communication 1.1: HEAD is answered as GET without a body."""
    fakes.statements.log = [stored()]
    got = await ask(client, statementId=ID)
    head = await client.head(PATH, params={"statementId": ID}, headers=xapi())
    assert (head.status, await head.read()) == (200, b"")
    for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified", VERSION):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("name", [
    "agent", "verb", "activity", "registration", "since", "until", "limit", "ascending", "related_agents",
])
async def test_beside_an_id_no_filter_may_stand(client, name):
    """1.0.3 Communication 2.1.3: statementId stands with nothing but attachments and format."""
    values = {
        "agent": '{"mbox": "mailto:a@b.example"}', "registration": ID, "since": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z",
        "limit": "1", "ascending": "true", "related_agents": "true",
    }
    for id_name in ("statementId", "voidedStatementId"):
        assert (await ask(client, **{id_name: ID, name: values.get(name, "https://x.example/y")})).status == 400


async def test_an_id_in_upper_case_is_the_same_id(client, fakes):
    """RFC 4122, 3: UUIDs are compared without regard to case."""
    fakes.statements.log = [stored()]
    assert (await ask(client, statementId=ID.upper())).status == 200


async def test_a_voided_statement_is_not_found_by_its_id(client, fakes):
    """1.0.3 Communication 2.1.3: voided statements are found by voidedStatementId only."""
    fakes.statements.log, fakes.statements.voided = [stored()], {ID}
    assert (await ask(client, statementId=ID)).status == 404
    assert (await ask(client, voidedStatementId=ID)).status == 200


async def test_a_statement_that_is_not_voided_is_not_found_as_voided(client, fakes):
    """1.0.3 Communication 2.1.3: 404 where there is no voided statement of the id."""
    fakes.statements.log = [stored()]
    assert (await ask(client, voidedStatementId=ID)).status == 404


# Pages


@pytest.mark.parametrize("limit", ["-1", "1.5", "all", "", "1e3", "１"])
async def test_a_limit_is_a_whole_number(client, limit):
    """1.0.3 Communication 2.1.3: limit is a nonnegative integer; 3.2: a malformed parameter is a 400."""
    assert (await ask(client, limit=limit)).status == 400


async def test_a_limit_of_0_is_the_servers(client, fakes):
    """1.0.3 Communication 2.1.3: 0 indicates the maximum the server allows."""
    fakes.statements.log = [stored(f"00000000-0000-4000-8000-{number:012x}") for number in range(25)]
    assert len((await (await ask(client, limit="0")).json())["statements"]) == CONFIG.page_limit


async def test_a_limit_over_the_servers_is_the_servers_and_more_is_told(fakes, client):
    """1.0.3 Communication 2.1.3: the server MAY return less than asked, and then `more` leads to the rest."""
    fakes.statements.log = [stored(f"00000000-0000-4000-8000-{number:012x}") for number in range(3)]
    page = await (await ask(client, limit="2")).json()
    assert len(page["statements"]) == 2 and page["more"]


async def test_nothing_found_is_an_empty_list_and_no_error(client):
    """1.0.3 Communication 2.1.3: an empty result is a list with nothing in it, and more is absent or empty."""
    answer = await ask(client)
    assert (answer.status, await answer.json()) == (200, {"statements": [], "more": ""})


async def test_more_is_relative_to_the_server(client, fakes):
    """1.0.3 Data 2.5: a relative IRL begins with a slash, as the content of `more` may be the path of a URL."""
    fakes.statements.log = [stored(), stored(OTHER_ID)]
    page = await (await ask(client, limit="1")).json()
    assert page["more"].startswith(f"{PATH}?")


@pytest.mark.parametrize("name", ["a" * 4000, "Ada " * 900])
async def test_more_is_a_short_url_even_after_a_long_question(client, fakes, name):
    """1.0.3 Communication 2.1.3: URLs have limits; what does not identify the agent is not repeated in `more`."""
    fakes.statements.log = [stored(), stored(OTHER_ID)]
    agent = f'{{"name": "{name}", "mbox": "mailto:ada@school.example.org"}}'
    page = await (await ask(client, limit="1", agent=agent, related_agents="true", since="2020-01-01T00:00:00Z")).json()
    assert len(page["more"]) < 600
    await client.get(page["more"], headers=xapi())
    assert fakes.statements.asked[-1][1] == fakes.statements.asked[0][1]


async def test_more_needs_the_credential_again(client, fakes):
    """1.0.3 Communication 4.0: a link is no credential."""
    fakes.statements.log = [stored(), stored(OTHER_ID)]
    page = await (await ask(client, limit="1")).json()
    assert (await client.get(page["more"], headers={VERSION: "1.0.3"})).status == 401


async def test_more_is_read_with_the_scopes_of_who_follows_it(client, fakes):
    """1.0.3 Communication 4.2: statements/read/mine reaches the own statements only, whoever gave one the link."""
    fakes.statements.log = [stored(), stored(OTHER_ID, by="statements/read/mine"), stored("00000000-0000-4000-8000-000000000001")]
    page = await (await ask(client, limit="1")).json()
    await client.get(page["more"], headers=xapi("statements/read/mine:secret"))
    assert fakes.statements.asked[-1][1].authority == "account:https://lrs.example.org|statements/read/mine"


async def test_pages_of_the_own_statements_are_full(client, fakes):
    """1.0.3 Communication 4.2 and 2.1.3: what others stored takes no place on a page."""
    fakes.statements.log = [
        stored(f"00000000-0000-4000-8000-{number:012x}", by="somebody" if number % 3 else "statements/read/mine") for number in range(12)
    ]
    page = await (await ask(client, pair="statements/read/mine:secret", limit="4")).json()
    assert (len(page["statements"]), page["more"]) == (4, "")


async def test_authority_is_no_parameter(client):
    """1.0.3 Communication 3.2: unknown parameters are refused, what we call things inside included."""
    assert (await ask(client, authority="account:x|y")).status == 400


@pytest.mark.parametrize("name", ["statementid", "StatementId", "Agent", "relatedAgents", "related-agents", "Limit"])
async def test_parameters_are_in_exactly_their_case(client, name):
    """1.0.3 Communication 3.2: the case of parameters must match."""
    assert (await ask(client, **{name: "true"})).status == 400


@pytest.mark.parametrize("value", ["True", "1", "yes", "", "TRUE"])
async def test_a_boolean_is_true_or_false(client, value):
    """1.0.3 Communication 2.1.3: the booleans of JSON."""
    assert (await ask(client, related_activities=value)).status == 400


@pytest.mark.parametrize("agent", [
    "{}", "ada", '{"objectType":"Group","member":[]}', '{"mbox":"ada"}', '{"mbox":"mailto:a@b.c","openid":"https://a.b"}',
])
async def test_an_agent_filter_identifies_somebody(client, agent):
    """1.0.3 Communication 2.1.3: an Agent or Identified Group, as JSON."""
    assert (await ask(client, agent=agent)).status == 400


# Forms and languages


@pytest.mark.parametrize(("header", "tag"), [
    ("de", "de"), ("en", "en"), ("de-AT", "de"), ("fr, de;q=0.5", "de"), ("en;q=0.1, de;q=0.9", "de"), ("*", "en"), ("", "en"),
    ("fr", "en"), ("de;q=0, en", "en"), ("DE", "de"),
])
async def test_canonical_shows_the_language_that_is_wanted(client, fakes, header, tag):
    """1.0.3 Communication 2.1.3, format; RFC 2616, 14.4: one entry of a language map, chosen by Accept-Language."""
    fakes.statements.log = [stored()]
    answer = await ask(client, statementId=ID, format="canonical", headers={"Accept-Language": header})
    assert list((await answer.json())["verb"]["display"]) == [tag]


async def test_exact_ignores_accept_language(client, fakes):
    """1.0.3 Communication 2.1.3, format: exact is as it was received, and the default."""
    fakes.statements.log = [stored()]
    for params in ({}, {"format": "exact"}):
        answer = await ask(client, statementId=ID, headers={"Accept-Language": "de"}, **params)
        assert (await answer.json())["verb"] == a_statement()["verb"]


async def test_ids_keeps_what_is_no_agent_activity_verb_or_group(client, fakes):
    """1.0.3 Communication 2.1.3, format: only those are reduced to what identifies them."""
    result = {"response": "x", "extensions": {"https://x.example/e": {"name": "kept"}}}
    fakes.statements.log = [stored(result=result)]
    assert (await (await ask(client, statementId=ID, format="ids")).json())["result"] == result


@pytest.mark.parametrize("value", ["Exact", "full", "", "id"])
async def test_a_format_is_one_of_three(client, value):
    """1.0.3 Communication 2.1.3: ids, exact or canonical."""
    assert (await ask(client, format=value)).status == 400


# Writing


async def test_a_put_needs_its_id(client):
    """1.0.3 Communication 2.1.1: statementId is required."""
    assert (await client.put(PATH, json=a_statement(), headers=xapi())).status == 400


async def test_a_put_with_another_id_than_its_statements_is_refused(client, fakes):
    """1.0.3 Communication 2.1.1: the id in the statement, if there is one, is that of the parameter."""
    answer = await client.put(PATH, params={"statementId": ID}, json=a_statement(id=OTHER_ID), headers=xapi())
    assert (answer.status, fakes.intake.calls) == (400, [])


async def test_a_post_answers_with_ids_in_the_order_sent(client):
    """1.0.3 Communication 2.1.2: the ids in the same order."""
    answer = await client.post(PATH, json=[a_statement(id=OTHER_ID), a_statement(id=ID)], headers=xapi())
    assert await answer.json() == [OTHER_ID, ID]


async def test_posting_takes_no_parameters(client, fakes):
    """1.0.3 Communication 3.2: what is not a parameter of the request is refused."""
    answer = await client.post(PATH, params={"statementId": ID}, json=a_statement(), headers=xapi())
    assert (answer.status, fakes.intake.calls) == (400, [])


async def test_an_error_says_what_is_wrong(client):
    """1.0.3 Communication 3.2: an error code, and a message that explains it."""
    body = await (await ask(client, limit="x")).json()
    assert body["problems"][0]["place"] == "limit" and body["message"]


async def test_the_servers_limit_is_its_configuration(aiohttp_client, fakes):
    """1.0.3 Communication 2.1.3: the maximum the server will allow."""
    client = await aiohttp_client(fakes.app(replace(CONFIG, page_limit=10)))
    fakes.statements.log = [stored(f"00000000-0000-4000-8000-{number:012x}") for number in range(25)]
    assert len((await (await ask(client)).json())["statements"]) == 10
