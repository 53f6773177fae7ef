"""The settings of a tenant, its catalogue of courses, and the parameters of calls for the API's description."""

import math
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validates_schema

from adapters.ofcourseme.parameters import LONGEST_S
from lrs.adapter_settings import AdapterSettings, absolute_iri, platform_name, time_zone


class SettingsSchema(AdapterSettings):
    """Settings of a tenant.

    `home_page` is that of the users' accounts; `source_timezone` holds for times without offset and for dates.
    """

    home_page = absolute_iri("https://lms.example.com")
    platform = platform_name("OfCourseMe")
    source_timezone = time_zone()


class CatalogueSchema(Schema):
    """How long courses take: {course id: seconds}."""

    class Meta:
        unknown = INCLUDE

    @validates_schema
    def lengths(self, data: Mapping[str, Any], **_kwargs: Any) -> None:
        """Each a number of seconds."""
        rule = f"must be a number of seconds from 0 to {LONGEST_S}"
        wrong = {course: [rule] for course, length in data.items() if not _is_length(length)}
        if wrong:
            raise ValidationError(wrong)


def course_lengths_ms(catalogue: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The courses of a loaded catalogue, each once, by their ids as they stand in statements; lengths in milliseconds."""
    lengths = {unicodedata.normalize("NFC", course.strip()): round(float(length) * 1000) for course, length in catalogue.items()}
    yield from ((course, length_ms) for course, length_ms in lengths.items() if course)


def _is_length(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= LONGEST_S


class EventSchema(Schema):
    """The parameters of an event, in the query of a GET or in the form or JSON of a POST; further ones are kept."""

    type = fields.String(required=True, metadata={"description": "what happened, such as menu-click", "example": "course-save"})
    course_id = fields.String(metadata={"description": "the course it happened to"})
    user_id = fields.String(metadata={"description": "who did it: an id of your own or of a session"})
    entity_id = fields.String(metadata={"description": "a group, family or entity of the user's"})
    event_id = fields.String(metadata={"description": "an id of your own: the same again is stored once"})
    timestamp = fields.String(metadata={"description": "when it happened, ISO 8601; without it, now"})
    duration = fields.Float(metadata={"description": "how many seconds a completed course took"})
    query = fields.String(metadata={"description": "the text of a search"})


class WindowSchema(Schema):
    """What a report is about: completions and searches of a time, of an entity."""

    class Meta:
        include = {  # `from` is a word of Python
            "from": fields.String(metadata={"description": "not before this timestamp or date"}),
            "to": fields.String(metadata={"description": "not after this timestamp, or the end of this date"}),
        }

    entity_id = fields.String(metadata={"description": "only this group, family or entity"})
