"""`POST /v1/logs/pathway-logs`, as its documentation has it, and this adapter's declaration."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial, wraps
from math import ceil
from time import perf_counter
from typing import TypeAlias

from aiohttp import web

from adapters.pathway.answers import success
from adapters.pathway.documents import split
from adapters.pathway.listings import Source, listing_of
from adapters.pathway.profiles import teaches
from adapters.pathway.queries import QuerySchema, query_of
from adapters.pathway.schema import EventSchema, SettingsSchema
from adapters.pathway.tokens import admit_token
from adapters.pathway.translate import translate
from lrs.errors import LRSError, RateLimited
from lrs.http.answers import JSON, bytes_answer, json_answer
from lrs.http.auth import CALLER
from lrs.http.body import read_bytes
from lrs.http.errors import HEADERS, status_of
from lrs.http.headers import consistent_through
from lrs.http.keys import ADAPTERS, DIRECTORY, SUMMARIES
from lrs.plugins import Adapter, Route

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

ADAPTER = "pathway"
PATH = "/v1/logs/pathway-logs"
# More logs than this take long enough to be kept out of the loop.
LARGE = 500
OTHER_METHODS = ("GET", "PUT", "PATCH", "DELETE", "OPTIONS")


def native(handler: Handler) -> Handler:
    """Let a handler answer its errors as this API does: {"status": "error", "message": …}."""
    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except LRSError as error:
            status = status_of(error)
            if status == 500:
                raise
            later = {"Retry-After": str(max(1, ceil(error.retry_after_s)))} if isinstance(error, RateLimited) else {}
            return refused(status, error.message, {**HEADERS.get(status, {}), **later})
    return answer


def refused(status: int, message: str, headers: Mapping[str, str]) -> web.Response:
    """An error in this API's shape."""
    sendable = message.encode(errors="replace").decode()
    return json_answer({"status": "error", "message": sendable}, status=status, headers=headers)


@native
async def post_pathway_logs(request: web.Request) -> web.StreamResponse:
    """POST /v1/logs/pathway-logs: the activities of one pathway and the logs of its learners, filtered."""
    began = perf_counter()
    await admit_token(request)
    query, tenant = query_of(await read_bytes(request)), request[CALLER].tenant
    settings = await request.config_dict[DIRECTORY].settings(tenant, request.config_dict[ADAPTERS][ADAPTER])
    through_us, summaries = await request.config_dict[SUMMARIES].brought_up(tenant)
    listing = await listing_of(Source(request, summaries, tenant, settings), query)
    work = partial(success, listing, query, lambda: perf_counter() - began)
    body = await asyncio.to_thread(work) if listing.size > LARGE else work()
    return bytes_answer(body, JSON, headers=consistent_through(through_us))


async def refuse_method(request: web.Request) -> web.StreamResponse:
    """The resource is there, but only for POST."""
    return refused(405, f"{request.method} is not a method of this endpoint: use POST", {"Allow": "POST"})


adapter = Adapter(
    name=ADAPTER,
    version="1",
    settings=SettingsSchema,
    routes=(
        Route("POST", PATH, post_pathway_logs, body=QuerySchema),
        Route("POST", f"{PATH}/", post_pathway_logs, documented=False),
        *(
            Route(method, path, refuse_method, documented=False)
            for method in OTHER_METHODS for path in (PATH, f"{PATH}/")
        ),
    ),
    translate=translate,
    split=split,
    teaches=teaches,
    event=EventSchema,
)
