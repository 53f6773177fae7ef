"""Agents, groups, authorities, interactions and roles within statements."""


import pytest
from statement_parts import (
    ACCOUNT,
    AGENT,
    GROUP,
    IRI,
    refusal,
    with_part,
    without_part,
)

from lrs.xapi.schema import check

CONTEXT_AGENT = {"objectType": "contextAgent", "agent": AGENT, "relevantTypes": [f"{IRI}/tutor"]}
CONTEXT_GROUP = {"objectType": "contextGroup", "group": GROUP}
COMPONENT = [{"id": "a", "description": {"en": "A"}}, {"id": "b"}]
LISTS = {
    "choice": ["choices"], "sequencing": ["choices"], "likert": ["scale"], "matching": ["source", "target"],
    "performance": ["steps"],
    "true-false": [], "fill-in": [], "long-fill-in": [], "numeric": [], "other": [],
}


@pytest.mark.parametrize("place", ["actor", "context.instructor", "object"])
@pytest.mark.parametrize("identity", [
    {"mbox": AGENT["mbox"]}, {"mbox_sha1sum": "ab" * 20}, {"openid": IRI}, {"account": ACCOUNT},
])
@pytest.mark.parametrize("kind", ["Agent", "Group"])
def test_agents_and_groups_are_known_by_any_one_identifier(place, identity, kind):
    statement = without_part("context.platform", without_part("context.revision"))
    check(with_part(place, {"objectType": kind, **identity}, statement), "1.0.3")


@pytest.mark.parametrize("place", ["actor", "context.instructor", "context.team", "authority"])
@pytest.mark.parametrize("kind", ["Agent", "Group"])
def test_two_identifiers_are_one_too_many(place, kind):
    two = {"objectType": kind, "member": [], "mbox": AGENT["mbox"], "openid": IRI}
    assert refusal(with_part(place, two)).startswith(place)


@pytest.mark.parametrize("mbox", ["", "ada@x.org", "mailto:", "mailto:x.org", "http://should.fail.com", "mailto:a b@x.org", "MAILTO:a@b.c"])
def test_a_mailbox_is_a_mailto_iri(mbox):
    assert refusal(with_part("actor.mbox", mbox)) == "actor.mbox"


@pytest.mark.parametrize("agent", [
    {}, {"objectType": "Agent"}, {"name": "Ada"}, {"objectType": "agent", "openid": IRI},
    {"objectType": ["Agent"], "openid": IRI},
    {"objectType": {"Agent": 1}, "openid": IRI}, {"openid": IRI, "member": []}, {"objectType": "Activity", "id": IRI},
    {"objectType": "Group"}, {"objectType": "Group", "member": {}}, {"objectType": "Group", "member": [GROUP]},
    {"objectType": "Group", "openid": IRI, "member": [GROUP]}, {"mbox_sha1sum": "ab"}, {"account": {"name": "ada"}},
])
def test_what_is_no_agent_and_no_group_is_no_actor(agent):
    assert refusal(with_part("actor", agent)).startswith("actor")


def test_a_team_is_a_group():
    assert refusal(with_part("context.team", AGENT)) == "context.team.objectType"


@pytest.mark.parametrize("authority", [
    AGENT, {"objectType": "Group", "member": [{"account": ACCOUNT}, AGENT]},
    {"objectType": "Group", "member": [AGENT, {"account": ACCOUNT}]},
])
def test_an_authority_is_an_agent_or_an_application_with_its_user(authority):
    check(with_part("authority", authority), "1.0.3")


@pytest.mark.parametrize("authority", [
    {"objectType": "Group", "member": [AGENT]}, {"objectType": "Group", "member": [{"account": ACCOUNT}, AGENT, AGENT]},
    {"objectType": "Group", "member": [AGENT, AGENT]}, {"objectType": "Group"},
    {"objectType": "Group", "member": [{"account": ACCOUNT}, AGENT], "openid": IRI},
])
def test_no_other_group_is_an_authority(authority):
    assert refusal(with_part("authority", authority)).startswith("authority")


@pytest.mark.parametrize("kind", LISTS)
def test_an_interaction_has_the_lists_of_its_type_and_no_others(kind):
    definition = {"interactionType": kind, "correctResponsesPattern": ["x"], **dict.fromkeys(LISTS[kind], COMPONENT)}
    check(with_part("object.definition", definition), "1.0.3")
    for other in {"choices", "scale", "source", "target", "steps"} - set(LISTS[kind]):
        assert refusal(with_part("object.definition", {**definition, other: COMPONENT})) == f"object.definition.{other}"


@pytest.mark.parametrize("name", ["correctResponsesPattern", "choices", "scale", "source", "target", "steps"])
def test_what_belongs_to_interactions_needs_their_type(name):
    value = ["x"] if name == "correctResponsesPattern" else COMPONENT
    assert refusal(with_part("object.definition", {name: value})) == "object.definition.interactionType"


def test_an_interaction_type_is_one_of_ten():
    assert refusal(with_part("object.definition", {"interactionType": "Choice"})) == "object.definition.interactionType"


def test_components_of_a_list_have_different_ids():
    twice = {"interactionType": "likert", "scale": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}
    assert refusal(with_part("object.definition", twice)) == "object.definition.scale.2.id"


def test_agents_and_groups_around_a_statement_are_new_in_2_0():
    for name, entry in (("contextAgents", CONTEXT_AGENT), ("contextGroups", CONTEXT_GROUP)):
        statement = with_part(f"context.{name}", [entry])
        check(statement, "2.0.0")
        assert refusal(statement) == f"context.{name}"


@pytest.mark.parametrize(("name", "entry"), [
    ("contextAgents", {**CONTEXT_AGENT, "objectType": "Agent"}), ("contextAgents", {"objectType": "contextAgent"}),
    ("contextAgents", {**CONTEXT_AGENT, "agent": GROUP}), ("contextAgents", {**CONTEXT_AGENT, "relevantTypes": []}),
    ("contextAgents", {**CONTEXT_AGENT, "relevantTypes": ["abc"]}),
    ("contextAgents", {**CONTEXT_AGENT, "group": GROUP}),
    ("contextAgents", {"agent": AGENT}), ("contextGroups", {**CONTEXT_GROUP, "group": AGENT}),
    ("contextGroups", {**CONTEXT_GROUP, "relevantTypes": {}}), ("contextGroups", {**CONTEXT_GROUP, "member": []}),
])
def test_roles_in_a_context_are_judged(name, entry):
    assert refusal(with_part(f"context.{name}", [entry]), "2.0.0").startswith(f"context.{name}.0")
