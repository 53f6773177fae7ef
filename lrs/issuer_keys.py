"""The public keys of a token issuer: kept, refetched when they rotate, and never asked for more often than agreed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from lrs.errors import IssuerUnavailable

logger = structlog.get_logger(__name__)

# Seconds. A key the issuer has withdrawn is taken for so long at most, while the issuer answers.
FRESH_FOR_S = 300.0
# Seconds. And for so long if it does not. Tokens rarely live longer than an hour, so by then there are hardly any to check.
KEPT_FOR_S = 3600.0
# Fewer bits can be factored. RFC 7518, 3.3.
LEAST_RSA_BITS = 2048
# An issuer has two or three; more than this is not one.
MOST_KEYS = 100
# The public members alone: whatever else a document holds, a private exponent included, is not looked at.
PUBLIC = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}
CURVE_OF = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
ALGORITHMS = ("RS256", "RS384", "RS512", *CURVE_OF)


@dataclass(frozen=True)
class IssuerKey:
    """A public key, what it is called, and the algorithm it is for (None: any of its type)."""

    kid: str | None
    algorithm: str | None
    key: RSAKey | ECKey

    def serves(self, algorithm: str) -> bool:
        """Whether a signature of this algorithm may be by this key."""
        if self.algorithm not in (None, algorithm):
            return False
        if isinstance(self.key, RSAKey):
            return algorithm.startswith("RS")
        return self.key.curve_name == CURVE_OF.get(algorithm)


class IssuerKeys:
    """`fetch` gives the issuer's JWKS document; IssuerUnavailable if it cannot. `refetch_s`: the least time between two fetches."""

    def __init__(
        self, fetch: Callable[[], Awaitable[Any]], refetch_s: float, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._refetch_s = refetch_s
        self._now = now
        self._keys: Sequence[IssuerKey] = ()
        self._fetched_at = self._tried_at = float("-inf")
        self._away = False
        self._refresh: asyncio.Task[None] | None = None

    async def candidates(self, kid: str | None, algorithm: str) -> list[IssuerKey]:
        """The keys that a token may be signed with, by its header. None: there is no such key.

        A name that is not known is a reason to fetch, for it may be new; not more often than agreed, for it may be made up.
        IssuerUnavailable if the key is not known and the last fetch failed.
        """
        age_s = self._now() - self._fetched_at
        if age_s >= KEPT_FOR_S:
            self._keys = ()
        found = self._named(kid, algorithm)
        if not found or age_s >= FRESH_FOR_S:
            self._start_refresh()
        if not found and self._refresh is not None:
            # Shielded: one caller that goes away must not end it for the others. What is known serves without waiting.
            await asyncio.shield(self._refresh)
            found = self._named(kid, algorithm)
        if not found and self._away:
            raise IssuerUnavailable("the issuer of this token does not answer")
        return found

    async def close(self) -> None:
        """End a fetch that is under way."""
        if self._refresh is not None:
            self._refresh.cancel()
            await asyncio.wait([self._refresh])

    def _named(self, kid: str | None, algorithm: str) -> list[IssuerKey]:
        return [each for each in self._keys if each.serves(algorithm) and kid in (None, each.kid)]

    def _start_refresh(self) -> None:
        now = self._now()
        if self._refresh is None and now - self._tried_at >= self._refetch_s:
            self._tried_at = now
            self._refresh = asyncio.create_task(self._fetch_keys())

    async def _fetch_keys(self) -> None:
        try:
            self._keys = public_keys(await self._fetch())
            self._fetched_at, self._away = self._now(), False
        except IssuerUnavailable as error:
            if not self._away:
                logger.warning("issuer_away", reason=error.message)
            self._away = True
        finally:
            self._refresh = None


def public_keys(document: Any) -> list[IssuerKey]:
    """The keys of a JWKS document that signatures we take can be checked with; others are left out. RFC 7517, 5.

    IssuerUnavailable if it is no JWKS document, or has none.
    """
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        raise IssuerUnavailable("what the issuer answers is no JWKS document")
    keys = [key for each in listed[:MOST_KEYS] if (key := _public_key(each)) is not None]
    if not keys:
        raise IssuerUnavailable("the issuer's JWKS document has no key for signatures")
    return keys


def _public_key(entry: Any) -> IssuerKey | None:
    if not isinstance(entry, Mapping) or entry.get("kty") not in ("RSA", "EC") or entry.get("use", "sig") != "sig":
        return None
    kid, algorithm = entry.get("kid"), entry.get("alg")
    if not isinstance(kid, str | None) or algorithm not in (None, *ALGORITHMS):
        return None
    kind = entry["kty"]
    try:
        public = {"kty": kind, **{name: entry[name] for name in PUBLIC[kind]}}
        key = RSAKey.import_key(public) if kind == "RSA" else ECKey.import_key(public)
        if isinstance(key, RSAKey) and key.public_key.key_size < LEAST_RSA_BITS:
            return None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return IssuerKey(kid, algorithm, key)
