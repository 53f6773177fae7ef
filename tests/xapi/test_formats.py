"""The three forms statements are returned in."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statement_parts import ACCOUNT, ACTIVITY, AGENT, GROUP, IRI, REFERENCE, full_statement, statements, substatement, with_part

from lrs.xapi.compare import same_statement
from lrs.xapi.formats import accepted_languages, formatted, one_language
from lrs.xapi.lookups import look_ups
from lrs.xapi.prepare import prepare
from lrs.xapi.schema import check

FORMATS = ("exact", "ids", "canonical")


def stored(statement):
    """A statement as the store holds it."""
    return prepare(
        statement, authority={**AGENT, "name": "Key"}, version="2.0.0", statement_id=statement["id"], received="2026-11-22T06:09:42Z"
    )


def test_exact_is_what_is_stored():
    statement = stored(full_statement())
    assert formatted(statement, "exact") is statement


@given(statements, st.sampled_from(FORMATS))
def test_every_format_gives_a_valid_statement_that_is_found_in_the_same_ways(statement, form):
    statement = stored(statement)
    before = copy.deepcopy(statement)
    given_back = formatted(statement, form, ["de"])
    check(given_back, "2.0.0")
    if form != "ids" or "member" not in str(statement):  # an identified group loses its members, which are details of it
        assert look_ups(given_back) == look_ups(statement)
    assert statement == before


@given(statements)
def test_canonical_is_the_same_statement(statement):
    assert same_statement(formatted(stored(statement), "canonical", ["en"]), statement)


def test_ids_leaves_only_what_identifies():
    short = formatted(stored(full_statement()), "ids")
    assert short["actor"] == {"objectType": "Agent", "mbox": AGENT["mbox"]}
    assert short["verb"] == {"id": f"{IRI}/verbs/answered"}
    assert short["object"] == {"id": ACTIVITY["id"]}
    assert short["authority"] == {"objectType": "Agent", "mbox": AGENT["mbox"]}
    assert short["context"]["team"] == {
        "objectType": "Group", "member": [{"objectType": "Agent", "mbox": AGENT["mbox"]}, {"account": ACCOUNT}],
    }
    assert short["result"] == full_statement()["result"]


def test_ids_leaves_an_identified_group_without_members():
    short = formatted(stored(with_part("actor", {**GROUP, "openid": IRI})), "ids")
    assert short["actor"] == {"objectType": "Group", "openid": IRI}


def test_ids_reaches_into_a_substatement_and_leaves_a_reference():
    inner = substatement(verb={"id": IRI, "display": {"en": "x"}}, object=AGENT)
    assert formatted(stored(with_part("object", inner)), "ids")["object"] == {
        "objectType": "SubStatement", "actor": {"objectType": "Agent", "mbox": AGENT["mbox"]}, "verb": {"id": IRI},
        "object": {"objectType": "Agent", "mbox": AGENT["mbox"]},
    }
    assert formatted(stored(with_part("object", REFERENCE)), "ids")["object"] == REFERENCE


def test_canonical_keeps_one_language_in_every_map():
    one = formatted(stored(full_statement()), "canonical", ["de", "zh"])
    assert one["verb"]["display"] == {"zh-Hant-TW": "回答"}
    assert one["object"]["definition"]["description"] == {"de": "Addieren"}
    assert one["object"]["definition"]["name"] == {"en": "Sums"}
    assert one["actor"] == AGENT


def test_canonical_takes_the_definition_the_store_holds():
    definitions = {f"{IRI}/sums": {"name": {"en": "Canon", "de": "Kanon"}}}
    one = formatted(stored(full_statement()), "canonical", ["de"], definitions)
    assert one["object"]["definition"] == {"name": {"de": "Kanon"}}
    assert one["context"]["contextActivities"]["parent"][0]["definition"] == {"name": {"de": "Kanon"}}
    assert "definition" not in one["context"]["contextActivities"]["grouping"][0]


@pytest.mark.parametrize(("languages", "tag"), [
    ([], "en-US"), (["fr"], "en-US"), (["de"], "de"), (["EN"], "en-US"), (["en-GB", "de"], "de"), (["en-GB"], "en-US"),
    (["en-gb-x-a"], "en-US"),
    (["*"], "en-US"), (["fr", "de"], "de"), (["e"], "en-US"), (["pt"], "pt-BR"), (["pt-PT"], "pt-BR"),
])
def test_the_best_language_of_a_map_is_chosen(languages, tag):
    texts = {"en-US": "colour", "de": "Farbe", "pt-BR": "cor"}
    assert one_language(texts, languages) == {tag: texts[tag]}


def test_a_map_of_one_or_none_is_kept():
    assert one_language({}, ["de"]) == {}
    assert one_language({"en": "x"}, ["de"]) == {"en": "x"}


@pytest.mark.parametrize(("header", "languages"), [
    ("", []), ("de", ["de"]), ("da, en-gb;q=0.8, en;q=0.7", ["da", "en-gb", "en"]), ("en;q=0.5,de", ["de", "en"]),
    ("de;q=0,en", ["en"]), ("*;q=0.1, fr", ["fr", "*"]), ("de;q=x,en", ["en"]), (" , ;q=1, en ; q=0.5", ["en"]),
])
def test_the_header_is_read_best_first(header, languages):
    assert accepted_languages(header) == languages
