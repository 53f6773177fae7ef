"""The tenant matrix: every route there is, by everybody who may come, at every place a tenant can be named."""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp.test_utils import TestClient
from http_fakes import basic

from lrs.http.auth import SCOPES, Access, Door
from lrs.http.routes import ROWS, TENANT_PREFIX
from lrs.plugins import load_adapters

OPERATOR = {"Authorization": basic("operator:operator-secret")}
VERSION = {"X-Experience-API-Version": "1.0.3", "X-Request-ID": "one"}
ON_BEHALF = {"X-LRS-On-Behalf-Of": "0" * 32}
PLACEHOLDER = re.compile(r"\{[^}]*\}")
# Scopes that say something of an adapter's events or reports.
OF_ADAPTERS = {"all", "all/read", "events/write", "reports/read"}
AT_ONCE = 40
# A request that is told to come again is sent so often.
TRIES = 5


@dataclass(frozen=True)
class Place:
    """One method of one path. `access` is None for the paths of adapters, which decide for themselves."""

    method: str
    path: str
    access: Access | None

    def below(self, tenant: str | None) -> str:
        """The path below the prefix of a tenant; for management, which names tenants itself, of that tenant."""
        path = self.path.replace("{tenant}", tenant or "school")
        path = PLACEHOLDER.sub("1" * 32, path)
        return path if tenant is None or self.is_management else TENANT_PREFIX.replace("{tenant}", tenant) + path

    @property
    def is_management(self) -> bool:
        return self.access is not None and self.access.door is Door.OPERATOR


@dataclass(frozen=True)
class Guest:
    """Whoever comes: a name to show in failures, and the headers it sends."""

    name: str
    headers: Mapping[str, str] = field(hash=False)
    scope: str = ""


@dataclass(frozen=True)
class Answer:
    """What came back; every request has the same id, so that bodies can be compared."""

    status: int
    body: bytes


@dataclass
class Matrix:
    """Answers by (place, tenant named, guest)."""

    client: TestClient
    answers: dict[tuple[Place, str | None, Guest], Answer] = field(default_factory=dict)

    async def fill(self, cells: Iterable[tuple[Place, str | None, Guest]]) -> "Matrix":
        """Send every request; some at once."""
        waiting = [cell for cell in cells if cell not in self.answers]
        for start in range(0, len(waiting), AT_ONCE):
            await asyncio.gather(*(self._send(*cell) for cell in waiting[start:start + AT_ONCE]))
        return self

    async def _send(self, place: Place, tenant: str | None, guest: Guest) -> None:
        headers = {**VERSION, **guest.headers}
        for _ in range(TRIES):
            async with self.client.request(place.method, place.below(tenant), headers=headers) as answer:
                self.answers[place, tenant, guest] = Answer(answer.status, await answer.read())
            if answer.status != 503 or "Retry-After" not in answer.headers:
                return
            # On a machine that is busy the summaries of a new tenant take a while. Who is told to come again, does.
            await asyncio.sleep(1)

    def at_both(self, place: Place, guest: Guest, one: str, other: str) -> tuple[Answer, Answer]:
        """The answers to one guest at one place, below two tenants' names."""
        return self.answers[place, one, guest], self.answers[place, other, guest]


def places(door: Door | None) -> list[Place]:
    """All rows behind a door, HEAD beside each GET; None: all paths of adapters."""
    if door is None:
        return [Place(route.method, route.path, None) for adapter in load_adapters().values() for route in adapter.routes]
    rows = [row for row in ROWS if row.access.door is door]
    heads = [Place("HEAD", row.path, row.access) for row in rows if row.method == "GET"]
    return [Place(row.method, row.path, row.access) for row in rows] + heads


def key(tenant: str, scope: str) -> str:
    """The key of the credential of a tenant that has one scope alone."""
    return f"{tenant}-{scope}"


def holders(tenant: str) -> Iterator[Guest]:
    """Who has a credential of the tenant: one for each scope, by Basic; for each also an API key."""
    for scope in SCOPES:
        yield Guest(f"{tenant}, {scope}", {"Authorization": basic(f"{key(tenant, scope)}:secret")}, scope)
        yield Guest(f"{tenant}, {scope}, API key", {"x-api-key": f"api-{key(tenant, scope)}"}, scope)


STRANGERS = (
    Guest("nobody", {}), Guest("revoked", {"Authorization": basic("revoked:secret")}),
    Guest("revoked API key", {"x-api-key": "revoked-api-key"}), Guest("unknown API key", {"x-api-key": "unknown"}),
    Guest("wrong secret", {"Authorization": basic(f"{key('school', 'all')}:wrong")}),
    Guest("unknown key", {"Authorization": basic("unknown:secret")}), Guest("junk", {"Authorization": "Basic !"}),
    Guest("a token", {"Authorization": "Bearer e30.e30.e30"}),
)


async def provision(client: TestClient, *tenants: str) -> None:
    """Tenants with their credentials; one of each kind is revoked in the first."""
    async def manage(method: str, path: str, body: Any = None) -> None:
        sent = {} if body is None else {"json": body}
        answer = await client.request(method, f"/manage/tenants/{path}", headers=OPERATOR, **sent)
        assert answer.status < 300, await answer.text()

    for tenant in tenants:
        await manage("PUT", tenant)
        for scope in SCOPES:
            name = key(tenant, scope)
            await manage("POST", f"{tenant}/credentials", {"kind": "basic", "key": name, "secret": "secret", "scopes": [scope]})
            await manage("POST", f"{tenant}/credentials", {"kind": "api_key", "api_key": f"api-{name}", "scopes": [scope]})
    first = tenants[0]
    await manage("POST", f"{first}/credentials", {"kind": "basic", "key": "revoked", "secret": "secret", "scopes": ["all"]})
    await manage("POST", f"{first}/credentials", {"kind": "api_key", "api_key": "revoked-api-key", "scopes": ["all"]})
    for revoked in ("revoked", "revoked-api-key"):
        await manage("DELETE", f"{first}/credentials/{revoked}")
