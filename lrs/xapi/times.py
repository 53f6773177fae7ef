"""Timestamps and durations: ISO 8601 text to numbers and back. xAPI 1.0.3, Data 4.5 and 4.6; RFC 3339."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache

from lrs.errors import InvalidValue

EPOCH = datetime(1970, 1, 1)
EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY_S = 86_400
SECOND_US = 1_000_000
TIMESTAMP_RULE = "must be an ISO 8601 timestamp such as 2015-11-18T12:17:00.000Z"
RFC3339_RULE = "must be an RFC 3339 timestamp with a time zone, such as 2015-11-18T12:17:00.000Z"
DURATION_RULE = "must be an ISO 8601 duration such as PT1M30S"

# An offset of minus zero says "local time unknown", so it names no instant: both versions refuse it.
ZONE = r"(?P<zone>Z|(?!-00(?::?00)?\Z)[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)"
RFC3339 = re.compile(
    r"(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?"
    r"([Zz]|(?!-00:00)[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


def parse_timestamp(text: str, version: str = "1.0.3") -> int:
    """Microseconds since 1970-01-01T00:00Z of a timestamp; finer digits are cut off.

    2.0 takes RFC 3339 only. 1.0.x also takes the other ISO 8601 forms of date and time together, and reads a time
    without zone as UTC. Raises InvalidValue.
    """
    match = RFC3339.fullmatch(text)
    if match is not None:
        if match[6] != "60":
            try:
                return (datetime.fromisoformat(text) - EPOCH_UTC) // MICROSECOND
            except ValueError:  # a day that is not in the calendar, or a z in lower case: the rest of us tells which
                pass
        year, month, day, hour, minute, second, fraction, zone = match.groups()
        try:
            days = date(int(year), int(month), int(day)).toordinal()
        except ValueError:
            raise InvalidValue("", RFC3339_RULE) from None
        time_s = int(hour) * 3600 + int(minute) * 60 + int(second) - _offset_s(zone)
        _check_leap_second(second, time_s)
        return _micros(days, time_s) + (int(fraction[:6].ljust(6, "0")) if fraction else 0)
    if version.startswith("2."):
        raise InvalidValue("", RFC3339_RULE)
    return _parse_iso(text)


def format_stored(micros: int) -> str:
    """An instant in µs since the epoch as UTC text with all six digits: "2026-11-22T06:09:42.123456Z"."""
    second, fraction = divmod(micros, SECOND_US)
    return f"{_second_text(second)}.{fraction:06d}Z"


@lru_cache(maxsize=1024)
def _second_text(second: int) -> str:
    """A second since the epoch; what is stored together, and read together, shares most of them."""
    return (EPOCH + timedelta(seconds=second)).isoformat()


@lru_cache(maxsize=4096)
def duration_s(text: str) -> float:
    """Seconds in an ISO 8601 duration: "PT1M30S" -> 90.0.

    Years and months have no fixed length and raise InvalidValue, as does what is no duration. xAPI 1.0.3, Data 4.6.
    """
    match = duration_pattern().fullmatch(text)
    if match is None:
        raise InvalidValue("", DURATION_RULE)
    if match["years"] or match["months"]:
        raise InvalidValue("", "years and months have no fixed number of seconds")
    units = (("weeks", 7 * DAY_S), ("days", DAY_S), ("hours", 3600), ("minutes", 60), ("seconds", 1))
    return sum(float(match[unit].replace(",", ".")) * length_s for unit, length_s in units if match[unit])


@cache
def duration_pattern() -> re.Pattern[str]:
    """Durations with designators (ISO 8601:2004, 4.4.3.2): weeks stand alone; only the smallest unit has a fraction."""
    number = r"\d+(?:[.,]\d+(?=[YMDHS]\Z))?"
    parts = "".join(f"(?:(?P<{unit}>{number}){unit[0].upper()})?" for unit in ("years", "months", "days"))
    clock = "".join(f"(?:(?P<{unit}>{number}){unit[0].upper()})?" for unit in ("hours", "minutes", "seconds"))
    return re.compile(rf"P(?:(?P<weeks>\d+(?:[.,]\d+)?)W|(?=[\dT]){parts}(?:T(?=\d){clock})?)", re.ASCII)


@cache
def _iso_pattern() -> re.Pattern[str]:
    """Date and time together, either all with separators (extended) or all without (basic). ISO 8601:2004, 4.3."""
    def form(dash: str, colon: str) -> str:
        return (
            rf"\d{{4}}(?:{dash}\d{{2}}{dash}\d{{2}}|{dash}W\d{{2}}{dash}[1-7]|{dash}\d{{3}})"
            rf"T\d{{2}}(?:{colon}[0-5]\d(?:{colon}(?:[0-5]\d|60))?)?(?:[.,]\d+)?"
        )
    return re.compile(rf"(?P<instant>{form('-', ':')}|{form('', '')}){ZONE}?", re.ASCII)


def _parse_iso(text: str) -> int:
    match = _iso_pattern().fullmatch(text)
    if match is None:
        raise InvalidValue("", TIMESTAMP_RULE)
    day, _, clock = match["instant"].replace("-", "").replace(":", "").replace(",", ".").partition("T")
    clock, _, fraction = clock.partition(".")
    hour, minute, second = int(clock[:2]), int(clock[2:4] or 0), int(clock[4:6] or 0)
    if hour > 24 or (hour == 24 and (minute or second or fraction.strip("0"))):
        raise InvalidValue("", TIMESTAMP_RULE)
    time_s = hour * 3600 + minute * 60 + second - _offset_s(match["zone"] or "Z")
    _check_leap_second(clock[4:6], time_s)
    # A fraction belongs to the smallest unit that is there: 12:17.5 is 12:17:30.
    unit_us = {2: 3600, 4: 60, 6: 1}[len(clock)] * SECOND_US
    return _micros(_ordinal(day), time_s) + (int(fraction[:18].ljust(18, "0")) * unit_us // 10**18 if fraction else 0)


def _ordinal(day: str) -> int:
    """The day number of a basic calendar (20151118), week (2015W473) or ordinal (2015322) date."""
    try:
        if "W" in day:
            return date.fromisocalendar(int(day[:4]), int(day[5:7]), int(day[7])).toordinal()
        if len(day) == 8:
            return date(int(day[:4]), int(day[4:6]), int(day[6:8])).toordinal()
        first = date(int(day[:4]), 1, 1).toordinal()
        in_year = int(day[4:])
        if not 1 <= in_year <= 365 + (date.fromordinal(first + 365).year == int(day[:4])):
            raise InvalidValue("", TIMESTAMP_RULE)
        return first + in_year - 1
    except (ValueError, OverflowError):
        raise InvalidValue("", TIMESTAMP_RULE) from None


def _offset_s(zone: str) -> int:
    if zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "")
    offset_s = int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60
    return -offset_s if zone[0] == "-" else offset_s


def _check_leap_second(second: str, time_s: int) -> None:
    """Second 60 is there only at the end of a day of UTC. RFC 3339, 5.7."""
    if second == "60" and time_s % DAY_S:
        raise InvalidValue("", "second 60 is there only at midnight UTC")


def _micros(ordinal: int, time_s: int) -> int:
    return ((ordinal - EPOCH.toordinal()) * DAY_S + time_s) * SECOND_US
