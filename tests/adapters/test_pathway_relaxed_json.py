"""JSON as people write it: what strict JSON parses is the same here, and nothing else is forgiven than what is meant to be."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.pathway.relaxed_json import LONGEST, parse_relaxed
from lrs.errors import InvalidBody
from lrs.xapi.json_text import dump, parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20,
)
PIECES = st.lists(st.sampled_from([
    "{", "}", "[", "]", ",", ":", "'", '"', "\\", "\\u0041", "\\ud83d", "\\ude00", "a", "$x", "null", "true", "1", "-", ".5", "e3", "...",
    " ", "\n", "\t", "\x00", "é", "/", "/*", "//",
]), max_size=25).map("".join)


@given(VALUES, st.sampled_from([None, 0, 2]), st.booleans())
def test_whatever_strict_json_parses_has_the_same_value(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert dump(parse_relaxed(text)) == dump(parse(text))


@given(PIECES | st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_is_a_value_or_an_error_and_strict_json_is_never_read_otherwise(text):
    try:
        relaxed = parse_relaxed(text)
    except InvalidBody as error:
        assert error.rule
        with pytest.raises(InvalidBody):
            parse(text)
        return
    try:
        strict = parse(text)
    except InvalidBody:
        return
    assert dump(relaxed) == dump(strict)


@given(VALUES.filter(lambda value: isinstance(value, dict | list) and value))
@settings(max_examples=50)
def test_a_comma_after_the_last_item_changes_nothing(value):
    text = json.dumps(value)
    assert dump(parse_relaxed(text[:-1] + "," + text[-1])) == dump(parse(text))


@pytest.mark.parametrize(("text", "value"), [
    ('{ pathway : "A" }', {"pathway": "A"}),
    ("{pathway:'A',users:['it\\'s me','say \"so\"',],}", {"pathway": "A", "users": ["it's me", 'say "so"']}),
    ("{$a_1:{_b:null}}", {"$a_1": {"_b": None}}),
    ('{"a":1,b:-0.5e2}', {"a": 1, "b": -50.0}),
    ("'\\u00e9\\ud83d\\ude00\\n'", "é😀\n"),
    ("{null:1,true:2}", {"null": 1, "true": 2}),
])
def test_what_people_write_is_understood(text, value):
    assert parse_relaxed(text) == value


@pytest.mark.parametrize("text", [
    "", " ", "{pathway:A}", '{"a":1 "b":2}', '{"types":["D",...]}', '{"users":["a",...etc]}', '{"users":["a",..etc]}', "[,]", "{,}",
    "[1,,2]",
    "{a:1,a:2}", "{a-b:1}", "{1:2}", "[1]x", "'a", '"a\nb"', "'\\x41'", "'\\ud83d'", "undefined", "NaN", "-Infinity", "01", "1.", ".5",
    "+1", "// a comment", "{a:1}/**/", "`a`", "{a=1}", "True", "[" * 65, "{a:" * 65,
])
def test_everything_else_is_refused(text):
    with pytest.raises(InvalidBody):
        parse_relaxed(text)


def test_nesting_is_bounded_as_it_is_in_strict_json():
    assert parse_relaxed("[" * 64 + "]" * 64) == parse("[" * 64 + "]" * 64)
    with pytest.raises(InvalidBody, match="64 levels"):
        parse_relaxed("[" * 100_000)


def test_a_text_that_is_too_long_is_refused_before_it_is_read():
    with pytest.raises(InvalidBody, match="at most"):
        parse_relaxed("[" + "1," * LONGEST + "]")


@pytest.mark.parametrize("piece", ["'a',", "{a:'\\u0041'},", '"\\\\",', "1e5,", "     1,", "'" + "\\'" * 5 + "',", "{'a':[", "'"])
def test_the_longest_text_comes_to_an_end_as_the_work_only_grows_with_it(piece):
    with pytest.raises(InvalidBody):
        parse_relaxed(("[" + piece * LONGEST)[:LONGEST])
