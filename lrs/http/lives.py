"""Bodies that outlast their tenant: one may be deleted, and made anew under its name, while a body is still coming."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from lrs.errors import Unauthorized
from lrs.http.auth import CALLER
from lrs.http.keys import DIRECTORY


@asynccontextmanager
async def one_life(request: web.Request, tenant: str | None = None) -> AsyncIterator[None]:
    """For reading a body: what it is for is the same tenant at the end of the block. Raises Unauthorized.

    By default the tenant is the caller's; an operator's request is for none. A body that came with its head costs nothing. Between
    being let in and being asked here no tenant can have been deleted: that takes longer than any process goes on with what it knows
    of a credential.
    """
    tenant = tenant or (request[CALLER].tenant if CALLER in request else None)
    if tenant is None or request.content.is_eof():
        yield
        return
    directory = request.config_dict[DIRECTORY]
    before = await directory.life(tenant)
    yield
    if before is None or await directory.life(tenant) != before:
        raise Unauthorized("the tenant was deleted before the body had come")
