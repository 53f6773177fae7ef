"""Management of tenants, their credentials, and what adapters know of them. design §3; for the operator only."""

import asyncio
import re
import secrets
from collections.abc import Mapping
from math import ceil
from typing import Any

from aiohttp import web
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from lrs.config import VERSIONS
from lrs.errors import InvalidParameter, InvalidStatement, NotFound
from lrs.http.answers import json_answer
from lrs.http.auth import SCOPES
from lrs.http.body import read_bytes, read_json
from lrs.http.keys import ADAPTERS, DIRECTORY, REFERENCES
from lrs.plugins import Adapter, Entry, Rate, Reference, where_from
from lrs.xapi.json_text import parse
from lrs.xapi.schema import check_actor

TENANT_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
# What HTTP can carry: a header has no control characters, and in Basic the first colon ends the key.
KEY = validate.Regexp(r"[^:\x00-\x1f\x7f]{1,200}\Z", error="must be 1 to 200 characters, none a colon")
HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*", re.ASCII)
SECRET = validate.Regexp(r"[^\x00-\x1f\x7f]{1,200}\Z", error="must be 1 to 200 characters")
API_KEY = validate.Regexp(r"[\x21-\x7e]{1,200}\Z", error="must be 1 to 200 characters of ASCII, none a space")


def host_name(given: Any) -> str:
    """A host name as it is looked up: lower case, no port."""
    name = given.lower() if isinstance(given, str) else ""
    if not HOST_NAME.fullmatch(name):
        raise ValidationError("must be a host name, without port")
    return name


def an_authority(given: Any) -> None:
    """What may be the authority of statements: an agent, or the two of OAuth as an anonymous group. xAPI 1.0.3, Data 2.4.7."""
    try:
        check_actor(given)
    except InvalidStatement as error:
        raise ValidationError(error.message) from None
    if given.get("objectType", "Agent") != "Agent":
        raise ValidationError("must be an Agent")


class TenantSchema(Schema):
    """What can be said of a tenant; what is not given stays as it was. `hosts`: the host names that lead to it.

    `xapi_default_version`: under which requests that name none are refused; null: the server's.
    """

    hosts = fields.List(fields.Function(deserialize=host_name), load_default=None, validate=validate.Length(max=100))
    xapi_default_version = fields.String(allow_none=True, validate=validate.OneOf(VERSIONS))


class RateSchema(Schema):
    """How often a credential may ask; 0 a second: without limit. `burst` at once after a pause: what a second allows if not given."""

    per_second = fields.Float(required=True, validate=validate.Range(min=0, max=1_000_000))
    burst = fields.Integer(strict=True, validate=validate.Range(min=1, max=1_000_000))


class CredentialSchema(Schema):
    """A new credential; what is not given is made up."""

    kind = fields.String(required=True, validate=validate.OneOf(("basic", "api_key")))
    key = fields.String(validate=KEY)
    secret = fields.String(validate=SECRET)
    api_key = fields.String(validate=API_KEY)
    scopes = fields.List(fields.String(validate=validate.OneOf(SCOPES)), required=True, validate=validate.Length(min=1))
    authority = fields.Raw(validate=an_authority)
    rate_limit = fields.Nested(RateSchema)

    @validates_schema
    def check_kind(self, credential: Mapping[str, Any], **_options: Any) -> None:
        """Each kind has its own fields."""
        foreign = ("key", "secret") if credential["kind"] == "api_key" else ("api_key",)
        wrong = {name: [f"does not belong to the kind {credential['kind']}"] for name in foreign if name in credential}
        if wrong:
            raise ValidationError(wrong)


async def get_tenants(request: web.Request) -> web.Response:
    """GET /manage/tenants: the names of all."""
    return json_answer({"tenants": await request.config_dict[DIRECTORY].tenants()})


async def put_tenant(request: web.Request) -> web.Response:
    """PUT /manage/tenants/{tenant} {"hosts"?, "xapi_default_version"?}: 201 if it is new, else 204.

    409 if a host is another tenant's.
    """
    tenant, body = request.match_info["tenant"], await read_bytes(request)
    if not TENANT_NAME.fullmatch(tenant):
        raise InvalidParameter("tenant", "must be 1 to 63 of a-z 0-9 . _ - and begin with a letter or digit")
    wanted = TenantSchema().load(parse(body) if body else {})
    created = await request.config_dict[DIRECTORY].create_tenant(tenant, wanted["hosts"])
    if "xapi_default_version" in wanted:
        await request.config_dict[DIRECTORY].set_default_version(tenant, wanted["xapi_default_version"])
    return web.Response(status=201 if created else 204)


async def get_tenant(request: web.Request) -> web.Response:
    """GET /manage/tenants/{tenant}: the hosts that lead to it, and its own default version; 404 if there is none."""
    tenant, directory = request.match_info["tenant"], request.config_dict[DIRECTORY]
    hosts, version = await directory.hosts(tenant), await directory.default_version(tenant)
    return json_answer({"tenant": tenant, "hosts": hosts, **({"xapi_default_version": version} if version else {})})


async def delete_tenant(request: web.Request) -> web.Response:
    """DELETE /manage/tenants/{tenant}: 204, and there is nothing left of it; 404 if there was none."""
    await request.config_dict[DIRECTORY].delete_tenant(request.match_info["tenant"])
    return web.Response(status=204)


async def post_credential(request: web.Request) -> web.Response:
    """POST …/credentials: 201 and the credential, its secret this once; 409 if its key is in use by any tenant."""
    tenant = await known_tenant(request)
    credential = _completed(CredentialSchema().load(await read_json(request)))
    await request.config_dict[DIRECTORY].add_credential(
        tenant, kind=credential["kind"], key=credential.get("key") or credential["api_key"],
        secret=credential.get("secret"), scopes=credential["scopes"],
        authority=credential.get("authority"), rate=_rate(credential),
    )
    return json_answer(credential, status=201)


def _rate(credential: Mapping[str, Any]) -> Rate | None:
    given = credential.get("rate_limit")
    return given and Rate(given["per_second"], given.get("burst") or max(1, ceil(given["per_second"])))


def _completed(credential: Mapping[str, Any]) -> dict[str, Any]:
    made_up = {"key": secrets.token_hex(12), "secret": secrets.token_urlsafe(32)}
    if credential["kind"] == "api_key":
        made_up = {"api_key": secrets.token_urlsafe(32)}
    return {"kind": credential["kind"], **made_up, **credential}


async def get_credentials(request: web.Request) -> web.Response:
    """GET …/credentials: kind, key and scopes of each, and what else it was given; secrets are not kept and not shown."""
    listed = await request.config_dict[DIRECTORY].list_credentials(await known_tenant(request))
    shown = ("kind", "key", "scopes", "authority")
    return json_answer({"credentials": [
        {name: each[name] for name in shown if name in each} | ({"rate_limit": each["rate"]} if "rate" in each else {})
        for each in listed
    ]})


async def delete_credential(request: web.Request) -> web.Response:
    """DELETE …/credentials/{key}: 204, and it is refused everywhere within a second; 404 if there was none."""
    await request.config_dict[DIRECTORY].remove_credential(await known_tenant(request), request.match_info["key"])
    return web.Response(status=204)


async def put_settings(request: web.Request) -> web.Response:
    """PUT …/adapters/{adapter}/settings: all of them at once; what is left out is as the adapter has it by default."""
    tenant, adapter = await known_tenant(request), adapter_of(request)
    await request.config_dict[DIRECTORY].save_settings(tenant, adapter, await read_json(request))
    return web.Response(status=204)


async def get_settings(request: web.Request) -> web.Response:
    """GET …/adapters/{adapter}/settings: those in force, defaults included."""
    tenant, adapter = await known_tenant(request), adapter_of(request)
    return json_answer(adapter.settings().dump(await request.config_dict[DIRECTORY].settings(tenant, adapter)))


async def put_reference(request: web.Request) -> web.Response:
    """PUT …/adapters/{adapter}/reference/{name}: takes the place of what was there under this name."""
    tenant, adapter = await known_tenant(request), adapter_of(request)
    reference = adapter.references.get(request.match_info["name"])
    if reference is None:
        raise NotFound(f"{adapter.name} has no reference data of this name")
    entries = await asyncio.to_thread(_entries, reference, await read_json(request))
    await request.config_dict[REFERENCES].replace(tenant, adapter.name, reference.name, entries)
    return web.Response(status=204)


def _entries(reference: Reference, document: Any) -> list[Entry]:
    return list(reference.entries(reference.schema().load(document)))


async def get_adapters(request: web.Request) -> web.Response:
    """GET /manage/adapters: what is installed, where it comes from, the paths it serves and the reference data it takes."""
    return json_answer({"adapters": [
        {
            "name": adapter.name, "version": adapter.version, "from": where_from(adapter.name),
            "references": sorted(adapter.references),
            "routes": [f"{route.method} {route.path}" for route in adapter.routes],
        }
        for adapter in request.config_dict[ADAPTERS].values()
    ]})


async def known_tenant(request: web.Request) -> str:
    """The tenant the path names; NotFound if there is none of that name."""
    tenant = request.match_info["tenant"]
    await request.config_dict[DIRECTORY].require_tenant(tenant)
    return tenant


def adapter_of(request: web.Request) -> Adapter:
    """The adapter the path names; NotFound if none of that name is installed."""
    adapter = request.config_dict[ADAPTERS].get(request.match_info["adapter"])
    if adapter is None:
        raise NotFound(f"no adapter {request.match_info['adapter']} is installed")
    return adapter
