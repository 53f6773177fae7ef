"""A person in statements: found wherever an agent may stand, and nowhere left once a pseudonym is there."""

import copy
import hashlib

import pytest
from builders import a_statement, learner

from lrs.xapi.agents import identity
from lrs.xapi.lookups import look_ups
from lrs.xapi.pseudonyms import identities_of, is_signed, is_theirs, mentions, names_of_person, tells_of, without
from lrs.xapi.validate import check_batch

ADA, BOB = learner("ada"), learner("bob")
NOBODY = {"objectType": "Agent", "account": {"homePage": "https://lrs.example.org/erased", "name": "x1"}}
WHOSE = identities_of(ADA)
TEAM = {"objectType": "Group", "member": [BOB, {**ADA, "name": "Ada"}]}
SUB = {"objectType": "SubStatement", "actor": ADA, "verb": {"id": "http://a.example/v"}, "object": {"id": "http://a.example/1"}}
OTHERS = {
    "in a group": a_statement(actor=TEAM),
    "instructor": a_statement(actor=BOB, context={"instructor": ADA}),
    "in the team": a_statement(actor=BOB, context={"team": TEAM}),
    "authority": a_statement(actor=BOB, authority={**ADA}),
    "in a group as object": a_statement(actor=BOB, object={"objectType": "Group", "member": [ADA]}),
    "in a SubStatement": a_statement(actor=BOB, object=SUB),
    "a context agent": a_statement(actor=BOB, context={"contextAgents": [{"objectType": "contextAgent", "agent": ADA}]}),
    "a context group": a_statement(actor=BOB, context={"contextGroups": [{"objectType": "contextGroup", "group": TEAM}]}),
}


@pytest.mark.parametrize("statement", OTHERS.values(), ids=OTHERS)
def test_in_what_others_say_a_pseudonym_takes_the_place_of_a_person(statement):
    before = copy.deepcopy(statement)
    assert not is_theirs(statement, WHOSE) and mentions(statement, WHOSE)
    changed = without(statement, WHOSE, NOBODY)
    assert statement == before
    assert "ada@" not in str(changed) and "'Ada'" not in str(changed)
    assert identity(NOBODY) in look_ups(changed).related_agents
    assert not mentions(changed, WHOSE)
    check_batch([changed], "2.0.0")


def test_what_does_not_name_a_person_stays_as_it_is():
    statement = a_statement(actor=BOB, context={"team": {"objectType": "Group", "member": [BOB]}})
    assert without(statement, WHOSE, NOBODY) == statement and not mentions(statement, WHOSE)


@pytest.mark.parametrize("statement", [a_statement(actor=ADA), a_statement(actor=BOB, object=ADA), a_statement(actor=ADA, object=SUB)])
def test_what_a_person_does_and_what_is_done_to_them_is_theirs(statement):
    assert is_theirs(statement, WHOSE)


def test_a_mailbox_is_known_by_its_sum_too():
    mixed = {"mbox": "mailto:Ada@School.Example.org"}
    for text in ("mailto:Ada@School.Example.org", "mailto:Ada@school.example.org"):
        assert f"sha1sum:{hashlib.sha1(text.encode()).hexdigest()}" in identities_of(mixed)
    assert identities_of({"objectType": "Group", "member": [ADA]}) == ()


def test_a_signed_statement_is_known_by_its_attachment():
    kind = "http://adlnet.gov/expapi/attachments/signature"
    signature = {"usageType": kind, "display": {}, "contentType": "x/y", "length": 1, "sha2": "a"}
    assert is_signed(a_statement(attachments=[signature])) and not is_signed(a_statement())


@pytest.mark.parametrize(("value", "tells"), [
    ({"user": "12"}, True), ({"user_id": 12}, True), ({"correct": 12}, False), ({"who": [{"mail": "ada@school.example.org"}]}, True),
    ({"text": "123"}, False), ({"key": "xapi.progress:account:https://s.example|12"}, True), ({"12": 1}, True), (None, False),
])
def test_a_value_tells_of_a_person_by_whole_names_and_by_identities(value, tells):
    agent = {"account": {"homePage": "https://s.example", "name": "12"}}
    names = names_of_person(agent) | names_of_person(ADA)
    assert tells_of(value, names, identities_of(agent)) is tells
