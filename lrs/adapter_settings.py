"""The settings adapters have in common, each said and checked in one way: what is minted, where accounts are, language and time zone."""

from collections.abc import Mapping
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import Schema, ValidationError, fields, pre_load, validate

from lrs.xapi.values import IRI, LANGUAGE

_ABSOLUTE = validate.Regexp(rf"(?:{IRI.pattern})\Z", error="must be an absolute IRI")
_EXTENSIBLE = validate.Regexp(r"[^?#]+\Z", error="must be an IRI that paths can be added to")
_LANGUAGE_TAG = validate.Regexp(rf"(?:{LANGUAGE.pattern})\Z", error="must be a language tag such as pt-BR")


@lru_cache(maxsize=1_000)
def zone_of(name: str) -> tzinfo:
    """A time zone by its IANA name (UTC needs no database), or by an offset such as +05:30. ValueError if there is none."""
    if name in ("UTC", "Z"):
        return UTC
    sign, digits = name[:1], name[1:].replace(":", "")
    if sign in ("+", "-") and len(digits) == 4 and digits.isascii() and digits.isdecimal() and digits < "2400" and digits[2:] < "60":
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return timezone(-offset if sign == "-" else offset)
    try:
        return ZoneInfo(name)
    # What is no name at all, such as a path upwards, a folder or bytes that are no zone, raises other things than what is only unknown.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name[:60]!r}") from None


def _is_zone(name: str) -> None:
    try:
        zone_of(name)
    except ValueError as error:
        raise ValidationError(f"must be the name of a time zone such as Africa/Johannesburg: {error}") from None


def absolute_iri(default: str) -> fields.String:
    """An IRI with a scheme."""
    return fields.String(load_default=default, validate=_ABSOLUTE)


def time_zone() -> fields.String:
    """A time zone, as `zone_of` takes it: that of times without offset."""
    return fields.String(load_default="UTC", validate=_is_zone)


def language_tag(default: str = "en-US") -> fields.String:
    """A language tag: that of texts that say nothing about it."""
    return fields.String(load_default=default, validate=_LANGUAGE_TAG)


def platform_name(default: str) -> fields.String:
    """What statements call the system they come from: a text that is not empty."""
    return fields.String(load_default=default, validate=validate.Length(min=1))


class AdapterSettings(Schema):
    """Settings of a tenant for an adapter. Unknown ones are refused.

    An adapter has its own `home_page`, where its users' accounts are, and `platform`.
    """

    base_iri = fields.String(load_default="https://lrs.example.org/xapi", validate=validate.And(_ABSOLUTE, _EXTENSIBLE))
    language = language_tag()

    @pre_load
    def without_slash(self, data: Any, **_kwargs: Any) -> Any:
        """Everything minted begins with `base_iri` and a slash of its own."""
        if isinstance(data, Mapping) and isinstance(data.get("base_iri"), str):
            return {**data, "base_iri": data["base_iri"].rstrip("/")}
        return data
