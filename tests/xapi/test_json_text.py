"""JSON text to values and back, losing nothing."""

import copy
import json
import pickle
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lrs.errors import InvalidBody
from lrs.xapi.json_text import Verbatim, dump, is_plain, parse

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(['":', '" :', "\\", '\\":', ":", "1e-400", ",1e-400"])
DIGITS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?\Z")


class Number:
    """A number as it is written, for `written` to put into a text."""

    def __init__(self, text):
        self.text = text


VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS | DIGITS.map(Number),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12,
)


def written(value, space, draw):
    """A value as JSON text, with white space and escapes as hypothesis likes them."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        entries = [f"{written(name, space, draw)}{space}:{space}{written(part, space, draw)}" for name, part in value.items()]
        return f"{{{space}{f'{space},'.join(entries)}{space}}}"
    if isinstance(value, list):
        return f"[{f'{space},{space}'.join(written(part, space, draw) for part in value)}]"
    if isinstance(value, str) and draw(st.booleans()):
        return '"' + "".join(f"\\u{ord(one):04x}" if ord(one) < 0x10000 else one for one in value) + '"'
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


def exact(text):
    """A JSON text as values that compare by number value and by every key given."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal, object_pairs_hook=lambda pairs: ("object", tuple(pairs)))


@given(st.data(), VALUES, st.sampled_from(["", " ", "\n\t", "\r\n  "]))
def test_what_is_parsed_is_given_back_with_every_number_key_and_character(data, value, space):
    text = written(value, space, data.draw)
    assert exact(dump(parse(text))) == exact(text)


@given(DIGITS)
@example("1e-400")
@example("4.9e-324")
@example("2.2250738585072011e-308")
@example("9223372036854775808")
@example("18446744073709551615")
@example("-9223372036854775809")
@example("0.1000000000000000055511151231257827")
@example("123456789012345e-320")
@example("0.0000000000001e-300")
def test_every_number_keeps_its_value(text):
    assert Decimal(dump(parse(text)).decode()) == Decimal(text)
    assert Decimal(dump(parse(f'{{"a":[{text}]}}'))[6:-2].decode()) == Decimal(text)


@given(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False))
def test_what_int64_and_double_hold_stays_an_int_or_a_float(number):
    assert type(parse(json.dumps(number))) is type(number)
    assert is_plain([parse(json.dumps(number))])


@given(st.data(), TEXTS, VALUES, VALUES, st.sampled_from(["", " ", "\n"]))
def test_a_key_given_twice_is_always_refused(data, name, first, second, space):
    write = lambda value: written(value, space, data.draw)  # noqa: E731
    text = f'[{{{write(name)}{space}:{write(first)},{space}"x{name.isalnum()}":1,{write(name)}:{space}{write(second)}}}]'
    with pytest.raises(InvalidBody, match="twice in one object"):
        parse(text)


@given(st.binary(max_size=40))
def test_bytes_give_a_value_or_a_refusal_and_nothing_else(body):
    try:
        parse(body)
    except InvalidBody:
        pass


@pytest.mark.parametrize("body", [
    b"", b" ", b"{", b"[1,]", b"{'a':1}", b"NaN", b"[Infinity]", b"-Infinity", b"01", b"+1", b"1.", b".5", b"tru", b"[1] 2", b'"\t"',
    b"\xff", b'"\xc3"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf{}", b"// no\n1", b'{"a"}', b'{1:2}',
])
def test_what_is_not_json_is_refused(body):
    with pytest.raises(InvalidBody):
        parse(body)


@pytest.mark.parametrize("body", [b'"\\ud800"', b'"\\udc00\\ud800"', b'{"\\ud800":1}', b'[1e400,"\\ud800"]', '"\ud800"'])
def test_a_lone_surrogate_is_refused(body):
    with pytest.raises(InvalidBody):
        parse(body)


def test_a_pair_of_surrogates_is_one_character():
    assert parse(rb'"\ud83d\ude00"') == "😀"


@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")])
def test_64_levels_are_taken_and_65_are_not(left, right):
    parse(left * 64 + "1" + right * 64)
    with pytest.raises(InvalidBody, match="nested deeper than 64"):
        parse(left * 65 + "1" + right * 65)


@pytest.mark.parametrize("levels", [250, 260, 1000, 1100, 100_000])
@pytest.mark.parametrize("number", ["1", "1e400"])
def test_no_depth_breaks_the_parser(levels, number):
    with pytest.raises(InvalidBody):
        parse("[" * levels + number + "]" * levels)
    with pytest.raises(InvalidBody):
        parse('{"a":' * levels + number)


def test_many_brackets_side_by_side_are_not_deep():
    assert len(parse("[" + ",".join(["[{}]"] * 500) + "]")) == 500


def test_brackets_in_texts_are_not_deep():
    assert parse('["' + "[" * 500 + '"]') == ["[" * 500]


def test_an_exponent_beyond_all_reason_is_refused():
    with pytest.raises(InvalidBody, match="exponents"):
        parse("1e99999999999")


def test_a_number_of_many_digits_is_kept():
    assert dump(parse("9" * 5000)) == b"9" * 5000


def test_a_verbatim_number_survives_copying_and_pickling():
    number = Verbatim("1e400")
    assert copy.deepcopy([number])[0].text == pickle.loads(pickle.dumps(number)).text == "1e400"


def test_a_verbatim_number_or_nul_is_not_plain():
    assert not is_plain(parse('{"a":[1e400]}'))
    assert not is_plain(parse(r'{"a\u0000b":1}'))
    assert is_plain(parse('{"a":[1,2.5,"x",null,true]}'))


def test_keys_keep_their_order():
    assert dump(parse('{"z":1,"a":{"y":2,"b":3}}')) == b'{"z":1,"a":{"y":2,"b":3}}'


def test_an_empty_key_and_keys_that_differ_in_case_or_space_are_keys():
    assert parse('{"":1," ":2,"a":3,"A":4,"a ":5}') == {"": 1, " ": 2, "a": 3, "A": 4, "a ": 5}


def test_a_long_list_of_versions_in_a_text_is_no_number():
    text = '"1.2.3.4.5.6.7.8.9.10.11,1.22.33.44.55.66.77.88"'
    assert parse(text) == json.loads(text)


def test_dump_refuses_what_is_not_json():
    with pytest.raises(TypeError):
        dump({1, 2})
