"""What is a statement, and where and why what is none is refused."""

import pytest
from hypothesis import given
from statement_parts import (
    ACTIVITY,
    AGENT,
    ATTACHMENT,
    GROUP,
    IRI,
    REFERENCE,
    UUID,
    VOIDED,
    full_statement,
    refusal,
    statements,
    substatement,
    with_part,
    without_part,
)

from lrs.errors import InvalidStatement
from lrs.xapi.json_text import parse
from lrs.xapi.schema import check

BOTH = ("1.0.3", "2.0.0")


def every_place(value, place=""):
    """The dotted places of all values, but for what is inside extensions."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in entries:
        inner = f"{place}.{name}" if place else str(name)
        if name == "extensions":
            yield inner
        else:
            yield inner
            yield from every_place(part, inner)


PLACES = sorted(every_place(full_statement()))
OBJECTS = [place for place in PLACES if place.rpartition(".")[2] in (
    "actor", "verb", "object", "definition", "result", "score", "context", "team", "contextActivities", "grouping",
    "authority",
    "statement", "account", "instructor", "0",
) and not place.endswith("correctResponsesPattern.0")]


@pytest.mark.parametrize("version", BOTH)
def test_a_statement_with_everything_is_taken(version):
    check(full_statement(), version)


@given(statements)
def test_generated_statements_are_taken(statement):
    check(statement, "2.0.0")


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("value", [None, [], {}, "statement", 1, True])
def test_what_is_no_statement_at_all_is_refused(value, version):
    with pytest.raises(InvalidStatement):
        check(value, version)


@pytest.mark.parametrize("place", PLACES)
def test_null_is_refused_everywhere_but_in_extensions(place):
    assert refusal(with_part(place, None)).startswith(place)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", [12345, {"no tag": "should fail"}, [[]], float("1e99"), True])
def test_a_value_of_the_wrong_type_is_refused_where_it_stands(place, value):
    if place.rpartition(".")[2] in ("success", "completion") and value is True:
        return
    if place.rpartition(".")[2] in ("raw", "min", "max", "length") or place.endswith("score.scaled"):
        value = "5"
    try:
        check(with_part(place, value), "1.0.3")
    except InvalidStatement as refused:
        assert refused.place.startswith(place.rpartition(".")[0])
    else:
        pytest.fail(f"{value!r} was taken at {place}")


@pytest.mark.parametrize("place", ["", *OBJECTS])
def test_an_unknown_property_is_refused_in_every_object(place):
    where = f"{place}.foo" if place else "foo"
    assert refusal(with_part(where, "bar")) == where


@pytest.mark.parametrize("place", [place for place in PLACES if not place.rpartition(".")[2].isdecimal() and "-" not in place])
def test_a_name_in_the_wrong_case_is_refused_and_told(place):
    if place.endswith((".en", ".de")):
        return
    statement = full_statement()
    way, _, name = place.rpartition(".")
    value = statement
    for step in place.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    wrong = f"{way}.{name.upper()}" if way else name.upper()
    with pytest.raises(InvalidStatement) as refused:
        check(with_part(wrong, value, statement), "1.0.3")
    assert refused.value.place == wrong
    assert f"it is spelt {name}" in refused.value.rule


@pytest.mark.parametrize("place", [
    "actor", "verb", "object", "verb.id", "object.id", "object.definition.choices.0.id", "attachments.0.usageType",
    "attachments.0.display", "attachments.0.contentType", "attachments.0.length", "attachments.0.sha2",
    "context.statement.id",
    "context.statement.objectType", "context.team.objectType", "authority.account.name", "authority.account.homePage",
])
def test_what_is_required_is_missed(place):
    assert refusal(without_part(place)).startswith(place.rpartition(".")[0])


def test_a_place_leads_through_lists():
    statement = with_part("context.contextActivities.parent", [ACTIVITY, {"id": "no iri"}])
    assert refusal(statement) == "context.contextActivities.parent.1.id"
    assert refusal(with_part("actor", {**GROUP, "member": [AGENT, AGENT, {"mbox": "x"}]})) == "actor.member.2.mbox"


@pytest.mark.parametrize("target", [ACTIVITY, {"id": IRI}, AGENT, GROUP, REFERENCE, substatement(), substatement(object=REFERENCE)])
@pytest.mark.parametrize("version", BOTH)
def test_an_object_is_any_of_five_kinds(target, version):
    check({"actor": AGENT, "verb": {"id": IRI}, "object": target}, version)


@pytest.mark.parametrize("target", [
    {}, {"mbox": AGENT["mbox"]}, {"objectType": "Group", "name": "x"}, {"objectType": "activity", "id": IRI},
    {"id": UUID},
    {"objectType": "statementref", "id": UUID}, {"objectType": "StatementRef", "id": IRI},
    {"objectType": "StatementRef"},
    {"objectType": "StatementRef", "id": UUID, "definition": {}}, {"objectType": "SubStatement"},
    {"objectType": "Person"},
    {"objectType": 123, "id": IRI}, {"objectType": [], "id": IRI}, substatement(id=UUID),
    substatement(stored="2026-03-02T09:14:07Z"),
    substatement(version="1.0.0"), substatement(authority=AGENT), substatement(object=substatement()), substatement(actor=None),
    substatement(verb={"id": VOIDED}), substatement(timestamp="yesterday"), substatement(foo=1),
    {name: part for name, part in substatement().items() if name != "verb"},
])
@pytest.mark.parametrize("version", BOTH)
def test_other_objects_are_refused(target, version):
    assert refusal({"actor": AGENT, "verb": {"id": IRI}, "object": target}, version).startswith("object")


@pytest.mark.parametrize("name", ["revision", "platform"])
@pytest.mark.parametrize("target", [AGENT, GROUP, REFERENCE, substatement()])
def test_revision_and_platform_are_for_activities_only(name, target):
    context = {"context": {name: "x"}}
    assert refusal({"actor": AGENT, "verb": {"id": IRI}, "object": target, **context}) == f"context.{name}"
    if target != substatement():
        inner = substatement(object=target, **context)
        assert refusal({"actor": AGENT, "verb": {"id": IRI}, "object": inner}) == f"object.context.{name}"
    check({"actor": AGENT, "verb": {"id": IRI}, "object": {"id": IRI}, **context}, "1.0.3")


def test_only_a_statement_is_voided():
    check({"actor": AGENT, "verb": {"id": VOIDED}, "object": REFERENCE}, "1.0.3")
    for target in (ACTIVITY, AGENT, substatement()):
        assert refusal({"actor": AGENT, "verb": {"id": VOIDED}, "object": target}) == "object.objectType"


@pytest.mark.parametrize("score", [
    {}, {"scaled": -1}, {"scaled": 1.0}, {"raw": -1e300}, {"raw": 5, "min": 5, "max": 6},
    {"raw": 6, "min": 5, "max": 6}, {"min": 1},
])
def test_a_score_within_its_bounds_is_taken(score):
    check(with_part("result.score", score), "1.0.3")


@pytest.mark.parametrize(("score", "name"), [
    ({"scaled": 1.01}, "scaled"), ({"scaled": -1.00001}, "scaled"), ({"raw": 4, "min": 5}, "raw"),
    ({"raw": 7, "max": 6}, "raw"),
    ({"min": 2, "max": 1}, "min"), ({"min": 2, "max": 2}, "min"), ({"raw": True}, "raw"), ({"raw": "1"}, "raw"),
])
def test_a_score_out_of_its_bounds_is_refused(score, name):
    assert refusal(with_part("result.score", score)) == f"result.score.{name}"


def test_bounds_of_scores_are_exact():
    score = parse('{"scaled":1.00000000000000000001}')
    assert refusal(with_part("result.score", score)) == "result.score.scaled"


def test_attachments_are_a_list():
    assert refusal(with_part("attachments", ATTACHMENT)) == "attachments"
