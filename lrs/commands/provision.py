"""The tenant that `lrs up` sees to, its credentials, and the lines that show how to use them."""

import secrets
from typing import Any

from lrs.commands.management import Endpoint, Refused, tenant_path
from lrs.embedded.home import Home

Credential = dict[str, Any]  # kind, key, secret, scopes

STATEMENT = (
    '{"actor":{"mbox":"mailto:ada@example.org"},"verb":{"id":"http://adlnet.gov/expapi/verbs/experienced"},'
    '"object":{"id":"https://example.org/activities/first-page"}}'
)
XAPI_VERSION = "X-Experience-API-Version: 1.0.3"


def see_to_tenant(home: Home, api: Endpoint, tenant: str) -> list[Credential]:
    """Make the tenant and a credential of it unless that was done before; the credentials of ours that still exist.

    They are remembered before they are made, so a crash between the two leaves none that nobody knows. One that an
    operator has deleted since stays deleted, unless the whole tenant is gone.
    """
    known = home.secrets()
    mine = known["tenants"].setdefault(tenant, {"made": False, "credentials": [_basic(tenant)]})
    home.write("secrets", known)
    if not mine["made"] or tenant not in api.call("GET", "/manage/tenants")["tenants"]:
        _make(api, tenant, mine["credentials"])
        mine["made"] = True
        home.write("secrets", known)
    there = {credential["key"] for credential in api.call("GET", tenant_path(tenant, "credentials"))["credentials"]}
    return [credential for credential in mine["credentials"] if credential["key"] in there]


def _basic(tenant: str) -> Credential:
    key = f"{tenant}-{secrets.token_hex(4)}"
    return {"kind": "basic", "key": key, "secret": secrets.token_urlsafe(24), "scopes": ["all"]}


def _make(api: Endpoint, tenant: str, credentials: list[Credential]) -> None:
    api.call("PUT", tenant_path(tenant))
    for credential in credentials:
        try:
            api.call("POST", tenant_path(tenant, "credentials"), credential)
        except Refused as refusal:
            if refusal.status != 409:  # 409: made before a crash that kept us from remembering it
                raise


def curl(base_url: str, user: tuple[str, str], path: str, *options: str) -> str:
    """A line to paste into a shell. `options` are curl's, each quoted where it needs to be."""
    return " ".join(["curl", "-sS", "-w", r"'\n'", "-u", f"'{':'.join(user)}'", *options, f"'{base_url}{path}'"])


def first_lines(base_url: str, credential: Credential) -> list[tuple[str, str]]:
    """What to try first with a credential: (what it does, the line)."""
    user = (credential["key"], credential["secret"])
    version, json_type = f"-H '{XAPI_VERSION}'", "-H 'Content-Type: application/json'"
    return [
        ("post a statement", curl(base_url, user, "/xapi/statements", version, json_type, f"-d '{STATEMENT}'")),
        ("read statements", curl(base_url, user, "/xapi/statements?limit=5", version)),
    ]
