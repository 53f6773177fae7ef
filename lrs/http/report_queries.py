"""What may be asked of reports: their parameters, as marshmallow schemas."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from lrs.errors import InvalidParameter, InvalidValue
from lrs.http.tables import PageSchema
from lrs.reports.facts import shown
from lrs.xapi.agents import identity
from lrs.xapi.query import agent_parameter
from lrs.xapi.shapes import Fault
from lrs.xapi.times import parse_timestamp
from lrs.xapi.values import check_iri

MOST_DAYS = 366
PLACE_RULE = "must be as it stands in `more`"
IRI_FORMAT = {"format": "iri"}


class Iri(fields.String):
    """An IRI, as reports keep it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        try:
            check_iri(value)
        except Fault as fault:
            raise ValidationError(fault.rule) from None
        return shown(value)


class Learner(fields.String):
    """Who: an Agent as JSON, or the identity that reports give."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        if not value.startswith("{"):
            return shown(value)
        try:
            return shown(identity(agent_parameter("learner", value, "1.0.3")) or "")
        except InvalidParameter as error:
            raise ValidationError(error.rule) from None


class Moment(fields.String):
    """A timestamp, as µs since the epoch."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> int:  # type: ignore[override]
        try:
            return parse_timestamp(value)
        except InvalidValue as error:
            raise ValidationError(error.rule) from None


class Day(fields.String):
    """A day of the calendar: "2026-01-15"."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        try:
            if date.fromisoformat(value).isoformat() == value:
                return str(value)
        except ValueError:
            pass
        raise ValidationError("must be a day such as 2026-01-15")


def _truth(told: str) -> fields.Boolean:
    said: dict[str, Any] = {"invalid": "must be true or false"}
    return fields.Boolean(truthy={"true"}, falsy={"false"}, error_messages=said, metadata={"description": told})


def _learner() -> Learner:
    return Learner(metadata={"description": "an Agent as JSON, or the identity that a report gives"})


def _iri(told: str) -> Iri:
    return Iri(metadata={**IRI_FORMAT, "description": told})


def _moment(told: str) -> Moment:
    return Moment(metadata={"format": "date-time", "description": told})


class ProgressSchema(PageSchema):
    """Learner × activity."""

    learner = _learner()
    activity = _iri("the activity the statements are about")
    course = _iri("a course the activity was used in")
    completed = _truth("whether it was completed")
    mastered = _truth("whether it was mastered, by the rule that holds now")
    since = _moment("the last statement is not before this")
    until = _moment("the last statement is before this")
    registrations = _truth("tell each registration too; for JSON and NDJSON")


class MasterySchema(PageSchema):
    """Learner × activity, against its rule."""

    learner = _learner()
    activity = _iri("the activity to be mastered")
    course = _iri("a course the activity was used in")
    mastered = _truth("whether it was mastered, by the rule that holds now")
    since = _moment("it was mastered not before this")
    until = _moment("it was mastered before this")


class CourseProgressSchema(PageSchema):
    """Learner × course."""

    learner = _learner()
    course = _iri("the course")
    completed = _truth("whether the course was completed")
    since = _moment("the last statement is not before this")
    until = _moment("the last statement is before this")


class ActivitiesSchema(PageSchema):
    """Statistics of activities."""

    activity = _iri("this one only")


class CoursesSchema(PageSchema):
    """Statistics of courses."""

    course = _iri("this one only")


class DailySchema(PageSchema):
    """Statements by day of UTC; without `since`, the 30 days before `until`; without `until`, 366 days, or up to today."""

    since = Day(metadata={"format": "date", "description": "the first day"})
    until = Day(metadata={"format": "date", "description": "the day after the last"})
    after = fields.String(
        validate=validate.Regexp(r"\d{4}-\d\d-\d\d(~[A-Za-z0-9_-]*)?\Z", error=PLACE_RULE), metadata={"description": PLACE_RULE},
    )
    by = fields.String(validate=validate.OneOf(("verb", "activity_type")), metadata={"description": "and by this"})

    @validates_schema
    def check_days(self, query: Mapping[str, Any], **_options: Any) -> None:
        """Up to a year of them."""
        if "since" in query and "until" in query:
            days = (date.fromisoformat(query["until"]) - date.fromisoformat(query["since"])).days
            if not 0 < days <= MOST_DAYS:
                raise ValidationError({"until": [f"must be 1 to {MOST_DAYS} days after since"]})
        if "after" in query and len(place_after(query["after"])) != 1 + ("by" in query):
            raise ValidationError({"after": [PLACE_RULE]})


def after_place(group: Sequence[str]) -> str:
    """A row of the days, for `after`: its day, and what else tells it from the others of the day."""
    day, *by = group
    return "~".join([day, *(urlsafe_b64encode(each.encode()).decode().rstrip("=") for each in by)])


def place_after(after: str) -> tuple[str, ...]:
    """What `after_place` was given; () if it never was."""
    day, *by = after.split("~")
    try:
        return day, *(urlsafe_b64decode(each + "=" * (-len(each) % 4)).decode() for each in by)
    except ValueError:
        return ()


# By the path below /reports.
QUERIES: Mapping[str, type[Schema]] = {
    "progress": ProgressSchema, "progress/courses": CourseProgressSchema, "activities": ActivitiesSchema, "courses": CoursesSchema,
    "daily": DailySchema, "mastery": MasterySchema,
}
