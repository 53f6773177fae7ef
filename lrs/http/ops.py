"""Whether the process is alive, and whether it should be sent work."""

import asyncio
import time
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from lrs.http.answers import json_answer
from lrs.http.keys import DATABASE, QUEUE

DRAIN_POLL_S = 0.02


@dataclass
class Life:
    """What an application knows of its own end: once draining, it finishes what it has and takes nothing new."""

    draining: bool = False
    under_way: int = 0


LIFE = web.AppKey("life", Life)


@web.middleware
async def count_under_way(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Know how many requests are under way; once draining, an answer is the last on its connection."""
    life = request.app[LIFE]
    life.under_way += 1
    try:
        response = await handler(request)
        if life.draining:
            response.force_close()
        return response
    finally:
        life.under_way -= 1


async def drain(app: web.Application, timeout_s: float) -> None:
    """Say that the end has come, and wait until what is under way is answered, or until the time is over.

    To be awaited between the end of listening and aiohttp's own shutdown, which hears no more of a body that is on its way.
    """
    app[LIFE].draining = True
    deadline = time.monotonic() + timeout_s
    while app[LIFE].under_way and time.monotonic() < deadline:
        await asyncio.sleep(DRAIN_POLL_S)


async def start_draining(app: web.Application) -> None:
    """From now on /readyz answers 503. For `on_shutdown`; earlier, if a balancer is to see it while we listen."""
    app[LIFE].draining = True


async def get_healthz(_request: web.Request) -> web.Response:
    """GET /healthz: 200 while the process can answer at all. No I/O."""
    return json_answer({"status": "alive"})


async def get_readyz(request: web.Request) -> web.Response:
    """GET /readyz: 200 if MongoDB answers within a second and we are not ending, else 503. Redis is not required."""
    checks = await condition(request)
    ready = checks["mongo"] and not checks["draining"]
    return json_answer({"status": "ready" if ready else "not ready", **checks}, status=200 if ready else 503)


async def condition(request: web.Request) -> dict[str, bool]:
    """What answers now."""
    app = request.config_dict
    return {
        "mongo": await app[DATABASE].ping(),
        "redis": app[QUEUE].reachable,
        "draining": app[LIFE].draining,
    }
