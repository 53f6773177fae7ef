"""Signed statements. xAPI 1.0.3, Data 2.6; RFC 7515. Keys and certificates are made here, once."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from builders import a_statement
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from multipart_bodies import an_attachment, sha2

from lrs.errors import InvalidStatements
from lrs.signatures import check_signatures
from lrs.xapi.vocabulary import SIGNATURE

DIGESTS = {"RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512()}
STATEMENT = a_statement()


@cache
def a_key(name: str) -> Any:
    return ec.generate_private_key(ec.SECP256R1()) if name == "curve" else rsa.generate_private_key(65537, 2048)


@cache
def a_certificate(subject: str, issuer: str) -> str:
    """Of the key named `subject`, made with the key named `issuer`; long expired, as many are when they are checked."""
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    then = datetime(2013, 4, 4, tzinfo=UTC)
    made = x509.CertificateBuilder(name(issuer), name(subject), a_key(subject).public_key(), x509.random_serial_number(), then,
                                   then + timedelta(days=365)).sign(a_key(issuer), hashes.SHA256())
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()


def chain(*links: str) -> list[str]:
    """["signer<ca", "ca<root"]: whose certificates they are, and who made them."""
    return [a_certificate(*link.split("<")) for link in links]


def encoded(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def a_signature(payload: Any = STATEMENT, alg: str = "RS256", key: str = "signer", **header: Any) -> bytes:
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = encoded(json.dumps({"alg": alg, **header}).encode()) + b"." + encoded(content)
    return signed + b"." + encoded(a_key(key).sign(signed, padding.PKCS1v15(), DIGESTS.get(str(alg), hashes.SHA256())))


def signed(signature: bytes, statement: Any = STATEMENT, **more: Any) -> dict[str, Any]:
    usual = {"usageType": SIGNATURE, "contentType": "application/octet-stream"}
    return {**statement, "attachments": [*statement.get("attachments", ()), an_attachment(signature, **usual | more)]}


def check(signature: bytes, statement: Any = STATEMENT, version: str = "1.0.3", **more: Any) -> None:
    check_signatures([signed(signature, statement, **more)], {sha2(signature): signature}, version)


def refused(signature: bytes, statement: Any = STATEMENT, **more: Any) -> str:
    with pytest.raises(InvalidStatements) as caught:
        check(signature, statement, **more)
    (problem,) = caught.value.problems
    assert problem.place.startswith("attachments.0")
    return problem.rule


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512"])
@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_each_algorithm_of_the_rsa_series_is_taken(alg: str, version: str) -> None:
    """Data 2.6: "MUST use an algorithm of RS256, RS384, or RS512"; with a certificate or without."""
    check(a_signature(alg=alg), version=version)
    check(a_signature(alg=alg, x5c=chain("signer<signer")), version=version)


@pytest.mark.parametrize("alg", ["none", "HS256", "HS512", "ES256", "PS256", "EdDSA", "rs256", "", None, 1, ["RS256"]])
def test_every_other_algorithm_is_refused(alg: Any) -> None:
    assert "algorithm" in refused(a_signature(alg=alg))
    assert "algorithm" in refused(a_signature(alg=alg, x5c=chain("signer<signer")))


def test_a_header_without_an_algorithm_is_refused() -> None:
    payload = encoded(json.dumps(STATEMENT).encode())
    assert "algorithm" in refused(b".".join([encoded(b"{}"), payload, b"AAAA"]))


def test_the_content_type_must_be_that_of_octets() -> None:
    """Data 2.6: "a contentType of application/octet-stream"."""
    assert "application/octet-stream" in refused(a_signature(), contentType="text/plain; charset=ascii")
    check(a_signature(), contentType="Application/Octet-Stream; x=y")


@pytest.mark.parametrize("change", [
    {"actor": {"mbox": "mailto:somebody@else.example.org"}}, {"verb": {"id": "https://example.org/another"}},
    {"object": {"id": "https://example.org/another"}}, {"result": {"success": True}}, {"timestamp": "2020-01-01T00:00:00Z"},
    {"id": "0f6cbd0a-59f1-4b5e-8a49-7b8a3f4a9f02"}, {"context": {"platform": "x"}},
], ids=lambda change: next(iter(change)))
def test_the_payload_must_be_the_statement(change: dict[str, Any]) -> None:
    """Data 2.6: "Validate that the original Statement is logically equivalent to the received Statement"."""
    assert "another statement" in refused(a_signature(STATEMENT | change))
    assert "another statement" in refused(a_signature(STATEMENT | change, x5c=chain("signer<signer")))


@pytest.mark.parametrize("change", [
    lambda each: {name: each[name] for name in reversed(each)}, lambda each: each | {"version": "1.0.0"},
    lambda each: {name: part for name, part in each.items() if name != "id"}, lambda each: each | {"id": each["id"].upper()},
    lambda each: each | {"timestamp": "2026-03-02T10:14:07.25+01:00"}, lambda each: each | {"stored": "2020-01-01T00:00:00Z"},
    lambda each: each | {"verb": each["verb"] | {"display": {"en": "did"}}},
], ids=["order", "version", "no-id", "case", "zone", "stored", "display"])
def test_what_has_no_meaning_may_differ(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Data 2.3.1 lists what is left out of a comparison."""
    check(a_signature(change(STATEMENT)))


def test_white_space_of_the_signed_text_plays_no_part() -> None:
    check(a_signature(json.dumps(STATEMENT, indent=8).replace("\n", "\r\n").encode()))


def test_other_attachments_are_part_of_what_is_signed() -> None:
    """Data 2.6: the payload is "the complete Statement before the signature was added"."""
    file = an_attachment(b"file", fileUrl="https://example.org/file")
    whole = STATEMENT | {"attachments": [file]}
    signature = a_signature(whole)
    check_signatures([signed(signature, whole)], {sha2(signature): signature}, "1.0.3")
    for alone, statement in ((a_signature(), whole), (signature, STATEMENT)):
        with pytest.raises(InvalidStatements):
            check_signatures([signed(alone, statement)], {sha2(alone): alone}, "1.0.3")


@pytest.mark.parametrize("payload", [
    b"", b"{", b"null", b"[]", b'"text"', b"\xff", b"{'a': 1}", b'{"id": "x"}', b'{"verb": 1, "verb": 1}',
    pytest.param(json.dumps([STATEMENT]).encode(), id="statements"),
    pytest.param(json.dumps({"statement": STATEMENT}).encode(), id="statement inside"),
], ids=str)
def test_a_payload_that_is_no_statement_is_refused(payload: bytes) -> None:
    """Data 2.6: "a payload of a valid JSON serialization of the complete Statement"."""
    refused(a_signature(payload))


@pytest.mark.parametrize("break_it", [
    lambda jws: b"", lambda jws: b".", lambda jws: b"..", lambda jws: jws.rpartition(b".")[0], lambda jws: jws + b".",
    lambda jws: jws + b".AA",
    lambda jws: jws + b"\n", lambda jws: b" " + jws, lambda jws: jws + b"==", lambda jws: jws.replace(b".", b"..", 1),
    lambda jws: jws.replace(b".", b"=.", 1), lambda jws: b"+/" + jws, lambda jws: jws.rpartition(b".")[0] + b".",
    lambda jws: b"." + jws.partition(b".")[2], lambda jws: b"x" + jws, lambda jws: jws[:3] + b"\x00" + jws[3:], lambda jws: b"\xff\xfe",
    lambda jws: json.dumps({"payload": "e30", "protected": "e30", "signature": "e30"}).encode(),
    lambda jws: encoded(b"[]") + b"." + jws.partition(b".")[2], lambda jws: encoded(b"{") + b"." + jws.partition(b".")[2],
    lambda jws: encoded(b'{"alg": "RS256", "alg": "RS256"}') + b"." + jws.partition(b".")[2], lambda jws: json.dumps(STATEMENT).encode(),
])
def test_what_is_no_compact_serialization_is_refused(break_it: Callable[[bytes], bytes]) -> None:
    """Data 2.6: malformed signatures are rejected; RFC 7515, 3.1 and 4: three parts of base64url, and member names are unique."""
    refused(break_it(a_signature()))


def test_an_extension_that_must_be_understood_is_refused() -> None:
    """RFC 7515, 4.1.11; RFC 7797 is such an extension."""
    assert "crit" in refused(a_signature(crit=["b64"], b64=False))


def test_members_of_a_header_that_nobody_knows_are_passed_over() -> None:
    for more in ({}, {"x5c": chain("signer<signer")}):
        check(a_signature(kid="1", typ="JOSE", x5u="https://example.org/never-fetched", own={"a": 1}, **more))


def test_a_signature_that_another_key_made_is_refused() -> None:
    """Data 2.6: "If the JWS header includes an X.509 certificate, validate the signature against that certificate"."""
    assert "verify" in refused(a_signature(x5c=chain("other<other")))
    assert "verify" in refused(a_signature(x5c=chain("ca<ca", "ca<ca")))


def test_a_signature_or_text_that_was_changed_afterwards_is_refused() -> None:
    header, payload, signature = a_signature(x5c=chain("signer<signer")).split(b".")
    longer = encoded(json.dumps(STATEMENT, indent=1).encode())
    for parts in ([header, longer, signature], [header, payload, signature[:-8] + b"AAAAAAAA"], [header, payload, b"AAAA"]):
        assert "verify" in refused(b".".join(parts))


def test_a_chain_must_hold_at_every_link() -> None:
    """RFC 7515, 4.1.6: "with each subsequent certificate being the one used to certify the previous one"."""
    check(a_signature(x5c=chain("signer<ca", "ca<root", "root<root")))
    check(a_signature(x5c=chain("signer<ca")))
    for broken in (("signer<ca", "root<root"), ("signer<ca", "ca<root", "other<other"), ("signer<signer", "ca<ca")):
        refused(a_signature(x5c=chain(*broken)))
    forged = [a_certificate("signer", "ca"), a_certificate("ca", "root").replace("A", "B", 1)]
    refused(a_signature(x5c=forged))


@pytest.mark.parametrize("x5c", [
    [], None, "", {}, 1, [1], [""], ["AAAA"], ["not base64!"], [base64.b64encode(b"junk").decode()], [None], [[]], ["-_-_"],
], ids=str)
def test_a_chain_that_is_none_is_refused(x5c: Any) -> None:
    assert "x5c" in refused(a_signature(x5c=x5c))


def test_a_chain_without_end_is_refused() -> None:
    assert "1 to 10" in refused(a_signature(x5c=chain("signer<signer") * 11))


def test_a_certificate_of_another_kind_of_key_is_refused() -> None:
    assert "RSA" in refused(a_signature(x5c=chain("curve<ca", "ca<root")))


def test_a_certificate_cut_short_is_refused() -> None:
    whole = base64.b64decode(a_certificate("signer", "signer"))
    for length in (1, 10, len(whole) // 2, len(whole) - 1):
        refused(a_signature(x5c=[base64.b64encode(whole[:length]).decode()]))


def test_every_bad_signature_of_a_batch_is_named() -> None:
    good, bad = a_signature(), a_signature(b"{}")
    batch = [signed(good), signed(bad), a_statement(), signed(bad)]
    with pytest.raises(InvalidStatements) as caught:
        check_signatures(batch, {sha2(each): each for each in (good, bad)}, "1.0.3")
    assert [(each.index, each.place) for each in caught.value.problems] == [(1, "attachments.0"), (3, "attachments.0")]


def test_a_statement_may_be_signed_by_many() -> None:
    by_two = signed(a_signature(x5c=chain("other<other"), key="other"), signed(a_signature(x5c=chain("signer<signer"))))
    data = [a_signature(x5c=chain("signer<signer")), a_signature(x5c=chain("other<other"), key="other")]
    check_signatures([by_two], {sha2(each): each for each in data}, "1.0.3")


def test_a_signature_on_a_substatement_signs_the_whole() -> None:
    inner = {name: part for name, part in a_statement().items() if name != "id"} | {"objectType": "SubStatement"}
    outer = a_statement(object=inner)
    signature = a_signature(outer)
    check_signatures([outer | {"object": signed(signature, inner)}], {sha2(signature): signature}, "1.0.3")
    with pytest.raises(InvalidStatements) as caught:
        check_signatures([a_statement(object=signed(signature, inner))], {sha2(signature): signature}, "1.0.3")
    assert caught.value.problems[0].place == "object.attachments.0"
