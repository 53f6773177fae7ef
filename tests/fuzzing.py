"""Input that nobody should send: mutated statements, JSON text, multipart bodies, parameters and headers; and how long to go on with it.

`LRS_FUZZ_SECONDS` is the long mode: so many seconds for each law, with other cases every time.
"""

import copy
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from statement_parts import full_statement

LONG_S = float(os.environ.get("LRS_FUZZ_SECONDS", "0"))
CASES: Counter[str] = Counter()


@dataclass(frozen=True)
class Sent:
    """A request to be."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = field(default=b"", repr=True)


@dataclass(frozen=True)
class Text:
    """JSON text to be put into a body as it is."""

    text: bytes


@dataclass(frozen=True)
class Twice:
    """An object as pairs, so that a key can be given twice."""

    pairs: tuple[tuple[str, Any], ...]


def hunt(law: Callable[[Any], None], inputs: st.SearchStrategy[Any], *, examples: int) -> None:
    """Try the law on generated inputs: the same few in every short run, ever new ones for `LONG_S` in a long one."""
    def counted(one: Any) -> None:
        CASES[law.__name__] += 1
        law(one)

    check = settings(
        max_examples=examples if not LONG_S else 2_000, deadline=None, database=None, derandomize=not LONG_S,
        suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink),
    )(given(inputs)(counted))
    until = time.monotonic() + LONG_S
    check()
    while time.monotonic() < until:
        check()


def as_text(value: Any) -> bytes:
    """A value as JSON text; Text and Twice as they say, lone surrogates as their bytes."""
    if isinstance(value, Text):
        return value.text
    if isinstance(value, Twice | dict):
        pairs = value.pairs if isinstance(value, Twice) else value.items()
        return b"{" + b",".join(as_text(name) + b":" + as_text(each) for name, each in pairs) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(as_text(each) for each in value) + b"]"
    if isinstance(value, str):
        return b'"' + b"".join(_letter(each) for each in value) + b'"'
    return {True: b"true", False: b"false", None: b"null"}[value] if value is None or isinstance(value, bool) else repr(value).encode()


def _letter(letter: str) -> bytes:
    if letter in '"\\':
        return b"\\" + letter.encode()
    return b"\\u%04x" % ord(letter) if ord(letter) < 0x20 else letter.encode(errors="surrogatepass")


ODD_TEXTS = (
    b"NaN", b"-Infinity", b"1e999", b"-0", b"1E400", b"1e-400", b"123456789012345678901234567890", b"1" * 5_000, b"0." + b"1" * 400,
    b"1e99999999999", b"01", b"+1", b".5", b"1.", b"tru", b"", b"'a'", b'"\\ud800"', b'"\\udc00\\ud800"', b'"\xed\xa0\x80"',
    b'"\xff"', b'"\\u0000"',
    b'"\\x"', b'"\n"', b"[" * 63 + b"]" * 63, b"[" * 70 + b"]" * 70, b"[" * 100_000, b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
    b'{"a":1,"a":2}',
    b'{"a":1,"\\u0061":2}', b"//", b"\xef\xbb\xbf1", b"1 1", b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616",
)
ODD_STRINGS = (
    "", " ", "\x00", "x" * 70_000, "\ufeff", "a\u2028b", "mailto:", "mailto:a", "mailto:a@b", "http://", "http://[", "a:b", "urn:x",
    "1e5", "$", "a.b", "$where", "__proto__",
    "12345678-1234-5678-1234-567812345678", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59-14:00", "0000-01-01T00:00:00Z",
    "2026-03-02T09:14:07.250+99:99",
    "P", "PT", "P1Y2M3DT4H5M6S", "P" + "9" * 400 + "Y", "en-", "i-klingon", "Agent", "Group", "Activity", "SubStatement",
    "StatementRef", "Person",
    "http://adlnet.gov/expapi/verbs/voided", "1.0", "2.0.0", "choice", "matching", "https://school.example.org/" + "y" * 3_000, "😀" * 300,
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(ODD_STRINGS),
    st.text(max_size=8),
)
values = st.recursive(scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ODD_STRINGS) | st.text(max_size=5), inner,
    max_size=3), max_leaves=8)
junk = values | st.sampled_from(ODD_TEXTS).map(Text)
names = st.sampled_from(ODD_STRINGS[:-1]) | st.sampled_from(("objectType", "id", "actor", "member", "mbox", "extensions", "object",
    "definition", "voided"))


def places_of(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every part of a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inside:
        yield (*way, name)
        yield from places_of(part, (*way, name))


@st.composite
def mutated(draw: st.DrawFn, value: Any, most: int = 3) -> Any:
    """The value with a few things wrong with it, at any places."""
    changed = copy.deepcopy(value)
    for _ in range(draw(st.integers(0, most))):
        places = list(places_of(changed))
        if not places:
            return draw(junk)
        *way, last = draw(st.sampled_from(places))
        holder = changed
        for step in way:
            holder = holder[step]
        _change(draw, holder, last)
    return changed


def _change(draw: st.DrawFn, holder: Any, last: Any) -> None:
    match draw(st.sampled_from(("junk", "junk", "remove", "rename", "twice", "inside", "wrap"))):
        case "remove":
            del holder[last]
        case "rename" if isinstance(holder, dict):
            holder[draw(names)] = holder.pop(last)
        case "twice" if isinstance(holder[last], dict):
            pairs = tuple(holder[last].items())
            holder[last] = Twice(pairs + (pairs[:1] or (("a", 1), ("a", 2))))
        case "inside" if isinstance(holder[last], dict):
            holder[last][draw(names)] = draw(junk)
        case "wrap":
            holder[last] = draw(st.sampled_from(([holder[last]], {"a": holder[last]}, [], {})))
        case _:
            holder[last] = draw(junk)


@st.composite
def scrambled(draw: st.DrawFn, texts: st.SearchStrategy[bytes]) -> bytes:
    """A text with bytes missing, doubled or replaced."""
    text = draw(texts)
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 6)))
        put = draw(st.binary(max_size=4) | st.sampled_from((*ODD_TEXTS, text[start:end] * 2, b"{", b"}", b'"', b",", b"\x00", b"\r\n")))
        text = text[:start] + put + text[end:]
    return text


def a_full_statement(with_attachments: bool = False) -> dict[str, Any]:
    """A valid statement that can be posted any number of times."""
    statement = full_statement()
    del statement["id"]
    if not with_attachments:
        del statement["attachments"]
    return statement


def escaped(draw: st.DrawFn, text: str) -> str:
    """Text for a query: mostly quoted as it should be, sometimes not."""
    return draw(st.sampled_from((quote(text, safe="", errors="surrogatepass"), quote(text, safe="&=?#%+/:,;", errors="surrogatepass"))))
