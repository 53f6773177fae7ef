"""Usage as folds of statements: small cells that add up to lines of a roll-up, and how far each user is with each resource. Pure.

A cell holds the events of one minute, type, user and resource. What it adds to the lines is by the hour (UTC), in the scopes
"hours" (by type alone), "all", "group=…", "user=…", "resource=…", and, of tests, "tests group=…", "tests user=…", "attempts group=…",
"attempts user=…"; and by the day, to count people by, in the scopes "days" and "days group=…".
Folding the same events in any order gives the same summaries.
"""

from bisect import bisect
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from adapters.studyfetch.facts import Fact, digest, fact_of
from adapters.studyfetch.moments import format_ms
from adapters.studyfetch.values import compact
from adapters.studyfetch.vocabulary import PROFILE
from lrs.materialize import Materializer, Row
from lrs.xapi.types import Statement

T = TypeVar("T")

DAY, HOUR, MINUTE = 10, 13, 16  # characters of a moment in ISO 8601 that name its day, its hour, its minute
# The most that one cell may add to a sum of a line.
MOST = 10**12
# Their scores are of the graded work, and of a question: not of what the actor has done with the resource.
NOT_OWN_SCORES = frozenset({"assignment_grader_create", "test_question_answered"})
COMPLETED = "test_completed"


class Cell(msgspec.Struct, frozen=True):
    """Events of one minute, type, user and resource, in the order in which they happened."""

    facts: tuple[Fact, ...] = ()


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """A user and a resource. Moments are µs since the epoch, scores are scaled, progress is in percent; `types` counts events by type.

    What is last is so by the time of the event; `name_order` and the like say which event that was.
    """

    user: str = ""
    kind: str = ""
    thing: str = ""
    resources: tuple[str, ...] = ()
    first_us: int | None = None
    last_us: int | None = None
    types: dict[str, int] = {}
    best: float | None = None
    name: str | None = None
    name_order: tuple[int, str] | None = None
    last: float | None = None
    last_order: tuple[int, str] | None = None
    progress: float | None = None
    progress_order: tuple[int, str] | None = None


def hour_of(fact: Fact) -> str:
    """The hour in UTC in which it happened: "2026-01-15T09"."""
    return format_ms(fact.at_us)[:HOUR]


def minute_of(fact: Fact) -> str:
    """The minute in UTC in which it happened: "2026-01-15T09:07"."""
    return format_ms(fact.at_us)[:MINUTE]


def cell_keys(statement: Statement) -> Iterable[str]:
    """The cell of an event: of the minute, type, user and resource, one of 256, as machines do the same thousands of times."""
    fact = fact_of(statement)
    if fact is None:
        return []
    return [digest([minute_of(fact), fact.type, fact.user, fact.kind, fact.thing, fact.resource, fact.id[:2]])]


def cell_step(cell: Cell, statement: Statement) -> Cell:
    """One event more."""
    fact = fact_of(statement)
    if fact is None:
        return cell
    at = bisect([each.order for each in cell.facts], fact.order)
    return Cell((*cell.facts[:at], fact, *cell.facts[at:]))


def cell_facets(cell: Cell) -> Mapping[str, Iterable[str]]:
    """What cells are listed by."""
    facts = cell.facts
    return {
        "hour": sorted({hour_of(each) for each in facts}),
        "minute": sorted({minute_of(each) for each in facts}),
        "type": sorted({each.type for each in facts}),
        "user": sorted({each.user for each in facts if each.user}),
        "group": sorted({group for each in facts for group in each.groups}),
        "resource": sorted({resource for each in facts for resource in each.resources}),
    }


def cell_rows(_key: str, cell: Cell) -> Iterator[Row]:
    """What a cell adds to the lines."""
    return rows_of(cell.facts)


def rows_of(facts: Iterable[Fact], scopes: Collection[str] | None = None) -> Iterator[Row]:
    """What events add to the lines, each line once; with `scopes`, to those of some scopes."""
    sums: dict[tuple[str, str, tuple[tuple[str, str], ...]], dict[str, int]] = {}
    for fact in facts:
        hour = hour_of(fact)
        for bucket, parts in ((hour, _parts(fact)), (hour[:DAY], _days(fact))):
            for scope, dims, added in parts:
                if scopes is not None and scope not in scopes:
                    continue
                place = scope, bucket, tuple([each for each in dims.items() if each[1]])
                if (total := sums.get(place)) is None:
                    sums[place] = dict(added)
                else:
                    for name, value in added.items():
                        total[name] += value
    for (scope, bucket, named), total in sums.items():
        yield Row(scope, bucket, dict(named), {name: min(value, MOST) for name, value in total.items()})


def _parts(fact: Fact) -> Iterator[tuple[str, dict[str, str], dict[str, int]]]:
    """Scope, dims and sums of what one event adds. Once for each group: within a scope no event counts twice."""
    used = {"events": 1, "ms": fact.duration_ms}
    who = {"type": fact.type, "user": fact.user}
    yield "hours", {"type": fact.type}, used
    yield "all", {**who, "groups": compact(list(fact.groups)), "model": fact.model, "endpoint": fact.endpoint}, used
    for resource in fact.resources:
        yield f"resource={resource}", who, used
    for group in fact.groups:
        yield f"group={group}", {**who, "feature": fact.feature}, used
    if fact.user:
        yield f"user={fact.user}", {"type": fact.type}, used
    for part, dims in (("tests", _completed(fact)), ("attempts", _begun(fact))):
        if dims:
            yield from ((f"{part} group={group}", dims, {"events": 1}) for group in fact.groups)
            if fact.user:
                yield f"{part} user={fact.user}", dims, {"events": 1}


def _days(fact: Fact) -> Iterator[tuple[str, dict[str, str], dict[str, int]]]:
    """The same of lines by the day: they tell only who it was."""
    if fact.user:
        for scope in ("days", *(f"days group={group}" for group in fact.groups)):
            yield scope, {"user": fact.user}, {"events": 1}


def _completed(fact: Fact) -> dict[str, str] | None:
    """A completed test: its score and whether it was passed, each "" where it is not told."""
    if fact.type != COMPLETED:
        return None
    score = "" if fact.scaled is None else repr(fact.scaled)
    passed = "" if fact.success is None else str(fact.success).lower()
    return {"of": COMPLETED, "score": score, "passed": passed}


def _begun(fact: Fact) -> dict[str, str] | None:
    """An attempt of a user at a test: what is told twice of it is one attempt."""
    if fact.attempt is None:
        return None
    return {"kind": fact.kind, "thing": fact.thing or "", "attempt": digest([fact.user, fact.kind, fact.thing, fact.attempt])}


def progress_keys(statement: Statement) -> Iterable[str]:
    """The user and the resource, if there is somebody who makes progress on something."""
    fact = fact_of(statement)
    return [] if fact is None or not is_progress(fact) else [digest([fact.user, fact.kind, fact.thing])]


def is_progress(fact: Fact) -> bool:
    """Whether somebody has to do with something."""
    return bool(fact.user) and fact.thing is not None


def progress_step(progress: Progress, statement: Statement) -> Progress:
    """One event more."""
    fact = fact_of(statement)
    return progress if fact is None else with_fact(progress, fact)


def with_fact(progress: Progress, fact: Fact) -> Progress:
    """One event more, wherever in time."""
    types = Counter(progress.types) + Counter({fact.type: 1})
    scored = None if fact.type in NOT_OWN_SCORES else fact.scaled
    name, name_order = _latest(progress.name, progress.name_order, fact.name, fact.order)
    last, last_order = _latest(progress.last, progress.last_order, scored, fact.order)
    percent, progress_order = _latest(progress.progress, progress.progress_order, fact.progress, fact.order)
    return Progress(
        user=fact.user, kind=fact.kind, thing=fact.thing or "",
        resources=tuple(sorted({*progress.resources, *fact.resources})),
        first_us=fact.at_us if progress.first_us is None else min(progress.first_us, fact.at_us),
        last_us=fact.at_us if progress.last_us is None else max(progress.last_us, fact.at_us),
        types=dict(sorted(types.items())),
        best=scored if progress.best is None else max(progress.best, progress.best if scored is None else scored),
        name=name, name_order=name_order, last=last, last_order=last_order, progress=percent, progress_order=progress_order,
    )


def _latest(
    old: T | None, old_order: tuple[int, str] | None, new: T | None, new_order: tuple[int, str]
) -> tuple[T | None, tuple[int, str] | None]:
    """Of two values the one of the later event, where it tells one."""
    if new is None or (old_order is not None and old_order > new_order):
        return old, old_order
    return new, new_order


def progress_facets(progress: Progress) -> Mapping[str, Iterable[str]]:
    """What they are listed by."""
    return {"user": [progress.user], "resource": progress.resources}


USAGE = Materializer("studyfetch.usage", 2, Cell, cell_keys, Cell, cell_step, cell_facets, rows=cell_rows, marks=(PROFILE,))
PROGRESS = Materializer(
    "studyfetch.progress", 1, Progress, progress_keys, Progress, progress_step, progress_facets, marks=(PROFILE,)
)

MATERIALIZERS = (USAGE, PROGRESS)
