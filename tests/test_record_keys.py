"""Marks: whoever looks for them before asking finds the same keys as whoever asks every materializer."""

from dataclasses import replace
from pathlib import Path

import pytest

from lrs.materialize import RecordKeys, record_keys
from lrs.plugins import load_materializers
from lrs.samples import sample
from lrs.store.records import text_of
from lrs.xapi.json_text import dump, parse

FIXTURES = Path(__file__).parents[1] / "fixtures"
INSTALLED = tuple(load_materializers().values())
ELSEWHERE = {
    "id": "f0000000-0000-4000-8000-000000000001", "timestamp": "2026-03-03T10:00:00Z",
    "actor": {"account": {"homePage": "https://school.example.org", "name": "6a46c2bfc934416cb5540270fc440412"}},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
    "object": {"id": "https://lrs.example.org/xapi/activities/kolibri/content/fffc15107b8b4e8db94d409de2746289"},
}


def statements_in(value):
    """All statements anywhere in a golden case."""
    if isinstance(value, dict):
        if {"id", "actor", "verb", "object", "timestamp"} <= value.keys():
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from statements_in(each)


GOLDEN = [
    *(each for path in sorted(FIXTURES.rglob("*.json")) for each in statements_in(parse(path.read_bytes()))),
    ELSEWHERE, *map(sample, range(20)),
]


def test_a_mark_spares_questions_and_loses_no_key():
    asked = RecordKeys(INSTALLED)
    keyed = {each.partition(":")[0] for statement in GOLDEN for each in asked.of(statement, text_of(statement))}
    # Golden cases of those two are traces of calls; they are known by the same extension as the others of Kolibri.
    missing = {each.label for each in INSTALLED} - keyed
    assert missing <= {"kolibri.quiz@1", "kolibri.repeat@1"}, "these statements have no key of some materializer"
    for statement in GOLDEN:
        assert asked.of(statement, text_of(statement)) == record_keys(INSTALLED, statement)


@pytest.mark.parametrize("materializer", [each for each in INSTALLED if each.marks], ids=lambda each: each.name)
def test_without_its_marks_no_statement_has_a_key(materializer):
    for statement in GOLDEN:
        text = dump(statement).decode()
        for mark in materializer.marks:
            text = text.replace(mark, "x" * len(mark))
        assert list(materializer.keys(parse(text))) == []


def test_who_has_marks_is_not_asked_about_what_has_none_of_them():
    def refuse(statement):
        raise AssertionError("asked in vain")

    marked = replace(INSTALLED[0], keys=refuse, marks=("/here", "/there"))
    assert RecordKeys([marked]).of(sample(1), text_of(sample(1))) == []
    present = replace(marked, keys=lambda statement: ["key"])
    found = sample(1) | {"result": {"response": "over/there"}}
    assert RecordKeys([present]).of(found, text_of(found)) == [present.record_key("key")]


def test_a_mark_is_found_beside_numbers_that_only_text_keeps():
    statement = parse('{"object": {"id": "https://x.example/here"}, "result": {"score": {"raw": 0.10000000000000000001}}}')
    text = text_of(statement)
    assert isinstance(text, bytes)
    marked = replace(INSTALLED[0], keys=lambda each: ["key"], marks=("/here",))
    assert RecordKeys([marked]).of(statement, text) == [marked.record_key("key")]
