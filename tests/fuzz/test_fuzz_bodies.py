"""Whatever is sent as a body is answered, and never with a 5xx; what is refused leaves nothing behind."""

from typing import Any

import pytest
from fuzzing import Sent, a_full_statement, as_text, hunt, junk, mutated, scrambled
from hypothesis import strategies as st
from laws import Laws
from served import API_KEY, CREDENTIAL, LEARNER, OPERATOR, Served, basic

VERSIONS = st.sampled_from((b"1.0.3", b"2.0.0"))
STATEMENT = a_full_statement()
A_PUT = b"/xapi/statements?statementId=12345678-1234-5678-1234-567812345678"
BOUNDARY = b"limit"
CREDENTIALS = {"kind": "basic", "key": "some-key", "secret": "some-secret", "scopes": ["all", "statements/read"]}
SETTINGS = {"base_iri": "https://lrs.example.org/xapi", "home_page": "https://x.example.org", "platform": "Kolibri", "language": "en"}
START = {
    "node_id": "a" * 32, "content_id": "b" * 32, "channel_id": "c" * 32, "kind": "exercise",
    "mastery_model": {"type": "m_of_n", "m": 3, "n": 5}, "repeat": False,
}
UPDATE = {
    "progress_delta": 0.5, "time_spent_delta": 3.5, "extra_fields": {"a": {"b": 1}},
    "interactions": [{"item": "i", "correct": 1, "time_spent": 2, "complete": True, "answer": {"a": 1}, "simple_answer": "x",
    "id": "d" * 32}],
}
OF = b"activityId=https%3A%2F%2Fx.example.org%2Fa&agent=%7B%22mbox%22%3A%22mailto%3Aada%40x.example.org%22%7D"
DOCUMENT = {"a": {"b": [1, 2.5, None, "x"]}, "c": "", "$d.e": {}}
# Where JSON is taken, what is good there, and by whose credential.
PLACES = (
    (b"POST", b"/manage/tenants/fuzzed/credentials", CREDENTIALS, OPERATOR),
    (b"PUT", b"/manage/tenants/fuzzed/adapters/kolibri/settings", SETTINGS, OPERATOR),
    (b"PUT", b"/manage/tenants/fuzzed/adapters/kolibri/reference/world", {"users": [], "lessons": [], "nodes": []}, OPERATOR),
    (b"POST", b"/manage/tenants/fuzzed/rebuild", {"materializer": "kolibri.session"}, OPERATOR),
    (b"POST", b"/manage/tenants/fuzzed/erase", {"actor": {"mbox": "mailto:ada@x.example.org"}, "per_second": 5.0}, OPERATOR),
    (b"PUT", b"/manage/tenants/fuzzed/retention", {"days": 30}, OPERATOR),
    (b"POST", b"/api/logger/trackprogress", START, CREDENTIAL),
    (b"PUT", b"/api/logger/trackprogress/SESSION", UPDATE, CREDENTIAL),
    (b"PUT", b"/api/logger/trackprogress/SESSION", UPDATE, CREDENTIAL),
    (b"PUT", b"/xapi/activities/state?stateId=s&" + OF, DOCUMENT, CREDENTIAL),
    (b"POST", b"/xapi/activities/state?stateId=s&" + OF, DOCUMENT, CREDENTIAL),
    (b"POST", b"/xapi/activities/profile?profileId=p&" + OF.partition(b"&")[0], DOCUMENT, CREDENTIAL),
    (b"POST", b"/xapi/agents/profile?profileId=p&" + OF.partition(b"&")[2], DOCUMENT, CREDENTIAL),
    (b"POST", b"/manage/tenants/fuzzed/import", STATEMENT, OPERATOR),
    (b"PATCH", b"/api/exams/exam/" + b"a" * 32, {"archive": True, "active": False}, CREDENTIAL),
)


@pytest.fixture(scope="module")
def laws(served: Served) -> Laws:
    served.call("PUT", "/manage/tenants/fuzzed", pair=OPERATOR)
    started = served.call("POST", "/api/logger/trackprogress", START, X_LRS_On_Behalf_Of=LEARNER)
    return Laws(served, {b"SESSION": started.json["session_id"].encode()})


def headers_of(pair: str, kind: bytes = b"application/json", version: bytes = b"1.0.3") -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"Authorization", basic(pair).encode()), (b"Content-Type", kind), (b"X-Experience-API-Version", version),
        (b"X-LRS-On-Behalf-Of", LEARNER.encode()),
    )


@st.composite
def posted(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> Sent:
    method, target = draw(st.sampled_from(((b"POST", b"/xapi/statements"), (b"PUT", A_PUT))))
    return Sent(method, target, headers_of(CREDENTIAL, version=draw(VERSIONS)), draw(bodies))


batches = st.lists(mutated(STATEMENT), min_size=0, max_size=3)


def test_a_statement_with_anything_wrong_at_any_place_is_stored_or_refused(laws: Laws) -> None:
    hunt(laws.hold, posted((mutated(STATEMENT) | batches | junk).map(as_text)), examples=250)


def test_a_text_with_any_bytes_wrong_is_stored_or_refused(laws: Laws) -> None:
    hunt(laws.hold_of_texts, posted(scrambled(st.sampled_from((STATEMENT, [STATEMENT])).map(as_text)) | st.binary(max_size=50)),
        examples=150)


@st.composite
def elsewhere(draw: st.DrawFn) -> Sent:
    method, target, good, pair = draw(st.sampled_from(PLACES))
    body = draw((mutated(good) | junk).map(as_text) | scrambled(st.just(as_text(good))))
    return Sent(method, target, headers_of(pair), body)


def test_every_other_place_that_takes_json_takes_it_or_refuses_it(laws: Laws) -> None:
    hunt(laws.hold_elsewhere, elsewhere(), examples=200)


def part(headers: dict[bytes, bytes], content: bytes) -> bytes:
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers.items())
    return b"--" + BOUNDARY + b"\r\n" + lines + b"\r\n" + content + b"\r\n"


ODD_LINES = (b"", b"\x00", b"binary", b"base64", b"quoted-printable", b"gzip", b"text/plain; charset=nonsense", b"x" * 9_000,
    b"\xff\xfe", b"ab" * 32, b"-1", b"1e9")


@st.composite
def in_parts(draw: st.DrawFn) -> Sent:
    """multipart/mixed with the statement first and what it attaches after it, more or less."""
    content = draw(st.binary(max_size=40))
    attached = a_full_statement(with_attachments=True)
    named = {b"Content-Type": b"text/plain", b"Content-Transfer-Encoding": b"binary", b"X-Experience-API-Hash": b"ab" * 32}
    parts = [part({b"Content-Type": b"application/json"}, as_text(draw(mutated(attached))))]
    for _ in range(draw(st.integers(0, 3))):
        given = {name: draw(st.just(value) | st.sampled_from(ODD_LINES)) for name, value in named.items() if draw(st.integers(0, 5))}
        parts.append(part(given, content))
    draw(st.booleans()) and parts.reverse()
    body = b"".join(parts) + draw(st.sampled_from((b"--limit--\r\n", b"--limit--", b"", b"--limit\r\n", b"--lim")))
    kind = draw(st.sampled_from((
        b"multipart/mixed; boundary=limit", b'multipart/mixed; boundary="limit"', b"multipart/mixed", b"multipart/mixed; boundary=",
        b"multipart/form-data; boundary=limit",
        b"multipart/mixed; boundary=" + b"l" * 80, b"multipart/mixed; boundary=other", b"multipart/mixed; boundary=\xff",
    )))
    method, target = draw(st.sampled_from(((b"POST", b"/xapi/statements"), (b"PUT", A_PUT), (b"POST", b"/api/logger/trackprogress"))))
    return Sent(method, target, headers_of(CREDENTIAL, kind, draw(VERSIONS)), draw(scrambled(st.just(body))))


def test_parts_in_any_order_with_any_headers_are_taken_or_refused(laws: Laws) -> None:
    hunt(laws.hold_of_parts, in_parts(), examples=150)


def test_there_is_a_key_for_those_who_have_no_name(served: Served) -> None:
    answer: Any = served.ask("GET", "/xapi/statements", [("x-api-key", API_KEY), ("X-Experience-API-Version", "1.0.3")])
    assert answer.status == 200
