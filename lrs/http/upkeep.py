"""Management of what is kept: waiting until it is up to date, making it anew, proving it right, and how all is."""

from dataclasses import asdict

from aiohttp import web
from marshmallow import fields, validate

from lrs import __version__
from lrs.doctor import examined, look
from lrs.errors import NotFound
from lrs.http.answers import json_answer
from lrs.http.jobs import PacedSchema, read_wanted, start_job
from lrs.http.keys import ADAPTERS, CLOCK, DATABASE, DIRECTORY, FOLLOWER, HEALTH, MATERIALIZERS, QUEUE, WATERMARK
from lrs.http.manage import known_tenant
from lrs.http.ops import condition
from lrs.xapi.times import format_stored


class RebuildSchema(PacedSchema):
    """Which materializer to rebuild; all of them if none is named."""

    materializer = fields.String(load_default=None)


class VerifySchema(PacedSchema):
    """What to recount: `sample` is a part of the summaries (below 1) or a number of them, all by default; of one materializer or all."""

    sample = fields.Float(load_default=None, validate=validate.Range(min=0, min_inclusive=False, max=10_000_000))
    materializer = fields.String(load_default=None)


async def post_settle(request: web.Request) -> web.Response:
    """POST …/settle: 200 once every summary reflects every statement accepted before the call; and up to which time."""
    through_us = await request.config_dict[FOLLOWER].settle(await known_tenant(request))
    return json_answer({"through": format_stored(through_us)})


async def post_rebuild(request: web.Request) -> web.Response:
    """POST …/rebuild {"materializer"?, "per_second"?, "wait"?}: fold anew from the statements; how many summaries, by materializer."""
    tenant, wanted = await known_tenant(request), await read_wanted(request, RebuildSchema)
    _known(request, wanted["materializer"])
    return await start_job(request, tenant, "rebuild", wanted)


async def post_verify(request: web.Request) -> web.Response:
    """POST …/verify {"sample"?, "materializer"?, "per_second"?, "wait"?}: recount; how many, and which differ from what is saved."""
    tenant, wanted = await known_tenant(request), await read_wanted(request, VerifySchema)
    _known(request, wanted["materializer"])
    return await start_job(request, tenant, "verify", wanted)


def _known(request: web.Request, name: str | None) -> None:
    if name is not None and name not in request.config_dict[MATERIALIZERS]:
        raise NotFound(f"no materializer {name} is installed")


async def get_leftovers(request: web.Request) -> web.Response:
    """GET …/leftovers: summaries and lines of versions that are not installed here: how many, by edition."""
    found = await request.config_dict[FOLLOWER].leftovers(await known_tenant(request))
    return json_answer({"leftovers": [asdict(each) for each in found]})


async def delete_leftover(request: web.Request) -> web.Response:
    """DELETE …/leftovers/{edition}: remove one of them; how many summaries. 404 if it is none."""
    tenant = await known_tenant(request)
    removed = await request.config_dict[FOLLOWER].remove_leftover(tenant, request.match_info["edition"])
    return json_answer({"removed": removed})


async def get_status(request: web.Request) -> web.Response:
    """GET /manage/status: one page that tells the health of all."""
    parts = request.config_dict
    checks = await condition(request)
    now = await parts[HEALTH].now() if checks["mongo"] else None
    return json_answer({
        "version": __version__,
        **checks,
        "through": format_stored(parts[WATERMARK].known()),
        "tenants": len(await parts[DIRECTORY].tenants()) if checks["mongo"] else None,
        "adapters": {adapter.name: adapter.version for adapter in parts[ADAPTERS].values()},
        "lag_s": now and now.lag_s, "lagging": now and now.lagging, "jobs": now and dict(now.jobs),
        "workers": now and now.workers.alive, "swept_s_ago": now and now.workers.swept_s_ago,
    })


async def get_doctor(request: web.Request) -> web.Response:
    """GET /manage/doctor: whether databases, indexes, clocks, workers, lag and jobs are as they should be."""
    parts = request.config_dict
    facts = await look(parts[DATABASE], parts[QUEUE], parts[HEALTH], parts[CLOCK])
    return json_answer({"checks": [asdict(each) for each in examined(facts)]})
