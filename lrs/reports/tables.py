"""Cells and lines as the rows that readers of reports get: flat, one value a column, null where nothing is known.

`title`, the name of an activity, is in its definition and not in its cells: it is left empty here.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from lrs.materialize import Line
from lrs.reports.activity import MILLION, SCORE_BINS, ActivityCell
from lrs.reports.attempts import Attempt
from lrs.reports.course import CourseCell
from lrs.reports.mastery import AnswersRule, Rule, SuccessRule, mastered_us, right_of_last
from lrs.reports.rules import told
from lrs.xapi.times import format_stored

Item: TypeAlias = dict[str, Any]

# How a bin of scores is called in a line, and in a report.
BINS: Mapping[str, str] = {"bin_below": "scores_below_0"} | {f"bin_{at}": f"scores_{at}" for at in range(SCORE_BINS)}
COUNTS_OF_BOTH = ("completed", "succeeded", "failed", "scored", "score", "time_spent_ms", *BINS)
ACTIVITY_SUMS = ("learners", "statements", "attempts", *COUNTS_OF_BOTH)
COURSE_SUMS = ("learners", "statements", "activities", "completed_activities", *COUNTS_OF_BOTH)


def mastered_at(cell: ActivityCell, rule: Rule) -> int | None:
    """When a rule was first met, in µs since the epoch; None if never."""
    return mastered_us(rule, cell.front, cell.success_us, cell.answers)


def progress_item(cell: ActivityCell, rule: Rule, *, with_registrations: bool = False) -> Item:
    """Learner × activity. `mastered_at` is by the rule that holds now."""
    item: Item = {
        "learner": cell.learner,
        "name": cell.named[1] if cell.named else None,
        "activity": cell.activity,
        "title": None,
        "activity_type": cell.activity_type,
        "courses": list(cell.courses),
        "first_at": moment(cell.first_us),
        "last_at": moment(cell.last_us),
        "statements": cell.statements,
        "attempts": cell.attempt_count,
        "attempts_are_more": cell.attempts_are_more,
        "completed_at": moment(cell.completed_us),
        "success": cell.success[1] if cell.success else None,
        "best_score": cell.best,
        "first_score": cell.first_score[1] if cell.first_score else None,
        "last_score": cell.last_score[1] if cell.last_score else None,
        "time_spent_ms": cell.time_ms,
        "mastered_at": moment(mastered_at(cell, rule)),
    }
    if with_registrations:
        item["registrations"] = [_attempt(each) for each in sorted(cell.attempts, key=lambda each: (each.first_us, each.registration))]
    return item


def _attempt(attempt: Attempt) -> Item:
    return {
        "registration": attempt.registration or None,
        "first_at": moment(attempt.first_us),
        "last_at": moment(attempt.last_us),
        "statements": attempt.statements,
        "completed_at": moment(attempt.completed_us),
        "success": attempt.success[1] if attempt.success else None,
        "best_score": attempt.best,
        "time_spent_ms": attempt.time_ms,
    }


def course_progress_item(cell: CourseCell) -> Item:
    """Learner × course."""
    return {
        "learner": cell.learner,
        "name": cell.named[1] if cell.named else None,
        "course": cell.course,
        "title": None,
        "first_at": moment(cell.first_us),
        "last_at": moment(cell.last_us),
        "statements": cell.statements,
        "activities": cell.activities(),
        "completed_activities": cell.activities(completed=True),
        "activities_are_more": cell.activities_are_more,
        "completed_at": moment(cell.completed_us),
        "success": cell.success[1] if cell.success else None,
        "best_score": cell.best,
        "last_score": cell.last_score[1] if cell.last_score else None,
        "time_spent_ms": cell.time_ms,
    }


def mastery_item(cell: ActivityCell, rule: Rule) -> Item:
    """Learner × activity, against the rule that holds now. `right_of_last` is told where the rule is about answers."""
    at_us = mastered_at(cell, rule)
    return {
        "learner": cell.learner,
        "name": cell.named[1] if cell.named else None,
        "activity": cell.activity,
        "title": None,
        "activity_type": cell.activity_type,
        "rule": told(rule),
        "mastered": at_us is not None,
        "mastered_at": moment(at_us),
        "best_score": cell.best,
        "success_at": moment(cell.success_us),
        "answered": cell.answered,
        "right_of_last": right_of_last(cell.answers, rule.n) if isinstance(rule, AnswersRule) else None,
    }


def statistics_item(line: Line, name: str, counts: tuple[str, ...]) -> Item:
    """A line of activities or courses: `name` says which, `counts` are the sums of it."""
    sums = line.sums
    item: Item = {name: line.group[1], "title": None} | {each: sums.get(each, 0) for each in counts if each not in BINS and each != "score"}
    scored = sums.get("scored", 0)
    item["mean_score"] = round(sums.get("score", 0) / MILLION / scored, 6) if scored else None
    return item | {told_as: sums.get(each, 0) for each, told_as in BINS.items()}


def daily_item(line: Line, by: str | None) -> Item:
    """A line of a day: of all statements, or of those with one verb or activity type."""
    item: Item = {"day": line.group[0]}
    if by is not None:
        item[by] = line.group[1] or None
    return item | {"statements": line.sums.get("statements", 0)}


def moment(at_us: int | None) -> str | None:
    """An instant in µs since the epoch as UTC text."""
    return None if at_us is None else format_stored(at_us)


PROGRESS_COLUMNS = tuple(progress_item(ActivityCell(), SuccessRule()))
MASTERY_COLUMNS = tuple(mastery_item(ActivityCell(), SuccessRule()))
COURSE_PROGRESS_COLUMNS = tuple(course_progress_item(CourseCell()))
ACTIVITY_COLUMNS = tuple(statistics_item(Line(("", ""), {}), "activity", ACTIVITY_SUMS))
COURSE_COLUMNS = tuple(statistics_item(Line(("", ""), {}), "course", COURSE_SUMS))
