"""What only a whole store can keep: order, pages under writes, times, canonical definitions. On a real MongoDB."""

import asyncio
import json
import uuid

import pytest
from builders import a_statement, a_void_of, learner

from lrs.activities import ACTIVITY
from lrs.store.statements import Statements
from lrs.xapi.query import StatementQuery, parse_query
from lrs.xapi.times import parse_timestamp


async def ids(parts, version="1.0.3", **parameters):
    page = await parts.statements.page("school", parse_query(parameters, version))
    return [each["id"] for each in page.statements]


async def test_the_default_order_is_the_latest_stored_first(parts):
    """1.0.3 Communication 2.1.3: descending order of stored, whatever the timestamps say."""
    late, early = a_statement(timestamp="2030-01-01T00:00:00Z"), a_statement(timestamp="1990-01-01T00:00:00Z")
    await parts.post(late)
    await parts.post(early)
    assert await ids(parts) == [early["id"], late["id"]]
    assert await ids(parts, ascending="true") == [late["id"], early["id"]]


async def test_since_is_after_and_until_is_at_or_before(parts):
    """1.0.3 Communication 2.1.3: stored since (not at) a time, and at or before a time."""
    sent = [a_statement() for _ in range(3)]
    for each in sent:
        await parts.post(each)
    middle = (await parts.statements.get("school", sent[1]["id"], voided=False))["stored"]
    assert await ids(parts, since=middle) == [sent[2]["id"]]
    assert await ids(parts, until=middle, ascending="true") == [sent[0]["id"], sent[1]["id"]]


async def test_a_time_in_another_zone_is_the_same_time(parts):
    """1.0.3 Data 4.5 and Communication 2.1.3: since and until are timestamps, with any offset."""
    (accepted,) = await parts.post(a_statement())
    assert await ids(parts, since="1970-01-01T05:30:00+05:30") == [accepted.id]
    assert await ids(parts, until="1970-01-01T05:30:00+05:30") == []


async def test_pages_are_complete_while_others_write(parts, make_parts):
    """1.0.3 Communication 2.1.3: following more gives each statement of the first moment once."""
    sent = [a_statement() for _ in range(60)]
    await parts.post(*sent)
    other = make_parts()
    writing = asyncio.create_task(_write(other))
    found, after, query = [], None, StatementQuery(limit=7)
    while True:
        page = await parts.statements.page("school", query, after=after)
        found += [each["id"] for each in page.statements]
        after = page.next
        if after is None:
            break
    await writing
    assert len(found) == len(set(found)) and {each["id"] for each in sent} <= set(found)


async def _write(parts):
    for _ in range(20):
        await parts.post(a_statement())


@pytest.mark.parametrize("pair", [
    ({"mbox": "mailto:ada@Example.ORG"}, {"mbox": "mailto:ada@example.org"}),
    ({"mbox_sha1sum": "AB" * 20}, {"mbox_sha1sum": "ab" * 20}),
    ({"account": {"homePage": "https://x.example", "name": "ada"}}, {"account": {"name": "ada", "homePage": "https://x.example"}}),
], ids=["mailbox", "digest", "account"])
async def test_an_agent_is_found_by_what_identifies_it(parts, pair):
    """1.0.3 Data 2.4.2.3: the domain of a mailbox and hexadecimal digits have no case; JSON objects have no order."""
    (accepted,) = await parts.post(a_statement(actor=pair[0]))
    assert await ids(parts, agent=json.dumps(pair[1])) == [accepted.id]


async def test_different_identifiers_are_different_agents(parts):
    """1.0.3 Communication 2.1.3: an agent matches by its identifier, never by what may belong to the same person."""
    await parts.post(a_statement(actor={"mbox": "mailto:ada@x.example", "name": "Ada"}))
    assert await ids(parts, agent='{"openid": "https://x.example/ada", "name": "Ada"}') == []


async def test_a_member_of_a_group_is_found(parts):
    """1.0.3 Communication 2.1.3, agent: a group matches if the agent is among its members."""
    group = {"objectType": "Group", "member": [learner("ada"), learner("bob")]}
    (accepted,) = await parts.post(a_statement(actor=group))
    assert await ids(parts, agent=json.dumps(learner("bob"))) == [accepted.id]


@pytest.mark.parametrize(("place", "found"), [("object", True), ("instructor", False), ("team", False), ("substatement", False)])
async def test_related_agents_are_found_where_they_are_asked_for(parts, place, found):
    """1.0.3 Communication 2.1.3, related_agents: actor and object by themselves; the others only if asked for."""
    bob = {"objectType": "Agent", **learner("bob")}
    inner = {"objectType": "SubStatement", "actor": bob, "verb": {"id": "https://x.example/v"}, "object": {"id": "https://x.example/a"}}
    parts_of = {
        "object": {"object": bob}, "instructor": {"context": {"instructor": bob}},
        "team": {"context": {"team": {"objectType": "Group", "member": [bob]}}},
        "substatement": {"object": inner},
    }
    (accepted,) = await parts.post(a_statement(**parts_of[place]))
    assert bool(await ids(parts, agent=json.dumps(bob))) is found
    assert await ids(parts, agent=json.dumps(bob), related_agents="true") == [accepted.id]


@pytest.mark.parametrize("group", ["parent", "grouping", "category", "other"])
async def test_context_activities_are_found_where_they_are_asked_for(parts, group):
    """1.0.3 Communication 2.1.3, related_activities: the object alone, or any activity of the context."""
    (accepted,) = await parts.post(a_statement(context={"contextActivities": {group: [{"id": "https://x.example/course"}]}}))
    assert await ids(parts, activity="https://x.example/course") == []
    assert await ids(parts, activity="https://x.example/course", related_activities="true") == [accepted.id]


async def test_filters_are_joined_by_and(parts):
    """1.0.3 Communication 2.1.3: a statement meets all the filters."""
    both = a_statement(actor=learner("ada"), verb={"id": "https://x.example/v"})
    await parts.post(both, a_statement(actor=learner("ada")), a_statement(actor=learner("bob"), verb={"id": "https://x.example/v"}))
    assert await ids(parts, agent=json.dumps(learner("ada")), verb="https://x.example/v") == [both["id"]]


async def test_a_registration_is_found_in_either_case(parts):
    """RFC 4122, 3; 1.0.3 Communication 2.1.3: registration."""
    registration = str(uuid.uuid4())
    (accepted,) = await parts.post(a_statement(context={"registration": registration.upper()}))
    assert await ids(parts, registration=registration) == [accepted.id]


async def test_iris_are_compared_character_by_character(parts):
    """1.0.3 Data 4.3; RFC 3987, 5.3.1: simple string comparison, no normalisation."""
    await parts.post(a_statement(verb={"id": "https://x.example/Verb"}))
    assert await ids(parts, verb="https://x.example/verb") == []
    assert await ids(parts, verb="https://x.example/Verb/") == []


async def test_stored_is_the_servers_even_if_one_was_sent(parts):
    """1.0.3 Data 2.4.8: the LRS MUST set stored, whatever was sent."""
    (accepted,) = await parts.post(a_statement(stored="1999-01-01T00:00:00Z"))
    assert (await parts.statements.get("school", accepted.id, voided=False))["stored"] > "2026"


async def test_timestamp_is_when_it_came_if_none_was_sent(parts):
    """1.0.3 Data 2.4.7: SHOULD be set to the time of stored."""
    statement = a_statement()
    del statement["timestamp"]
    (accepted,) = await parts.post(statement)
    got = await parts.statements.get("school", accepted.id, voided=False)
    assert 0 <= parse_timestamp(got["stored"]) - parse_timestamp(got["timestamp"]) < 10_000_000


async def test_a_timestamp_keeps_its_precision_and_offset(parts):
    """1.0.3 Data 2.4.7 and 4.5: precision of at least a millisecond is kept; ours is what was sent."""
    (accepted,) = await parts.post(a_statement(timestamp="2026-03-02T09:14:07.123456789+05:30"))
    got = await parts.statements.get("school", accepted.id, voided=False)
    assert got["timestamp"] == "2026-03-02T09:14:07.123456789+05:30"


async def test_a_void_without_a_target_is_a_statement_like_any_other(parts):
    """1.0.3 Data 2.3.2: the LRS MUST NOT refuse a void because its target is not there."""
    (accepted,) = await parts.post(a_void_of(str(uuid.uuid4())))
    assert await ids(parts) == [accepted.id]


async def test_readers_of_their_own_find_nothing_of_others_on_any_page(parts, database):
    """1.0.3 Communication 4.2, statements/read/mine: exact, on full pages, and served by an index."""
    mine, theirs = ({"objectType": "Agent", "account": {"homePage": "https://x.example", "name": name}} for name in ("me", "them"))
    for number in range(12):
        authority = mine if number % 3 == 0 else theirs
        # A statement about me that another vouches for is not mine.
        await parts.intake.accept([a_statement(actor=mine)], tenant="school", authority=authority)
    query = StatementQuery(limit=3, authority="account:https://x.example|me")
    first = await parts.statements.page("school", query)
    second = await parts.statements.page("school", query, after=first.next)
    assert [len(first.statements), len(second.statements), second.next] == [3, 1, None]
    assert all(each["authority"] == mine for each in (*first.statements, *second.statements))
    plan = json.dumps((await Statements(database, 100).explain("school", query))["queryPlanner"]["winningPlan"])
    assert "COLLSCAN" not in plan and '"SORT"' not in plan


async def test_what_is_known_of_an_activity_comes_from_all_statements(make_parts, database, config):
    """1.0.3 Data 2.4.4.1: an LRS SHOULD merge what statements say of an activity into its canonical definition."""
    parts = type(make_parts()).of(database, config, {ACTIVITY.name: ACTIVITY})
    await parts.post(a_statement(object={"id": "https://x.example/a", "definition": {"name": {"en": "Sums"}}}))
    await parts.post(a_statement(object={"id": "https://x.example/a", "definition": {"name": {"de": "Summen"}}}))
    await parts.follower.settle("school")
    known = await parts.summaries.saved("school", ACTIVITY, ["https://x.example/a", "https://x.example/b"])
    assert {key: each.definition for key, each in known.items()} == {"https://x.example/a": {"name": {"en": "Sums", "de": "Summen"}}}
