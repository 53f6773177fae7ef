"""JSON text to values and back, giving back exactly what was taken. RFC 8259.

orjson does the work. It forgives three things that we must not: a key given twice, numbers that lose digits in a double
or an int64, and depth. What it writes again is what was sent, white space apart, for most bodies: then nothing was
lost. For the others there are tests that are quick and never wrong in the dangerous direction; what fails them is read
again by the standard library, slowly and with care.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Self

import orjson

from lrs.errors import InvalidBody

MAX_DEPTH = 64
SPACE = b" \t\r\n"
INT64 = range(-(2**63), 2**63)
# Digits and points become "0", so that a run of 16 is one search; 15 significant digits survive a double
# (DBL_DIG).
DIGITS = bytes.maketrans(b"123456789.E", b"0000000000e")
LONG_NUMBER = b"0" * 16
# Below 1e-307 doubles lose digits one by one. Above 1e308 orjson refuses by itself.
TINY_NUMBER = b"0e-000"
NUMBER_BYTES = frozenset(b"0123456789.eE+-")
BEFORE_NUMBER = frozenset(b"[:,")
CONTAINERS = (dict, list)
HIDING_ESCAPES = (b"\\u0020", b"\\u0022", b"\\u003a", b"\\u003A")  # space, quote, colon
# How a line begins that stands within MAX_DEPTH levels, in JSON written with an indent of two.
DEEP_LINE = b"\n" + b"  " * MAX_DEPTH
TOO_DEEP = f"must not be nested deeper than {MAX_DEPTH} levels"
# An exponent of more digits helps nobody, and exact arithmetic with it is a way to stop a server.
MAX_EXPONENT_DIGITS = 9


class Verbatim(float):
    """A number that no double and no int64 holds exactly: as a float the nearest double, `text` is what came."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]
        return (self.text,)

    def __repr__(self) -> str:
        return self.text


def parse(body: bytes | str) -> Any:
    """The value of a JSON text. Numbers are int or float, or Verbatim where these would lose digits.

    Raises InvalidBody for what is not JSON in UTF-8 (NaN and lone surrogates too), a key given twice in one object,
    nesting deeper than 64 levels.
    """
    try:
        body = body.encode() if isinstance(body, str) else body
    except UnicodeEncodeError:
        raise InvalidBody("must not have lone surrogates") from None
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # Among other things orjson refuses numbers beyond a double, which are JSON: the careful reader decides.
        return _parse_carefully(body, str(error))
    sent, kept = body, _written(value)
    if sent != kept:
        sent, kept = sent.translate(None, SPACE), kept.translate(None, SPACE)
    # No text can be nested deeper than it has opening brackets, nor than it is indented when it is written in lines.
    if sent.count(b"{") + sent.count(b"[") > MAX_DEPTH and DEEP_LINE in orjson.dumps(value, option=orjson.OPT_INDENT_2):
        _check_depth(value)
    if (sent == kept or _every_key_counts(sent, kept)) and _numbers_fit(sent):
        return value
    return _parse_carefully(body, "is not JSON")


def dump(value: Any) -> bytes:
    """A value as compact JSON in UTF-8, keys in their order, Verbatim numbers as they came."""
    return orjson.dumps(value, default=_fragment)


def indented(value: Any) -> str:
    """The same for people to read: in lines, with an indent of two."""
    return orjson.dumps(value, default=_fragment, option=orjson.OPT_INDENT_2).decode()


def again(text: bytes | str) -> Any:
    """The value of JSON that `dump` wrote, Verbatim numbers too. What was taken may stand deeper in it than could be taken.

    ValueError if it is not JSON.
    """
    return json.loads(text, parse_int=_number, parse_float=_number)


def is_plain(value: Any) -> bool:
    """Whether a value has no Verbatim number and no NUL, and so comes back from BSON as it went in."""
    try:
        return b"\\u0000" not in orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False


def _fragment(value: Any) -> orjson.Fragment:
    if isinstance(value, Verbatim):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _every_key_counts(sent: bytes, kept: bytes) -> bool:
    """False if a key may have been given twice; True only if none was. Both texts are without white space.

    A quote followed by a colon ends a key, or stands inside or at the start of a text, where it comes back as often as
    it went in. So if both have as many, no key was dropped; unless a quote, colon or space was escaped by number, which
    could hide one.
    """
    if sent.count(b'":') != kept.count(b'":'):
        return False
    return b"\\u00" not in sent or not any(escape in sent for escape in HIDING_ESCAPES)


def _numbers_fit(sent: bytes) -> bool:
    """Whether every number of a text without white space keeps its value as int64 or double.

    It may take a piece of text for a number, never the reverse.
    """
    shape = sent.translate(DIGITS)
    return all(
        _fits(token)
        for mark in (LONG_NUMBER, TINY_NUMBER)
        if mark in shape
        for token in _tokens_with(mark, sent, shape)
    )


def _tokens_with(mark: bytes, sent: bytes, shape: bytes) -> Iterator[str]:
    """What has `mark` in its shape and stands where a number may stand. A comma may also be inside a text."""
    at = shape.find(mark)
    while at >= 0:
        start, end = at, at + len(mark)
        while start and sent[start - 1] in NUMBER_BYTES:
            start -= 1
        while end < len(sent) and sent[end] in NUMBER_BYTES:
            end += 1
        if not start or sent[start - 1] in BEFORE_NUMBER:
            yield sent[start:end].decode()
        at = shape.find(mark, end)


def _fits(text: str) -> bool:
    if text.lstrip("-").isdecimal():
        return len(text) < 19 or (len(text) <= 20 and int(text) in INT64)
    try:
        number = float(text)
    except ValueError:  # part of a text, such as a version: no number at all
        return True
    if number in (float("inf"), float("-inf")) or _exponent_digits(text) > MAX_EXPONENT_DIGITS:
        return False
    return Decimal(text) == Decimal(repr(number))


def _exponent_digits(text: str) -> int:
    return len(text.lower().partition("e")[2].lstrip("+-").lstrip("0"))


def _parse_carefully(body: bytes, broken: str) -> Any:
    """The same as `parse`, for texts that need it. `broken` is the rule named where json alone is too lenient."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise InvalidBody("must be UTF-8") from None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_each_key_once,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise InvalidBody(f"is not JSON: {error}") from None
    except RecursionError:
        raise InvalidBody(TOO_DEEP) from None
    _check_depth(value)
    try:
        dump(value)
    except orjson.JSONEncodeError:  # a lone surrogate, which only orjson refuses
        raise InvalidBody(f"is not JSON: {broken}") from None
    return value


def _written(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # it has a limit of its own, 254 levels
        raise InvalidBody(TOO_DEEP) from None


def _check_depth(value: Any) -> None:
    """Level by level, without recursion."""
    level = [value] if isinstance(value, CONTAINERS) else []
    for _ in range(MAX_DEPTH):
        level = [
            part
            for each in level
            for part in (each.values() if isinstance(each, dict) else each)
            if isinstance(part, CONTAINERS)
        ]
        if not level:
            return
    raise InvalidBody(TOO_DEEP)


def _number(text: str) -> int | float:
    if _exponent_digits(text) > MAX_EXPONENT_DIGITS:
        raise InvalidBody(f"must not have numbers with exponents of more than {MAX_EXPONENT_DIGITS} digits")
    if not _fits(text):
        return Verbatim(text)
    return int(text) if text.lstrip("-").isdecimal() else float(text)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise InvalidBody(f"must not have the key {twice!r} twice in one object")
    return value


def _refuse_constant(text: str) -> Any:
    raise InvalidBody(f"must not have {text}, which is no JSON number")
