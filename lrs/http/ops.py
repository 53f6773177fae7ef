"""Whether the process is alive, and whether it should be sent work."""

from dataclasses import dataclass

from aiohttp import web

from lrs.http.answers import json_answer
from lrs.http.keys import DATABASE, QUEUE


@dataclass
class Life:
    """What an application knows of its own end: once draining, it finishes what it has and takes nothing new."""

    draining: bool = False


LIFE = web.AppKey("life", Life)


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
