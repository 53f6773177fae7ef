"""The settings of this adapter, and what one event looks like to readers of the API's description."""

from collections.abc import Mapping
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from adapters.studyfetch.vocabulary import TYPES
from lrs.xapi.values import IRI, LANGUAGE

ABSOLUTE_IRI = validate.And(
    validate.Regexp(rf"(?:{IRI.pattern})\Z", error="must be an absolute IRI"),
    validate.Regexp(r"[A-Za-z][A-Za-z0-9+.-]*:[^?#]+\Z", error="must be an IRI that paths can be added to"),
)
HOME_PAGE = validate.Regexp(rf"(?:{IRI.pattern})\Z", error="must be an absolute IRI")
LANGUAGE_TAG = validate.Regexp(rf"(?:{LANGUAGE.pattern})\Z", error="must be a language tag such as en-US")
# Other words for the same two.
ACCEPT, REFUSE = frozenset({"accept", "lenient"}), frozenset({"refuse", "reject", "strict"})


def a_zone(name: str) -> None:
    """There must be such a time zone."""
    try:
        zone_of(name)
    except ValueError as error:
        raise ValidationError(str(error)) from None


class SettingsSchema(Schema):
    """Settings of a tenant. Unknown ones are refused.

    `home_page` is where users' accounts are, `source_timezone` what a timestamp without offset is in: an IANA name such as
    Europe/Berlin. `unknown_event_types` is "accept", or "refuse".
    """

    base_iri = fields.String(load_default="https://lrs.example.org/xapi", validate=ABSOLUTE_IRI)
    home_page = fields.String(load_default="https://sis.example.edu", validate=HOME_PAGE)
    platform = fields.String(load_default="StudyFetch", validate=validate.Length(min=1))
    source_timezone = fields.String(load_default="UTC", validate=a_zone)
    language = fields.String(load_default="en-US", validate=LANGUAGE_TAG)
    unknown_event_types = fields.String(load_default="accept", validate=validate.OneOf(sorted(ACCEPT | REFUSE)))

    @pre_load
    def without_slash(self, data: Any, **_kwargs: Any) -> Any:
        """Everything minted begins with `base_iri` and a slash of its own."""
        if isinstance(data, Mapping) and isinstance(data.get("base_iri"), str):
            return {**data, "base_iri": data["base_iri"].rstrip("/")}
        return data


@lru_cache(maxsize=1_000)
def zone_of(name: str) -> tzinfo:
    """A time zone by its IANA name, or by an offset such as +05:30. ValueError if there is none."""
    if name in ("UTC", "Z"):
        return UTC
    sign, digits = name[:1], name[1:].replace(":", "")
    if sign in ("+", "-") and len(digits) == 4 and digits.isascii() and digits.isdecimal() and digits < "2400" and digits[2:] < "60":
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return timezone(-offset if sign == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name[:60]!r}") from None


class EventSchema(Schema):
    """One usage event, for the API's description. Only `eventType` is needed; other keys are kept as they came."""

    class Meta:
        unknown = EXCLUDE

    eventType = fields.String(required=True, metadata={"description": f"one of {', '.join(TYPES)}, or a new one"})
    id = fields.Raw(metadata={"description": "text or number; also eventId, _id. An event that comes again under it is not counted again"})
    timestamp = fields.Raw(metadata={"description": "ISO 8601, or a number since the epoch (ms from 10^11 on); also createdAt"})
    userId = fields.Raw(metadata={"description": "text or number, of any form; none: an anonymous event"})
    groupIds = fields.Raw(metadata={"description": "groups of any kind, as an array or one of them; also groupId"})
    resourceId = fields.Raw(metadata={"description": "the material, component, test and so on"})
    organizationId = fields.String()
    metadata = fields.Dict(metadata={"description": "what goes with the type, such as score, maxScore, attemptId, durationSeconds"})
