"""Learner × course: all that one learner did in one course, as a fold of the statements that name it.

Which activities are courses is told in `lrs.reports.facts.courses_of`; "by event time" is as for learner × activity.
"""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from lrs.materialize import Materializer, Row
from lrs.reports.activity import outcome_sums
from lrs.reports.attempts import LONGEST_SPENT_MS, Said, Scored, earliest, latest
from lrs.reports.facts import Fact, activity_of, courses_of, digest, fact_of, learner_of
from lrs.xapi.types import Statement

# Different activities × registrations that one cell tells apart; what comes beyond shares one place.
MOST_VISITS = 600
FURTHER = "*"
# Enough of a digest to tell hundreds apart.
SHORT = 12


class Visit(msgspec.Struct, frozen=True, array_like=True):
    """The statements about one activity of the course under one registration. Times in ms, as in an attempt."""

    completed: bool = False
    added_ms: int = 0
    total_ms: int = 0

    @property
    def time_ms(self) -> int:
        """How long it took: what can be added up, else the largest total that was told."""
        return self.added_ms or self.total_ms


class CourseCell(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one learner did in one course. Moments are µs since the epoch, scores -1..1.

    `visits` are of its activities, by "<activity> <registration>" as short digests; `own` are visits of the course itself, by
    registration. Completion, success and scores are what was said of the course itself.
    """

    learner: str = ""
    course: str = ""
    named: tuple[int, str] | None = None
    statements: int = 0
    first_us: int | None = None
    last_us: int | None = None
    completed_us: int | None = None
    success: Said | None = None
    best: float | None = None
    last_score: Scored | None = None
    visits: dict[str, Visit] = {}
    own: dict[str, Visit] = {}

    def activities(self, *, completed: bool = False) -> int:
        """How many different activities of the course there are statements about (or were completed), those beyond the bound left out."""
        return len({name[:SHORT] for name, visit in self.visits.items() if visit.completed or not completed} - {FURTHER})

    @property
    def activities_are_more(self) -> bool:
        """Whether there were more activities × registrations than are told apart."""
        return FURTHER in self.visits or FURTHER in self.own

    @property
    def time_ms(self) -> int:
        """The time spent with its activities; if none of them tells any, what the course itself tells."""
        within = sum(each.time_ms for each in self.visits.values())
        return min(within or sum(each.time_ms for each in self.own.values()), LONGEST_SPENT_MS)


def course_key(learner: str, course: str) -> str:
    """The key of a cell."""
    return digest(learner, course)


def _keys(statement: Statement) -> Iterable[str]:
    learner = learner_of(statement)
    if learner is None or activity_of(statement) is None:
        return []
    return [course_key(learner, each) for each in courses_of(statement)]


class _Part(msgspec.Struct, frozen=True):
    """A fact, and the one of its courses that is meant."""

    fact: Fact
    course: str


def _part(statement: Statement, key: str) -> _Part:
    fact = fact_of(statement)
    return _Part(fact, {course_key(fact.learner, each): each for each in fact.courses}[key])


def _step(cell: CourseCell, part: _Part) -> CourseCell:
    fact, named = part.fact, cell.named
    if fact.name is not None:
        said = (fact.at_us, fact.name)
        named = said if named is None else max(named, said)
    cell = replace(
        cell, learner=fact.learner, course=part.course, named=named, statements=cell.statements + 1,
        first_us=earliest(cell.first_us, fact.at_us), last_us=latest(cell.last_us, fact.at_us),
    )
    registration = digest(fact.registration)[:SHORT] if fact.registration else "-"
    if fact.activity != part.course:
        return replace(cell, visits=_visited(cell.visits, f"{digest(fact.activity)[:SHORT]} {registration}", fact))
    return _of_itself(replace(cell, own=_visited(cell.own, registration, fact)), fact)


def _of_itself(cell: CourseCell, fact: Fact) -> CourseCell:
    success, best, last_score = cell.success, cell.best, cell.last_score
    if fact.success is not None:
        said = (fact.at_us, fact.success)
        success = said if success is None else max(success, said)
    if fact.scaled is not None:
        scored = (fact.at_us, fact.scaled)
        last_score = scored if last_score is None else max(last_score, scored)
        best = fact.scaled if best is None else max(best, fact.scaled)
    return replace(
        cell, success=success, best=best, last_score=last_score,
        completed_us=earliest(cell.completed_us, fact.at_us) if fact.completion else cell.completed_us,
    )


def _visited(visits: dict[str, Visit], name: str, fact: Fact) -> dict[str, Visit]:
    if name not in visits and len(visits) >= MOST_VISITS:
        name = FURTHER
    before, spent_ms = visits.get(name, Visit()), fact.duration_ms or 0
    return {**visits, name: Visit(
        before.completed or fact.completion,
        before.added_ms + (0 if fact.totals else spent_ms),
        max(before.total_ms, spent_ms if fact.totals else 0),
    )}


def _facets(cell: CourseCell) -> dict[str, Iterable[str]]:
    return {"learner": [digest(cell.learner)], "course": [digest(cell.course)]} if cell.learner else {}


def _rows(_key: str, cell: CourseCell) -> Iterable[Row]:
    if cell.statements:
        yield Row("courses", digest(cell.course), {"course": cell.course}, {
            "learners": 1, "statements": cell.statements,
            "activities": cell.activities(), "completed_activities": cell.activities(completed=True),
            **outcome_sums(cell.completed_us, cell.success, cell.best, cell.time_ms),
        })


COURSE_CELL: Materializer[CourseCell] = Materializer(
    name="reports.course", version=1, shape=CourseCell, keys=_keys, empty=CourseCell, step=_step, facets=_facets, part=_part, rows=_rows,
)
