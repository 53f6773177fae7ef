"""Times of pathway documents as instants. Pure."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from lrs.adapter_settings import zone_of
from lrs.errors import InvalidEvent

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# A statement may not be from the future (xAPI 1.0.3, Data 2.4.7); clocks may differ by so much.
MOST_AHEAD_US = 5 * 60 * 1_000_000
RULE = "must be an ISO 8601 time such as 2022-02-24T15:09:57+02:00"
TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,30}))?)? ?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?)?", re.ASCII
)


def moment_us(text: str, zone: str, place: str) -> int:
    """Microseconds since the epoch, cut to milliseconds; without offset in a time zone, without time at its midnight.

    Raises InvalidEvent.
    """
    match = TIME.fullmatch(text.strip())
    if match is None:
        raise InvalidEvent(place, RULE)
    year, month, day, hour, minute, second, fraction, utc, sign, hours, minutes = match.groups()
    milliseconds = int((fraction or "0")[:3].ljust(3, "0"))
    try:
        local = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), milliseconds * 1000,
            UTC if utc else _offset(sign, hours, minutes) if sign else zone_of(zone),
        )
        return (local.astimezone(UTC) - EPOCH) // MICROSECOND
    except (ValueError, OverflowError):
        raise InvalidEvent(place, RULE) from None


@lru_cache(maxsize=256)
def _offset(sign: str, hours: str, minutes: str | None) -> timezone:
    """Raises ValueError for a day or more."""
    if int(minutes or 0) > 59:
        raise ValueError("no such offset")
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return timezone(-offset if sign == "-" else offset)


def utc_text(micros: int) -> str:
    """An instant as UTC text in milliseconds: "2022-02-24T13:09:57.000Z"."""
    return (EPOCH + timedelta(microseconds=micros)).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
