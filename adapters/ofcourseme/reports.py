"""Reports read from roll-ups: whole hours from their lines, the parts of hours at both ends of a window from cells."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, date, timedelta, tzinfo
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from adapters.ofcourseme.facts import short
from adapters.ofcourseme.parameters import INVALID, is_date, moment_us
from adapters.ofcourseme.summaries import (
    COMPLETIONS,
    COURSE_DAYS,
    COURSE_MONTHS,
    COURSE_SUMS,
    COURSES,
    DAY_LENGTH,
    MONTH_LENGTH,
    PEOPLE,
    PEOPLE_DAYS,
    SEARCH_SECONDS,
    SEARCHES,
    Completion,
    course_of,
    course_sums,
    hour_of,
    scope_of,
    searches_within,
)
from lrs.errors import InvalidEvent
from lrs.materialize import Line, Materializer
from lrs.summaries import Summaries

S = TypeVar("S")

HOUR_US = 3_600_000_000
# What a time can be: the years 1 to 9999.
FIRST_US, END_US = -62_135_596_800_000_000, 253_402_300_800_000_000
# Behind the bucket of all time and before that of any hour, and behind that of any hour.
BEFORE_HOURS, AFTER_HOURS = "0", ":"


@dataclass(frozen=True)
class Window:
    """What a report is about: times in [since, until), None without a limit; of all, or of one entity."""

    since_us: int | None = None
    until_us: int | None = None
    entity: str | None = None

    @property
    def bounds(self) -> tuple[int, int]:
        """The same with the limits that there always are."""
        return FIRST_US if self.since_us is None else self.since_us, END_US if self.until_us is None else self.until_us

    @property
    def buckets(self) -> tuple[str | None, str]:
        """The lines of the whole hours in it, as (since, until); without limits, the lines of all time."""
        if self.since_us is None and self.until_us is None:
            return None, BEFORE_HOURS
        since_us, until_us = self.bounds
        return _bucket(-(-since_us // HOUR_US) * HOUR_US), _bucket(until_us // HOUR_US * HOUR_US)

    @property
    def days(self) -> tuple[str, str] | None:
        """The whole days in it, as (since, until); None if there is not one, or there are no limits."""
        first, last = self.buckets
        if first is None or (since := _day_from(first)) >= (until := last[:DAY_LENGTH]):
            return None
        return since, until

    @property
    def hours_beside_days(self) -> list[tuple[str, str]]:
        """The whole hours before the whole days, and those after, as (since, until)."""
        first, last = self.buckets
        if first is None or self.days is None:
            return []
        return [(since, until) for since, until in ((first, self.days[0]), (self.days[1], last)) if since < until]

    @property
    def spans(self) -> list[tuple[str, str | None, str]]:
        """Where the lines by course of its whole hours are, as (scope, since, until): those of whole days and months are in few lines."""
        if self.days is None:
            return [(COURSES, *self.buckets)]
        (since, until), spans = self.days, list[tuple[str, str | None, str]]()
        first_month, end_month = _month_from(f"{since}T00"), until[:MONTH_LENGTH]
        if first_month < end_month:
            spans.append((COURSE_MONTHS, first_month, end_month))
            days = [(since, first_month), (end_month, until)]
        else:
            days = [(since, until)]
        spans += [(COURSE_DAYS, *each) for each in days if each[0] < each[1]]
        return spans + [(COURSES, *each) for each in self.hours_beside_days]

    @property
    def edges(self) -> list[str]:
        """The hours that lie in it only in part."""
        cut = {each for each in (self.since_us, self.until_us) if each is not None and each % HOUR_US}
        return sorted({hour_of(each) for each in cut})


@dataclass(frozen=True)
class Completions:
    """What was completed: the sums of each course ("": it is not said which)."""

    courses: Mapping[str, Counter[str]]

    def total(self, name: str) -> int:
        """A sum over all courses."""
        return sum(sums[name] for sums in self.courses.values())


def window_of(parameters: Mapping[str, str], zone: tzinfo) -> Window:
    """The window of a report, out of `from`, `to` and `entity_id`. Both ends belong to it. Raises InvalidEvent."""
    since_us, last_us = moment_us(parameters, "from", zone), moment_us(parameters, "to", zone)
    until_us = None
    if last_us is not None:
        until_us = _next_day_us(parameters["to"], zone) if is_date(parameters["to"]) else last_us + 1
    if since_us is not None and until_us is not None and since_us >= until_us:
        raise InvalidEvent("from", "must not be after to", code=INVALID)
    return Window(_within(since_us), _within(until_us), parameters.get("entity_id"))


async def completions(summaries: Summaries, tenant: str, window: Window) -> Completions:
    """What was first completed within a window. StoreUnavailable."""
    courses, spans = await asyncio.gather(
        _completed_at_edges(summaries, tenant, window),
        asyncio.gather(*(_course_lines(summaries, tenant, window.entity, span) for span in window.spans)),
    )
    for line in chain.from_iterable(spans):
        courses.setdefault(line.group[0], Counter()).update(line.sums)
    return Completions(courses)


async def people(summaries: Summaries, tenant: str, window: Window) -> int:
    """How many people completed something for the first time within a window. StoreUnavailable."""
    days = window.days
    scope = scope_of(PEOPLE if days is None else PEOPLE_DAYS, window.entity)
    since, until = window.buckets if days is None else days
    lines = partial(summaries.rows, tenant, COMPLETIONS, scope, since=since, until=until, sums=("completions",))
    beside, counted = await asyncio.gather(_people_beside(summaries, tenant, window), lines(distinct="user"))
    if beside:  # some of whom may have completed something in a whole hour or day, too
        known = await lines(by=("user",), where={"user": sorted(beside)})
        beside -= {line.group[0] for line in known}
    return sum(line.distinct for line in counted) + len(beside)


async def searches(summaries: Summaries, tenant: str, window: Window) -> int:
    """How many searches lie within a window. StoreUnavailable."""
    at_edges, lines = await asyncio.gather(
        _searched_at_edges(summaries, tenant, window),
        _lines(summaries, tenant, SEARCH_SECONDS, SEARCHES, window, sums=("searches",)),
    )
    return sum(line.sums["searches"] for line in lines) + at_edges


def _cells(summaries: Summaries, tenant: str, materializer: Materializer[S], window: Window) -> AsyncIterator[S]:
    """The cells of the hours that lie in the window only in part, one after the other: there may be any number."""
    return summaries.each(tenant, materializer, {"hour": window.edges})


async def _completed_at_edges(summaries: Summaries, tenant: str, window: Window) -> dict[str, Counter[str]]:
    courses: dict[str, Counter[str]] = {}
    if window.edges:
        async for cell in _cells(summaries, tenant, COMPLETIONS, window):
            if _is_in(cell, window):
                courses.setdefault(course_of(cell), Counter()).update(course_sums(cell))
    return courses


async def _people_beside(summaries: Summaries, tenant: str, window: Window) -> set[str]:
    """Who completed something in the hours beside the whole days, or in parts of hours."""
    found, scope = set[str](), scope_of(PEOPLE, window.entity)
    for since, until in window.hours_beside_days:
        lines = await summaries.rows(tenant, COMPLETIONS, scope, since=since, until=until, by=("user",), sums=("completions",))
        found |= {line.group[0] for line in lines}
    if window.edges:
        cells = _cells(summaries, tenant, COMPLETIONS, window)
        found |= {short(cell.user) async for cell in cells if cell.user is not None and _is_in(cell, window)}
    return found


async def _searched_at_edges(summaries: Summaries, tenant: str, window: Window) -> int:
    found = 0
    if window.edges:
        async for cell in _cells(summaries, tenant, SEARCH_SECONDS, window):
            found += searches_within(cell, *window.bounds, window.entity)
    return found


async def _course_lines(
    summaries: Summaries, tenant: str, entity: str | None, span: tuple[str, str | None, str]
) -> list[Line]:
    what, since, until = span
    scope = scope_of(what, entity)
    return await summaries.rows(tenant, COMPLETIONS, scope, since=since, until=until, by=("course",), sums=COURSE_SUMS)


async def _lines(
    summaries: Summaries, tenant: str, materializer: Materializer[Any], what: str, window: Window, **asked: Any
) -> list[Line]:
    """Lines of the whole hours of a window."""
    since, until = window.buckets
    return await summaries.rows(tenant, materializer, scope_of(what, window.entity), since=since, until=until, **asked)


def _is_in(cell: Completion, window: Window) -> bool:
    since_us, until_us = window.bounds
    return since_us <= cell.first_us < until_us and (window.entity is None or window.entity in cell.entities)


def _next_day_us(day: str, zone: tzinfo) -> int | None:
    """The first moment of the day after: not always 24 hours later, as clocks change. None after the last day there is."""
    try:
        following = date.fromisoformat(day) + timedelta(days=1)
    except OverflowError:
        return None
    return moment_us({"day": following.isoformat()}, "day", zone)


def _day_from(hour: str) -> str:
    """The first day that begins in this hour or later."""
    if hour == AFTER_HOURS or hour[DAY_LENGTH:] == "T00":
        return hour[:DAY_LENGTH]
    try:
        return (date.fromisoformat(hour[:DAY_LENGTH]) + timedelta(days=1)).isoformat()
    except OverflowError:
        return AFTER_HOURS


def _month_from(hour: str) -> str:
    """The first month that begins in this hour or later."""
    if hour == AFTER_HOURS or hour[MONTH_LENGTH:] == "-01T00":
        return hour[:MONTH_LENGTH]
    year, month = divmod(int(hour[:4]) * 12 + int(hour[5:MONTH_LENGTH]), 12)
    return f"{year:04d}-{month + 1:02d}" if year <= MAXYEAR else AFTER_HOURS


def _bucket(hour_us: int) -> str:
    return hour_of(hour_us) if hour_us < END_US else AFTER_HOURS


def _within(moment: int | None) -> int | None:
    return None if moment is None else min(max(moment, FIRST_US), END_US)
