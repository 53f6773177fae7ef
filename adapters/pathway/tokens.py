"""Who asks: the vendor's Basic token is opaque, so it may be a tenant's key and secret, or an API key that is the token itself."""

from aiohttp import web

from lrs.errors import Forbidden, Unauthorized
from lrs.http.auth import CALLER, READS_REPORTS, admit, count
from lrs.http.keys import DIRECTORY
from lrs.http.tenancy import UNREACHED, named_tenant


async def admit_token(request: web.Request) -> None:
    """Let in whoever may read reports: the caller is then at request[CALLER]. Raises Unauthorized, Forbidden, RateLimited."""
    try:
        await admit(request, READS_REPORTS)
    except Unauthorized:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        known = scheme.lower() == "basic" and token.isprintable()
        caller = await request.config_dict[DIRECTORY].caller_of_api_key(token.strip()) if known else None
        if caller is None:
            raise
        await count(request, caller)
        if await named_tenant(request) not in (None, caller.tenant):
            raise Forbidden(UNREACHED) from None
        if READS_REPORTS.scopes.isdisjoint(caller.scopes):
            raise Forbidden("this credential may not read reports") from None
        request[CALLER] = caller
