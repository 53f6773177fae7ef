"""Stand-ins for the parts behind the HTTP surface: they remember what they were asked, and answer as they are told."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from marshmallow import Schema, ValidationError, fields

from lrs.app import bare_app
from lrs.config import Config
from lrs.errors import CredentialTaken, NotFound
from lrs.http import keys
from lrs.intake import Accepted
from lrs.plugins import Adapter, Caller, Entry, Reference, Route
from lrs.rebuild import Verification
from lrs.store.statements import Page
from lrs.xapi.query import StatementQuery

THROUGH_US = 1_795_327_782_123_456
THROUGH = "2026-11-22T06:09:42.123456Z"
KNOWN_US = THROUGH_US - 2_000_000
KNOWN = "2026-11-22T06:09:40.123456Z"
ID = "6b2c1a52-0d5b-4d5c-9a3f-0c2f5ad3f6a1"
OTHER_ID = "0f6cbd0a-59f1-4b5e-8a49-7b8a3f4a9f02"
OPERATOR = "operator:a-very-long-operator-secret"
CONFIG = Config(secret="a-secret-for-tests", operator=OPERATOR, body_limit=20_000, page_limit=10)


def authority(name: str) -> dict[str, Any]:
    return {"objectType": "Agent", "account": {"homePage": "https://lrs.example.org", "name": name}}


def a_statement(**more: Any) -> dict[str, Any]:
    """A statement as a client sends it."""
    return {
        "actor": {"mbox": "mailto:learner@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced", "display": {"en": "experienced", "de": "erlebte"}},
        "object": {"id": "https://example.org/activities/1"},
        **more,
    }


def stored(statement_id: str = ID, *, by: str = "writer", **more: Any) -> dict[str, Any]:
    """A statement as the store gives it back."""
    at = "2026-11-22T06:09:41.500000Z"
    return a_statement(id=statement_id, stored=at, timestamp=at, authority=authority(by), version="1.0.0", **more)


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


def xapi(pair: str = "all:secret", version: str | None = "1.0.3", **more: str) -> dict[str, str]:
    """Headers of an xAPI request by a credential."""
    return {"Authorization": basic(pair), **({"X-Experience-API-Version": version} if version else {}), **more}


def managing() -> dict[str, str]:
    return {"Authorization": basic(OPERATOR)}


@dataclass
class FakeIntake:
    calls: list[dict[str, Any]] = field(default_factory=list)
    fails: Exception | None = None

    async def accept(self, statements: Sequence[Any], *, tenant: str, authority: Any, version: str) -> list[Accepted]:
        self.calls.append({"statements": statements, "tenant": tenant, "authority": authority, "version": version})
        if self.fails:
            raise self.fails
        ids = [statement.get("id") if isinstance(statement, dict) else None for statement in statements]
        return [Accepted(each or OTHER_ID, True) for each in ids]


@dataclass
class FakeStatements:
    """Gives pages of `limit` out of `log`, a position being an index; `voided` are ids."""

    log: list[dict[str, Any]] = field(default_factory=list)
    voided: set[str] = field(default_factory=set)
    asked: list[tuple[str, StatementQuery]] = field(default_factory=list)

    async def get(self, tenant: str, statement_id: str, *, voided: bool) -> dict[str, Any] | None:
        return next(
            (each for each in self.log if each["id"] == statement_id and (each["id"] in self.voided) == voided), None
        )

    async def page(self, tenant: str, query: StatementQuery, *, after: int | None = None) -> Page:
        self.asked.append((tenant, query))
        start = 0 if after is None else after + 1
        end = start + (query.limit or CONFIG.page_limit)
        return Page(self.log[start:end], end - 1 if end < len(self.log) else None)


@dataclass
class FakeWatermark:
    now_us: int = THROUGH_US
    fails: Exception | None = None

    async def through(self, *, fresh: bool = False) -> int:
        if self.fails:
            raise self.fails
        return self.now_us

    def known(self) -> int:
        return KNOWN_US


@dataclass
class FakeDirectory:
    """Each Basic key is its own secret's owner: the key "a,b" has the scopes a and b; the secret is always "secret"."""

    names: set[str] = field(default_factory=lambda: {"school"})
    credentials: list[dict[str, Any]] = field(default_factory=list)
    saved: dict[tuple[str, str], Any] = field(default_factory=dict)
    fails: Exception | None = None

    async def caller_of_basic(self, key: str, secret: str) -> Caller | None:
        if self.fails:
            raise self.fails
        return self._caller(key) if secret == "secret" else None

    async def caller_of_api_key(self, api_key: str) -> Caller | None:
        return self._caller(api_key.removeprefix("key-of-")) if api_key.startswith("key-of-") else None

    def _caller(self, key: str) -> Caller:
        return Caller("school", key, frozenset(key.split(",")), authority(key))  # type: ignore[arg-type]

    async def tenants(self) -> list[str]:
        return sorted(self.names)

    async def create_tenant(self, tenant: str) -> bool:
        new = tenant not in self.names
        self.names.add(tenant)
        return new

    async def require_tenant(self, tenant: str) -> None:
        if tenant not in self.names:
            raise NotFound(f"there is no tenant {tenant}")

    async def delete_tenant(self, tenant: str) -> None:
        await self.require_tenant(tenant)
        self.names.discard(tenant)

    async def add_credential(
        self, tenant: str, *, kind: str, key: str, secret: str | None, scopes: Iterable[str]
    ) -> None:
        if any(each["key"] == key for each in self.credentials):
            raise CredentialTaken(f"the key {key} is in use")
        self.credentials.append({"kind": kind, "key": key, "secret": secret, "scopes": list(scopes)})

    async def list_credentials(self, tenant: str) -> Sequence[Mapping[str, Any]]:
        return self.credentials

    async def remove_credential(self, tenant: str, key: str) -> None:
        left = [each for each in self.credentials if each["key"] != key]
        if len(left) == len(self.credentials):
            raise NotFound(f"no credential {key}")
        self.credentials = left

    async def settings(self, tenant: str, adapter: Adapter) -> Mapping[str, Any]:
        return adapter.settings().load(self.saved.get((tenant, adapter.name), {}))  # type: ignore[no-any-return]

    async def save_settings(self, tenant: str, adapter: Adapter, settings: Mapping[str, Any]) -> None:
        adapter.settings().load(settings)
        self.saved[tenant, adapter.name] = settings


@dataclass
class FakeReferences:
    replaced: list[tuple[str, str, str, list[Entry]]] = field(default_factory=list)

    async def replace(self, tenant: str, adapter: str, name: str, entries: Iterable[Entry]) -> None:
        self.replaced.append((tenant, adapter, name, list(entries)))


class FakeFollower:
    async def settle(self, tenant: str) -> int:
        return THROUGH_US


@dataclass
class FakeRebuilder:
    asked: list[str | None] = field(default_factory=list)

    async def rebuild(self, tenant: str, name: str | None = None) -> dict[str, int]:
        self.asked.append(name)
        return {"bells.rung": 3} if name in (None, "bells.rung") else {}

    async def verify(self, tenant: str) -> Verification:
        return Verification(3, ["bells.rung:tower"])


@dataclass
class FakeDatabase:
    up: bool = True

    async def ping(self) -> bool:
        return self.up


@dataclass
class FakeQueue:
    reachable: bool = True


class BellSettings(Schema):
    tone = fields.String(load_default="low")
    since = fields.Date()


class BellTower(Schema):
    bells = fields.List(fields.String(), required=True)


def _bells(tower: Mapping[str, Any]) -> list[Entry]:
    if "cracked" in tower["bells"]:
        raise ValidationError({"bells": ["a bell is cracked"]})
    return [Entry("bell", name, {"name": name}) for name in tower["bells"]]


async def _ring(request: web.Request) -> web.Response:
    return web.json_response({"rung": True, "tenant": request.match_info.get("tenant")})


async def _break(request: web.Request) -> web.Response:
    raise ZeroDivisionError("the rope tore")


async def _refuse(request: web.Request) -> web.Response:
    raise web.HTTPConflict(text='{"id": "NOT_RUNG"}', content_type="application/json")


BELLS = Adapter(
    "bells", "1.0", BellSettings, references={"tower": Reference("tower", BellTower, _bells)},
    routes=(
        Route("GET", "/bells/ring", _ring), Route("POST", "/bells/break", _break),
        Route("POST", "/bells/refuse", _refuse),
    ),
)


@dataclass
class Fakes:
    """All parts of one application."""

    intake: FakeIntake = field(default_factory=FakeIntake)
    statements: FakeStatements = field(default_factory=FakeStatements)
    watermark: FakeWatermark = field(default_factory=FakeWatermark)
    directory: FakeDirectory = field(default_factory=FakeDirectory)
    references: FakeReferences = field(default_factory=FakeReferences)
    follower: FakeFollower = field(default_factory=FakeFollower)
    rebuilder: FakeRebuilder = field(default_factory=FakeRebuilder)
    database: FakeDatabase = field(default_factory=FakeDatabase)
    queue: FakeQueue = field(default_factory=FakeQueue)

    def app(self, config: Config = CONFIG) -> web.Application:
        """An application over these parts."""
        app = bare_app(config, lambda: datetime(2026, 11, 22, tzinfo=UTC), {BELLS.name: BELLS})
        for key, part in {
            keys.INTAKE: self.intake, keys.STATEMENTS: self.statements, keys.WATERMARK: self.watermark,
            keys.DIRECTORY: self.directory, keys.REFERENCES: self.references, keys.FOLLOWER: self.follower,
            keys.REBUILDER: self.rebuilder, keys.DATABASE: self.database, keys.QUEUE: self.queue,
        }.items():
            app[key] = part  # type: ignore[misc]
        return app
