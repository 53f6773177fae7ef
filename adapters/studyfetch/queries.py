"""Query parameters of the usage calls."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema
from multidict import MultiMapping

from adapters.studyfetch.facts import Fact
from adapters.studyfetch.moments import DAY_US, LATEST_US, NoMoment, instant_of, is_date
from adapters.studyfetch.reports import KEYS, PERIODS
from adapters.studyfetch.spans import Span
from adapters.studyfetch.values import name_text
from adapters.studyfetch.vocabulary import TYPES
from lrs.errors import InvalidParameter
from lrs.http.params import single_values

DEFAULT_LIMIT, MOST, FARTHEST = 100, 1000, 10**15
# "+" in a query string is a space to whoever reads it, so an offset that was not percent-encoded has lost its sign.
LOST_PLUS = re.compile(r"(.*[Tt ]\d\d:?\d\d\S*) (\d\d(?::?\d\d)?)", re.ASCII)
# Timestamps are kept to the millisecond.
TICK_US = 1_000
# For the description of the API.
TEXT = {"type": "string"}
START = {**TEXT, "description": "ISO 8601; the first moment that counts"}
END = {**TEXT, "description": "ISO 8601; the last moment that counts, a date without time being the whole day"}


@dataclass(frozen=True)
class Given:
    """A date or moment of a query: as it was written, its first moment (µs since the epoch), and the first one after it."""

    text: str
    first_us: int
    after_us: int


class Moment(fields.Field[Given]):
    """ISO 8601, UTC where there is no offset. A date without a time is the whole day."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Given:
        lost = LOST_PLUS.fullmatch(value)
        text = f"{lost[1]}+{lost[2]}" if lost else value
        try:
            first_us = instant_of(text, UTC)
        except NoMoment as error:
            raise ValidationError(str(error)) from None
        return Given(value, first_us, first_us + (DAY_US if is_date(text) else TICK_US))


class Name(fields.Field[str]):
    """An id of a user, group or resource, compared in Unicode's NFC."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        name = name_text(value)
        if name is None:
            raise ValidationError("must not be blank")
        return name


class Names(Name):
    """Several ids with commas between them, each once."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> tuple[str, ...]:  # type: ignore[override]
        names = tuple(dict.fromkeys(name for each in value.split(",") if (name := name_text(each)) is not None))
        if not names:
            raise ValidationError("must name at least one group")
        return names


class Count(fields.Field[int]):
    """A whole number within bounds, in digits."""

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        described = {"minimum": least, "maximum": most, "type": "integer", **kwargs.pop("metadata", {})}
        super().__init__(metadata=described, **kwargs)
        self._least, self._most = least, most

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> int:
        if not (value.isascii() and value.isdecimal() and len(value) <= 16 and self._least <= int(value) <= self._most):
            raise ValidationError(f"must be a whole number from {self._least} to {self._most}")
        return int(value)


class EventTypeName(fields.Field[str]):
    """One of the event types, in any case."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        name: str = value.strip().lower()
        if name not in TYPES:
            raise ValidationError("must be one of StudyFetch's event types")
        return name


class SpanQuery(Schema):
    """What all usage calls know: both ends of the span are in it. Other parameters are refused: a misspelt filter filters nothing."""

    class Meta:
        unknown = RAISE

    startDate = Moment(metadata=START)
    endDate = Moment(metadata=END)
    limit = Count(1, MOST)
    offset = Count(0, FARTHEST)

    @validates_schema(skip_on_field_errors=True)
    def check_order(self, data: Mapping[str, Any], **_kwargs: Any) -> None:
        """The end may not be before the start."""
        start, end = data.get("startDate"), data.get("endDate")
        if start is not None and end is not None and start.first_us >= end.after_us:
            raise ValidationError("must not be after endDate", "startDate")

    @post_load
    def add_span(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """The two dates as a span."""
        start, end = data.get("startDate"), data.get("endDate")
        until_us = None if end is None or end.after_us > LATEST_US else end.after_us
        return {**data, "span": Span(None if start is None else start.first_us, until_us)}


class EventsQuery(SpanQuery):
    """Filters of the list of events; all of them must fit."""

    eventType = EventTypeName(metadata={**TEXT, "enum": sorted(TYPES)})
    userId = Name(metadata=TEXT)
    groupId = Name(metadata=TEXT)
    resourceId = Name(metadata=TEXT)


class SummaryQuery(SpanQuery):
    """How a summary is broken down."""

    period = fields.String(required=True, validate=validate.OneOf(list(PERIODS)))
    startDate = Moment(required=True, metadata=START)
    endDate = Moment(required=True, metadata=END)
    groupBy = fields.String(validate=validate.OneOf(KEYS))


class GroupsQuery(SpanQuery):
    """The groups that are set beside each other."""

    groupIds = Names(required=True, metadata={**TEXT, "description": "with commas between them"})


@dataclass(frozen=True)
class Wanted:
    """Which events of a span a list is to have."""

    span: Span
    type: str | None = None
    user: str | None = None
    group: str | None = None
    resource: str | None = None

    def fits(self, fact: Fact) -> bool:
        """Whether an event is among them."""
        return (
            self.span.holds(fact.at_us) and self.type in (None, fact.type) and self.user in (None, fact.user)
            and (self.group is None or self.group in fact.groups) and (self.resource is None or self.resource in fact.resources)
        )

    @property
    def facets(self) -> dict[str, str]:
        """The same as facets of cells, without the span."""
        named = {"type": self.type, "user": self.user, "group": self.group, "resource": self.resource}
        return {name: value for name, value in named.items() if value is not None}


span_query = cache(SpanQuery)
events_query = cache(EventsQuery)
summary_query = cache(SummaryQuery)
groups_query = cache(GroupsQuery)


def load(schema: Schema, query: MultiMapping[str]) -> Mapping[str, Any]:
    """The parameters of a query. InvalidParameter for what is unknown, given twice, or not as it must be.

    `groupIds` may be given several times, which is as good as commas.
    """
    several = query.getall("groupIds", [])
    given = {name: value for name, value in single_values(_only_once(query)).items() if name != "groupIds"}
    if several:
        given["groupIds"] = ",".join(several)
    try:
        loaded: Mapping[str, Any] = schema.load(given)
    except ValidationError as error:
        messages: Mapping[str, Any] = error.messages  # type: ignore[assignment]
        place, rules = next(iter(messages.items()))
        raise InvalidParameter(place, _rule(rules)) from None
    return loaded


def _only_once(query: MultiMapping[str]) -> MultiMapping[str]:
    """The parameters without further ones of `groupIds`."""
    copy = query.copy()  # type: ignore[attr-defined]
    copy.popall("groupIds", None)
    return copy  # type: ignore[no-any-return]


def _rule(rules: Any) -> str:
    rule = str(rules[0] if isinstance(rules, list) else rules)
    told = {"Unknown field.": "is not a parameter of this call", "Missing data for required field.": "is required"}
    return told.get(rule, rule[:1].lower() + rule[1:].rstrip("."))
