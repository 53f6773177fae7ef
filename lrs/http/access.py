"""The parts that decide who gets in: rate limits, and bearer tokens where an issuer is configured."""

from collections.abc import AsyncIterator

from aiohttp import web

from lrs.http import keys
from lrs.http.auth import SCOPES
from lrs.http.tokens import Issuer
from lrs.issuer_keys import IssuerKeys
from lrs.oidc import Tokens, Trust
from lrs.rate_limits import RateLimits, default_rate


async def access_parts(app: web.Application) -> AsyncIterator[None]:
    """Opens nothing before its first use. For `cleanup_ctx`."""
    config = app[keys.CONFIG]
    app[keys.RATE_LIMITS] = limits = RateLimits(config.redis_url, default_rate(config.rate_limit, config.rate_burst))
    if config.oidc_issuer:
        issuer = Issuer(config.oidc_issuer, config.oidc_jwks_url)
        issuer_keys = IssuerKeys(issuer.jwks, config.oidc_refetch)
        trust = Trust(
            config.oidc_issuer, config.oidc_audience, config.oidc_tenant_claim, config.oidc_scope_prefix, frozenset(SCOPES)
        )
        app[keys.TOKENS] = Tokens(trust, issuer_keys, app[keys.CLOCK])
    yield
    await limits.close()
    if config.oidc_issuer:
        await issuer_keys.close()
        await issuer.close()
