"""Reports of any traffic: learner × activity, learner × course, activities, courses, days, mastery. docs/reports.md."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from aiohttp import web

from lrs.activities import ACTIVITY, Canonical
from lrs.http.answers import json_answer
from lrs.http.auth import CALLER
from lrs.http.body import read_json
from lrs.http.keys import BROUGHT_UP, CLOCK, DIRECTORY, SUMMARIES
from lrs.http.manage import known_tenant
from lrs.http.report_queries import (
    MOST_DAYS,
    ActivitiesSchema,
    CourseProgressSchema,
    CoursesSchema,
    DailySchema,
    MasterySchema,
    ProgressSchema,
    after_place,
    place_after,
)
from lrs.http.tables import Item, Page, Read, Table, answer_table, loaded
from lrs.materialize import Materializer
from lrs.plugins import Adapter
from lrs.reports import ACTIVITY_CELL, COURSE_CELL
from lrs.reports.activity import ActivityCell, activity_key
from lrs.reports.course import CourseCell, course_key
from lrs.reports.facts import digest
from lrs.reports.rules import MasteryRules, MasteryRulesSchema, rules_of
from lrs.reports.tables import (
    ACTIVITY_COLUMNS,
    ACTIVITY_SUMS,
    COURSE_COLUMNS,
    COURSE_PROGRESS_COLUMNS,
    COURSE_SUMS,
    MASTERY_COLUMNS,
    PROGRESS_COLUMNS,
    course_progress_item,
    daily_item,
    mastered_at,
    mastery_item,
    progress_item,
    statistics_item,
)
from lrs.xapi.formats import accepted_languages, one_language

C = TypeVar("C", ActivityCell, CourseCell)

# Cells that a page of JSON looks at, where most do not pass a filter. Then it is short, and `more` goes on.
MOST_LOOKED_AT = 5_000
# Read at a time once the first ones were not enough.
MORE_AT_ONCE = 500
DAYS_BY_DEFAULT = 30
# The rules are kept where adapters' settings are, under a name that no adapter has.
RULES = Adapter("mastery-rules", "1", MasteryRulesSchema)


async def get_progress(request: web.Request) -> web.StreamResponse:
    """GET /reports/progress: what learners did with activities."""
    query, rules = loaded(request, ProgressSchema), await _rules(request)

    def wanted(cell: ActivityCell) -> bool:
        return cell.statements > 0 and _of_interest(cell, query) and _is_mastered(cell, rules, query)

    def item(cell: ActivityCell) -> Item:
        rule = rules.rule_for(cell.activity, cell.activity_type)
        return progress_item(cell, rule, with_registrations=query.get("registrations", False))

    read = _cells(request, ACTIVITY_CELL, query, ("learner", "activity"), activity_key, wanted, item)
    return await _answer(request, query, "progress", PROGRESS_COLUMNS, _titled(request, "activity", read))


async def get_mastery(request: web.Request) -> web.StreamResponse:
    """GET /reports/mastery: which activities learners have mastered, and when, by the rules that hold now."""
    query, rules = loaded(request, MasterySchema), await _rules(request)

    def wanted(cell: ActivityCell) -> bool:
        at_us = mastered_at(cell, rules.rule_for(cell.activity, cell.activity_type))
        return bool(cell.learner) and _fits_course(cell, query) and _is_mastered(cell, rules, query) and _within(at_us, query)

    def item(cell: ActivityCell) -> Item:
        return mastery_item(cell, rules.rule_for(cell.activity, cell.activity_type))

    read = _cells(request, ACTIVITY_CELL, query, ("learner", "activity"), activity_key, wanted, item)
    return await _answer(request, query, "mastery", MASTERY_COLUMNS, _titled(request, "activity", read))


async def get_course_progress(request: web.Request) -> web.StreamResponse:
    """GET /reports/progress/courses: what learners did in courses."""
    query = loaded(request, CourseProgressSchema)

    def wanted(cell: CourseCell) -> bool:
        return cell.statements > 0 and _is_completed(cell, query) and _within(cell.last_us, query)

    read = _cells(request, COURSE_CELL, query, ("learner", "course"), course_key, wanted, course_progress_item)
    return await _answer(request, query, "progress", COURSE_PROGRESS_COLUMNS, _titled(request, "course", read))


async def get_activities(request: web.Request) -> web.StreamResponse:
    """GET /reports/activities: learners, outcomes, scores and times of activities."""
    query = loaded(request, ActivitiesSchema)
    read = _lines(request, ACTIVITY_CELL, "activities", "activity", ACTIVITY_SUMS, query)
    return await _answer(request, query, "activities", ACTIVITY_COLUMNS, _titled(request, "activity", read))


async def get_courses(request: web.Request) -> web.StreamResponse:
    """GET /reports/courses: learners, outcomes, scores and times of courses."""
    query = loaded(request, CoursesSchema)
    read = _lines(request, COURSE_CELL, "courses", "course", COURSE_SUMS, query)
    return await _answer(request, query, "courses", COURSE_COLUMNS, _titled(request, "course", read))


async def get_daily(request: web.Request) -> web.StreamResponse:
    """GET /reports/daily: statements by day, and by verb or activity type."""
    query = loaded(request, DailySchema)
    since, until = _days(query, request.config_dict[CLOCK]().date())
    by = query.get("by")
    groups = ("bucket",) if by is None else ("bucket", by)

    async def read(after: str | None, limit: int) -> Page:
        beyond = () if after is None else place_after(after)
        lines = await request[BROUGHT_UP].rows(
            request[CALLER].tenant, ACTIVITY_CELL, "daily", since=max([since, *beyond[:1]]), until=until,
            sums=("statements",), by=groups, beyond=beyond, groups=limit + 1,
        )
        items = [daily_item(line, by) for line in lines[:limit]]
        return Page(items, after_place(lines[limit - 1].group) if len(lines) > limit else None)

    return await _answer(request, query, "daily", [name for name in ("day", by, "statements") if name], read)


async def get_rules(request: web.Request) -> web.Response:
    """GET …/mastery-rules: the rules as they were put."""
    found = await request.config_dict[DIRECTORY].settings(await known_tenant(request), RULES)
    return json_answer(found["rules"])


async def put_rules(request: web.Request) -> web.Response:
    """PUT …/mastery-rules: all of them at once, as a list. They hold at once, for what has happened too."""
    tenant, rules = await known_tenant(request), await read_json(request)
    await request.config_dict[DIRECTORY].save_settings(tenant, RULES, {"rules": rules})
    return web.Response(status=204)


async def _rules(request: web.Request) -> MasteryRules:
    return rules_of((await request.config_dict[DIRECTORY].settings(request[CALLER].tenant, RULES))["rules"])


async def _answer(
    request: web.Request, query: Mapping[str, Any], name: str, columns: list[str] | tuple[str, ...], read: Read
) -> web.StreamResponse:
    through_us, request[BROUGHT_UP] = await request.config_dict[SUMMARIES].brought_up(request[CALLER].tenant)
    return await answer_table(request, query, Table(name, columns, read, through_us))


def _cells(
    request: web.Request, materializer: Materializer[C], query: Mapping[str, Any], names: tuple[str, str],
    key_of: Callable[[str, str], str], wanted: Callable[[C], bool], item: Callable[[C], Item],
) -> Read:
    """How the cells that pass a filter are read; `names` are the two parameters that together name one."""
    tenant = request[CALLER].tenant
    # One facet leads, the one with the fewest cells as a rule; the others are looked at cell by cell.
    leading = next((name for name in ("learner", "activity", "course") if name in query), None)
    facets = {} if leading is None else {leading: digest(query[leading])}

    async def read(after: str | None, limit: int) -> Page:
        if names[0] in query and names[1] in query:
            cell = await request[BROUGHT_UP].current(tenant, materializer, key_of(query[names[0]], query[names[1]]))
            return Page([item(cell)] if wanted(cell) else [])
        items: list[Item] = []
        looked_at, size = 0, limit
        while looked_at < MOST_LOOKED_AT:
            cells, following = await request[BROUGHT_UP].page(tenant, materializer, facets, after=after, limit=size)
            for key, cell in cells:
                after = key
                if wanted(cell):
                    items.append(item(cell))
                if len(items) == limit:
                    last = following is None and key == cells[-1][0]
                    return Page(items, None if last else key)
            if following is None:
                return Page(items)
            after, looked_at, size = following, looked_at + size, max(limit, MORE_AT_ONCE)
        return Page(items, after)

    return read


def _lines(
    request: web.Request, materializer: Materializer[Any], scope: str, name: str, sums: tuple[str, ...], query: Mapping[str, Any]
) -> Read:
    """How statistics are read: there is one line for each, in the order of digests."""
    tenant = request[CALLER].tenant
    only = digest(query[name]) if name in query else None

    async def read(after: str | None, limit: int) -> Page:
        since = only if only is not None else None if after is None else f"{after}\0"
        lines = await request[BROUGHT_UP].rows(
            tenant, materializer, scope, since=since, until=None if only is None else f"{only}\0", by=("bucket", name), sums=sums,
            limit=limit + 1,
        )
        items = [statistics_item(line, name, sums) for line in lines[:limit]]
        return Page(items, lines[limit - 1].group[0] if len(lines) > limit else None)

    return read


def _titled(request: web.Request, name: str, read: Read) -> Read:
    """The same, with the names of the activities in the column `name`, as their definitions have them now."""
    tenant = request[CALLER].tenant
    languages = accepted_languages(request.headers.get("Accept-Language", ""))

    async def titled(after: str | None, limit: int) -> Page:
        page = await read(after, limit)
        known = await request[BROUGHT_UP].saved(tenant, ACTIVITY, list(dict.fromkeys(item[name] for item in page.items)))
        return Page([{**item, "title": _title(known.get(item[name]), languages)} for item in page.items], page.next)

    return titled


def _title(known: Canonical | None, languages: Sequence[str]) -> str | None:
    names = known.definition.get("name", {}) if known else {}
    return next(iter(one_language(names, languages).values()), None)


def _days(query: Mapping[str, Any], today: date) -> tuple[str, str]:
    """The first day and the day after the last."""
    if "until" in query:
        until = date.fromisoformat(query["until"])
    elif "since" in query:
        until = _moved(date.fromisoformat(query["since"]), MOST_DAYS)
    else:
        until = _moved(today, 1)
    return query.get("since") or _moved(until, -DAYS_BY_DEFAULT).isoformat(), until.isoformat()


def _moved(day: date, days: int) -> date:
    """So many days later, or at the edge of the calendar."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def _of_interest(cell: ActivityCell, query: Mapping[str, Any]) -> bool:
    return _fits_course(cell, query) and _is_completed(cell, query) and _within(cell.last_us, query)


def _fits_course(cell: ActivityCell, query: Mapping[str, Any]) -> bool:
    return "course" not in query or query["course"] in cell.courses


def _is_completed(cell: ActivityCell | CourseCell, query: Mapping[str, Any]) -> bool:
    wanted: bool | None = query.get("completed")
    return wanted is None or wanted == (cell.completed_us is not None)


def _is_mastered(cell: ActivityCell, rules: MasteryRules, query: Mapping[str, Any]) -> bool:
    if "mastered" not in query:
        return True
    wanted: bool = query["mastered"]
    return wanted == (mastered_at(cell, rules.rule_for(cell.activity, cell.activity_type)) is not None)


def _within(at_us: int | None, query: Mapping[str, Any]) -> bool:
    """Whether a moment is not before `since` and before `until`."""
    if "since" not in query and "until" not in query:
        return True
    since, until = query.get("since"), query.get("until")
    return at_us is not None and (since is None or since <= at_us) and (until is None or at_us < until)
