"""Management of tenants, their credentials, and what adapters know of them. design §3; for the operator only."""

import asyncio
import re
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from lrs.errors import InvalidParameter, NotFound
from lrs.http.answers import json_answer
from lrs.http.auth import SCOPES
from lrs.http.body import read_json
from lrs.http.keys import ADAPTERS, DIRECTORY, REFERENCES
from lrs.plugins import Adapter, Entry, Reference

TENANT_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
# What HTTP can carry: a header has no control characters, and in Basic the first colon ends the key.
KEY = validate.Regexp(r"[^:\x00-\x1f\x7f]{1,200}\Z", error="must be 1 to 200 characters, none a colon")
SECRET = validate.Regexp(r"[^\x00-\x1f\x7f]{1,200}\Z", error="must be 1 to 200 characters")
API_KEY = validate.Regexp(r"[\x21-\x7e]{1,200}\Z", error="must be 1 to 200 characters of ASCII, none a space")


class CredentialSchema(Schema):
    """A new credential; what is not given is made up."""

    kind = fields.String(required=True, validate=validate.OneOf(("basic", "api_key")))
    key = fields.String(validate=KEY)
    secret = fields.String(validate=SECRET)
    api_key = fields.String(validate=API_KEY)
    scopes = fields.List(fields.String(validate=validate.OneOf(SCOPES)), required=True, validate=validate.Length(min=1))

    @validates_schema
    def check_kind(self, credential: Mapping[str, Any], **_options: Any) -> None:
        """Each kind has its own fields."""
        foreign = ("key", "secret") if credential["kind"] == "api_key" else ("api_key",)
        wrong = {name: [f"does not belong to the kind {credential['kind']}"] for name in foreign if name in credential}
        if wrong:
            raise ValidationError(wrong)


async def get_tenants(request: web.Request) -> web.Response:
    """GET /manage/tenants."""
    return json_answer({"tenants": await request.config_dict[DIRECTORY].tenants()})


async def put_tenant(request: web.Request) -> web.Response:
    """PUT /manage/tenants/{tenant}: 201 if it is new, 204 if it was there."""
    tenant = request.match_info["tenant"]
    if not TENANT_NAME.fullmatch(tenant):
        raise InvalidParameter("tenant", "must be 1 to 63 of a-z 0-9 . _ - and begin with a letter or digit")
    created = await request.config_dict[DIRECTORY].create_tenant(tenant)
    return web.Response(status=201 if created else 204)


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
    )
    return json_answer(credential, status=201)


def _completed(credential: Mapping[str, Any]) -> dict[str, Any]:
    made_up = {"key": secrets.token_hex(12), "secret": secrets.token_urlsafe(32)}
    if credential["kind"] == "api_key":
        made_up = {"api_key": secrets.token_urlsafe(32)}
    return {"kind": credential["kind"], **made_up, **credential}


async def get_credentials(request: web.Request) -> web.Response:
    """GET …/credentials: kind, key and scopes of each; secrets are not kept and not shown."""
    listed = await request.config_dict[DIRECTORY].list_credentials(await known_tenant(request))
    shown = [{name: each[name] for name in ("kind", "key", "scopes")} for each in listed]
    return json_answer({"credentials": shown})


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
    """GET /manage/adapters: what is installed, with the paths it serves and the reference data it takes."""
    return json_answer({"adapters": [
        {
            "name": adapter.name, "version": adapter.version, "references": sorted(adapter.references),
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
