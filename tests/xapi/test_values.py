"""Single values within statements: identifiers, tags, hashes, times."""


import pytest
from hypothesis import given
from hypothesis import strategies as st
from statement_parts import (
    AGENT,
    IRI,
    UUID,
    refusal,
    substatement,
    with_part,
)

from lrs.errors import InvalidStatement
from lrs.xapi.schema import check

BOTH = ("1.0.3", "2.0.0")


@pytest.mark.parametrize("place", ["id", "context.registration", "context.statement.id"])
@pytest.mark.parametrize("value", [
    "", "AA97B177-9383-4934-8543-0F91A7A028368", "MA97B177-9383-4934-8543-0F91A7A02836", "{" + UUID + "}",
    UUID.replace("-", ""),
    UUID + "\n", "urn:uuid:" + UUID,
])
def test_what_is_no_uuid_is_refused(place, value):
    assert refusal(with_part(place, value)) == place


@pytest.mark.parametrize("value", [UUID.upper(), "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-1fff-ffff-ffffffffffff"])
def test_every_uuid_in_standard_form_is_taken(value):
    check(with_part("id", value), "1.0.3")


@pytest.mark.parametrize("place", [
    "verb.id", "object.id", "object.definition.type", "object.definition.moreInfo",
    "context.contextActivities.parent.0.id",
    "attachments.0.usageType", "attachments.0.fileUrl", "authority.account.homePage", "context.instructor.openid",
])
@pytest.mark.parametrize("value", [
    "", "should fail", "ab=c://should.fail.com", "/relative", "//x.org/y", "x.org", "http:", "1http://x.org",
    "http://x.org/a b",
    "http://x.org/<a>", "http://x.org/a|b", "http://x.org/%zz", "http://x.org/%", "http://x.org/\n",
    "http://x.org/\u00a0",
])
def test_what_is_no_iri_is_refused(place, value):
    assert refusal(with_part(place, value)) == place


@pytest.mark.parametrize("value", [
    "http://x.org", "HTTP://x.org", "urn:isbn:0451450523", "tag:x.org,2026:a", "https://пример.рф/ж?q=%20#frag",
    "mailto:a@b.c",
    "http://[::1]/", "https://x.org/😀", "x:y", "https://x.org/~a'()*+,;=@!$&",
])
def test_every_iri_with_a_scheme_is_taken(value):
    check(with_part("verb.id", value), "1.0.3")


@pytest.mark.parametrize("place", ["object.definition.extensions", "result.extensions", "context.extensions"])
def test_extensions_have_iris_as_keys_and_anything_as_values(place):
    for value in (None, True, 1, "", {}, {"a": None}, [[None]]):
        check(with_part(place, {f"{IRI}/e": value}), "1.0.3")
    assert refusal(with_part(place, {"should fail": 1})) == f"{place}.should fail"


@pytest.mark.parametrize("tag", [
    "en", "en-US", "EN-us", "zh-Hant-TW", "zh-cmn-Hans-CN", "sl-rozaj-biske", "de-CH-1901", "es-419", "de-a-value-bb",
    "x-private",
    "en-x-whatever", "i-klingon", "sgn-BE-FR", "en-GB-oed", "fil", "und",
])
def test_well_formed_language_tags_are_taken(tag):
    check(with_part("verb.display", {tag: "x"}), "1.0.3")
    check(with_part("context.language", tag), "1.0.3")


@pytest.mark.parametrize("tag", [
    "", "a12345", "a12345678", "en_US", "en-", "-en", "e", "english-language-name", "en-US-", "en US", "i-nothing",
    "*", "en-a",
    "123", "en\n",
])
def test_other_language_tags_are_refused(tag):
    assert refusal(with_part("context.language", tag)) == "context.language"
    for place in ("verb.display", "object.definition.name", "object.definition.description", "attachments.0.display"):
        assert refusal(with_part(place, {tag: "x"})) == f"{place}.{tag}"


@pytest.mark.parametrize(("name", "value"), [
    ("length", -1), ("length", 1.5), ("length", "1"), ("length", True), ("sha2", "abc"), ("sha2", 5),
    ("sha2", "zz" * 32),
    ("sha2", "ab" * 20), ("contentType", "plain"), ("contentType", ""), ("contentType", 5),
    ("contentType", "text/plain\n"),
])
def test_an_attachment_names_its_content_exactly(name, value):
    assert refusal(with_part(f"attachments.0.{name}", value)) == f"attachments.0.{name}"


@pytest.mark.parametrize("octets", [224, 256, 384, 512])
def test_every_sha2_is_taken(octets):
    check(with_part("attachments.0.sha2", "Ab" * (octets // 8)), "1.0.3")


@pytest.mark.parametrize("place", ["timestamp", "stored"])
def test_a_time_without_zone_is_for_1_0_only(place):
    statement = with_part(place, "2026-03-02T09:14:07")
    check(statement, "1.0.3")
    assert refusal(statement, "2.0.0") == place


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("value", ["2008-09-15T15:53:00.601-00:00", "2008-09-15T15:53:00.601-0000", "2008-09-15T15:53:00.601-00", "x"])
def test_a_bad_timestamp_is_refused(value, version):
    assert refusal(with_part("timestamp", value), version) == "timestamp"
    inner = {"actor": AGENT, "verb": {"id": IRI}, "object": substatement(timestamp=value)}
    assert refusal(inner, version) == "object.timestamp"


@pytest.mark.parametrize("value", ["0000-01-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T00:00:60Z"])
def test_what_passes_has_an_instant(value):
    assert refusal(with_part("timestamp", value), "2.0.0") == "timestamp"


@pytest.mark.parametrize(("value", "taken"), [
    ("1.0", "1.0.3 2.0.0"), ("1.0.0", "1.0.3 2.0.0"), ("1.0.9", "1.0.3 2.0.0"), ("2.0.0", "2.0.0"), ("0.9.9", ""),
    ("1.1.0", ""),
    ("2.1.0", ""), ("", ""), ("1.0.", ""), ("v1.0.0", ""), ("10.0", ""),
])
@pytest.mark.parametrize("version", BOTH)
def test_a_statement_may_be_of_the_versions_its_request_allows(value, taken, version):
    statement = with_part("version", value)
    if version in taken:
        check(statement, version)
    else:
        assert refusal(statement, version) == "version"


@given(st.text(max_size=20))
def test_no_text_as_identifier_breaks_the_checker(text):
    for place in ("id", "verb.id", "actor.mbox", "timestamp", "result.duration", "context.language", "version"):
        try:
            check(with_part(place, text), "2.0.0")
        except InvalidStatement as refused:
            assert refused.place == place


@pytest.mark.parametrize(("place", "text"), [
    ("verb.id", "a:" + "a%20" * 40_000 + " "), ("context.language", "en" + "-a-bb-1ccc" * 20_000 + "-"),
    ("result.duration", "PT" + "1" * 100_000), ("timestamp", "2015-11-18T12:00:00." + "1" * 100_000 + "x"),
    ("actor.mbox", "mailto:" + "a" * 100_000), ("attachments.0.contentType", "a/" + "b" * 100_000 + " " * 100_000),
])
def test_no_long_text_takes_the_checker_hostage(place, text):
    assert refusal(with_part(place, text)) == place
