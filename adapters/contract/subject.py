"""What the laws are about: an adapter, its cases, and what it claims."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar

from adapters.contract.cases import Case, CaseConfig, cases_of, config_of
from adapters.contract.directory import AUTHORITY, TENANT
from adapters.contract.memory import MemoryStore
from lrs.events import Outcome, Source
from lrs.materialize import Materializer
from lrs.plugins import Adapter, load_materializers
from lrs.store.native_events import Origin
from lrs.xapi.json_text import dump
from lrs.xapi.types import Statement


class Subject:
    """Set `adapter` and `cases` (a folder); the rest if it is otherwise.

    `orderless`: its summaries do not depend on the order in which events arrive. `reads_statements`: its reads also list single
    statements. `materializers`: unless set, the installed ones whose names begin with the adapter's.
    """

    adapter: ClassVar[Adapter]
    cases: ClassVar[Path]
    materializers: ClassVar[Sequence[Materializer[Any]] | None] = None
    orderless: ClassVar[bool] = True
    reads_statements: ClassVar[bool] = False

    def events_of(self, given: Any) -> list[Any]:
        """The single events of a case's input."""
        return list(self.adapter.split(given))

    def identity_of(self, event: Any) -> Any:
        """What makes two events one, told twice maybe in other words: the native id, if there is one."""
        known = [event[name] for name in ("id", "_id", "eventId", "event_id") if isinstance(event, dict) and name in event]
        return str(known[0]) if known else event

    def prepared(self, store: MemoryStore, given: Any) -> None:
        """Put what a case needs before its events, such as reference data."""

    @classmethod
    def config(cls) -> CaseConfig:
        """The configuration of the cases."""
        return config_of(cls.cases)

    @classmethod
    def of_kind(cls, kind: str) -> list[Case]:
        """The cases of one kind."""
        return [case for case in cases_of(cls.cases) if case.kind == kind]

    def settings(self) -> Any:
        """The settings of the cases, loaded."""
        return self.adapter.settings().load(dict(self.config().settings))

    def folds(self) -> Sequence[Materializer[Any]]:
        """The adapter's materializers."""
        if self.materializers is not None:
            return self.materializers
        return [each for each in load_materializers().values() if each.name.split(".")[0] == self.adapter.name]

    def store(self) -> MemoryStore:
        """A store in memory where nothing has happened yet."""
        config = self.config()
        return MemoryStore.of(self.adapter, self.folds(), config.directory, config.received_at)

    def translate(self, event: Any, index: int = 0) -> Sequence[Statement]:
        """The statements of an event of the cases, received `index` microseconds after the first."""
        assert self.adapter.translate is not None
        return self.adapter.translate(event, self.settings(), self.config().received_us + index)

    def samples(self) -> list[Any]:
        """All events of the cases that become statements or are read: the raw material of laws."""
        events = [each for case in self.of_kind("translate") for each in self.events_of(case.input)]
        for case in self.of_kind("read"):
            for body in case.input.get("imports", ()):
                events += self.events_of(body)
        return events

    def sample_statements(self) -> list[Statement]:
        """What the samples become, each statement once."""
        found: dict[str, Statement] = {}
        for index, event in enumerate(self.samples()):
            for statement in self.translate(event, index):
                found.setdefault(statement["id"], statement)
        return list(found.values())

    async def take(self, store: MemoryStore, events: Iterable[Any]) -> list[Outcome]:
        """Let events come in, as the product takes them."""
        source = Source(self.adapter, TENANT, self.settings(), AUTHORITY)
        origin = Origin(self.adapter.label, "a-request", "contract", AUTHORITY)
        return await store.taking().take(source, [dump(deepcopy(each)) for each in events], origin)
