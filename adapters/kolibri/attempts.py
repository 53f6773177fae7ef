"""Attempts at questions: how interactions make and change them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.kolibri.facts import Answer, Start, facts_of, moment_of, plain
from lrs.xapi.types import Statement

FIRST_US = -62_135_596_800_000_000  # the first moment a timestamp can name: 0001-01-01T00:00Z
LONGEST_S = 1e11


@dataclass(frozen=True)
class Attempt:
    """One question answered within a try. Moments are µs since the epoch, `time_spent` is seconds, `correct` 0..1."""

    id: str
    session: str
    item: str
    start_us: int
    end_us: int
    completion_us: int | None
    time_spent: float
    complete: bool
    correct: float
    hinted: bool
    error: bool
    answer: dict[str, Any]
    simple_answer: str
    history: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Attempts:
    """The attempts of one mastery log, or of one session where there is none; in the order they were made."""

    user: str | None = None
    content: str | None = None
    masterylog: str | None = None
    level: int | None = None
    entries: tuple[Attempt, ...] = field(default=())

    def by_id(self, attempt_id: str) -> Attempt | None:
        """The attempt with this id."""
        return next((entry for entry in self.entries if entry.id == attempt_id), None)

    def latest_on(self, item: str) -> Attempt | None:
        """The attempt on this item that began last; of several, the one made last."""
        on_item = (entry for entry in reversed(self.entries) if entry.item == item)
        return max(on_item, key=lambda entry: entry.start_us, default=None)


def attempts_keys(statement: Statement) -> Iterable[str]:
    """The mastery log, or the session where there is none. The start of a try counts, so that its log is known."""
    match facts_of(statement, "start", "interaction"):
        case Answer() as fact:
            return [fact.masterylog or fact.session]
        case Start(masterylog=str() as masterylog):
            return [masterylog]
    return []


def attempts_step(attempts: Attempts, statement: Statement) -> Attempts:
    """One more interaction, or the start of the try."""
    fact = facts_of(statement)
    if isinstance(fact, Answer):
        return answered(attempts, fact, moment_of(statement))
    if isinstance(fact, Start):
        return _identified(attempts, fact)
    return attempts


def attempts_facets(attempts: Attempts) -> Mapping[str, Iterable[str]]:
    """What attempts are listed by. A visitor's user is "-"; the content is named only where there is a mastery log."""
    facets = {"user": [attempts.user or "-"], "attempt": [entry.id for entry in attempts.entries]}
    if attempts.masterylog and attempts.content:
        facets["content"] = [attempts.content]
    return facets


def answered(attempts: Attempts, fact: Answer, moment_us: int) -> Attempts:
    """The attempts after one interaction: the attempt it names is changed, or made if it is not there."""
    known = _identified(attempts, fact)
    before = known.by_id(fact.attempt)
    if before is None:
        return replace(known, entries=(*known.entries, _made(fact, moment_us)))
    after = _changed(before, fact, moment_us)
    return replace(known, entries=tuple(after if entry is before else entry for entry in known.entries))


def _identified(attempts: Attempts, fact: Answer | Start) -> Attempts:
    if attempts.content is not None:
        return attempts
    return replace(attempts, user=fact.user, content=fact.content, masterylog=fact.masterylog, level=fact.level)


def _made(fact: Answer, moment_us: int) -> Attempt:
    lasted_us = round(min(fact.time_spent, LONGEST_S) * 1_000_000)
    return Attempt(
        id=fact.attempt, session=fact.session, item=fact.item,
        start_us=max(moment_us - lasted_us, FIRST_US), end_us=moment_us,
        completion_us=moment_us if fact.complete else None, time_spent=fact.time_spent, complete=fact.complete,
        correct=fact.correct, hinted=fact.hinted, error=fact.error, answer=plain(fact.answer or {}),
        simple_answer=fact.simple_answer or "", history=(_told(fact),),
    )


def _changed(attempt: Attempt, fact: Answer, moment_us: int) -> Attempt:
    """Without `replace` the first answer stands; flags are set and never unset."""
    after = replace(
        attempt, history=(*attempt.history, _told(fact)), end_us=moment_us, time_spent=fact.time_spent,
        error=attempt.error or fact.error,
        # A hint after a right answer is history only; judged before `replace` changes what is right.
        hinted=attempt.hinted or (fact.hinted and attempt.correct == 0),
    )
    if fact.replace:
        after = replace(
            after, correct=fact.correct,
            answer=after.answer if fact.answer is None else plain(fact.answer),
            simple_answer=after.simple_answer if fact.simple_answer is None else fact.simple_answer,
        )
    if fact.complete and not attempt.complete:
        after = replace(after, complete=True, completion_us=moment_us)
    return after


def _told(fact: Answer) -> dict[str, Any]:
    """The entry of an interaction history."""
    if fact.error:
        return {"type": "error"}
    if fact.hinted:
        return {"type": "hint", "answer": plain(fact.answer or {})}
    return {"type": "answer", "answer": plain(fact.answer or {}), "correct": fact.correct}
