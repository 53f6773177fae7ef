"""Queries for statements."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statement_parts import AGENT, GROUP, IRI, REFERENCE, UUID, full_statement, statements, with_part

from lrs.errors import InvalidParameter
from lrs.xapi.json_text import dump
from lrs.xapi.lookups import look_ups
from lrs.xapi.query import StatementQuery, agent_parameter, matches, parse_query

ADA = "mailto:ada@school.example.org"
AGENT_TEXT = dump(AGENT).decode()
LOOK_UPS = look_ups(full_statement())
STORED = 1_000_000


def refusal(params, version="1.0.3"):
    """The parameter that is refused."""
    with pytest.raises(InvalidParameter) as refused:
        parse_query(params, version)
    return refused.value.place


def test_no_parameters_ask_for_everything():
    assert parse_query({}, "1.0.3") == StatementQuery()


def test_every_parameter_is_read():
    assert parse_query({
        "agent": AGENT_TEXT, "verb": IRI, "activity": f"{IRI}/a", "registration": UUID.upper(),
        "related_activities": "true",
        "related_agents": "false", "since": "1970-01-01T00:00:01Z", "until": "1970-01-01T00:00:02.000001Z",
        "limit": "5",
        "format": "ids", "attachments": "true", "ascending": "true",
    }, "1.0.3") == StatementQuery(
        agent=ADA, verb=IRI, activity=f"{IRI}/a", registration=UUID, related_activities=True, related_agents=False,
        since_us=1_000_000, until_us=2_000_001, limit=5, format="ids", attachments=True, ascending=True,
    )


def test_one_statement_is_asked_for_by_id():
    assert parse_query({"statementId": UUID.upper()}, "2.0.0") == StatementQuery(statement_id=UUID)
    assert parse_query({"voidedStatementId": UUID, "format": "exact", "attachments": "false"}, "2.0.0").voided_statement_id == UUID


@pytest.mark.parametrize("name", ["statementId", "voidedStatementId"])
@pytest.mark.parametrize(("other", "value"), [
    ("agent", AGENT_TEXT), ("verb", IRI), ("activity", IRI), ("registration", UUID), ("related_activities", "true"),
    ("related_agents", "true"), ("since", "2026-01-01T00:00:00Z"), ("until", "2026-01-01T00:00:00Z"), ("limit", "1"),
    ("ascending", "true"),
])
def test_an_id_stands_alone(name, other, value):
    assert refusal({name: UUID, other: value}) == other


def test_both_ids_together_are_refused():
    assert refusal({"statementId": UUID, "voidedStatementId": UUID}) in ("statementId", "voidedStatementId")


@pytest.mark.parametrize(("name", "spelt"), [
    ("StatementId", "statementId"), ("statement_id", "statementId"), ("AGENT", "agent"),
    ("relatedAgents", "related_agents"),
])
def test_a_misspelt_parameter_is_refused_and_told(name, spelt):
    with pytest.raises(InvalidParameter, match=f"spelt {spelt}") as refused:
        parse_query({name: "x"}, "1.0.3")
    assert refused.value.place == name


def test_an_unknown_parameter_is_refused():
    assert refusal({"foo": "bar"}) == "foo"


@pytest.mark.parametrize(("name", "value"), [
    ("statementId", "x"), ("statementId", ""), ("voidedStatementId", UUID + "0"), ("verb", "answered"), ("verb", ""),
    ("activity", "a b"),
    ("registration", "x"), ("related_activities", "True"), ("related_agents", "1"), ("ascending", ""),
    ("attachments", "yes"),
    ("since", "yesterday"), ("until", "2026-01-01T00:00:00-00:00"), ("limit", "-1"), ("limit", "1.0"), ("limit", ""),
    ("limit", "+1"),
    ("limit", "9" * 5000), ("limit", "１"), ("format", "IDS"), ("format", ""), ("agent", ""), ("agent", "ada"),
    ("agent", "[]"),
    ("agent", "null"), ("agent", "{}"), ("agent", '{"mbox":"mailto:a@b.c","mbox":"mailto:a@b.c"}'),
    ("agent", dump(GROUP).decode()),
])
def test_a_malformed_value_is_refused(name, value):
    assert refusal({name: value}) == name or refusal({name: value}).startswith(f"{name}.")


def test_what_is_wrong_inside_an_agent_is_named():
    assert refusal({"agent": '{"mbox":"ada"}'}) == "agent.mbox"


def test_a_time_follows_the_rules_of_the_version():
    assert parse_query({"since": "1970-01-01T00:00:01"}, "1.0.3").since_us == 1_000_000
    assert refusal({"since": "1970-01-01T00:00:01"}, "2.0.0") == "since"


def test_an_agent_parameter_gives_back_the_agent():
    assert agent_parameter("agent", AGENT_TEXT, "1.0.3") == AGENT


@pytest.mark.parametrize(("query", "found"), [
    ({}, True),
    ({"verb": f"{IRI}/verbs/answered"}, True), ({"verb": IRI}, False),
    ({"agent": ADA}, True), ({"agent": f"openid:{IRI}/openid"}, False),
    ({"agent": f"openid:{IRI}/openid", "related_agents": True}, True),
    ({"activity": f"{IRI}/sums"}, True), ({"activity": f"{IRI}/course"}, False),
    ({"activity": f"{IRI}/course", "related_activities": True}, True),
    ({"registration": UUID}, True), ({"registration": UUID[::-1]}, False),
    ({"since_us": STORED}, False), ({"since_us": STORED - 1}, True),
    ({"until_us": STORED}, True), ({"until_us": STORED - 1}, False),
    ({"verb": f"{IRI}/verbs/answered", "activity": IRI}, False),
    ({"statement_id": LOOK_UPS.statement_id}, True), ({"statement_id": UUID}, False),
    ({"voided_statement_id": LOOK_UPS.statement_id}, False),
    ({"limit": 1, "format": "ids", "ascending": True, "attachments": True}, True),
])
def test_a_statement_matches_if_every_condition_holds(query, found):
    assert matches(StatementQuery(**query), LOOK_UPS, STORED, False) is found


def test_a_voided_statement_is_found_as_such_only():
    assert matches(StatementQuery(voided_statement_id=LOOK_UPS.statement_id), LOOK_UPS, STORED, True)
    assert not matches(StatementQuery(statement_id=LOOK_UPS.statement_id), LOOK_UPS, STORED, True)
    assert not matches(StatementQuery(), LOOK_UPS, STORED, True)


def test_a_statement_also_matches_by_what_it_points_at_but_not_by_its_time():
    comment = look_ups(with_part("object", REFERENCE, with_part("verb.id", f"{IRI}/verbs/commented")))
    query = StatementQuery(verb=f"{IRI}/verbs/answered", activity=f"{IRI}/sums")
    assert not matches(query, comment, STORED, False)
    assert matches(query, comment, STORED, False, [LOOK_UPS])
    assert not matches(StatementQuery(verb=query.verb, since_us=STORED), comment, STORED, False, [LOOK_UPS])


AGENTS = st.sampled_from([f"mailto:{name}@example.org" for name in "abcd"])
IRIS = st.sampled_from([f"{IRI}/{letter}" for letter in "abc"])
QUERIES = st.builds(
    StatementQuery, agent=st.none() | AGENTS, verb=st.none() | IRIS, activity=st.none() | IRIS,
    related_agents=st.booleans(),
    related_activities=st.booleans(), since_us=st.none() | st.integers(0, 3), until_us=st.none() | st.integers(0, 3),
)


@given(QUERIES, statements, st.integers(0, 4), st.booleans())
def test_matching_says_what_a_filter_over_the_look_ups_says(query, statement, stored_us, voided):
    found = look_ups(statement)
    conditions = [
        not voided,
        query.since_us is None or stored_us > query.since_us,
        query.until_us is None or stored_us <= query.until_us,
        query.verb in (None, found.verb),
        query.agent is None or query.agent in (found.related_agents if query.related_agents else found.agents),
        query.activity is None or query.activity in (found.related_activities if query.related_activities else [found.activity]),
    ]
    assert matches(query, found, stored_us, voided) is all(conditions)


@given(QUERIES, statements)
def test_the_broad_sense_finds_all_that_the_narrow_one_finds(query, statement):
    found = look_ups(statement)
    if matches(query, found, 1, False):
        assert matches(replace(query, related_agents=True, related_activities=True), found, 1, False)
