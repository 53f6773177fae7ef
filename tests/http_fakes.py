"""Stand-ins for the parts behind the HTTP surface: they remember what they were asked, and answer as they are told."""

import base64
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from fake_directory import FakeDirectory, authority
from marshmallow import Schema, ValidationError, fields

from lrs.app import bare_app
from lrs.config import Config
from lrs.errors import NotFound
from lrs.health import Condition
from lrs.http import keys
from lrs.intake import Accepted
from lrs.plugins import Adapter, Entry, Reference, Route
from lrs.store.attachments import Kept
from lrs.store.editions import Leftover
from lrs.store.heartbeats import Workers
from lrs.store.jobs import STATES, Job
from lrs.store.positions import position_of
from lrs.store.records import Stored
from lrs.store.statements import Page
from lrs.xapi.agents import identity
from lrs.xapi.json_text import dump
from lrs.xapi.query import StatementQuery
from lrs.xapi.times import parse_timestamp

THROUGH_US = 1_795_327_782_123_456
THROUGH = "2026-11-22T06:09:42.123456Z"
KNOWN_US = THROUGH_US - 2_000_000
KNOWN = "2026-11-22T06:09:40.123456Z"
ID = "6b2c1a52-0d5b-4d5c-9a3f-0c2f5ad3f6a1"
OTHER_ID = "0f6cbd0a-59f1-4b5e-8a49-7b8a3f4a9f02"
VERIFIED = {"checked": 3, "lines": 0, "different": ["bells.rung:tower"], "more": 0}
JOB_ID = "0194f2a1b2c3d4e5f6a7b8c9"
OPERATOR = "operator:a-very-long-operator-secret"
CONFIG = Config(secret="a-secret-for-tests", operator=OPERATOR, body_limit=20_000, page_limit=10)


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
    attachments: list[list[str]] = field(default_factory=list)
    fails: Exception | None = None

    async def accept(
        self, statements: Sequence[Any], *, tenant: str, authority: Any, version: str, attachments: Collection[str] = ()
    ) -> list[Accepted]:
        self.calls.append({"statements": statements, "tenant": tenant, "authority": authority, "version": version})
        self.attachments.append(list(attachments))
        if self.fails:
            raise self.fails
        ids = [statement.get("id") if isinstance(statement, dict) else None for statement in statements]
        return [Accepted(each or OTHER_ID, True) for each in ids]


@dataclass
class FakeAttachments:
    """Keeps octets by hash, and by the statement ids in `held` gives them back. A file here is its hash."""

    contents: dict[str, bytes] = field(default_factory=dict)
    held: dict[str, list[str]] = field(default_factory=dict)
    fails: Exception | None = None

    async def keep(self, tenant: str, contents: Mapping[str, Any]) -> None:
        for sha2, content in contents.items():
            self.contents[sha2] = b"".join([chunk async for chunk in content.chunks(1000)])

    async def of(self, tenant: str, statement_ids: Iterable[str]) -> dict[str, Kept]:
        hashes = [sha2 for each in statement_ids for sha2 in self.held.get(each, ())]
        return {sha2: Kept(sha2, len(self.contents[sha2]), sha2) for sha2 in hashes}  # type: ignore[arg-type]

    async def read(self, kept: Kept) -> AsyncIterator[bytes]:
        content = self.contents[kept.sha2]
        yield content[:7]
        if self.fails:
            raise self.fails
        yield content[7:]


@dataclass
class FakeStatements:
    """Gives pages of `limit` out of `log`, a position being an index; `voided` are ids."""

    log: list[dict[str, Any]] = field(default_factory=list)
    voided: set[str] = field(default_factory=set)
    asked: list[tuple[str, StatementQuery]] = field(default_factory=list)

    async def stored(self, tenant: str, statement_id: str, *, voided: bool) -> Stored | None:
        found = (each for each in self.log if each["id"] == statement_id and (each["id"] in self.voided) == voided)
        return next(map(_kept, found), None)

    async def page(self, tenant: str, query: StatementQuery, *, after: int | None = None) -> Page:
        self.asked.append((tenant, query))
        log = [each for each in self.log if query.authority in (None, identity(each["authority"]))]
        start = 0 if after is None else after + 1
        end = start + (query.limit or CONFIG.page_limit)
        return Page([_kept(each) for each in log[start:end]], end - 1 if end < len(log) else None)


def _kept(statement: dict[str, Any]) -> Stored:
    """A statement as the store keeps it."""
    body = dump({name: part for name, part in statement.items() if name != "stored"})
    return Stored(body, position_of(parse_timestamp(statement["stored"]), 0))


@dataclass
class FakeWatermark:
    now_us: int = THROUGH_US
    fails: Exception | None = None

    async def through(self, *, fresh: bool = False) -> int:
        if self.fails:
            raise self.fails
        return self.now_us

    async def confirm(self, through_us: int) -> None:
        if self.fails:
            raise self.fails

    def known(self) -> int:
        return KNOWN_US


@dataclass
class FakeReferences:
    replaced: list[tuple[str, str, str, list[Entry]]] = field(default_factory=list)

    async def replace(self, tenant: str, adapter: str, name: str, entries: Iterable[Entry]) -> None:
        self.replaced.append((tenant, adapter, name, list(entries)))


class FakeSummaries:
    """Nothing is saved yet."""

    async def saved(self, tenant: str, materializer: Any, keys: Sequence[str]) -> dict[str, Any]:
        return {}


class FakeFollower:
    async def leftovers(self, tenant: str) -> list[Leftover]:
        return [Leftover("bells.rung@1", 3, 0)]

    async def remove_leftover(self, tenant: str, edition: str) -> int:
        if edition != "bells.rung@1":
            raise NotFound(edition)
        return 3

    async def settle(self, tenant: str) -> int:
        return THROUGH_US


@dataclass
class FakeJobs:
    """Jobs that are over at once, unless there is no worker; `asked` are kinds and arguments."""

    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    has_worker: bool = True

    async def start(self, tenant: str, kind: str, arguments: Mapping[str, Any]) -> Job:
        self.asked.append((kind, dict(arguments)))
        result = {"rebuild": {"rebuilt": {"bells.rung": 3}}, "verify": VERIFIED}.get(kind)
        state, result = ("done", result) if self.has_worker else ("waiting", None)
        at = datetime(2026, 11, 22, tzinfo=UTC)
        return Job(JOB_ID, tenant, kind, arguments, state, 0, None, "hidden", result, None, 0, at, None, None, None, None)

    async def over(self, job: Job, within_s: float) -> Job:
        return job


@dataclass
class FakeHealth:
    condition: Condition | None = field(
        default_factory=lambda: Condition(1.5, 2, dict.fromkeys(STATES, 3), Workers([{"host": "h", "pid": 1, "version": "1"}], 4.0))
    )

    async def now(self) -> Condition | None:
        return self.condition


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
    attachments: FakeAttachments = field(default_factory=FakeAttachments)
    watermark: FakeWatermark = field(default_factory=FakeWatermark)
    directory: FakeDirectory = field(default_factory=FakeDirectory)
    references: FakeReferences = field(default_factory=FakeReferences)
    follower: FakeFollower = field(default_factory=FakeFollower)
    jobs: FakeJobs = field(default_factory=FakeJobs)
    health: FakeHealth = field(default_factory=FakeHealth)
    database: FakeDatabase = field(default_factory=FakeDatabase)
    queue: FakeQueue = field(default_factory=FakeQueue)

    def app(self, config: Config = CONFIG) -> web.Application:
        """An application over these parts."""
        app = bare_app(config, lambda: datetime(2026, 11, 22, tzinfo=UTC), {BELLS.name: BELLS})
        for key, part in {
            keys.INTAKE: self.intake, keys.ATTACHMENTS: self.attachments,
            keys.STATEMENTS: self.statements, keys.WATERMARK: self.watermark,
            keys.DIRECTORY: self.directory, keys.REFERENCES: self.references, keys.FOLLOWER: self.follower,
            keys.HEALTH: self.health, keys.JOBS: self.jobs, keys.MATERIALIZERS: {"bells.rung": None},
            keys.SUMMARIES: FakeSummaries(), keys.DATABASE: self.database, keys.QUEUE: self.queue,
        }.items():
            app[key] = part  # type: ignore[misc]
        return app
