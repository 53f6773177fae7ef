"""Summaries as pure folds of statements."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from hashlib import blake2b
from typing import Any, Generic, TypeVar

import msgspec
import structlog

from lrs.xapi.types import Statement

logger = structlog.get_logger(__name__)

S = TypeVar("S")
T = TypeVar("T")

# What code that others wrote may raise when a statement is not as it expected.
MISHAPS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError, msgspec.MsgspecError)


class BrokenMaterializer(Exception):
    """A materializer failed on statements it was given: its summary cannot be told."""


def whole(statement: Statement, _key: str) -> Any:
    """A step that does not depend on which of the statement's summaries it is for."""
    return statement


def no_facets(_summary: Any) -> Mapping[str, Iterable[str]]:
    """A summary that is only ever read by its key."""
    return {}


class Row(msgspec.Struct, frozen=True):
    """What one cell adds to one line of a roll-up.

    `scope` is compared for equality ("all", "group=7b"), `bucket` is "" or a UTC hour or day ("2026-01-15T09", "2026-01-15") and can be
    asked for by range, `dims` are further names and their values. `sums` are whole numbers only (milliseconds, millionths of a score), as
    sums of those are exact in any order. One cell may add at most 10**12 to a sum: lines stay within 64 bits.
    """

    scope: str
    bucket: str
    dims: Mapping[str, str]
    sums: Mapping[str, int]


@dataclass(frozen=True)
class Line:
    """Lines of a roll-up added up over one group. `distinct` is how many different values of the dim that was asked for it has."""

    group: tuple[str, ...]
    sums: dict[str, int]
    distinct: int = 0


def no_rows(_key: str, _summary: Any) -> Iterable[Row]:
    """A summary that adds to no roll-up."""
    return ()


@dataclass(frozen=True)
class Materializer(Generic[S]):
    """How one kind of summary comes out of statements.

    `keys(statement)` names the summaries a statement belongs to, and is stored with its record. `step(summary, statement)` gives a
    new summary and touches nothing else; statements come in the order of the tenant's log, voided ones left out. `shape` is
    the summary's frozen dataclass (or msgspec struct), `facets(summary)` what a listing may filter by. A new `version` means that
    everything is folded anew. `part(statement, key)` is what `step` gets of a statement: by default all of it; a summary that depends
    on its own key takes here what concerns it. `rows(key, summary)` makes the summary a cell of a roll-up: whenever it is saved, the lines
    of the roll-up change by what its rows have become; keep cells small, as each is folded anew when a void touches it. `marks` are texts,
    such as ends of IRIs, of which at least one stands in every statement that has a key: others are not offered to it when they are
    stored; without marks all are. `generation` is the store's own: which making of the saved summaries is meant.
    """

    name: str
    version: int
    shape: type[S]
    keys: Callable[[Statement], Iterable[str]]
    empty: Callable[[], S]
    step: Callable[[S, Any], S]
    facets: Callable[[S], Mapping[str, Iterable[str]]] = no_facets
    part: Callable[[Statement, str], Any] = whole
    rows: Callable[[str, S], Iterable[Row]] = no_rows
    marks: tuple[str, ...] = ()
    generation: int = 0

    @cached_property
    def label(self) -> str:
        """"name@version", as it stands in the keys of records."""
        return f"{self.name}@{self.version}"

    @property
    def edition(self) -> str:
        """"name@version", or "name@version#2" for what a rebuild has made: as it stands in saved summaries, lines and cursors."""
        return f"{self.label}#{self.generation}" if self.generation else self.label

    def record_key(self, key: str) -> str:
        """The key as a record carries it: "kolibri.attempts@1:<key>"."""
        return f"{self.label}:{key}"

    def encode(self, summary: S) -> bytes:
        """The summary as JSON. Objects in it keep the order of their keys, so one fold gives one sequence of bytes."""
        return msgspec.json.encode(summary)

    def decode(self, state: bytes) -> S:
        """The summary that `encode` wrote."""
        return msgspec.json.decode(state, type=self.shape)


def fold(materializer: Materializer[S], statements: Iterable[Any], start: S | None = None) -> S:
    """Fold statements (or what `part` gives of each) into `start`, or into an empty summary: fold(b, fold(a)) equals fold(a + b).

    BrokenMaterializer if it fails on one of them.
    """
    summary = materializer.empty() if start is None else start
    try:
        for statement in statements:
            summary = materializer.step(summary, statement)
    except MISHAPS as error:
        raise BrokenMaterializer(f"{materializer.label}: {error!r}") from error
    return summary


class Remembering(dict[str, Any]):
    """A statement that is only read: what `once` has made of it is remembered for as long as it is there."""

    __slots__ = ("made",)
    made: dict[Callable[[Statement], Any], Any]


def once(make: Callable[[Statement], T]) -> Callable[[Statement], T]:
    """The same function of a statement; for one that is remembering, it runs once, whichever summaries and keys it is for."""
    @wraps(make)
    def made(statement: Statement) -> T:
        remembering: Any = statement
        if type(remembering) is not Remembering:
            return make(statement)
        try:
            known = remembering.made
        except AttributeError:
            known = remembering.made = {}
        if make not in known:
            known[make] = make(statement)
        return known[make]  # type: ignore[no-any-return]

    return made


def fingerprint(materializers: Iterable[Materializer[Any]]) -> str:
    """Eight characters for a set of materializers, by name and version."""
    labels = "\n".join(sorted(each.label for each in materializers))
    return b64encode(blake2b(labels.encode(), digest_size=6).digest()).decode()


def record_keys(materializers: Iterable[Materializer[Any]], statement: Statement, failed: list[str] | None = None) -> list[str]:
    """All the summaries a statement belongs to, as its record carries them, each once.

    A materializer that fails on a statement is no reason to refuse the statement, nor to keep it from the others; `failed` gets its label.
    """
    keys: dict[str, None] = {}
    for materializer in materializers:
        try:
            if found := list(materializer.keys(statement)):
                keys |= dict.fromkeys(map(materializer.record_key, found))
        except MISHAPS:
            logger.exception("keys_failed", materializer=materializer.label, statement=statement.get("id"))
            if failed is not None:
                failed.append(materializer.label)
    return list(keys)


class RecordKeys:
    """The keys of statements that are being stored. Looks for the marks in a statement's text before it asks any materializer."""

    def __init__(self, materializers: Iterable[Materializer[Any]]) -> None:
        self._all = tuple(materializers)
        self._unmarked = tuple(each for each in self._all if not each.marks)
        self._marks = tuple(dict.fromkeys(mark for each in self._all for mark in each.marks))
        self._fingerprint = fingerprint(self._all)

    def of(self, statement: Statement, text: str | bytes) -> list[str]:
        """As `record_keys` of all of them; `text` is the statement as JSON, as `lrs.xapi.json_text.dump` writes it."""
        return self.keyed(statement, text)[0]

    def keyed(self, statement: Statement, text: str | bytes) -> tuple[list[str], str | None]:
        """The same, and the fingerprint of the materializers these are all the keys of; None if one of them failed."""
        body, failed = text if isinstance(text, str) else text.decode(), list[str]()
        asked: Iterable[Materializer[Any]] = self._unmarked
        if found := {mark for mark in self._marks if mark in body}:
            asked = [each for each in self._all if not each.marks or not found.isdisjoint(each.marks)]
        keys = record_keys(asked, statement, failed)
        return keys, None if failed else self._fingerprint
