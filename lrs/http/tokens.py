"""Asking the issuer of bearer tokens for its keys. OpenID Connect Discovery 1.0, 4."""

from typing import Any

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout

from lrs.config import trustworthy
from lrs.errors import IssuerUnavailable

WELL_KNOWN = "/.well-known/openid-configuration"
# Seconds, for one document as a whole.
PATIENCE_S = 5.0
# Bytes. A JWKS document has a few thousand.
LARGEST = 1024 * 1024


class Issuer:
    """Where an issuer's keys are: at `jwks_url`, or where its discovery document says ("")."""

    def __init__(self, issuer: str, jwks_url: str) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._session: ClientSession | None = None

    async def jwks(self) -> Any:
        """The JWKS document as it is now. Raises IssuerUnavailable."""
        return await self._get(self._jwks_url or await self._discovered())

    async def _discovered(self) -> str:
        found = await self._get(self._issuer.rstrip("/") + WELL_KNOWN)
        # Else somebody who can answer for one address could speak for another issuer. OpenID Connect Discovery 1.0, 4.3.
        if not isinstance(found, dict) or found.get("issuer") != self._issuer:
            raise IssuerUnavailable("the discovery document is not that of the issuer")
        url = found.get("jwks_uri")
        if not isinstance(url, str) or not trustworthy(url):
            raise IssuerUnavailable("the discovery document has no jwks_uri that can be trusted")
        return url

    async def _get(self, url: str) -> Any:
        """A JSON document. Redirects are not followed: whoever can make one could send us anywhere."""
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=PATIENCE_S))
        try:
            async with self._session.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as answer:
                if answer.status != 200:
                    raise IssuerUnavailable(f"the issuer answers {answer.status}")
                body = bytearray()
                async for chunk in answer.content.iter_chunked(2**16):
                    body += chunk
                    if len(body) > LARGEST:
                        raise IssuerUnavailable("the issuer's document is too large")
                return msgspec.json.decode(bytes(body))
        except (ClientError, OSError, TimeoutError, ValueError, RecursionError) as error:
            raise IssuerUnavailable(f"the issuer gives no document: {type(error).__name__}") from None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
