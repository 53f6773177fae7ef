"""Dead letters: native events that could not be translated, tried again one by one or all together."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lrs.errors import InvalidStatements, NotFound
from lrs.events import Events, Outcome, Source, code_of, reason_of, translated
from lrs.plugins import Adapter
from lrs.store.directory import Directory
from lrs.store.native_events import DEAD, Kept, NativeEvents, body_of
from lrs.xapi.json_text import dump
from lrs.xapi.validate import check_batch

# Read and tried together.
CHUNK = 250
# How many differences a run shows, in full if they are no larger; the others are counted. A job keeps them, in a document of MongoDB's.
SHOWN, LARGEST_SHOWN = 100, 64 * 1024

# Called with how far a run is, after each chunk: (looked at, of how many, what came of it so far).
Report = Callable[[int, int, "Replayed"], Awaitable[None]]


@dataclass(frozen=True)
class Chosen:
    """Which dead letters: of one adapter, of one kind of reason, or all."""

    adapter: str | None = None
    kind: str | None = None


@dataclass
class Replayed:
    """What became, or would become, of events that are tried again: counted by outcome, and what changed for the first ones.

    `changes` are JSON texts: a database would bend long numbers, and refuse some names. `after` is the `_id` of the last one looked at,
    `seen` how many were. A run that was ended goes on from such a one.
    """

    counts: Counter[str] = field(default_factory=Counter)
    changes: list[str] = field(default_factory=list)
    after: str | None = None
    seen: int = 0

    def show(self, document: Mapping[str, Any], **what: Any) -> None:
        """Remember a change, if there is room."""
        if len(self.changes) < SHOWN:
            size = len(dump(what))
            shown = what if size <= LARGEST_SHOWN else {"too_large_to_show": size}
            self.changes.append(dump({"id": shown_id(document), **shown}).decode())


class DeadLetters:
    """Trying again is safe at any time: statements get their ids from the event, so nothing counts twice."""

    def __init__(self, kept: NativeEvents, events: Events, directory: Directory, adapters: Mapping[str, Adapter]) -> None:
        self._kept = kept
        self._events = events
        self._directory = directory
        self._adapters = adapters

    async def retry(self, tenant: str, event: str, edited: bytes | None = None) -> Outcome:
        """Translate one again, or an edited body in its place; the first one stays beside it. NotFound, TooLarge.

        `event` is "<adapter>/<received>".
        """
        document = await self._kept.get(tenant, event)
        if document is None or document.get("outcome") != DEAD:
            raise NotFound(f"there is no dead letter {event}")
        if edited is not None:
            await self._kept.edit(tenant, event, edited)
            document["edited"] = edited.decode()
        [outcome] = await self._events.interpret(await self.source_of(document), [kept_of(document)], wait=True)
        return outcome

    async def replay(self, tenant: str, chosen: Chosen, replayed: Replayed, *, dry_run: bool, report: Report) -> None:
        """Translate many again, from where `replayed` is. With `dry_run` nothing changes: it only tells what would become of them."""
        left = await self._kept.count(tenant, adapter=chosen.adapter, outcome=DEAD, kind=chosen.kind)
        total = replayed.seen + left
        while documents := await self._kept.page(
            tenant, adapter=chosen.adapter, outcome=DEAD, kind=chosen.kind, after=replayed.after, limit=CHUNK
        ):
            for adapter in dict.fromkeys(each["adapter"] for each in documents):
                await self._try([each for each in documents if each["adapter"] == adapter], dry_run, replayed)
            replayed.after, replayed.seen = documents[-1]["_id"], replayed.seen + len(documents)
            await report(replayed.seen, max(total, replayed.seen), replayed)

    async def _try(self, documents: Sequence[Mapping[str, Any]], dry_run: bool, replayed: Replayed) -> None:
        """Those of one adapter; those of one authority go together."""
        if (adapter := self._adapters.get(documents[0]["adapter"])) is None or adapter.translate is None:
            replayed.counts["not replayable"] += len(documents)
            return
        by_authority: dict[str, list[Mapping[str, Any]]] = {}
        for each in documents:
            by_authority.setdefault(repr(each.get("authority")), []).append(each)
        for group in by_authority.values():
            source, kept = await self.source_of(group[0]), [kept_of(each) for each in group]
            outcomes = [foreseen(source, each) for each in kept] if dry_run else await self._events.interpret(source, kept, wait=True)
            for document, outcome in zip(group, outcomes, strict=True):
                now = now_of(outcome, dry_run=dry_run)
                replayed.counts[now["outcome"]] += 1
                if now.get("reason") != document["reason"]:
                    replayed.show(document, was=document["reason"], now=now)

    def adapter_of(self, document: Mapping[str, Any]) -> Adapter | None:
        """The adapter of an event; None if it is not installed in this process."""
        return self._adapters.get(document["adapter"])

    async def source_of(self, document: Mapping[str, Any]) -> Source:
        """Adapter, tenant, settings of today and authority of a kept event. NotFound if its adapter translates no events."""
        adapter = self._adapters.get(document["adapter"])
        if adapter is None or adapter.translate is None:
            raise NotFound(f"the adapter {document['adapter']} is not installed, or its calls cannot be made again later")
        settings = await self._directory.settings(document["tenant"], adapter)
        return Source(adapter, document["tenant"], settings, document["authority"])


def kept_of(document: Mapping[str, Any]) -> Kept:
    """The event of a document, as it is to be interpreted."""
    return Kept(document["tenant"], document["adapter"], document["received"], body_of(document))


def shown_id(document: Mapping[str, Any]) -> str:
    """What an event is called towards operators: "<adapter>/<received>"."""
    return str(document["_id"]).removeprefix(f"{document['tenant']}/")


def foreseen(source: Source, kept: Kept) -> Outcome:
    """What would become of an event, as far as that can be told without storing."""
    outcome = translated(source, kept)
    if outcome.error is None and outcome.statements:
        try:
            check_batch(outcome.statements, "1.0.3")
        except InvalidStatements as error:
            outcome.fail(error)
    return outcome


def now_of(outcome: Outcome, *, dry_run: bool = False) -> dict[str, Any]:
    """An outcome for operators: {"outcome", "statements"} or {"outcome": "dead", "reason", "error"}."""
    if outcome.error is not None:
        return {"outcome": DEAD, "reason": reason_of(outcome.error), "error": code_of(outcome.error)}
    kind = ("stored" if outcome.statements else "nothing") if dry_run else outcome.kind
    return {"outcome": kind, "statements": [each if dry_run else each["id"] for each in outcome.statements]}
