"""Summaries as pure folds of statements."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from lrs.xapi.types import Statement

S = TypeVar("S")


def no_facets(_summary: Any) -> Mapping[str, Iterable[str]]:
    """A summary that is only ever read by its key."""
    return {}


@dataclass(frozen=True)
class Materializer(Generic[S]):
    """How one kind of summary comes out of statements.

    `keys(statement)` names the summaries a statement belongs to, and is stored with its record. `step(summary, statement)` gives a
    new summary and touches nothing else; statements come in the order of the tenant's log, voided ones left out. `shape` is
    the summary's frozen dataclass (or msgspec struct), `facets(summary)` what a listing may filter by. A new `version` means that
    everything is folded anew.
    """

    name: str
    version: int
    shape: type[S]
    keys: Callable[[Statement], Iterable[str]]
    empty: Callable[[], S]
    step: Callable[[S, Statement], S]
    facets: Callable[[S], Mapping[str, Iterable[str]]] = no_facets

    @property
    def label(self) -> str:
        """"name@version", as it stands in records and saved summaries."""
        return f"{self.name}@{self.version}"

    def record_key(self, key: str) -> str:
        """The key as a record carries it: "kolibri.attempts@1:<key>"."""
        return f"{self.label}:{key}"

    def encode(self, summary: S) -> bytes:
        """The summary as JSON. Objects in it keep the order of their keys, so one fold gives one sequence of bytes."""
        return msgspec.json.encode(summary)

    def decode(self, state: bytes) -> S:
        """The summary that `encode` wrote."""
        return msgspec.json.decode(state, type=self.shape)


def fold(materializer: Materializer[S], statements: Iterable[Statement], start: S | None = None) -> S:
    """Fold statements into `start`, or into an empty summary: fold(b, fold(a)) equals fold(a + b)."""
    summary = materializer.empty() if start is None else start
    for statement in statements:
        summary = materializer.step(summary, statement)
    return summary


def record_keys(materializers: Iterable[Materializer[Any]], statement: Statement) -> list[str]:
    """All the summaries a statement belongs to, as its record carries them, each once."""
    return list(dict.fromkeys(
        materializer.record_key(key) for materializer in materializers for key in materializer.keys(statement)
    ))
