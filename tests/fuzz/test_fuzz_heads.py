"""Whatever is asked, with whatever parameters, headers and method, is answered, and never with a 5xx."""

import gzip
import json
import re

import pytest
from fuzzing import ODD_STRINGS, ODD_TEXTS, Sent, a_full_statement, as_text, escaped, hunt, scrambled
from hypothesis import strategies as st
from laws import Laws
from served import CREDENTIAL, LEARNER, OPERATOR, Served, basic

from lrs.http.routes import ROWS
from lrs.plugins import load_adapters

ADAPTERS = load_adapters().values()
PATHS = sorted({row.path for row in ROWS} | {route.path for adapter in ADAPTERS for route in adapter.routes})
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
AGENT = json.dumps({"mbox": "mailto:ada@school.example.org"})
PARAMETERS = (
    "statementId", "voidedStatementId", "agent", "verb", "activity", "registration", "related_activities", "related_agents", "since",
    "until", "limit", "format", "attachments", "ascending", "more", "activityId", "stateId", "profileId", "method", "x", "", "$where",
    "%00", "tenant",
    "content_id", "user_id", "masterylog", "limit[]", "complete", "page",
)
# Parts of paths that would change for all who come after: not these.
OF_THE_SCHOOL = re.compile(r"/manage/tenants/(school|fuzzed)\b")


@pytest.fixture(scope="module")
def laws(served: Served) -> Laws:
    return Laws(served)


good = st.sampled_from((
    AGENT, "true", "false", "0", "1", "7", "ids", "canonical", "exact", "2026-03-02T09:14:07Z", "https://school.example.org/x/sums",
    "12345678-1234-5678-1234-567812345678", "a" * 32, "0001-01-01T00:00:00Z", "1600-02-29T00:00:00Z", "9999-12-31T23:59:59Z",
))
odd = st.sampled_from((*ODD_STRINGS, *(text.decode("latin-1") for text in ODD_TEXTS[:24]))) | st.text(max_size=10)


@st.composite
def queried(draw: st.DrawFn) -> Sent:
    path = "".join(_filled(draw, piece) for piece in re.split(r"(\{[^}]*\})", draw(st.sampled_from(PATHS))))
    if draw(st.integers(0, 9)) == 0:
        path = "/t/" + _filled(draw, "{tenant}") + path
    # Of two that are asked for, one is a statement query or the like: there a parameter means something.
    path = draw(st.sampled_from(("/xapi/statements", path)))
    given = draw(st.lists(st.tuples(st.sampled_from(PARAMETERS) | odd, good | odd), max_size=4))
    query = "&".join(f"{escaped(draw, name)}={escaped(draw, value)}" for name, value in given)[:7_000]
    method = draw(st.sampled_from(METHODS))
    if OF_THE_SCHOOL.search(path) and method not in ("GET", "HEAD"):
        method = "GET"
    pair = OPERATOR if path.startswith("/manage") else CREDENTIAL
    # A space or the end of a line would end the target, and be another test.
    target = re.sub(rb"[\x00-\x20\x7f]", b"%20", f"{path}{'?' * bool(query)}{query}".encode(errors="surrogatepass"))
    headers = (
        (b"Authorization", basic(pair).encode()), (b"X-Experience-API-Version", draw(st.sampled_from((b"1.0.3", b"2.0.0")))),
        (b"X-LRS-On-Behalf-Of", LEARNER.encode()),
    )
    return Sent(method.encode(), target, headers)


def _filled(draw: st.DrawFn, piece: str) -> str:
    if not piece.startswith("{"):
        return piece
    return escaped(draw, draw(st.sampled_from(("school", "kolibri", "a" * 32, "0", "world")) | odd))[:300]


def test_whatever_is_asked_for_is_answered(laws: Laws) -> None:
    hunt(laws.hold_of_queries, queried(), examples=300)


BODY = as_text(a_full_statement())
HEADERS: dict[bytes, tuple[bytes, ...]] = {
    b"X-Experience-API-Version": (b"1.0.3", b"2.0.0", b"1.0", b"", b"3.0", b"0.9", b"1.0.99999", b"1.0.3, 2.0.0", b"\xff",
    "１.0.3".encode()),
    b"Authorization": (
        basic(CREDENTIAL).encode(), b"Basic", b"Basic ", b"Basic ====", b"Basic YQ==", b"Bearer", b"Bearer a.b.c",
        b"Bearer " + b"e" * 4_000, b"Digest x", b"\xff\xfe",
        b"basic " + b"A" * 7_000, basic("\x00:\x00").encode(), basic("writer:wrong").encode(), basic("ü:ü").encode(), b"Basic /////////w==",
    ),
    b"x-api-key": (b"", b"x", b"\xff", b"k" * 5_000, "ключ".encode()),
    b"Content-Type": (
        b"application/json", b"application/json; charset=utf-16", b"APPLICATION/JSON", b"", b"x", b"/",
        b"application/x-www-form-urlencoded", b"text/plain", b"multipart/mixed",
        b"application/json;;;=", b"application/json; charset=\xff", b"multipart/form-data; boundary=x", b"a" * 5_000,
    ),
    b"Content-Encoding": (b"gzip", b"deflate", b"br", b"zstd", b"identity", b"gzip, gzip", b"", b"x", b"GZIP"),
    b"Content-Length": (b"0", b"1", b"-1", b"x", b"99999999999999999999", b"+5", b"1_0", b"33554433"),
    b"Transfer-Encoding": (b"chunked", b"gzip, chunked", b"identity", b"x"),
    b"Accept-Language": (b"en", b"*", b"en;q=x", b"en;q=1e999", b"de;q=0.5,en;q=NaN", b"-" * 500, b"," * 3_000, b"\xff"),
    b"If-Match": (b"*", b'"x"', b"x", b'"', b'W/"x"', b"," * 500, b'"' + b"a" * 4_000),
    b"If-None-Match": (b"*", b'"x"', b"", b"\xff"),
    b"If-Modified-Since": (b"x", b"Thu, 99 Foo 9999 00:00:00 GMT"),
    b"Range": (b"bytes=0-", b"bytes=x", b"bytes=9-1"),
    b"Expect": (b"100-continue", b"x"),
    b"Upgrade": (b"websocket", b"h2c", b"x"),
    b"Connection": (b"close", b"Upgrade", b"x"),
    b"Origin": (b"https://x.example.org", b"null", b"\xff"),
    b"Access-Control-Request-Method": (b"POST", b"x", b""),
    b"X-LRS-On-Behalf-Of": (b"a" * 32, b"x", b"\xff"),
    b"X-Request-ID": (b"a", b"\x1b[31m", b"x" * 1_000, b""),
    b"Cookie": (b"a=b", b"=", b"\xff", b";" * 1_000),
    b"X-Forwarded-Host": (b"evil.example.org",),
    b"\xff": (b"x",),
}
PLAIN = {b"X-Experience-API-Version": b"1.0.3", b"Authorization": basic(CREDENTIAL).encode(), b"Content-Type": b"application/json"}
TARGETS = (b"/xapi/statements", b"/xapi/about", b"/api/logger/trackprogress", b"/api/logger/masterylog", b"/manage/tenants",
    b"/healthz", b"*", b"//", b"/%", b"http://x/y", b"/xapi/statements/")


@st.composite
def headed(draw: st.DrawFn) -> Sent:
    headers = dict(PLAIN)
    for name in draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=4)):
        headers[name] = draw(st.sampled_from(HEADERS[name]) | scrambled(st.sampled_from(HEADERS[name])))
    for name in draw(st.lists(st.sampled_from(sorted(PLAIN)), max_size=1)):
        headers.pop(name, None)
    pairs = tuple(headers.items()) + draw(st.sampled_from(((), tuple(headers.items())[:1])))
    body = draw(st.sampled_from((BODY, b"", gzip.compress(BODY), gzip.compress(BODY)[:-9], b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n",
        b"method=PUT&content=1")))
    method = draw(st.sampled_from((b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"BREW", b"get")))
    return Sent(method, draw(st.sampled_from(TARGETS)), pairs, body)


def test_whatever_stands_in_the_headers_is_answered(laws: Laws) -> None:
    hunt(laws.hold_of_headers, headed(), examples=250)
