"""Management of jobs: what runs, what failed and why; and the way in which whatever takes long is started."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web
from marshmallow import Schema, fields, validate

from lrs.errors import InvalidParameter, NotFound
from lrs.http.answers import json_answer
from lrs.http.body import read_bytes
from lrs.http.keys import JOBS
from lrs.http.manage import known_tenant
from lrs.http.params import only, single_values
from lrs.store.jobs import DONE, STATES, Job, spelled_out
from lrs.xapi.json_text import parse
from lrs.xapi.times import format_stored

# How long an answer waits for the end of the job it starts, in seconds: a moment, or, if asked to, as long as a proxy may wait.
MOMENT_S, WAIT_S = 1.0, 50.0
JOB_ID, EARLIEST = re.compile(r"[0-9a-f]{24}", re.ASCII), "0" * 24
ON_THE_WAY = frozenset(("wait",))


class JobSchema(Schema):
    """What can be said of every job. `wait`: for its end, up to 50 seconds."""

    wait = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class PacedSchema(JobSchema):
    """The same of a job whose rate can be bounded. `per_second`: no more of what it goes through in a second."""

    per_second = fields.Float(load_default=None, validate=validate.Range(min=0, min_inclusive=False, max=1_000_000))


async def read_wanted(request: web.Request, schema: type[Schema]) -> Mapping[str, Any]:
    """The body of a request that starts a job, as its schema loads it; an empty body is an empty object."""
    body = await read_bytes(request)
    return schema().load(parse(body) if body else {})  # type: ignore[no-any-return]


async def start_job(request: web.Request, tenant: str, kind: str, wanted: Mapping[str, Any]) -> web.Response:
    """Start a job: 200 and its result if it is done within a second (with `wait`: within 50), else 202 and the job as it is then."""
    jobs = request.config_dict[JOBS]
    arguments = {name: value for name, value in wanted.items() if value is not None and name not in ON_THE_WAY}
    job = await jobs.over(await jobs.start(tenant, kind, arguments), WAIT_S if wanted["wait"] else MOMENT_S)
    if job.state == DONE:
        return json_answer(spelled_out(job.result))
    # From /prefix/manage/tenants/{tenant}/… to /prefix/manage/tenants/{tenant}/jobs/{id}.
    place = f"{request.path.partition('/manage/tenants/')[0]}/manage/tenants/{tenant}/jobs/{job.id}"
    return json_answer(shown(job), status=202, headers={"Location": place})


async def get_jobs(request: web.Request) -> web.Response:
    """GET …/jobs?state=&after=: a tenant's jobs, latest first; `more` leads to the next page, and is empty on the last."""
    tenant, params = await known_tenant(request), single_values(request.query)
    only(params, ("state", "after"))
    state = params.get("state")
    if state not in (None, *STATES):
        raise InvalidParameter("state", f"must be one of {', '.join(STATES)}")
    if not JOB_ID.fullmatch(params.get("after", EARLIEST)):
        raise InvalidParameter("after", "must be the id of a job")
    jobs, after = await request.config_dict[JOBS].list(tenant, state, params.get("after"))
    following = request.rel_url.update_query(after=after) if after else ""
    return json_answer({"jobs": [shown(each) for each in jobs], "more": str(following)})


async def get_job(request: web.Request) -> web.Response:
    """GET …/jobs/{job}: how far it is, its result, or why it failed; 404 if there is none of that id."""
    tenant, job_id = await known_tenant(request), job_id_of(request)
    return json_answer(shown(await request.config_dict[JOBS].get(tenant, job_id)))


async def post_cancel(request: web.Request) -> web.Response:
    """POST …/jobs/{job}/cancel: end a job; what it did so far stays done. 409 if it is over."""
    tenant, job_id = await known_tenant(request), job_id_of(request)
    return json_answer(shown(await request.config_dict[JOBS].cancel(tenant, job_id)))


async def post_retry(request: web.Request) -> web.Response:
    """POST …/jobs/{job}/retry: let a job that failed or was cancelled go on from where it stopped. 409 if it did neither."""
    tenant, job_id = await known_tenant(request), job_id_of(request)
    return json_answer(shown(await request.config_dict[JOBS].retry(tenant, job_id)))


def job_id_of(request: web.Request) -> str:
    """The id in the path. NotFound if no job can have it."""
    job_id = request.match_info["job"]
    if not JOB_ID.fullmatch(job_id):
        raise NotFound("there is no job of this id")
    return job_id


def shown(job: Job) -> dict[str, Any]:
    """A job as operators see it: what its task keeps to go on from, and who has it, is left out."""
    return {
        "id": job.id, "kind": job.kind, "state": job.state, "arguments": dict(job.arguments), "done": job.done, "total": job.total,
        "tries": job.tries, "result": spelled_out(job.result), "error": job.error, "created": _time(job.created),
        "started": _time(job.started), "ended": _time(job.ended),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_stored(round(moment.timestamp() * 1_000_000))
