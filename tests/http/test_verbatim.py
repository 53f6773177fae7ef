"""What comes back equals what was sent, as JSON: number values, key order, Unicode, emptiness; or it was refused with 400.

Sent as text and compared by a reader of the standard library's that keeps pairs and decimal numbers, so that nothing of ours is
the judge of itself. On a real server over a real MongoDB.
"""

import json
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from served import CREDENTIAL, Served, basic, serving

HEADERS = [("Authorization", basic(CREDENTIAL)), ("X-Experience-API-Version", "1.0.3"), ("Content-Type", "application/json")]
IRI = "https://school.example.org/ext"
AGENT = quote('{"mbox":"mailto:ada@school.example.org"}')
LAW = settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
# Levels of a statement above its extensions, and below them what is surely taken; the limit is 64 in all.
SURELY_TAKEN, DEEPEST = 58, 64


@pytest.fixture(scope="module")
def served(mongo_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(mongo_url, redis_url, tmp_path_factory.mktemp("verbatim") / "serve.log") as served:
        yield served


digits = st.text("0123456789", min_size=1, max_size=25)
whole = st.one_of(st.just("0"),
    st.builds(lambda first, rest: first + rest, st.sampled_from("123456789"), st.text("0123456789", max_size=24)))
numbers = st.builds(
    lambda sign, number, fraction, exponent: sign + number + fraction + exponent,
    st.sampled_from(("", "-")), whole, st.just("") | digits.map(".{}".format),
    st.just("") | st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(("", "+", "-")), st.integers(0, 500)),
)
odd_numbers = st.sampled_from((
    "-0", "-0.0", "0e9", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e400", "-1e-400",
    "0.1", "0.10000000000000000555", "1E2", "100", "1.0", "5e-324", "1.7976931348623157e308", "123456789012345678901234567890.5",
))
odd_names = st.sampled_from(("", ".", "a.b", "$", "$set", "$ref", "_id", "a\x00b", "\x00", "__proto__", " ", "0", "é", "e\u0301", "😀",
    "\u2028", "\ufeff"))
characters = st.characters(exclude_categories=("Cs",))
names = odd_names | st.text(characters, max_size=6)
texts = (names | st.text(characters, max_size=30)).map(json.dumps)
# Values as JSON text.
leaves = st.one_of(numbers, odd_numbers, texts, st.sampled_from(("true", "false", "null", "{}", "[]", '""')),
    names.map(lambda text: json.dumps(text, ensure_ascii=False)))


def an_object(pairs: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in pairs) + "}"


def an_array(items: list[str]) -> str:
    return f"[{','.join(items)}]"


def objects_of(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(names, inner), max_size=5, unique_by=lambda pair: pair[0]).map(an_object)


nested = st.recursive(leaves, lambda inner: objects_of(inner) | st.lists(inner, max_size=5).map(an_array), max_leaves=20)
deep = st.builds(lambda levels, inside, way: way[0] * levels + inside + way[1] * levels, st.integers(40, 70), leaves,
    st.sampled_from((("[", "]"), ('{"a":', "}"))))
values = nested | deep
objects = objects_of(values)


def read(text: str | bytes) -> Any:
    """A value that is equal to another only if key order and number values are: pairs for objects, Decimal for numbers."""
    return json.loads(text, object_pairs_hook=lambda pairs: ("object", pairs), parse_int=Decimal, parse_float=Decimal)


def depth_of(value: Any) -> int:
    if isinstance(value, tuple):
        return 1 + max((depth_of(each) for _, each in value[1]), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def part(value: Any, *way: str) -> Any:
    """What is at a way of keys."""
    for step in way:
        value = dict(value[1])[step]
    return value


def posted(served: Served, statement: str) -> int:
    answer = served.ask("POST", "/xapi/statements", HEADERS, statement.encode())
    assert answer is not None
    if answer.status != 200:
        assert answer.json["error"] in ("invalid_body", "invalid_statements")
    return answer.status


def got(served: Served, target: str) -> Any:
    answer = served.ask("GET", target, HEADERS)
    assert answer is not None and answer.status == 200
    return answer.body


def a_statement(statement_id: str, extensions: str) -> str:
    return (
        f'{{"id":"{statement_id}","actor":{{"mbox":"mailto:ada@school.example.org"}},'
        '"verb":{"id":"http://adlnet.gov/expapi/verbs/experienced"},'
        f'"object":{{"id":"https://school.example.org/x","definition":{{"extensions":{extensions}}}}},'
        f'"context":{{"extensions":{extensions}}},"result":{{"response":"","extensions":{extensions}}}}}'
    )


@LAW
@given(first=values, second=values)
@example(first="1.0", second="1e400")
@example(first='"\\u0000"', second='{"a\\u0000":1}')
@example(first="[" * 70 + "]" * 70, second="1")
def test_extensions_come_back_as_they_were_sent_or_are_refused(served: Served, first: str, second: str) -> None:
    extensions = f'{{"{IRI}/b.c":{first},"{IRI}/a":{second}}}'
    statement_id = str(uuid.uuid4())
    status = posted(served, a_statement(statement_id, extensions))
    depth = depth_of(read(extensions))
    if status == 400:
        assert depth > SURELY_TAKEN
        assert served.call("GET", f"/xapi/statements?statementId={statement_id}", X_Experience_API_Version="1.0.3").status == 404
        return
    assert status == 200 and depth <= DEEPEST
    alone = read(got(served, f"/xapi/statements?statementId={statement_id}"))
    (newest,) = part(read(got(served, "/xapi/statements?limit=1")), "statements")
    for found in (alone, newest):
        for way in (("object", "definition"), ("context",), ("result",)):
            assert part(found, *way, "extensions") == read(extensions)


STATE = f"/xapi/activities/state?activityId=https%3A%2F%2Fschool.example.org%2Fx&agent={AGENT}&stateId="


@LAW
@given(document=values)
@example(document='{"a":1, "b" : 2.50}')
@example(document="1E400")
def test_a_document_comes_back_byte_for_byte_or_is_refused(served: Served, document: str) -> None:
    target = STATE + str(uuid.uuid4())
    answer = served.ask("PUT", target, HEADERS, document.encode())
    assert answer is not None
    if answer.status == 400:
        assert depth_of(read(document)) > SURELY_TAKEN
        return
    assert answer.status == 204
    assert got(served, target) == document.encode()


@settings(LAW, max_examples=150)
@given(before=objects, after=objects)
@example(before='{"a":1.0,"b":[1e400]}', after='{"c":0.10000000000000000555}')
def test_merged_documents_keep_every_value_of_both(served: Served, before: str, after: str) -> None:
    target = STATE + str(uuid.uuid4())
    statuses = []
    for document in (before, after):
        answer = served.ask("POST", target, HEADERS, document.encode())
        assert answer is not None
        statuses.append(answer.status)
    taken = [text for text, status in zip((before, after), statuses, strict=True) if status == 204]
    for text, status in zip((before, after), statuses, strict=True):
        assert status == 204 or (status == 400 and depth_of(read(text)) > SURELY_TAKEN)
    if taken:
        merged = {name: value for text in taken for name, value in read(text)[1]}
        assert dict(read(got(served, target))[1]) == merged


BENT = {
    "a lone surrogate": r'"\ud800"', "two in the wrong order": r'"\udc00\ud800"', "a lone surrogate in a key": r'{"\udfff":1}',
    "a key twice": '{"a":1,"a":1}', "a key twice, once escaped": r'{"a":1,"\u0061":2}', "NaN": "NaN", "infinity": "-Infinity",
    "bytes that are no text": b'"\xff"', "a surrogate's bytes": b'"\xed\xa0\x80"',
    "more depth than any reader takes": "[" * 500 + "]" * 500,
    "an exponent that stops arithmetic": "1e99999999999", "not a number": "01", "a comma too many": "[1,]", "a control character": '"\n"',
}


@pytest.mark.parametrize("value", BENT.values(), ids=BENT)
def test_what_cannot_be_kept_is_refused_in_statements_and_documents(served: Served, value: str | bytes) -> None:
    text = value if isinstance(value, bytes) else value.encode()
    kept = served.kept()
    statement = a_statement(str(uuid.uuid4()), f'{{"{IRI}":0}}').encode().replace(b":0}", b":" + text + b"}", 1)
    for method, target, body in (("POST", "/xapi/statements", statement), ("PUT", STATE + "bent", text)):
        answer = served.ask(method, target, HEADERS, body)
        assert answer is not None and answer.status == 400 and answer.json["error"] == "invalid_body"
    assert served.kept() == kept


@pytest.mark.parametrize("value", ["\\ud83d\\ude00", "\\u0041", "\\/", "é", "\\u00e9"])
def test_an_escape_is_the_character_it_stands_for(served: Served, value: str) -> None:
    statement_id = str(uuid.uuid4())
    assert posted(served, a_statement(statement_id, f'{{"{IRI}":"{value}"}}')) == 200
    found = read(got(served, f"/xapi/statements?statementId={statement_id}"))
    assert part(found, "result", "extensions", IRI) == json.loads(f'"{value}"')
