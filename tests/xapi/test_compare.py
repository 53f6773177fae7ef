"""When two statements are the same statement."""

import copy
import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statement_parts import ACTIVITY, AGENT, ATTACHMENT, GROUP, IRI, UUID, full_statement, statements, substatement, with_part, without_part

from lrs.xapi.compare import same_json, same_statement
from lrs.xapi.json_text import parse
from lrs.xapi.prepare import prepare, with_stored
from lrs.xapi.vocabulary import SIGNATURE

OTHERS = {"id": UUID, "timestamp": "2027-01-01T00:00:00Z", "stored": "2027-01-01T00:00:00Z", "authority": AGENT, "version": "1.0.0"}


def in_storage(statement):
    """A statement as it comes back from the store."""
    kept = prepare(
        copy.deepcopy(statement), authority={"openid": f"{IRI}/key"}, version="2.0.0", statement_id=UUID, received="2026-11-22T06:09:42Z"
    )
    return with_stored(kept, "2026-11-22T06:09:42.5Z")


def both_ways(a, b):
    """The verdict, which is the same from either side."""
    verdict = same_statement(a, b)
    assert same_statement(b, a) is verdict
    return verdict


@given(statements)
def test_a_statement_sent_again_is_the_one_in_storage(statement):
    assert both_ways(statement, in_storage(statement))


@given(statements)
def test_a_statement_sent_again_without_id_and_timestamp_is_the_one_in_storage(statement):
    bare = {name: part for name, part in statement.items() if name not in ("id", "timestamp")}
    assert both_ways(bare, in_storage(bare))


@given(statements, st.sampled_from(["actor", "verb", "object", "result", "context"]), statements)
def test_another_part_makes_another_statement(statement, name, other):
    assume(name in other and statement.get(name) != other[name])
    changed = {**statement, name: other[name]}
    essence = [json.dumps(_essence(each.get(name)), sort_keys=True) for each in (statement, other)]
    assert both_ways(statement, changed) is (essence[0] == essence[1])


def _essence(part):
    """A part without what does not count, told in another way than the code under test tells it."""
    if isinstance(part, list):
        return [_essence(each) for each in part]
    if not isinstance(part, dict):
        return part
    kept = {name: _essence(each) for name, each in part.items() if name not in ("definition", "display")}
    if isinstance(kept.get("grouping"), dict):
        kept["grouping"] = [kept["grouping"]]
    if "member" in kept:
        kept["member"] = sorted(kept["member"], key=repr)
    return kept


@pytest.mark.parametrize("name", ["stored", "authority", "version"])
def test_what_the_store_sets_does_not_count(name):
    assert both_ways(full_statement(), with_part(name, OTHERS[name]))


@pytest.mark.parametrize("name", ["id", "timestamp"])
def test_what_the_store_sets_if_absent_counts_if_both_have_it(name):
    assert not both_ways(full_statement(), with_part(name, OTHERS[name]))
    assert both_ways(full_statement(), without_part(name))


def test_the_timestamp_of_a_substatement_always_counts():
    statement = with_part("object", substatement(timestamp="2026-01-01T00:00:00Z"))
    assert not both_ways(statement, with_part("object", substatement()))


@pytest.mark.parametrize(("place", "value"), [
    ("id", "12345678-1234-5678-1234-567812345678".upper()),
    ("context.registration", UUID.upper()),
    ("context.statement.id", UUID.upper()),
    ("actor.mbox", "mailto:ada@SCHOOL.example.org"),
    ("timestamp", "2026-03-02T10:14:07.25+01:00"),
    ("result.duration", "PT1M30.259999S"),
    ("result.score.scaled", 0.50),
    ("result.score.raw", 5.0),
    ("context.language", "en-gb"),
    ("verb.display", {"fr": "a répondu"}),
    ("object.definition", {"name": {"en": "Other"}}),
    ("context.contextActivities.grouping", [{"id": f"{IRI}/course", "definition": {"type": IRI}}]),
    ("context.team.member", GROUP["member"][::-1]),
    ("attachments.0.display", {"fr": "Certificat"}),
    ("attachments.0.sha2", "AB" * 32),
])
def test_a_difference_that_the_specification_allows_is_none(place, value):
    assert both_ways(full_statement(), with_part(place, value))


@pytest.mark.parametrize(("place", "value"), [
    ("actor.mbox", "mailto:Ada@school.example.org"),
    ("actor.name", "Countess"),
    ("verb.id", f"{IRI}/verbs/Answered"),
    ("object.id", f"{IRI}/Sums"),
    ("timestamp", "2026-03-02T09:14:07.251Z"),
    ("result.duration", "PT90.25S"),
    ("result.duration", "PT1M30.26S"),
    ("result.success", False),
    ("result.response", "A"),
    ("result.extensions", {}),
    ("result.extensions", {f"{IRI}/ext": {"deep": [None, {"": 1}]}}),
    ("context.extensions", {f"{IRI}/ext": True}),
    ("context.extensions", {f"{IRI}/ext": "1"}),
    ("context.platform", "lms"),
    ("context.team.member", [AGENT]),
    ("context.contextActivities.parent", [ACTIVITY, ACTIVITY]),
    ("attachments.0.sha2", "cd" * 32),
    ("attachments", []),
])
def test_any_other_difference_is_one(place, value):
    assert not both_ways(full_statement(), with_part(place, value))


@pytest.mark.parametrize("place", ["result", "context", "context.team", "result.score.min", "attachments", "actor.objectType"])
def test_a_part_left_out_is_a_difference(place):
    assert not both_ways(full_statement(), without_part(place))


def test_a_signature_does_not_count_as_it_signs_the_statement_without_it():
    signed = with_part("attachments", [ATTACHMENT, {**ATTACHMENT, "usageType": SIGNATURE, "sha2": "cd" * 32}])
    assert both_ways(full_statement(), signed)


def test_the_order_of_keys_does_not_count():
    assert both_ways(full_statement(), dict(reversed(full_statement().items())))


@pytest.mark.parametrize(("a", "b", "same"), [
    ("1", "1.0", True), ("1e5", "100000.0", True), ("0.1", "0.10", True), ("-0.0", "0", True), ("1", "true", False),
    ("0", "false", False),
    ("1e400", "10e399", True), ("1e400", "1e401", False), ("9223372036854775808", "9223372036854775809", False),
    ("0.1000000000000000000001", "0.1", False), ("1e400", "null", False), ("1e400", "true", False),
    ("[1,2]", "[2,1]", False),
    ("[1]", "[1,1]", False), ('{"a":1,"b":2}', '{"b":2,"a":1}', True), ('{"a":1}', '{"a":1,"b":null}', False),
    ("{}", "[]", False),
    ('"1"', "1", False), ("null", "false", False),
])
def test_json_values_are_compared_as_json(a, b, same):
    assert same_json(parse(a), parse(b)) is same
    assert same_json(parse(b), parse(a)) is same
