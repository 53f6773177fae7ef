"""Management of what goes for good: a learner who is to be erased, and statements that are not to be kept for ever."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from lrs.errors import InvalidStatement
from lrs.http.answers import json_answer
from lrs.http.body import read_json
from lrs.http.jobs import PacedSchema, read_wanted, start_job
from lrs.http.keys import DIRECTORY
from lrs.http.manage import known_tenant
from lrs.xapi.agents import identity
from lrs.xapi.build import account_actor
from lrs.xapi.schema import check_actor

# A century: what is kept longer is kept for ever.
MOST_DAYS = 36_525


def a_person(given: Any) -> None:
    """Who can be erased: an agent that says who it is."""
    try:
        check_actor(given)
    except InvalidStatement as error:
        raise ValidationError(error.message) from None
    if identity(given) is None or "member" in given or given.get("objectType") == "Group":
        raise ValidationError("must be an Agent")


class EraseSchema(PacedSchema):
    """Whom to erase: an Agent, or the account that other systems know them by."""

    actor = fields.Raw(validate=a_person)
    home_page = fields.String(validate=validate.Length(min=1))
    name = fields.String(validate=validate.Length(min=1))

    @validates_schema
    def check_whom(self, wanted: Mapping[str, Any], **_options: Any) -> None:
        """One of the two, and whole."""
        account = [name for name in ("home_page", "name") if name in wanted]
        if ("actor" in wanted) == bool(account) or len(account) == 1:
            raise ValidationError("must have either actor, or home_page and name")
        if account:
            a_person(account_actor(wanted["home_page"], wanted["name"]))


class RetentionSchema(Schema):
    """For how many days statements are kept; null: for ever."""

    days = fields.Integer(strict=True, required=True, allow_none=True, validate=validate.Range(min=1, max=MOST_DAYS))


async def post_erase(request: web.Request) -> web.Response:
    """POST …/erase {"actor"} or {"home_page", "name"}: a receipt of what was removed, by kind; it names nobody."""
    tenant, wanted = await known_tenant(request), EraseSchema().load(await read_json(request))
    actor = wanted.get("actor") or account_actor(wanted["home_page"], wanted["name"])
    rest = {name: value for name, value in wanted.items() if name not in ("home_page", "name")}
    return await start_job(request, tenant, "erase", {**rest, "actor": actor})


async def get_retention(request: web.Request) -> web.Response:
    """GET …/retention: for how many days statements are kept; null: for ever."""
    return json_answer({"days": await request.config_dict[DIRECTORY].retention(await known_tenant(request))})


async def put_retention(request: web.Request) -> web.Response:
    """PUT …/retention {"days"}: what is older is removed every night."""
    tenant, wanted = await known_tenant(request), RetentionSchema().load(await read_json(request))
    await request.config_dict[DIRECTORY].set_retention(tenant, wanted["days"])
    return web.Response(status=204)


async def post_retain(request: web.Request) -> web.Response:
    """POST …/retain {"per_second"?, "wait"?}: remove now what is older than the retention says; how much of each kind."""
    tenant, wanted = await known_tenant(request), await read_wanted(request, PacedSchema)
    return await start_job(request, tenant, "retain", wanted)
