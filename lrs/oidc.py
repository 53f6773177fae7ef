"""Bearer tokens: JWTs of one OpenID Connect issuer, to callers. RFC 7519, RFC 8725, RFC 9068."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import msgspec
import structlog
from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from lrs.issuer_keys import ALGORITHMS, IssuerKeys
from lrs.plugins import Caller
from lrs.xapi.types import Agent

logger = structlog.get_logger(__name__)

# Longer than any header a server takes; nothing of it is looked at beyond.
MOST_CHARACTERS = 16_384
# Seconds that the issuer's clock may differ from ours.
LEEWAY_S = 30
TYPES = ("jwt", "at+jwt", "application/jwt", "application/at+jwt")
# OpenID Connect has a scope of this name too, which most tokens carry: with no prefix it says nothing about xAPI.
AMBIGUOUS = "profile"
REGISTRY = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


@dataclass(frozen=True)
class Trust:
    """Whose tokens count, and how they are read. `scopes` are those there are; `prefix` stands before each in a token."""

    issuer: str
    audience: str
    tenant_claim: str
    scope_prefix: str
    scopes: frozenset[str]


class Refusal(Exception):
    """Why a token does not count: for the log, never for whoever sent it."""


class Tokens:
    """Tells who a token stands for."""

    def __init__(self, trust: Trust, keys: IssuerKeys, clock: Callable[[], datetime]) -> None:
        self._trust = trust
        self._keys = keys
        self._claims = JWTClaimsRegistry(
            now=lambda: int(clock().timestamp()), leeway=LEEWAY_S, iss={"essential": True, "value": trust.issuer},
            aud={"essential": True, "value": trust.audience}, exp={"essential": True}, sub={"essential": True},
        )

    async def caller(self, token: str) -> Caller | None:
        """The caller; None if the token is not valid here and now. IssuerUnavailable if that cannot be told.

        That there is such a tenant is not checked.
        """
        try:
            header = _header(token)
            claims = self._verified(token, await self._keys.candidates(header.get("kid"), header["alg"]))
            return _caller(claims, self._trust)
        except Refusal as refusal:
            logger.info("token_refused", reason=str(refusal))
            return None

    def _verified(self, token: str, candidates: list[Any]) -> Mapping[str, Any]:
        for candidate in candidates:
            try:
                decoded = jwt.decode(token, candidate.key, ALGORITHMS, REGISTRY)
                self._claims.validate(decoded.claims)
                return decoded.claims
            except BadSignatureError:
                continue
            except (JoseError, ValueError, RecursionError) as error:
                raise Refusal(getattr(error, "error", "") or type(error).__name__) from None
        raise Refusal("bad_signature" if candidates else "unknown_key")


def _header(token: str) -> Mapping[str, Any]:
    """The header of a signed token that we would check at all. Refusal."""
    if len(token) > MOST_CHARACTERS or not token.isascii() or token.count(".") != 2:
        raise Refusal("malformed")
    try:
        encoded = token.partition(".")[0]
        header = msgspec.json.decode(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, RecursionError):
        raise Refusal("malformed") from None
    if not isinstance(header, dict) or not isinstance(header.get("kid"), str | None):
        raise Refusal("malformed")
    if header.get("alg") not in ALGORITHMS:
        raise Refusal("algorithm")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise Refusal("type")
    return header


def _caller(claims: Mapping[str, Any], trust: Trust) -> Caller:
    tenant, subject = claims.get(trust.tenant_claim), claims["sub"]
    if not isinstance(tenant, str) or not tenant:
        raise Refusal("no_tenant")
    authority = {"objectType": "Agent", "account": {"homePage": trust.issuer, "name": subject}}
    # No key of a Basic credential has a colon, and every issuer has.
    return Caller(tenant, f"{trust.issuer}|{subject}", _scopes(claims, trust), cast(Agent, authority))


def _scopes(claims: Mapping[str, Any], trust: Trust) -> frozenset[str]:
    """The scopes of ours among those of "scope" and "scp", which may be a list or text with spaces."""
    given: set[str] = set()
    for value in (claims.get("scope"), claims.get("scp")):
        listed = value.split() if isinstance(value, str) else value
        if isinstance(listed, list):
            given.update(each for each in listed if isinstance(each, str))
    prefix = trust.scope_prefix
    ours = {each.removeprefix(prefix) for each in given if each.startswith(prefix)} & trust.scopes
    return frozenset(ours if prefix else ours - {AMBIGUOUS})
