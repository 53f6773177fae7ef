"""Completions and searches as folds of statements, and what they add to reports. Pure.

Moments are µs since the epoch, cut to milliseconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from adapters.ofcourseme.facts import MILLISECOND_US, PROFILE, completed_of, digest, searched_of, short
from lrs.materialize import Materializer, Row
from lrs.xapi.json_text import dump
from lrs.xapi.times import EPOCH
from lrs.xapi.types import Statement

SECOND_US = 1_000_000
MILLISECOND_DIGITS = 3
# Scopes of lines; those of an entity have a slash and its name behind that.
COURSES, COURSE_DAYS, COURSE_MONTHS, SEARCHES = "courses", "course-days", "course-months", "searches"
PEOPLE, PEOPLE_DAYS = "people", "people-days"
COURSE_SUMS = ("completions", "anonymous", "known_ms", "unknown")
# The bucket of lines that hold all there ever was.
EVER = ""
# Of "2026-01-15T09", what is the day, and what is the month.
DAY_LENGTH, MONTH_LENGTH = len("2026-01-15"), len("2026-01")


@dataclass(frozen=True)
class Completion:
    """What counts as one completion: all that one user's events say of one course, or a single event that lacks either.

    The first event decides where in time it counts. It counts for every entity that one of its events names. `lasted_ms` is from the
    latest event that says it, at `lasted_at_us`. Without events it is nothing.
    """

    user: str | None = None
    course: str | None = None
    first_us: int = 0
    last_us: int = 0
    count: int = 0
    entities: tuple[str, ...] = ()
    lasted_ms: int | None = None
    lasted_at_us: int = 0


@dataclass(frozen=True)
class SearchSecond:
    """The searches of one second, counted by millisecond ("007") and by millisecond and entity ("007north")."""

    second_us: int = 0
    counts: dict[str, int] = field(default_factory=dict)


def completion_keys(statement: Statement) -> Iterable[str]:
    """The user and the course, or the event itself."""
    told = completed_of(statement)
    if told is None:
        return []
    return [digest(dump(["pair", told.user, told.course] if told.user and told.course else ["event", told.statement]).decode())]


def completion_step(completion: Completion, statement: Statement) -> Completion:
    """One event more, in any order: of two durations of one millisecond the longer counts."""
    told = completed_of(statement)
    if told is None:
        return completion
    if not completion.count:
        completion = Completion(told.user, told.course, told.at_us, told.at_us)
    after = replace(
        completion, first_us=min(completion.first_us, told.at_us), last_us=max(completion.last_us, told.at_us),
        count=completion.count + 1, entities=tuple(sorted({*completion.entities, *told.entities})),
    )
    known = (completion.lasted_at_us, completion.lasted_ms)
    if told.lasted_ms is None or (completion.lasted_ms is not None and (told.at_us, told.lasted_ms) < known):
        return after
    return replace(after, lasted_ms=told.lasted_ms, lasted_at_us=told.at_us)


def completion_rows(_key: str, completion: Completion) -> Iterable[Row]:
    """Lines by course, for sums, and by user, to count people by; for all time and for the hour, for all and for each entity.

    Both are also there for the day, of which there are fewer; those by course for the month, too: people of several months must be told
    apart, sums need not.
    """
    if not completion.count:
        return
    course, sums, hour = {"course": course_of(completion)}, course_sums(completion), hour_of(completion.first_us)
    day = hour[:DAY_LENGTH]
    for entity in (None, *completion.entities):
        for what, bucket in ((COURSES, EVER), (COURSES, hour), (COURSE_DAYS, day), (COURSE_MONTHS, hour[:MONTH_LENGTH])):
            yield Row(scope_of(what, entity), bucket, course, sums)
        if completion.user is not None:
            for what, bucket in ((PEOPLE, EVER), (PEOPLE, hour), (PEOPLE_DAYS, day)):
                yield Row(scope_of(what, entity), bucket, {"user": short(completion.user)}, {"completions": 1})


def course_of(completion: Completion) -> str:
    """The name of the course in lines; "" where it is not said which."""
    return "" if completion.course is None else short(completion.course)


def course_sums(completion: Completion) -> dict[str, int]:
    """What it adds to its course: `unknown` counts completions whose events give no duration. Without a course none is known."""
    lasted_ms = None if completion.course is None else completion.lasted_ms
    return {
        "completions": 1, "anonymous": int(completion.user is None), "known_ms": lasted_ms or 0, "unknown": int(lasted_ms is None),
    }


def completion_facets(completion: Completion) -> Mapping[str, Iterable[str]]:
    """The hour it counts in, for reports that begin or end within that hour."""
    return {"hour": [hour_of(completion.first_us)]} if completion.count else {}


def search_keys(statement: Statement) -> Iterable[str]:
    """The second: "2026-01-15T08:30:05"."""
    told = searched_of(statement)
    return [] if told is None else [(EPOCH + timedelta(microseconds=told.at_us)).isoformat()[:19]]


def search_step(second: SearchSecond, statement: Statement) -> SearchSecond:
    """One search more, in any order."""
    told = searched_of(statement)
    if told is None:
        return second
    rest_us = told.at_us % SECOND_US
    millisecond = f"{rest_us // MILLISECOND_US:03d}"
    names = [millisecond, *(millisecond + entity for entity in told.entities)]
    more = {name: second.counts.get(name, 0) + 1 for name in names}
    return SearchSecond(told.at_us - rest_us, dict(sorted({**second.counts, **more}.items())))


def search_rows(_key: str, second: SearchSecond) -> Iterable[Row]:
    """How many for all time and for the hour, for all and for each entity."""
    hour = hour_of(second.second_us)
    for name, count in second.counts.items():
        for bucket in (EVER, hour):
            yield Row(scope_of(SEARCHES, name[MILLISECOND_DIGITS:] or None), bucket, {}, {"searches": count})


def search_facets(second: SearchSecond) -> Mapping[str, Iterable[str]]:
    """The hour, as for completions."""
    return {"hour": [hour_of(second.second_us)]} if second.counts else {}


def searches_within(second: SearchSecond, since_us: int, until_us: int, entity: str | None) -> int:
    """How many of its searches lie in [since, until), of all or of one entity."""
    return sum(
        count for name, count in second.counts.items()
        if name[MILLISECOND_DIGITS:] == (entity or "")
        and since_us <= second.second_us + int(name[:MILLISECOND_DIGITS]) * MILLISECOND_US < until_us
    )


def scope_of(what: str, entity: str | None) -> str:
    """The scope of the lines of all, or of one entity."""
    return what if entity is None else f"{what}/{short(entity)}"


def hour_of(moment_us: int) -> str:
    """The UTC hour of a moment, "2026-01-15T09"."""
    return (EPOCH + timedelta(microseconds=moment_us)).isoformat()[:13]


COMPLETIONS = Materializer(
    "ofcourseme.completions", 2, Completion, completion_keys, Completion, completion_step, completion_facets, rows=completion_rows,
    marks=(PROFILE,),
)
SEARCH_SECONDS = Materializer(
    "ofcourseme.searches", 1, SearchSecond, search_keys, SearchSecond, search_step, search_facets, rows=search_rows, marks=(PROFILE,)
)

MATERIALIZERS = (COMPLETIONS, SEARCH_SECONDS)
