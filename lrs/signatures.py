"""Signed statements: is this JWS a signature of that statement? xAPI 1.0.3, Data 2.6; RFC 7515.

It catches mistakes, and proves nobody's identity: certificates are held against the signature and against each other, not against
anybody whom we trust, and their dates do not matter. Nothing is ever fetched.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.x509 import Certificate, load_der_x509_certificate
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from lrs.errors import InvalidBody, InvalidStatement, InvalidStatements, Problem
from lrs.xapi.attachments import declared, same_media_type
from lrs.xapi.compare import same_statement
from lrs.xapi.json_text import parse
from lrs.xapi.schema import check
from lrs.xapi.types import Statement

ALGORITHMS = ("RS256", "RS384", "RS512")
CONTENT_TYPE = "application/octet-stream"
COMPACT = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
# Chains of the real world have two or three links; each costs a verification.
LONGEST_CHAIN = 10
# Beyond so many, a batch is wrong in a way that one more will not explain. Each costs a comparison.
MOST_PROBLEMS = 20


class _Registry(jws.JWSRegistry):
    """Sizes are bounded by what a request may have; a chain of certificates alone is over the default for a header."""

    max_header_length = max_payload_length = max_signature_length = 1 << 30


class _Fault(Exception):
    """What is wrong with a signature."""


def check_signatures(statements: Sequence[Statement], data: Mapping[str, bytes], version: str) -> None:
    """Check every signature of a batch of checked statements; `data` has their octets by lower-case hash.

    Raises InvalidStatements.
    """
    payloads: dict[str, Statement | _Fault] = {}
    problems: list[Problem] = []
    for each in declared(statements):
        if not each.is_signature or len(problems) == MOST_PROBLEMS:
            continue
        try:
            if not same_media_type(each.attachment["contentType"], CONTENT_TYPE):
                problems.append(Problem(each.index, f"{each.place}.contentType", f"must be {CONTENT_TYPE} for a signature"))
                continue
            if each.sha2 not in payloads:
                payloads[each.sha2] = _outcome(data[each.sha2], version)
            _compare(payloads[each.sha2], statements[each.index])
        except _Fault as fault:
            problems.append(Problem(each.index, each.place, f"is not a signature of this statement: {fault}"))
    if problems:
        raise InvalidStatements(problems)


def _outcome(signature: bytes, version: str) -> Statement | _Fault:
    try:
        return _signed(signature, version)
    except _Fault as fault:
        return fault


def _compare(payload: Statement | _Fault, statement: Statement) -> None:
    if isinstance(payload, _Fault):
        raise payload
    if not same_statement(payload, statement):
        raise _Fault("its payload is another statement")


def _signed(signature: bytes, version: str) -> Statement:
    """The statement that a JWS in compact serialization signs; raises _Fault if it is malformed or does not verify."""
    match = COMPACT.fullmatch(signature)
    if match is None:
        raise _Fault("it must be a JWS in compact serialization, three parts of base64url and nothing else")
    header, payload, _ = (_decoded(part) for part in match.groups())
    said = _parsed(header, "its header")
    if said.get("alg") not in ALGORITHMS:
        raise _Fault(f"its algorithm must be one of {', '.join(ALGORITHMS)}")
    if "crit" in said:
        raise _Fault("its header has crit, an extension that must be understood, and none is")
    if "x5c" in said:
        _verify(signature, _chain(said["x5c"]))
    statement = _parsed(payload, "its payload")
    try:
        check(statement, version)
    except InvalidStatement as error:
        raise _Fault(f"its payload is not a valid statement: {error.message}") from error
    return statement  # type: ignore[return-value]


def _decoded(part: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except ValueError as error:
        raise _Fault("it must be base64url") from error


def _parsed(text: bytes, what: str) -> dict[str, Any]:
    try:
        value = parse(text)
    except InvalidBody as error:
        raise _Fault(f"{what} must be JSON: {error.message}") from error
    if not isinstance(value, dict):
        raise _Fault(f"{what} must be a JSON object")
    return value


def _chain(x5c: Any) -> list[Certificate]:
    """The certificates of a header, the signer's first; each must be certified by the next one. RFC 7515, 4.1.6."""
    if not isinstance(x5c, list) or not 0 < len(x5c) <= LONGEST_CHAIN or not all(isinstance(each, str) for each in x5c):
        raise _Fault(f"x5c must be an array of 1 to {LONGEST_CHAIN} strings")
    try:
        chain = [load_der_x509_certificate(base64.b64decode(each, validate=True)) for each in x5c]
        for certificate, issuer in pairwise(chain):
            _check_link(certificate, issuer)
    except InvalidSignature as error:
        raise _Fault("a certificate of x5c is not certified by the one after it") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _Fault(f"x5c must be a chain of X.509 certificates: {error}") from error
    return chain


def _check_link(certificate: Certificate, issuer: Certificate) -> None:
    """Raises InvalidSignature, or ValueError and the like, unless `issuer` certified the certificate."""
    key, digest = issuer.public_key(), certificate.signature_hash_algorithm
    if isinstance(key, RSAPublicKey) and isinstance(digest, SHA1) and certificate.issuer == issuer.subject:
        # Too weak to trust, but nobody is trusted here, and the specification's own example is such a chain (Appendix D).
        key.verify(certificate.signature, certificate.tbs_certificate_bytes, PKCS1v15(), digest)
    else:
        certificate.verify_directly_issued_by(issuer)


def _verify(signature: bytes, chain: Sequence[Certificate]) -> None:
    """Raises _Fault unless the first certificate's key made the signature."""
    try:
        key = chain[0].public_key()
        if not isinstance(key, RSAPublicKey):
            raise _Fault("the first certificate of x5c must have an RSA key")
        jws.deserialize_compact(
            signature, RSAKey.import_key(key), registry=_Registry(algorithms=ALGORITHMS, strict_check_header=False)
        )
    except (JoseError, ValueError, UnsupportedAlgorithm) as error:
        raise _Fault(f"it does not verify with the first certificate of x5c: {error}") from error
