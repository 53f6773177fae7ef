"""Definitions of activities, found and merged. xAPI 1.0.3, Data 2.4.4.1 and Communication 2.5."""

import pytest
from builders import a_statement, learner
from hypothesis import given, settings
from hypothesis import strategies as st

from lrs.activities import ACTIVITY
from lrs.materialize import fold
from lrs.xapi.activities import activity_object, category_type, defined_in, definitions_in, merged_definition
from lrs.xapi.agents import identity, names_of
from lrs.xapi.json_text import parse

A, B, C = (f"https://example.org/{name}" for name in "abc")


def activity(iri: str, **definition: object) -> dict:
    return {"id": iri, "definition": definition}


def saying(*definitions: dict, iri: str = A) -> list[dict]:
    return [a_statement(object={"id": iri, "definition": definition}) for definition in definitions]


def known_of(statements: list[dict], iri: str = A) -> dict:
    """The definition that a store derives from statements, in the way it does."""
    parts = [ACTIVITY.part(each, iri) for each in statements if iri in ACTIVITY.keys(each)]
    return fold(ACTIVITY, parts).definition


def test_a_statement_without_definitions_is_of_no_activity():
    """Nothing is known, so nothing is kept; most traffic costs nothing."""
    context = {"contextActivities": {"parent": [{"id": B}], "grouping": [{"id": C, "objectType": "Activity"}]}}
    assert defined_in(a_statement(context=context)) == []
    assert defined_in(a_statement(object={"objectType": "Agent", **learner()})) == []


def test_activities_are_defined_as_object_in_context_and_in_a_substatement():
    """Wherever an Activity Object stands. Data 2.4.4, 2.4.6.2."""
    inner = {
        "objectType": "SubStatement", "actor": learner(), "verb": {"id": A}, "object": activity(A, type=A),
        "context": {"contextActivities": {"other": [activity(B)]}},
    }
    outer = a_statement(object=inner, context={"contextActivities": {"parent": [activity(C), {"id": "https://example.org/d"}]}})
    assert defined_in(outer) == [A, B, C]


def test_a_single_context_activity_counts_as_a_list_of_one():
    """1.0.x. Data 2.4.6.2."""
    assert defined_in(a_statement(context={"contextActivities": {"parent": activity(B)}})) == [B]


def test_an_activity_that_is_there_twice_is_one_with_two_definitions():
    """One key, both definitions, in their order."""
    statement = a_statement(object=activity(A, name={"en": "x"}), context={"contextActivities": {"other": [activity(A, type=B)]}})
    assert defined_in(statement) == [A]
    assert definitions_in(statement, A) == [{"name": {"en": "x"}}, {"type": B}]


def test_languages_of_all_statements_are_kept_and_later_ones_win():
    """The LRS returns both language descriptions. Communication 2.5."""
    said = saying({"name": {"en": "Sums", "de": "Summen"}}, {"name": {"en": "Adding", "fr": "Sommes"}})
    assert known_of(said) == {"name": {"en": "Adding", "de": "Summen", "fr": "Sommes"}}


def test_properties_of_all_statements_are_kept_and_later_ones_win():
    """All available information about an activity. Communication 2.5."""
    said = saying({"type": A, "moreInfo": B}, {"type": C}, {"description": {"en": "x"}})
    assert known_of(said) == {"type": C, "moreInfo": B, "description": {"en": "x"}}


def test_extensions_are_merged_key_by_key():
    """Extensions are a map of their own. Data 4.1."""
    said = saying({"extensions": {A: {"deep": 1}, B: 1}}, {"extensions": {A: {"other": 2}}})
    assert known_of(said) == {"extensions": {A: {"other": 2}, B: 1}}


def test_components_are_the_later_ones_with_the_languages_of_the_earlier():
    """A component's description is a language map. Data 2.4.4.1, "Interaction Components"."""
    first = {"interactionType": "choice", "choices": [{"id": "x", "description": {"en": "X"}}, {"id": "gone"}]}
    later = {"interactionType": "choice", "choices": [{"id": "new"}, {"id": "x", "description": {"de": "Ix"}}]}
    assert known_of(saying(first, later))["choices"] == [{"id": "new"}, {"id": "x", "description": {"en": "X", "de": "Ix"}}]


def test_another_type_of_interaction_takes_nothing_over_from_the_one_before():
    """A type of interaction may only have its own components. Data 2.4.4.1."""
    first = {"interactionType": "choice", "choices": [{"id": "x"}], "correctResponsesPattern": ["x"], "type": B}
    assert known_of(saying(first, {"interactionType": "numeric"})) == {"type": B, "interactionType": "numeric"}


def test_an_empty_definition_takes_nothing_away():
    """It says nothing."""
    assert known_of(saying({"type": A}, {})) == {"type": A}


def test_each_activity_gets_only_what_is_said_of_it():
    """A statement may define several. Data 2.4.6.2."""
    statement = a_statement(object=activity(A, type=A), context={"contextActivities": {"parent": [activity(B, type=B)]}})
    assert (known_of([statement]), known_of([statement], B), known_of([statement], C)) == ({"type": A}, {"type": B}, {})


def test_numbers_in_extensions_stay_as_they_were_written():
    """What comes back equals what was sent, down to number values."""
    definition = parse('{"extensions":{"https://example.org/x":123456789012345678901234567890.5}}')
    summary = fold(ACTIVITY, [ACTIVITY.part(each, A) for each in saying(definition, {"type": B})])
    assert ACTIVITY.decode(ACTIVITY.encode(summary)) == summary
    assert "123456789012345678901234567890.5" in summary.text


def test_merging_changes_none_of_its_arguments():
    """A step touches nothing but what it returns."""
    known, said = {"name": {"en": "a"}, "choices": [{"id": "x", "description": {"en": "X"}}]}, {
        "name": {"de": "b"}, "choices": [{"id": "x", "description": {"de": "Y"}}]}
    merged_definition(known, said)
    assert known == {"name": {"en": "a"}, "choices": [{"id": "x", "description": {"en": "X"}}]}
    assert said == {"name": {"de": "b"}, "choices": [{"id": "x", "description": {"de": "Y"}}]}


TEXTS = st.dictionaries(st.sampled_from(["en", "de", "fr-CA"]), st.text(max_size=3), min_size=1)
DEFINITIONS = st.fixed_dictionaries({}, optional={
    "name": TEXTS, "description": TEXTS, "type": st.sampled_from([A, B]),
    "extensions": st.dictionaries(st.sampled_from([A, B]), st.integers(-(2**63), 2**63 - 1)),
    "interactionType": st.sampled_from(["choice", "sequencing"]),
})


@settings(max_examples=40)
@given(st.lists(DEFINITIONS, max_size=6), st.integers(0, 6))
def test_folding_in_two_parts_equals_folding_at_once(definitions, at):
    """A saved summary and its tail are a recount."""
    parts = [ACTIVITY.part(each, A) for each in saying(*definitions)]
    saved = ACTIVITY.decode(ACTIVITY.encode(fold(ACTIVITY, parts[:at])))
    assert fold(ACTIVITY, parts[at:], saved) == fold(ACTIVITY, parts)


@settings(max_examples=40)
@given(st.lists(DEFINITIONS, min_size=1, max_size=4))
def test_saying_the_same_again_adds_nothing(definitions):
    """Posting twice equals posting once."""
    assert known_of(saying(*definitions, definitions[-1])) == known_of(saying(*definitions))


def test_an_activity_of_which_nothing_is_known_is_an_activity():
    """An LRS SHOULD still return an Activity Object; IEEE 9274.1.1, 4.1.6.4: shall. Communication 2.5."""
    assert activity_object(A, {}) == {"objectType": "Activity", "id": A}
    assert activity_object(A, {"type": B}) == {"objectType": "Activity", "id": A, "definition": {"type": B}}


def test_names_are_those_an_agent_has_as_actor_object_or_member():
    """List of names of Agents retrieved. Communication 2.4."""
    ada = identity(learner())
    statements = [
        a_statement(actor={**learner(), "name": "Ada"}), a_statement(actor={**learner("bob"), "name": "Bob"}),
        a_statement(object={"objectType": "Agent", **learner(), "name": "A. L."}), a_statement(),
        a_statement(actor={"objectType": "Group", "name": "Team", "member": [{**learner(), "name": "Ada"}, learner("bob")]}),
        a_statement(actor={"objectType": "Group", "mbox": learner()["mbox"], "name": "not a person"}),
    ]
    assert names_of(ada, statements) == ["Ada", "A. L."]


@pytest.mark.parametrize("known", [{}, {"type": A}])
def test_what_is_merged_into_nothing_is_what_was_said(known):
    """A definition by itself."""
    said = {"type": B, "name": {"en": "x"}}
    assert merged_definition(known, said) == said


PROFILE = {"id": B, "definition": {"type": "http://adlnet.gov/expapi/activities/profile"}}


def test_a_category_of_which_only_the_type_is_said_is_not_folded():
    """Every statement of a system has it: a void would fold them all anew."""
    around = {"contextActivities": {"category": [PROFILE, {"id": C}], "parent": [activity(C, type=A)]}}
    inner = {"objectType": "SubStatement", "actor": learner(), "verb": {"id": A}, "object": activity(A, type=A), "context": around}
    for statement in (a_statement(context=around), a_statement(object=inner)):
        assert B not in defined_in(statement)
        assert C in defined_in(statement)
        assert definitions_in(statement, B) == []
        assert definitions_in(statement, C) == [{"type": A}]


@pytest.mark.parametrize("place", ["parent", "grouping", "other"])
def test_elsewhere_a_type_alone_is_a_definition(place):
    """Only categories are on everything."""
    assert defined_in(a_statement(context={"contextActivities": {place: [PROFILE]}})) == [B]


def test_a_category_that_is_named_is_defined():
    """All available information about an activity. Communication 2.5."""
    named = {"id": B, "definition": {**PROFILE["definition"], "name": {"en": "A profile"}}}
    said = [a_statement(context={"contextActivities": {"category": [each]}}) for each in (named, PROFILE)]
    assert known_of(said, B) == named["definition"]


def test_the_type_of_a_category_is_that_in_the_first_statement_that_says_it():
    """The latest ones come first."""
    other = {"id": B, "definition": {"type": A}}
    said = [a_statement(context={"contextActivities": around}) for around in (
        {"parent": [other]}, {"category": [{"id": B}]}, {"category": {**PROFILE}}, {"category": [other]},
    )]
    assert category_type(said, B) == PROFILE["definition"]["type"]
    assert category_type(said[:2], B) is None
