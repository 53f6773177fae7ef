"""History translated anew by another version of an adapter.

A statement is never changed in place. Where the new translation differs, a statement with an id of its own takes the old one's
place, and the old one is voided with a reference to it: both in one batch, all or none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from lrs.dead_letters import CHUNK, DeadLetters, Replayed, Report, kept_of
from lrs.errors import InvalidStatement, InvalidStatements, StatementConflict, TooLarge
from lrs.events import Outcome, Source, reason_of, translated
from lrs.intake import Intake
from lrs.store.native_events import STORED, NativeEvents
from lrs.store.statements import Statements
from lrs.xapi.build import uuid5_of, verb
from lrs.xapi.compare import same_statement
from lrs.xapi.json_text import dump
from lrs.xapi.types import Statement
from lrs.xapi.vocabulary import VOIDED

REPLACED_BY = "https://learning-record-store.invalid/extensions/replaced-by"


@dataclass(frozen=True)
class Difference:
    """What to store and what to void so that the statements of an event are as they are translated now."""

    fresh: Sequence[Statement]
    voids: Sequence[Statement]
    statements: Sequence[str]
    replacements: Mapping[str, str]


class Retranslation:
    """Safe to run again at any time: what was done is found the same."""

    def __init__(self, kept: NativeEvents, letters: DeadLetters, statements: Statements, intake: Intake) -> None:
        self._kept = kept
        self._letters = letters
        self._statements = statements
        self._intake = intake

    async def run(self, tenant: str, adapter: str, outcome: Replayed, *, dry_run: bool, report: Report) -> None:
        """Translate every stored event of an adapter again, in the order of their receipt, from where `outcome` is.

        It counts how many came out the same, changed, or failed. Dead letters are not looked at (replay them), nor events that were
        duplicates: another one's statement counts.
        """
        total = await self._kept.count(tenant, adapter=adapter, outcome=STORED)
        while documents := await self._kept.page(tenant, adapter=adapter, outcome=STORED, after=outcome.after, limit=CHUNK):
            for document in documents:
                await self._renew(document, dry_run, outcome)
            outcome.after, outcome.seen = documents[-1]["_id"], outcome.seen + len(documents)
            await report(outcome.seen, max(total, outcome.seen), outcome)

    async def _renew(self, document: Mapping[str, Any], dry_run: bool, outcome: Replayed) -> None:
        source = await self._letters.source_of(document)
        new = translated(source, kept_of(document))
        if new.error is not None:
            outcome.counts["failed"] += 1
            outcome.show(document, failed=reason_of(new.error))
            return
        difference = await self._difference(source, document, new)
        if difference is None:
            outcome.counts["same"] += 1
            return
        try:
            if not dry_run:
                await self._replace(source, document, difference)
        except (InvalidStatements, InvalidStatement, StatementConflict, TooLarge) as error:  # one event does not end the run
            outcome.counts["failed"] += 1
            outcome.show(document, failed={"kind": "translation", "rule": error.message})
        else:
            outcome.counts["changed"] += 1
            outcome.show(document, stores=list(difference.fresh), voids=[each["object"]["id"] for each in difference.voids])

    async def _replace(self, source: Source, document: Mapping[str, Any], difference: Difference) -> None:
        batch = [*difference.fresh, *difference.voids]
        if batch:
            await self._intake.accept(batch, tenant=source.tenant, authority=source.authority)
        await self._kept.replaced(document["_id"], source.adapter.label, difference.statements, difference.replacements)

    async def _difference(self, source: Source, document: Mapping[str, Any], new: Outcome) -> Difference | None:
        """None if the statements in use say the same as the new ones. One that somebody voided stays voided."""
        replacements: dict[str, str] = dict(document.get("replacements", {}))
        fresh: list[Statement] = []
        voids: list[Statement] = []
        for statement in new.statements:
            natural = statement["id"]
            in_use = replacements.get(natural, natural)
            stored = await self._statements.get(source.tenant, in_use, voided=False)
            if stored is None:
                if await self._statements.get(source.tenant, in_use, voided=True) is None:
                    fresh.append(statement)
            elif not same_statement(stored, {**statement, "id": in_use}):
                replacement = replaced_id(in_use, statement)
                fresh.append({**statement, "id": replacement})
                voids.append(_void(source, in_use, replacement))
                replacements[natural] = replacement
        naturals = {each["id"] for each in new.statements}
        kept = {replacements.get(each, each) for each in naturals}
        for gone in (each for each in document["statements"] if each not in kept and each not in _voided_by(voids)):
            if await self._statements.get(source.tenant, gone, voided=False) is not None:
                voids.append(_void(source, gone, None))
        if not fresh and not voids:
            return None
        return Difference(fresh, voids, sorted(kept), {each: id_ for each, id_ in replacements.items() if each in naturals})


def replaced_id(in_use: str, statement: Statement) -> str:
    """The id of a statement that takes the place of another: by that one's id and by what it says."""
    return uuid5_of(UUID(in_use), ["replaced by", sha256(dump(statement)).hexdigest()])


def _voided_by(voids: Sequence[Statement]) -> set[str]:
    return {each["object"]["id"] for each in voids}  # type: ignore[typeddict-item]


def _void(source: Source, statement_id: str, replacement: str | None) -> Statement:
    """The voiding of a statement, which names what takes its place."""
    void: Statement = {
        "id": uuid5_of(UUID(statement_id), ["voided for", replacement or source.adapter.label]),
        "actor": source.authority,
        "verb": verb(VOIDED),
        "object": {"objectType": "StatementRef", "id": statement_id},
    }
    if replacement is not None:
        void["context"] = {"extensions": {REPLACED_BY: replacement}}
    return void
