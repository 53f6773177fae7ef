"""A Learning Record Store in memory, with one adapter: no database, no worker, nothing that could be late.

Summaries are folded from the statements at every read, so what an adapter answers here rests on its folds alone.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from adapters.contract.directory import MemoryDirectory
from lrs.app import bare_app
from lrs.config import Config
from lrs.errors import StatementConflict
from lrs.events import Events
from lrs.http import keys
from lrs.intake import Accepted
from lrs.materialize import Line, Materializer, fold
from lrs.plugins import Adapter, Entry
from lrs.store.native_events import STORED, Fate, Kept, Origin
from lrs.store.references import Snapshot
from lrs.xapi.compare import same_statement
from lrs.xapi.documents import Place, Resource
from lrs.xapi.prepare import prepare, with_stored
from lrs.xapi.times import format_stored, parse_timestamp
from lrs.xapi.types import Agent, Statement
from lrs.xapi.validate import check_batch


class MemoryClock:
    """Starts at a moment, and is a second later with every look."""

    def __init__(self, start: str) -> None:
        self._now = datetime.fromtimestamp(parse_timestamp(start) / 1_000_000, UTC) - timedelta(seconds=1)

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


class MemoryStatements:
    """Intake, statements and summaries in one: a list of statements in the order in which they were accepted."""

    def __init__(self, materializers: Iterable[Materializer[Any]]) -> None:
        self.log: list[Statement] = []
        self.voided: set[str] = set()
        self.materializers = tuple(materializers)
        self.statements_readable = True

    async def accept(
        self, statements: Sequence[Any], *, tenant: str, authority: Agent, version: str = "1.0.3", attachments: Any = ()
    ) -> list[Accepted]:
        """As the one door in: all or none, each id once. InvalidStatements, StatementConflict."""
        check_batch(statements, version)
        known = {each["id"]: each for each in self.log}
        conflicts = [each["id"] for each in statements if each["id"] in known and not same_statement(known[each["id"]], each)]
        if conflicts:
            raise StatementConflict(conflicts)
        accepted = []
        for statement in statements:
            new = statement["id"] not in known
            if new:
                stored = prepare(
                    deepcopy(statement), authority=authority, version=version,
                    received=format_stored(len(self.log)), statement_id=statement["id"],
                )
                known[statement["id"]] = with_stored(stored, format_stored(len(self.log)))
                self.log.append(stored)
            accepted.append(Accepted(statement["id"], new))
        return accepted

    def counting(self) -> list[Statement]:
        """All that is not voided."""
        return [each for each in self.log if each["id"] not in self.voided]

    async def get(self, tenant: str, statement_id: str, *, voided: bool) -> Statement | None:
        """A statement by id; for adapters that look whether one was voided."""
        assert self.statements_readable, "the adapter reads statements, not summaries"
        return next((each for each in self.log if each["id"] == statement_id and (statement_id in self.voided) == voided), None)

    def folded(self, materializer: Materializer[Any]) -> dict[str, Any]:
        """All summaries by key, in order: folds of all statements with the key, through their saved form."""
        parts: dict[str, list[Any]] = defaultdict(list)
        for statement in self.counting():
            for key in materializer.keys(statement):
                parts[key].append(materializer.part(statement, key))
        return {key: materializer.decode(materializer.encode(fold(materializer, parts[key]))) for key in sorted(parts)}

    def summaries(self) -> dict[str, bytes]:
        """Every summary there is, as it would be saved."""
        return {
            each.record_key(key): each.encode(summary) for each in self.materializers for key, summary in self.folded(each).items()
        }

    async def current(self, tenant: str, materializer: Materializer[Any], key: str) -> Any:
        """One summary."""
        own = [materializer.part(each, key) for each in self.counting() if key in materializer.keys(each)]
        return materializer.decode(materializer.encode(fold(materializer, own)))

    async def saved(self, tenant: str, materializer: Materializer[Any], names: Sequence[str]) -> dict[str, Any]:
        """Those that there are."""
        return {key: summary for key, summary in self.folded(materializer).items() if key in names}

    async def find(
        self, tenant: str, materializer: Materializer[Any], facets: Mapping[str, str | Sequence[str]]
    ) -> list[tuple[str, Any]]:
        """Those that have all the facets, in the order of their keys."""
        return [(key, summary) for key, summary in self.folded(materializer).items() if _has(materializer.facets(summary), facets)]

    async def each(
        self, tenant: str, materializer: Materializer[Any], facets: Mapping[str, str | Sequence[str]]
    ) -> AsyncIterator[Any]:
        """The same, one after the other."""
        for _, summary in await self.find(tenant, materializer, facets):
            yield summary

    async def page(
        self, tenant: str, materializer: Materializer[Any], facets: Mapping[str, str | Sequence[str]], *,
        after: str | None = None, limit: int,
    ) -> tuple[list[tuple[str, Any]], str | None]:
        """A page of them, and the key after which the next one begins."""
        found = [each for each in await self.find(tenant, materializer, facets) if after is None or each[0] > after]
        return found[:limit], found[limit - 1][0] if len(found) > limit else None

    async def rows(
        self, tenant: str, materializer: Materializer[Any], scope: str | Sequence[str], *, since: str | None = None,
        until: str | None = None, by: Sequence[str] = (), sums: Sequence[str] = (),
        where: Mapping[str, str | Sequence[str]] | None = None, distinct: str | None = None,
    ) -> list[Line]:
        """Sums of what the cells add, as the roll-ups hold them."""
        scopes = (scope,) if isinstance(scope, str) else tuple(scope)
        added: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        different: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for key, summary in self.folded(materializer).items():
            for row in materializer.rows(key, summary):
                within = (since is None or row.bucket >= since) and (until is None or row.bucket < until)
                wanted = all(row.dims.get(name) in ((value,) if isinstance(value, str) else value) for name, value in (where or {}).items())
                if row.scope in scopes and within and wanted:
                    group = tuple(_named(row, name) for name in by)
                    added[group].update({name: row.sums.get(name, 0) for name in sums})
                    if distinct is not None and distinct in row.dims:
                        different[group].add(row.dims[distinct])
        return [Line(group, {name: added[group][name] for name in sums}, len(different[group])) for group in sorted(added)]

    async def through(self, tenant: str) -> int:
        """Nothing is ever late."""
        return len(self.log)

    async def brought_up(self, tenant: str) -> tuple[int, "MemoryStatements"]:
        """Nor is there anything to bring up."""
        return len(self.log), self


def _named(row: Any, name: str) -> str:
    if name == "scope":
        return str(row.scope)
    if name.startswith("bucket"):
        return str(row.bucket[:int(name.partition(":")[2] or len(row.bucket))])
    return str(row.dims.get(name, ""))


def _has(there: Mapping[str, Iterable[str]], wanted: Mapping[str, str | Sequence[str]]) -> bool:
    return all(not set(there.get(name, ())).isdisjoint([value] if isinstance(value, str) else value) for name, value in wanted.items())


class MemoryEvents:
    """Native events as they came, and what became of them."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.kept: list[Kept] = []
        self.fates: dict[str, Fate] = {}
        self._clock = clock

    async def keep(self, tenant: str, adapter: str, texts: Sequence[bytes], origin: Origin) -> list[Kept]:
        """Remember them."""
        first_us = max(int(self._clock().timestamp() * 1_000_000), self.kept[-1].received_us + 1 if self.kept else 0)
        kept = [Kept(tenant, adapter, first_us + index, text) for index, text in enumerate(texts)]
        self.kept += kept
        return kept

    async def owned(self, tenant: str, statements: Sequence[str]) -> set[str]:
        """Those that an event is known to have become."""
        return {each for fate in self.fates.values() if fate.outcome == STORED for each in fate.statements if each in statements}

    async def note(self, fates: Mapping[str, Fate]) -> None:
        """Remember what became of them."""
        self.fates |= fates

    def note_soon(self, fates: Mapping[str, Fate]) -> None:
        """The same, at once."""
        self.fates |= fates

    async def drain(self) -> None:
        """Nothing is under way."""


class MemoryDocuments:
    """Profiles of agents and activities."""

    def __init__(self) -> None:
        self._there: dict[Place, bytes] = {}
        self._terms: dict[Place, frozenset[str]] = {}

    async def put_profiles(
        self, tenant: str, profiles: Mapping[Place, bytes], terms: Mapping[Place, Sequence[str]] | None = None
    ) -> None:
        """The last one counts."""
        self._there |= profiles
        self._terms |= {place: frozenset((terms or {}).get(place, ())) for place in profiles}

    async def profiles(
        self, tenant: str, resource: Resource, profile_id: str, owners: Iterable[str] | None = None, *,
        having: Sequence[Collection[str]] = (),
    ) -> dict[str, bytes]:
        """All of one profile, by the identity of the agent or the IRI of the activity; with `owners` theirs alone.

        With `having`, those that have one of the terms of each of these, or none at all.
        """
        found = {
            place: each for place, each in self._there.items()
            if (place.resource, place.document_id) == (resource.name, profile_id)
            and (not self._terms[place] or not any(self._terms[place].isdisjoint(terms) for terms in having))
        }
        by_owner = {place.agent or place.activity or "": each for place, each in found.items()}
        return by_owner if owners is None else {owner: by_owner[owner] for owner in owners if owner in by_owner}


class MemoryReferences:
    """Reference data, as an operator puts it."""

    def __init__(self) -> None:
        self._entries: dict[str, list[Entry]] = {}

    def put(self, name: str, entries: Iterable[Entry]) -> None:
        """Take the place of what was there under the name."""
        self._entries[name] = list(entries)

    async def snapshot(self, tenant: str, adapter: str) -> Snapshot:
        """All there is."""
        kinds: dict[str, dict[str, Any]] = defaultdict(dict)
        for entry in (each for entries in self._entries.values() for each in entries):
            kinds[entry.kind][entry.id] = entry.document
        return Snapshot(1, kinds)


@dataclass(frozen=True)
class MemoryStore:
    """The parts of one store in memory, and the application over them."""

    adapter: Adapter
    statements: MemoryStatements
    events: MemoryEvents
    documents: MemoryDocuments
    references: MemoryReferences
    directory: MemoryDirectory
    clock: MemoryClock

    @classmethod
    def of(
        cls, adapter: Adapter, materializers: Iterable[Materializer[Any]], directory: MemoryDirectory, start: str
    ) -> "MemoryStore":
        """An empty store; its clock begins at `start`."""
        clock = MemoryClock(start)
        return cls(
            adapter, MemoryStatements(materializers), MemoryEvents(clock), MemoryDocuments(), MemoryReferences(),
            directory, clock,
        )

    def taking(self) -> Events:
        """The way of native events into this store: the product's own."""
        return Events(self.events, self.statements, self.documents)  # type: ignore[arg-type]

    def app(self) -> web.Application:
        """The product's own application, over these parts."""
        app = bare_app(Config(secret="a-secret-for-tests"), self.clock, {self.adapter.name: self.adapter})
        for key, part in (
            (keys.INTAKE, self.statements), (keys.STATEMENTS, self.statements), (keys.SUMMARIES, self.statements),
            (keys.EVENTS, self.taking()), (keys.DOCUMENTS, self.documents), (keys.REFERENCES, self.references),
            (keys.DIRECTORY, self.directory),
        ):
            app[key] = part  # type: ignore[assignment, index]
        return app
