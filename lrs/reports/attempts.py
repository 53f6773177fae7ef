"""Attempts at an activity: the statements of one registration."""

from typing import TypeAlias

import msgspec

from lrs.reports.facts import Fact

# What is told apart in one cell. Statements of further registrations count together, as one more.
MOST_ATTEMPTS = 200
FURTHER = "*"
# Some thirty years: no learner spends more, and what cells add to a line stays within 64 bits.
LONGEST_SPENT_MS = 10**12
# A moment in µs and what was said then: of several, the one with the latest moment counts; of two at the same, the greater.
Said: TypeAlias = tuple[int, bool]
Scored: TypeAlias = tuple[int, float]


class Attempt(msgspec.Struct, frozen=True, array_like=True):
    """One registration; "" stands for all statements without one, "*" for all registrations that were too many.

    Moments are µs since the epoch. `added_ms` sums up durations, `total_ms` is the largest of those that repeat others.
    """

    registration: str
    first_us: int
    last_us: int
    statements: int = 0
    completed_us: int | None = None
    success: Said | None = None
    best: float | None = None
    added_ms: int = 0
    total_ms: int = 0

    @property
    def time_ms(self) -> int:
        """How long it took: what can be added up, else the largest total that was told."""
        return min(self.added_ms or self.total_ms, LONGEST_SPENT_MS)


def attempts_with(attempts: tuple[Attempt, ...], fact: Fact) -> tuple[Attempt, ...]:
    """The attempts with one statement more, in the order of their registrations."""
    known = {each.registration: each for each in attempts}
    name = fact.registration
    if name not in known and len(known) >= MOST_ATTEMPTS:
        name = FURTHER
    before = known.get(name) or Attempt(name, fact.at_us, fact.at_us)
    known[name] = _with(before, fact)
    return tuple(known[each] for each in sorted(known))


def earliest(known_us: int | None, at_us: int) -> int:
    """The earlier of two moments."""
    return at_us if known_us is None else min(known_us, at_us)


def latest(known_us: int | None, at_us: int) -> int:
    """The later of two moments."""
    return at_us if known_us is None else max(known_us, at_us)


def _with(attempt: Attempt, fact: Fact) -> Attempt:
    success, best, spent_ms = attempt.success, attempt.best, fact.duration_ms or 0
    if fact.success is not None:
        said = (fact.at_us, fact.success)
        success = said if success is None else max(success, said)
    if fact.scaled is not None:
        best = fact.scaled if best is None else max(best, fact.scaled)
    return Attempt(
        registration=attempt.registration,
        first_us=min(attempt.first_us, fact.at_us),
        last_us=max(attempt.last_us, fact.at_us),
        statements=attempt.statements + 1,
        completed_us=earliest(attempt.completed_us, fact.at_us) if fact.completion else attempt.completed_us,
        success=success,
        best=best,
        added_ms=attempt.added_ms + (0 if fact.totals else spent_ms),
        total_ms=max(attempt.total_ms, spent_ms if fact.totals else 0),
    )
