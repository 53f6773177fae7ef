"""A Kolibri without a database: the adapter's routes over lists, for tests."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import encode_basic_auth, web
from aiohttp.test_utils import TestClient

from adapters.contract.memory import MemoryEvents
from adapters.kolibri.routes import adapter
from adapters.kolibri.summaries import MATERIALIZERS
from lrs.config import Config
from lrs.errors import StatementConflict
from lrs.http import keys
from lrs.intake import Accepted
from lrs.materialize import Materializer, fold
from lrs.plugins import Caller, Entry
from lrs.store.references import Snapshot
from lrs.xapi.compare import same_statement
from lrs.xapi.validate import check_batch

TENANT = "school"
START = "/api/logger/trackprogress/"
EPOCH = datetime(2026, 3, 2, 9, 14, 7, 250_000, tzinfo=UTC)


class Clock:
    """A second more with every look."""

    def __init__(self) -> None:
        self.now = EPOCH

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class Logs:
    """Intake, statements and summaries in one: a list of statements a tenant, and folds of it."""

    def __init__(self) -> None:
        self.statements: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.voided: set[str] = set()
        self.reads: list[str] = []

    async def accept(
        self, statements: Sequence[Any], *, tenant: str, authority: Mapping[str, Any], version: str = "1.0.3"
    ) -> list[Accepted]:
        """Judge under both versions; all or none."""
        check_batch(statements, "1.0.3")
        check_batch(statements, "2.0.0")
        check_batch([{**each, "authority": authority} for each in statements], version)
        known = {each["id"]: each for each in self.statements[tenant]}
        conflicts = [
            each["id"] for each in statements if each["id"] in known and not same_statement(each, known[each["id"]])
        ]
        if conflicts:
            raise StatementConflict(conflicts)
        fresh = [each for each in statements if each["id"] not in known]
        self.statements[tenant] += deepcopy(fresh)
        return [Accepted(each["id"], each in fresh) for each in statements]

    async def get(self, tenant: str, statement_id: str, *, voided: bool) -> Any:
        """A voided statement by id."""
        return next(
            (each for each in self.statements[tenant]
             if each["id"] == statement_id and (statement_id in self.voided) == voided), None
        )

    async def current(self, tenant: str, materializer: Materializer[Any], key: str) -> Any:
        """The fold of all statements with the key, from nothing, through the saved form."""
        self.reads.append(f"{materializer.name}:{key}")
        return self._summary(tenant, materializer, key)

    async def find(
        self, tenant: str, materializer: Materializer[Any], facets: Mapping[str, str | Sequence[str]]
    ) -> list[tuple[str, Any]]:
        """All summaries with the facets."""
        names = sorted({key for each in self._counting(tenant) for key in materializer.keys(each)})
        found = [(key, self._summary(tenant, materializer, key)) for key in names]
        return [(key, summary) for key, summary in found if _has(materializer.facets(summary), facets)]

    async def each(
        self, tenant: str, materializer: Materializer[Any], facets: Mapping[str, str | Sequence[str]]
    ) -> AsyncIterator[Any]:
        """The same, one after the other."""
        for _, summary in await self.find(tenant, materializer, facets):
            yield summary

    def _summary(self, tenant: str, materializer: Materializer[Any], key: str) -> Any:
        own = [each for each in self._counting(tenant) if key in materializer.keys(each)]
        return materializer.decode(materializer.encode(fold(materializer, own)))

    def _counting(self, tenant: str) -> Iterable[dict[str, Any]]:
        return [each for each in self.statements[tenant] if each["id"] not in self.voided]

    def all_summaries(self, tenant: str = TENANT) -> dict[str, bytes]:
        """Every summary there is, in the form it is saved in."""
        return {
            f"{materializer.name}:{key}": materializer.encode(self._summary(tenant, materializer, key))
            for materializer in MATERIALIZERS
            for key in {key for each in self._counting(tenant) for key in materializer.keys(each)}
        }


def _has(there: Mapping[str, Iterable[str]], wanted: Mapping[str, str | Sequence[str]]) -> bool:
    return all(
        not set(there.get(name, ())).isdisjoint([values] if isinstance(values, str) else values)
        for name, values in wanted.items()
    )


class Worlds:
    """Reference data."""

    def __init__(self) -> None:
        self._entries: dict[str, list[Entry]] = {}
        self._snapshots: dict[str, Snapshot] = {}

    def put(self, tenant: str, entries: Iterable[Entry]) -> None:
        """Take the place of what a tenant had."""
        self._entries[tenant] = list(entries)
        kinds: dict[str, dict[str, Any]] = defaultdict(dict)
        for entry in self._entries[tenant]:
            kinds[entry.kind][entry.id] = entry.document
        self._snapshots[tenant] = Snapshot(len(self._snapshots) + 1, kinds)

    async def snapshot(self, tenant: str, _adapter: str) -> Snapshot:
        """What a tenant has."""
        return self._snapshots.get(tenant, Snapshot(0, {}))

    async def holders(self, _adapter: str, kind: str, name: str) -> list[str]:
        """The tenants that have such an entry."""
        return sorted(
            tenant for tenant, entries in self._entries.items()
            if any(entry.kind == kind and name in entry.names for entry in entries)
        )


class Credentials:
    """Settings, and one service credential."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings

    async def settings(self, _tenant: str, asked: Any) -> Mapping[str, Any]:
        """The settings as the schema loads them."""
        return asked.settings().load(self._settings)  # type: ignore[no-any-return]

    async def tenant_of_host(self, host: str) -> str | None:
        """other.example.org leads to the tenant "other"."""
        return "other" if host == "other.example.org" else None

    async def life(self, _tenant: str) -> datetime | None:
        """It is always the same one."""
        return EPOCH

    async def caller_of_basic(self, key: str, secret: str) -> Caller | None:
        """service:secret may write events, reader:secret may not."""
        scopes = {("service", "secret"): {"events/write"}, ("reader", "secret"): {"statements/read"}}.get((key, secret))
        return Caller(TENANT, key, frozenset(scopes), {}) if scopes else None


@dataclass
class School:
    """The adapter's application, and what stands behind it."""

    entries: Sequence[Entry]
    settings: Mapping[str, Any] = field(default_factory=dict)
    logs: Logs = field(default_factory=Logs)
    worlds: Worlds = field(default_factory=Worlds)
    events: MemoryEvents = field(default_factory=lambda: MemoryEvents(lambda: EPOCH))
    clock: Clock = field(default_factory=Clock)

    def app(self) -> web.Application:
        """The routes where the vendor has them, and below the prefix of a tenant."""
        app = web.Application()
        self.worlds.put(TENANT, self.entries)
        app[keys.CLOCK], app[keys.ADAPTERS], app[keys.CONFIG] = self.clock, {adapter.name: adapter}, Config()
        for key, part in (
            (keys.INTAKE, self.logs), (keys.STATEMENTS, self.logs), (keys.SUMMARIES, self.logs),
            (keys.NATIVE_EVENTS, self.events), (keys.REFERENCES, self.worlds), (keys.DIRECTORY, Credentials(self.settings)),
        ):
            app[key] = part  # type: ignore[assignment, index]
        for route in adapter.routes:
            for prefix in ("", "/t/{tenant}"):
                app.router.add_route(route.method, prefix + route.path, route.handler)
        return app


class Pupil:
    """Sends requests as one of the world's users, and reads the answers."""

    def __init__(self, client: TestClient[Any, Any], world: Mapping[str, Any]) -> None:
        self.client, self.world = client, world

    async def send(
        self, method: str, path: str, body: Any = None, *, user: str | None = "u01",
        headers: Mapping[str, str] | None = None, **options: Any,
    ) -> tuple[int, Any]:
        """Status and JSON of the answer. `user` is a name in the world; None is a visitor."""
        given = dict(headers or {})
        if user is not None and "Authorization" not in given:
            known = self.world["users"][user]
            given["Authorization"] = encode_basic_auth(known["username"], known["password"])
        if body is not None:
            options["json"] = body
        async with self.client.request(method, path, headers=given, **options) as response:
            return response.status, await response.json()

    async def start(self, node: str = "video_tides", *, user: str | None = "u01", **more: Any) -> dict[str, Any]:
        """Open a session on a node of the world; it must work."""
        status, answer = await self.send("POST", START, {**self.node(node), **more}, user=user)
        assert status == 200, answer
        return answer  # type: ignore[no-any-return]

    def node(self, name: str) -> dict[str, Any]:
        """What a start says of a node."""
        node = self.world["nodes"][name]
        body = {field: node[field] for field in ("node_id", "content_id", "channel_id", "kind")}
        return {**body, "mastery_model": {"type": "m_of_n", "m": 3, "n": 5}} if node["kind"] == "exercise" else body

    def id(self, dotted: str) -> str:
        """The id of something in the world, such as "users.u01"."""
        part, _, name = dotted.partition(".")
        return self.world[part][name]["id"]  # type: ignore[no-any-return]
