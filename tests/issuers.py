"""An issuer of bearer tokens on loopback, with keys made when asked for, that can rotate, go away and come back."""

import base64
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from lrs.http.auth import SCOPES
from lrs.http.tokens import Issuer as Source
from lrs.issuer_keys import IssuerKeys
from lrs.oidc import Tokens, Trust

AUDIENCE = "https://lrs.example.org"
REFETCH_S = 30.0
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def key_pair(kid: str, algorithm: str = "ES256") -> RSAKey | ECKey:
    """A key pair; the same for the same name and algorithm."""
    return _key_pair(kid, algorithm)


@cache
def _key_pair(kid: str, algorithm: str) -> RSAKey | ECKey:
    if algorithm in CURVES:
        return ECKey.generate_key(CURVES[algorithm], {"kid": kid})
    return RSAKey.generate_key(2048, {"kid": kid})


class Issuer:
    """Serves discovery and JWKS, and counts how often it is asked for each."""

    def __init__(self) -> None:
        self.keys: list[RSAKey | ECKey] = [key_pair("one")]
        self.answers: dict[str, Any] = {}
        self.asked: dict[str, int] = {"discovery": 0, "jwks": 0}
        self.away = False
        self.url = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/jwks", self._jwks)
        return app

    async def _discovery(self, _request: web.Request) -> web.StreamResponse:
        return self._answer("discovery", {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"})

    async def _jwks(self, _request: web.Request) -> web.StreamResponse:
        return self._answer("jwks", {"keys": [key.as_dict(private=False) for key in self.keys]})

    def _answer(self, what: str, document: Any) -> web.StreamResponse:
        self.asked[what] += 1
        if self.away:
            raise web.HTTPServiceUnavailable
        given = self.answers.get(what, document)
        if isinstance(given, web.HTTPException):
            raise given
        return given if isinstance(given, web.StreamResponse) else web.json_response(given)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What a token says that is valid now; a change to None leaves a claim out, one of "exp_in" is in seconds from now."""
        now = int(time.time())
        times = {"iat": now, "nbf": now, "exp": now + 600}
        times |= {name: now + changes.pop(f"{name}_in") for name in tuple(times) if f"{name}_in" in changes}
        claims = {
            "iss": self.url, "aud": AUDIENCE, "sub": "ada", **times, "tenant": "school", "scope": "openid all", **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self, *, kid: str | None = "one", algorithm: str = "ES256", header: Mapping[str, Any] | None = None,
        by: Any = None, **changes: Any,
    ) -> str:
        """A signed token."""
        named = {"kid": kid} if kid is not None else {}
        signer = by or key_pair(kid or "one", algorithm)
        return jwt.encode({"alg": algorithm, **named, **(header or {})}, self.claims(**changes), signer, [algorithm])


@asynccontextmanager
async def an_issuer() -> AsyncIterator[Issuer]:
    """One that runs."""
    issuer = Issuer()
    async with TestServer(issuer.app(), host="127.0.0.1") as server:
        issuer.url = str(server.make_url("")).rstrip("/")
        yield issuer


def unsigned(header: Any, claims: Any, signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


class Ticking:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """Tokens as one process checks them, with a clock of its own for the cache."""

    def __init__(self, issuer: Issuer, **trust: Any) -> None:
        self.issuer, self.ticking = issuer, Ticking()
        self.source = Source(issuer.url, trust.pop("jwks_url", ""))
        self.keys = IssuerKeys(self.source.jwks, REFETCH_S, now=self.ticking)
        told = {"issuer": issuer.url, "audience": AUDIENCE, "tenant_claim": "tenant", "scope_prefix": "", **trust}
        self.tokens = Tokens(Trust(scopes=frozenset(SCOPES), **told), self.keys, lambda: datetime.now(UTC))

    async def caller(self, **token: Any) -> Any:
        return await self.tokens.caller(self.issuer.token(**token))

    async def close(self) -> None:
        await self.keys.close()
        await self.source.close()
