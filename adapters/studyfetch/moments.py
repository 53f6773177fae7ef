"""When something happened, as events and queries write it: ISO 8601 text, or a number since the epoch. Pure.

Instants are µs since 1970-01-01T00:00Z.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

from adapters.studyfetch.values import number_of, number_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND_US, DAY_US = 1_000_000, 86_400_000_000
EARLIEST_US = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
LATEST_US = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
# From here on a number counts milliseconds; as seconds it would be in the year 5138.
FIRST_MS = 10**11
ISO = re.compile(
    r"(?P<year>\d{4})(?:-?(?P<month>\d\d)-?(?P<day>\d\d)|-?W(?P<week>\d\d)-?(?P<weekday>[1-7])|-(?P<ordinal>\d{3}))"
    r"(?:[Tt ](?P<hour>[01]\d|2[0-3])"
    r"(?::?(?P<minute>[0-5]\d)(?::?(?P<second>[0-5]\d|60)(?:[.,](?P<fraction>\d+))?)?)?"
    r"(?P<zone>[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?",
    re.ASCII,
)


class NoMoment(ValueError):
    """A value that names no moment."""


def moment_of(value: Any, zone: tzinfo) -> int:
    """The instant of an event's timestamp; a text without offset is in `zone`. NoMoment for what is none."""
    if isinstance(value, str):
        return instant_of(value, zone)
    number = number_of(value)
    if number is None:
        raise NoMoment("must be an ISO 8601 text or a number since the epoch")
    exact = Decimal(number_text(number))
    if abs(exact) >= FIRST_MS * 10_000:
        raise NoMoment("must be in the years 1 to 9999")
    return _in_range(int(exact * (1_000 if exact >= FIRST_MS else SECOND_US)))


def instant_of(text: str, zone: tzinfo) -> int:
    """The instant that an ISO 8601 text names, a date being its first one. Finer digits than µs are cut off. NoMoment."""
    found = ISO.fullmatch(text.strip())
    if found is None:
        raise NoMoment("must be ISO 8601, such as 2026-01-15T09:30:00Z")
    parts = found.groupdict()
    try:
        day = _day(parts)
        # Second 60 is there only at the end of a day of UTC.
        is_leap = parts["second"] == "60"
        local = datetime(
            day.year, day.month, day.day, int(parts["hour"] or 0), int(parts["minute"] or 0),
            59 if is_leap else int(parts["second"] or 0), tzinfo=_zone(parts["zone"]) or zone,
        )
        whole_us = (local - EPOCH) // MICROSECOND + SECOND_US * is_leap
    except (ValueError, OverflowError):
        raise NoMoment("must be a date there is, in the years 1 to 9999") from None
    if is_leap and whole_us % DAY_US:
        raise NoMoment("second 60 is there only at midnight UTC")
    return _in_range(whole_us + int((parts["fraction"] or "0")[:6].ljust(6, "0")))


def is_date(text: str) -> bool:
    """Whether an ISO 8601 text names a day as a whole."""
    found = ISO.fullmatch(text.strip())
    return found is not None and found["hour"] is None


def format_ms(micros: int) -> str:
    """An instant in UTC, to the millisecond: "2026-01-15T09:30:00.000Z"."""
    return (EPOCH + timedelta(microseconds=micros)).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _day(parts: dict[str, str | None]) -> date:
    year = int(parts["year"] or 0)
    if parts["week"] is not None:
        return date.fromisocalendar(year, int(parts["week"]), int(parts["weekday"] or 0))
    if parts["ordinal"] is not None:
        day = date(year, 1, 1) + timedelta(days=int(parts["ordinal"]) - 1)
        if day.year != year:
            raise ValueError("no such day in this year")
        return day
    return date(year, int(parts["month"] or 0), int(parts["day"] or 0))


def _zone(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in "Zz":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(-offset if text[0] == "-" else offset)


def _in_range(micros: int) -> int:
    if not EARLIEST_US <= micros <= LATEST_US:
        raise NoMoment("must be in the years 1 to 9999")
    return micros
