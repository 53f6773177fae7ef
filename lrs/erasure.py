"""Erasing a learner, and removing what has become too old. Both go on from anywhere, and summaries follow.

A statement by the learner alone, or about them and nobody else, is removed. In the statements of others a pseudonym takes their place,
unless such a statement is signed: its signature says all of it again. docs/decisions/0018-erasure-and-retention.md.
"""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lrs.materialize import Materializer
from lrs.rebuild import Rebuilder
from lrs.store.cursors import BEFORE_ALL
from lrs.store.keying import Keying
from lrs.store.records import record_id, statement_of
from lrs.store.remains import Remains
from lrs.store.removal import AT_ONCE, Note, Removal
from lrs.xapi.build import account_actor
from lrs.xapi.pseudonyms import identities_of, is_signed, is_theirs, mentions
from lrs.xapi.types import Agent

PSEUDONYMS = "https://learning-record-store.invalid/erased"

# Removals that are followed up together at most: their keys are in memory.
MOST_TOGETHER = 64
# Hears how many records were dealt with since the last time.
Report = Callable[[int], Awaitable[None]]


def digest_of(agent: Mapping[str, Any], secret: str) -> str:
    """What a receipt holds instead of a person: whoever has the secret can tell whether it is theirs, and nobody else."""
    identity = identities_of(agent)[0]
    return hmac.new(secret.encode(), b"erased:" + identity.encode(), hashlib.sha256).hexdigest()


def a_pseudonym() -> Agent:
    """Somebody of whom nothing is known."""
    return account_actor(PSEUDONYMS, secrets.token_hex(12))


@dataclass(frozen=True)
class Erasing:
    """One erasure: whose, under which pseudonym, and the job whose notes count what it removes."""

    tenant: str
    job: str
    agent: Mapping[str, Any]
    pseudonym: Mapping[str, Any]

    @property
    def identities(self) -> tuple[str, ...]:
        """All keys that tell of the person."""
        return identities_of(self.agent)


class Waiting:
    """Removals whose summaries are still to follow.

    To fold a summary anew takes as long as what is left of it, so it is done for twice as many removals each time: what a learner has
    in a million statements then is folded some twenty times, and not once for each few hundred of them.
    """

    def __init__(self) -> None:
        self._notes: list[Note] = []
        self._enough = 1

    def add(self, note: Note | None) -> None:
        """One more, if something was removed at all."""
        if note is not None:
            self._notes.append(note)

    def are_enough(self) -> bool:
        """Whether it is time to see to them."""
        return len(self._notes) >= self._enough

    def taken(self) -> list[Note]:
        """Those that wait; the next ones may be more."""
        notes, self._notes, self._enough = self._notes, [], min(2 * self._enough, MOST_TOGETHER)
        return notes


def by_label(record_keys: Iterable[str]) -> dict[str, list[str]]:
    """Keys as records carry them, by the label of their materializer."""
    found: dict[str, list[str]] = {}
    for record_key in record_keys:
        label, _, key = record_key.partition(":")
        found.setdefault(label, []).append(key)
    return found


class Erasure:
    """Removes, and sees to what follows."""

    def __init__(
        self, removal: Removal, remains: Remains, keying: Keying, rebuilder: Rebuilder, materializers: Mapping[str, Materializer[Any]]
    ) -> None:
        self._removal = removal
        self._remains = remains
        self._keying = keying
        self._rebuilder = rebuilder
        self._materializers = tuple(materializers.values())

    async def erase(self, erasing: Erasing, report: Report) -> dict[str, int]:
        """Remove all of a person; how much of each kind, over all tries of the job.

        What is posted of them meanwhile is removed too, whole, or, if it comes after the last look, stays, whole.
        """
        await self.finish(erasing.tenant)
        await self._statements(erasing, report)
        async for what, collection, ids in self._remains.of(erasing.tenant, erasing.agent, AT_ONCE):
            await report(await self._removal.remove_of(erasing.tenant, erasing.job, collection, what, ids))
        await self._statements(erasing, report)
        return await self._removal.counts(erasing.job)

    async def _statements(self, erasing: Erasing, report: Report) -> None:
        waiting = Waiting()
        while True:
            # What is stored from now on has to be found by the next look, or is after all this.
            await self._removal.fence()
            records = await self._remains.records(erasing.tenant, erasing.identities, AT_ONCE)
            if not records:
                await self.follow_up(waiting.taken())
                return
            theirs, others = await self._told_apart(erasing, records)
            if theirs:
                waiting.add(await self._removal.remove(erasing.tenant, erasing.job, theirs))
            if others:
                waiting.add(
                    await self._removal.rewrite(erasing.tenant, erasing.job, others, erasing.identities, erasing.pseudonym)
                )
            if waiting.are_enough():
                await self.follow_up(waiting.taken())
            await report(len(records))

    async def _told_apart(self, erasing: Erasing, records: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
        """Which records are to go, and which are to be rewritten."""
        theirs, others = list[str](), list[str]()
        voided = await self._remains.voided_by(erasing.tenant, records)
        for record in records:
            statement = statement_of(record)
            goes = is_theirs(statement, erasing.identities) or (is_signed(statement) and mentions(statement, erasing.identities))
            target = voided.get(record["_id"])
            # What a void took back stays taken back: it goes only with what it voids.
            if goes and target is not None and not is_theirs(target, erasing.identities):
                goes = False
            (theirs if goes else others).append(record["_id"])
        return theirs, others

    async def remove_old(self, tenant: str, job: str, through: int, report: Report) -> dict[str, int]:
        """Remove what stands up to a position of the log; how much of each kind, over all tries of the job."""
        await self.finish(tenant)
        after, waiting = BEFORE_ALL, Waiting()
        while records := await self._remains.old_records(tenant, through, after, AT_ONCE):
            after = records[-1]["position"]
            voided = await self._remains.voided_by(tenant, records)
            going = {each["_id"] for each in records}
            # A void goes with what it voids.
            kept = {each["_id"] for each in records if each["_id"] in voided and record_id(tenant, each["voids"]) not in going}
            waiting.add(await self._removal.remove(tenant, job, sorted(going - kept)))
            if waiting.are_enough():
                await self.follow_up(waiting.taken())
            await report(len(records))
        await self.follow_up(waiting.taken())
        while ids := await self._remains.old_events(tenant, through, AT_ONCE):
            await report(await self._removal.remove_of(tenant, job, "native_events", "native_events", ids))
        return await self._removal.counts(job)

    async def follow_up(self, notes: Sequence[Note]) -> None:
        """Do all that has to follow from removals in one tenant: chains, attachments, and each summary once."""
        if not notes:
            return
        tenant, keys = notes[0]["tenant"], dict[str, None]()
        counts: dict[Any, dict[str, int]] = {}
        await self._removal.fence()
        for note in notes:
            known, contents = len(keys), await self._removal.follow_up(note)
            keys |= dict.fromkeys(note.get("keys", ()))
            if rewritten := await self._removal.rewritten(note):
                await self._keying.complete(tenant, rewritten, self._materializers)
                keys |= dict.fromkeys(key for each in rewritten for key in each.get("keys", ()))
            counts[note["_id"]] = {"attachments": contents, "summaries": len(keys) - known}
        await self._rebuilder.refold(tenant, by_label(keys))
        for note in notes:
            await self._removal.settle(note, {name: count for name, count in counts[note["_id"]].items() if count})

    async def finish(self, tenant: str) -> int:
        """Do what was cut off in a tenant; how many removals that were."""
        notes = await self._removal.unsettled(tenant)
        for first in range(0, len(notes), MOST_TOGETHER):
            await self.follow_up(notes[first:first + MOST_TOGETHER])
        return len(notes)

    async def finish_abandoned(self, older_than: timedelta) -> int:
        """The same in all tenants, of what nobody has seen to for so long: its job was cancelled, or is dead."""
        return sum([await self.finish(tenant) for tenant in await self._removal.abandoned(older_than)])

    async def total(self, tenant: str, agent: Mapping[str, Any]) -> int:
        """How many records are to be dealt with to erase a person, as it is now."""
        return await self._remains.count(tenant, identities_of(agent))

    async def forget(self, job: str) -> None:
        """The job is told of: its notes may go."""
        await self._removal.forget(job)

