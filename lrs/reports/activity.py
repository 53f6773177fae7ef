"""Learner × activity: all that one learner did with one activity, as a fold of the statements about it.

"By event time" is by `timestamp`, the clock of whoever sent the statement: whatever the order in which statements arrive, they
make the same summary, within the bounds that docs/reports.md tells.
"""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import replace

from lrs.materialize import Materializer, Row
from lrs.reports.attempts import FURTHER, LONGEST_SPENT_MS, Attempt, Said, Scored, attempts_with, earliest, latest
from lrs.reports.facts import Fact, activity_of, answered_within, day_of, digest, fact_of, learner_of
from lrs.reports.mastery import Answers, Front, answered, risen, thousandths
from lrs.xapi import vocabulary
from lrs.xapi.types import Statement

# Different days × verbs × types that one cell counts. What goes beyond counts under no day.
MOST_DAYS = 1_000
SOME_DAY = ""
MOST_COURSES_NAMED = 8
SCORE_BINS = 10
MILLION = 1_000_000


class ActivityCell(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one learner did with one activity. Moments are µs since the epoch, scores -1..1.

    `answers` are those to questions within the activity too; all else is about statements whose object it is. `days` counts
    these by "<day> <place of the verb in `verbs`> <place of the type in `types`>". `named` and `typed` are the name and the
    activity type that were said last.
    """

    learner: str = ""
    activity: str = ""
    named: tuple[int, str] | None = None
    typed: tuple[int, str] | None = None
    courses: tuple[str, ...] = ()
    statements: int = 0
    first_us: int | None = None
    last_us: int | None = None
    completed_us: int | None = None
    success: Said | None = None
    success_us: int | None = None
    first_score: Scored | None = None
    last_score: Scored | None = None
    best: float | None = None
    front: Front = ()
    answers: Answers = ()
    answered: int = 0
    attempts: tuple[Attempt, ...] = ()
    attempted: int = 0
    initialized: int = 0
    verbs: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    days: dict[str, int] = {}

    @property
    def attempt_count(self) -> int:
        """How many attempts: one for each registration, and what statements without one tell of, at least one if there are any."""
        unregistered = any(not each.registration for each in self.attempts)
        return len(self.attempts) + (max(self.attempted, self.initialized, 1) - 1 if unregistered else 0)

    @property
    def attempts_are_more(self) -> bool:
        """Whether there were more registrations than are told apart."""
        return any(each.registration == FURTHER for each in self.attempts)

    @property
    def time_ms(self) -> int:
        """The time spent in all attempts."""
        return min(sum(each.time_ms for each in self.attempts), LONGEST_SPENT_MS)

    @property
    def activity_type(self) -> str | None:
        """The type that was stated last."""
        return self.typed[1] if self.typed else None


class _Within(msgspec.Struct, frozen=True):
    """A question was answered that belongs to the activity `parent`, of this type."""

    fact: Fact
    parent: str
    parent_type: str | None


def activity_key(learner: str, activity: str) -> str:
    """The key of a cell."""
    return digest(learner, activity)


def _keys(statement: Statement) -> Iterable[str]:
    learner, activity = learner_of(statement), activity_of(statement)
    if learner is None or activity is None:
        return []
    parent = answered_within(statement)
    return [activity_key(learner, each) for each in ((activity,) if parent is None else (activity, parent[0]))]


def _part(statement: Statement, key: str) -> Fact | _Within:
    fact = fact_of(statement)
    if key == activity_key(fact.learner, fact.activity):
        return fact
    parent = answered_within(statement)
    if parent is None or key != activity_key(fact.learner, parent[0]):
        raise LookupError(f"{key} is no key of this statement")
    return _Within(fact, *parent)


def _step(cell: ActivityCell, part: Fact | _Within) -> ActivityCell:
    if isinstance(part, _Within):
        return _with_answer(_of(cell, part.fact, part.parent, part.parent_type), part.fact)
    cell = _with_result(_of(cell, part, part.activity, part.activity_type), part)
    if part.verb == vocabulary.ANSWERED:
        cell = _with_answer(cell, part)
    return _counted(cell, part)


def _of(cell: ActivityCell, fact: Fact, activity: str, activity_type: str | None) -> ActivityCell:
    return replace(
        cell, learner=fact.learner, activity=activity, named=_last(cell.named, fact.at_us, fact.name),
        typed=_last(cell.typed, fact.at_us, activity_type),
    )


def _last(known: tuple[int, str] | None, at_us: int, said: str | None) -> tuple[int, str] | None:
    """What was said last, by event time."""
    if said is None:
        return known
    return (at_us, said) if known is None else max(known, (at_us, said))


def _with_answer(cell: ActivityCell, fact: Fact) -> ActivityCell:
    if fact.success is None:
        return cell
    return replace(cell, answers=answered(cell.answers, fact.at_us, fact.success), answered=cell.answered + 1)


def _with_result(cell: ActivityCell, fact: Fact) -> ActivityCell:
    success, success_us = cell.success, cell.success_us
    if fact.success is not None:
        said = (fact.at_us, fact.success)
        success = said if success is None else max(success, said)
        success_us = earliest(success_us, fact.at_us) if fact.success else success_us
    cell = replace(
        cell, success=success, success_us=success_us, attempts=attempts_with(cell.attempts, fact),
        completed_us=earliest(cell.completed_us, fact.at_us) if fact.completion else cell.completed_us,
    )
    if fact.scaled is None:
        return cell
    scored = (fact.at_us, fact.scaled)
    return replace(
        cell,
        first_score=scored if cell.first_score is None else min(cell.first_score, scored),
        last_score=scored if cell.last_score is None else max(cell.last_score, scored),
        best=fact.scaled if cell.best is None else max(cell.best, fact.scaled),
        front=risen(cell.front, fact.at_us, thousandths(fact.scaled)),
    )


def _counted(cell: ActivityCell, fact: Fact) -> ActivityCell:
    courses = cell.courses
    if not set(fact.courses) <= set(courses):
        courses = tuple(sorted({*courses, *fact.courses}))[:MOST_COURSES_NAMED]
    verbs, verb_at = _placed(cell.verbs, fact.verb)
    types, type_at = _placed(cell.types, fact.activity_type or "")
    day = f"{day_of(fact.at_us)} {verb_at} {type_at}"
    if day not in cell.days and len(cell.days) >= MOST_DAYS:
        verbs, types, day = cell.verbs, cell.types, SOME_DAY
    unregistered = not fact.registration
    return replace(
        cell, courses=courses, verbs=verbs, types=types, statements=cell.statements + 1,
        days={**cell.days, day: cell.days.get(day, 0) + 1},
        first_us=earliest(cell.first_us, fact.at_us), last_us=latest(cell.last_us, fact.at_us),
        attempted=cell.attempted + (unregistered and fact.verb == vocabulary.ATTEMPTED),
        initialized=cell.initialized + (unregistered and fact.verb == vocabulary.INITIALIZED),
    )


def _placed(names: tuple[str, ...], name: str) -> tuple[tuple[str, ...], int]:
    """The names with this one among them, and its place."""
    return (names, names.index(name)) if name in names else ((*names, name), len(names))


def _facets(cell: ActivityCell) -> Mapping[str, Iterable[str]]:
    if not cell.learner:
        return {}
    return {
        "learner": [digest(cell.learner)], "activity": [digest(cell.activity)],
        "course": [digest(course) for course in cell.courses],
    }


def _rows(_key: str, cell: ActivityCell) -> Iterable[Row]:
    if not cell.statements:
        return
    yield Row("activities", digest(cell.activity), {"activity": cell.activity}, {
        "learners": 1, "statements": cell.statements, "attempts": cell.attempt_count,
        **outcome_sums(cell.completed_us, cell.success, cell.best, cell.time_ms),
    })
    for day, count in cell.days.items():
        if day == SOME_DAY:
            yield Row("daily", "", {"verb": "", "activity_type": ""}, {"statements": count})
        else:
            bucket, verb_at, type_at = day.split()
            dims = {"verb": cell.verbs[int(verb_at)], "activity_type": cell.types[int(type_at)]}
            yield Row("daily", bucket, dims, {"statements": count})


def outcome_sums(completed_us: int | None, success: Said | None, best: float | None, time_ms: int) -> dict[str, int]:
    """What a learner's outcome adds to a line: one each of what it is, the time, the best score in millionths and its bin."""
    sums = {"time_spent_ms": time_ms} if time_ms else {}
    if completed_us is not None:
        sums["completed"] = 1
    if success is not None:
        sums["succeeded" if success[1] else "failed"] = 1
    if best is not None:
        score = round(best * MILLION)
        sums |= {"scored": 1, "score": score, bin_of(score): 1}
    return sums


def bin_of(score: int) -> str:
    """The bin of a score in millionths: "bin_3" is from 0.3 to below 0.4, "bin_9" from 0.9 to 1, "bin_below" below 0."""
    return f"bin_{min(score * SCORE_BINS // MILLION, SCORE_BINS - 1)}" if score >= 0 else "bin_below"


ACTIVITY_CELL: Materializer[ActivityCell] = Materializer(
    name="reports.activity", version=1, shape=ActivityCell, keys=_keys, empty=ActivityCell, step=_step, facets=_facets, part=_part,
    rows=_rows,
)
