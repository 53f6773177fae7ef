"""What the store adds to a statement."""

import copy

import pytest
from hypothesis import given
from statement_parts import ACTIVITY, AGENT, IRI, UUID, full_statement, statements, substatement

from lrs.xapi.prepare import prepare, with_stored
from lrs.xapi.schema import check

AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://lrs.example.org", "name": "key"}}
NOW = "2026-11-22T06:09:42.123456Z"


def prepared(statement, version="1.0.3"):
    """The statement as it will be stored."""
    return prepare(statement, authority=AUTHORITY, version=version, statement_id=UUID, received=NOW)


def plain(**parts):
    """The smallest statement, with other parts."""
    return {"actor": AGENT, "verb": {"id": IRI}, "object": ACTIVITY, **parts}


def test_what_is_missing_is_added():
    assert prepared(plain()) == plain(id=UUID, timestamp=NOW, authority=AUTHORITY, version="1.0.0")


@pytest.mark.parametrize(("version", "written"), [("1.0.0", "1.0.0"), ("1.0.3", "1.0.0"), ("2.0.0", "2.0.0")])
def test_the_version_follows_the_request(version, written):
    assert prepared(plain(), version)["version"] == written


def test_what_was_sent_stays_but_for_authority_and_stored():
    sent = full_statement()
    kept = prepared(sent)
    assert kept["authority"] == AUTHORITY
    assert "stored" not in kept
    for name in ("id", "timestamp", "version", "actor", "verb", "object", "result", "attachments"):
        assert kept[name] == sent[name]


def test_parts_keep_their_order():
    assert list(prepared({"object": ACTIVITY, "verb": {"id": IRI}, "actor": AGENT}))[:3] == ["object", "verb", "actor"]


def test_a_single_context_activity_becomes_a_list_here_and_in_a_substatement():
    context = {"platform": "LMS", "contextActivities": {"parent": ACTIVITY, "other": [ACTIVITY]}}
    lists = {"platform": "LMS", "contextActivities": {"parent": [ACTIVITY], "other": [ACTIVITY]}}
    assert prepared(plain(context=context))["context"] == lists
    assert prepared(plain(object=substatement(context=context)))["object"]["context"] == lists


@given(statements)
def test_a_prepared_statement_is_valid_and_the_one_sent_is_not_touched(statement):
    before = copy.deepcopy(statement)
    check(prepared(statement, "2.0.0"), "2.0.0")
    assert statement == before


@given(statements)
def test_preparing_twice_is_preparing_once(statement):
    assert prepared(prepared(statement)) == prepared(statement)


def test_stored_is_put_in_place():
    statement = prepared(plain())
    assert with_stored(statement, NOW) is statement
    assert statement["stored"] == NOW
