"""What a statement can be found by."""

import pytest
from hypothesis import given
from statement_parts import ACCOUNT, AGENT, GROUP, IRI, REFERENCE, UUID, VOIDED, full_statement, statements, substatement, with_part

from lrs.xapi.lookups import look_ups

ADA, ADAS_ACCOUNT = "mailto:ada@school.example.org", "account:https://school.example.org|ada"


def plain(**parts):
    """The smallest statement, with other parts."""
    return {"actor": AGENT, "verb": {"id": IRI}, "object": {"id": f"{IRI}/sums"}, **parts}


def test_a_full_statement_gives_every_field():
    found = look_ups(full_statement())
    assert (found.statement_id, found.verb) == ("12345678-1234-5678-1234-567812345678", f"{IRI}/verbs/answered")
    assert (found.activity, found.registration, found.refs, found.voids) == (f"{IRI}/sums", UUID, None, None)
    assert found.related_activities == (f"{IRI}/sums", f"{IRI}/course", "urn:uuid:" + UUID)
    assert found.agents == (ADA,)
    assert found.related_agents == (ADA, ADAS_ACCOUNT, f"openid:{IRI}/openid")
    assert (found.scaled, found.success, found.completion, found.duration_s) == (0.5, True, False, 90.25)
    assert found.timestamp_us == 1_772_442_847_250_000


def test_what_a_statement_does_not_say_is_none():
    found = look_ups(plain())
    assert (found.statement_id, found.registration, found.refs, found.voids, found.timestamp_us) == (None,) * 5
    assert (found.scaled, found.success, found.completion, found.duration_s) == (None,) * 4


def test_an_agent_as_object_is_found_and_so_are_members_of_groups():
    found = look_ups(plain(actor=GROUP, object={"objectType": "Agent", "openid": IRI}))
    assert found.agents == (ADA, ADAS_ACCOUNT, f"openid:{IRI}")
    assert found.activity is None


def test_an_authority_is_found_only_in_the_broad_sense():
    found = look_ups(plain(authority={"account": ACCOUNT}))
    assert (found.agents, found.related_agents) == ((ADA,), (ADA, ADAS_ACCOUNT))


def test_a_substatement_is_found_only_in_the_broad_sense():
    inner = substatement(
        actor={"openid": f"{IRI}/inner"}, object=GROUP, context={"contextActivities": {"other": {"id": f"{IRI}/inner"}}}
    )
    found = look_ups(plain(object=inner))
    assert (found.activity, found.agents, found.refs) == (None, (ADA,), None)
    assert found.related_agents == (ADA, f"openid:{IRI}/inner", ADAS_ACCOUNT)
    assert found.related_activities == (f"{IRI}/inner",)


def test_agents_and_groups_of_a_2_0_context_are_related():
    context = {
        "contextAgents": [{"objectType": "contextAgent", "agent": {"openid": f"{IRI}/a"}}],
        "contextGroups": [{"objectType": "contextGroup", "group": {**GROUP, "openid": f"{IRI}/g"}}],
    }
    assert look_ups(plain(context=context)).related_agents == (ADA, f"openid:{IRI}/a", f"openid:{IRI}/g", ADAS_ACCOUNT)


def test_a_reference_is_followed_from_the_object_only():
    assert look_ups(plain(object={**REFERENCE, "id": UUID.upper()})).refs == UUID
    assert look_ups(plain(context={"statement": REFERENCE})).refs is None


def test_only_the_verb_voided_voids():
    assert look_ups(plain(object=REFERENCE)).voids is None
    assert look_ups(plain(object=REFERENCE, verb={"id": VOIDED})).voids == UUID


@pytest.mark.parametrize("duration", ["P1Y", "P1M", "PT" + "9" * 400 + "S"])
def test_a_duration_without_a_number_of_seconds_is_no_fact(duration):
    assert look_ups(with_part("result.duration", duration)).duration_s is None


@given(statements)
def test_the_broad_sense_holds_the_narrow_one_and_nothing_twice(statement):
    found = look_ups(statement)
    assert found.related_agents[:len(found.agents)] == found.agents
    assert found.activity is None or found.related_activities[0] == found.activity
    for names in (found.agents, found.related_agents, found.related_activities):
        assert len(set(names)) == len(names)
