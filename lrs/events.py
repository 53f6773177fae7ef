"""Native events into statements: kept raw first, translated by their adapter, stored through the one door in.

What cannot be translated is not lost: it stays as a dead letter, with the place and the reason, and can be tried again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Any, TypeAlias

import structlog

from lrs.errors import (
    BrokenTranslation,
    InvalidBody,
    InvalidEvent,
    InvalidStatement,
    InvalidStatements,
    LRSError,
    PlacedError,
    StatementConflict,
    TooLarge,
    Unauthorized,
)
from lrs.intake import Intake
from lrs.materialize import MISHAPS
from lrs.plugins import Adapter, Profile
from lrs.store.documents import Documents
from lrs.store.log import Refused
from lrs.store.native_events import DEAD, DUPLICATE, NOTHING, STORED, Fate, Kept, NativeEvents, Origin
from lrs.xapi.agents import identity
from lrs.xapi.documents import ACTIVITY_PROFILE, AGENT_PROFILE, Place
from lrs.xapi.json_text import dump, parse
from lrs.xapi.types import Agent, Statement

logger = structlog.get_logger(__name__)

# Events whose statements go into the store together, and after which other requests get their turn.
CHUNK = 250

Life: TypeAlias = Callable[[str], Awaitable[datetime | None]]


async def _unknown(_tenant: str) -> None:
    return None


@dataclass
class Outcome:
    """What became of one event. `statements` are all it was translated to; `error` is set if it became a dead letter."""

    kept: Kept
    kind: str = NOTHING
    statements: Sequence[Statement] = ()
    profiles: Sequence[Profile] = ()
    error: LRSError | None = None
    new: set[str] = field(default_factory=set)

    @property
    def fate(self) -> Fate:
        """The same, as it is noted beside the event."""
        if self.error is not None:
            return Fate(DEAD, (), reason_of(self.error))
        return Fate(self.kind, [each["id"] for each in self.statements])

    def fail(self, error: LRSError) -> None:
        """Let the event be a dead letter."""
        self.error, self.kind, self.statements, self.profiles = error, DEAD, (), ()


@dataclass(frozen=True)
class Source:
    """Whose events they are, as far as translating and storing them goes."""

    adapter: Adapter
    tenant: str
    settings: Mapping[str, Any]
    authority: Agent


class Events:
    """The way of native events. Safe to go twice: the ids of statements come from the events themselves."""

    def __init__(self, kept: NativeEvents, intake: Intake, documents: Documents, life: Life = _unknown) -> None:
        """`life` says when a tenant was made."""
        self._kept = kept
        self._intake = intake
        self._documents = documents
        self._life = life

    async def take(self, source: Source, texts: Sequence[bytes], origin: Origin) -> list[Outcome]:
        """Keep the events (JSON texts), then store what they say; one outcome each, in their order.

        StoreUnavailable, TooLarge (nothing is kept then); Unauthorized if the tenant is deleted meanwhile.
        """
        outcomes: list[Outcome] = []
        began = await self._life(source.tenant)
        kept = await self._kept.keep(source.tenant, source.adapter.name, texts, origin)
        for start in range(0, len(kept), CHUNK):
            if start and await self._life(source.tenant) != began:
                raise Unauthorized("the tenant was deleted before all events were interpreted")
            outcomes += await self.interpret(source, kept[start:start + CHUNK])
        return outcomes

    async def set_aside(self, source: Source, texts: Sequence[bytes], origin: Origin) -> tuple[str, list[Kept]]:
        """Keep events that a job is to interpret; the name of their batch, and the events. StoreUnavailable, TooLarge."""
        batch = token_hex(12)
        return batch, await self._kept.keep(source.tenant, source.adapter.name, texts, origin, batch=batch)

    async def refuse(self, source: Source, text: bytes, origin: Origin, error: LRSError) -> None:
        """Keep what is no event at all as a dead letter."""
        for each in await self._kept.keep(source.tenant, source.adapter.name, [text], origin):
            await self._kept.note({each.id: Fate(DEAD, (), reason_of(error))})

    async def interpret(self, source: Source, kept: Sequence[Kept], *, wait: bool = False) -> list[Outcome]:
        """Store what kept events say, and note what became of them.

        With `wait`, for events that may have been interpreted before by somebody who ended: it returns once what is noted is safe, and
        a statement that is there although no event is known to have become it, is this one's.
        """
        outcomes = [translated(source, each) for each in kept]
        await self._store(source, outcomes)
        if wait:
            await self._reclaim(source.tenant, [each for each in outcomes if each.kind == DUPLICATE])
        await self._teach(source, outcomes)
        fates = {each.kept.id: each.fate for each in outcomes}
        if wait or any(each.error for each in outcomes):
            await self._kept.note(fates)
        else:
            self._kept.note_soon(fates)
        # Other requests get their turn between two chunks of a large batch.
        await asyncio.sleep(0)
        return outcomes

    async def _store(self, source: Source, outcomes: Sequence[Outcome]) -> None:
        """Statements that are there already, be it with other words, are duplicates: an event is counted once."""
        known: set[str] = set()
        while owners := _owners(outcomes, known):
            batch = [statement for statement, _ in owners.values()]
            try:
                accepted = await self._intake.accept(batch, tenant=source.tenant, authority=source.authority)
            except StatementConflict as conflict:
                known.update(each.lower() for each in conflict.ids)
            except InvalidStatements as error:
                for problem in error.problems:
                    owner = owners[batch[problem.index or 0]["id"]][1]
                    _report(source, owner, BrokenTranslation(f"{source.adapter.label}: statement {problem.place}: {problem.rule}"))
            except (TooLarge, InvalidStatement, Refused) as error:
                if len(outcomes) == 1:
                    known_error = BrokenTranslation(f"the database refuses it: {error}") if isinstance(error, Refused) else error
                    outcomes[0].fail(known_error)
                    return
                for outcome in outcomes:
                    await self._store(source, [outcome])
                return
            else:
                for each in accepted:
                    if each.stored:
                        owners[each.id][1].new.add(each.id)
                break
        for outcome in outcomes:
            if outcome.error is None and outcome.statements:
                outcome.kind = STORED if outcome.new else DUPLICATE

    async def _reclaim(self, tenant: str, duplicates: Sequence[Outcome]) -> None:
        if duplicates:
            owned = await self._kept.owned(tenant, [each["id"] for outcome in duplicates for each in outcome.statements])
            for outcome in duplicates:
                ids = {each["id"] for each in outcome.statements}
                if owned.isdisjoint(ids):
                    outcome.kind = STORED
                    owned |= ids

    async def _teach(self, source: Source, outcomes: Iterable[Outcome]) -> None:
        taught: dict[Place, bytes] = {}
        terms: dict[Place, Sequence[str]] = {}
        for profile in (each for outcome in outcomes for each in outcome.profiles):
            place = place_of(profile)
            taught[place], terms[place] = dump(profile.content), profile.terms
        if taught:
            await self._documents.put_profiles(source.tenant, taught, terms)

    async def drain(self) -> None:
        """Wait until what is under way is written."""
        await self._kept.drain()


def translated(source: Source, kept: Kept) -> Outcome:
    """What an event says, not stored; or why that cannot be told."""
    outcome = Outcome(kept)
    translate = source.adapter.translate
    assert translate is not None
    try:
        event = parse(kept.text)
        outcome.statements = checked(source.adapter, translate(event, source.settings, kept.received_us))
        outcome.profiles = tuple(source.adapter.teaches(event, source.settings))
        for profile in outcome.profiles:
            place_of(profile)
    except (InvalidBody, InvalidEvent) as error:
        outcome.fail(error)
    except BrokenTranslation as error:
        _report(source, outcome, error)
    except MISHAPS as error:
        logger.exception("translation_failed", adapter=source.adapter.label, native_event=kept.id)
        outcome.fail(BrokenTranslation(f"{source.adapter.label} failed: {type(error).__name__}: {error}"))
    return outcome


def checked(adapter: Adapter, statements: Sequence[Statement]) -> Sequence[Statement]:
    """A translator's statements; BrokenTranslation unless each has an id of its own. All other rules are the intake's."""
    ids = [each.get("id") for each in statements]
    if not all(isinstance(each, str) and each == each.lower() for each in ids) or len(set(ids)) < len(ids):
        raise BrokenTranslation(f"{adapter.label} gave a statement without an id in lower case of its own")
    return statements


def place_of(profile: Profile) -> Place:
    """Where a profile's document is. BrokenTranslation if it says neither of whom nor of what it is."""
    if profile.resource == AGENTS and not isinstance(profile.owner, str):
        return Place(AGENT_PROFILE.name, agent=identity(profile.owner), document_id=profile.profile_id)
    if profile.resource == ACTIVITIES and isinstance(profile.owner, str):
        return Place(ACTIVITY_PROFILE.name, activity=profile.owner, document_id=profile.profile_id)
    raise BrokenTranslation(f'a profile is of "{AGENTS}", whose owner is an Agent, or of "{ACTIVITIES}", whose owner is an IRI')


AGENTS, ACTIVITIES = "agents", "activities"


def reason_of(error: LRSError) -> dict[str, str]:
    """Why an event is a dead letter: its kind, the place in the event, the rule, and the code its system has for it."""
    place, rule = (error.place, error.rule) if isinstance(error, PlacedError) else ("", error.message)
    kinds = {InvalidBody: "unreadable", BrokenTranslation: "translation", TooLarge: "too_large", InvalidStatement: "statement"}
    kind = error.reason if isinstance(error, InvalidEvent) else kinds.get(type(error), "refused")
    return {"kind": kind, "place": place, "rule": rule, "code": code_of(error)}


def code_of(error: LRSError) -> str:
    """What an error is called at the doors of native events."""
    if isinstance(error, InvalidEvent):
        return error.code
    return "INVALID_JSON" if isinstance(error, InvalidBody) else screaming(type(error).__name__)


def screaming(name: str) -> str:
    """"TooLarge" -> "TOO_LARGE"."""
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name).lstrip("_")


def _owners(outcomes: Iterable[Outcome], known: Collection[str]) -> dict[str, tuple[Statement, Outcome]]:
    """The statements to store, by id, each with the first event that says it."""
    owners: dict[str, tuple[Statement, Outcome]] = {}
    for outcome in outcomes:
        for statement in outcome.statements:
            if statement["id"] not in known:
                owners.setdefault(statement["id"], (statement, outcome))
    return owners


def _report(source: Source, outcome: Outcome, error: BrokenTranslation) -> None:
    logger.error("translation_broken", adapter=source.adapter.label, native_event=outcome.kept.id, error=error.message)
    outcome.fail(error)
