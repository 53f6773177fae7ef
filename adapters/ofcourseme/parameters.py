"""Parameters of a call: out of a query string, a form or a JSON object, in all the spellings that are out there. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import chain
from typing import Any
from urllib.parse import unquote_plus, urlencode

from lrs.errors import InvalidEvent, InvalidValue
from lrs.xapi.json_text import dump
from lrs.xapi.times import EPOCH, parse_timestamp

NO_TYPE = "NO-TYPE-PARAMETER"
INVALID = "INVALID-PARAMETER"
TYPE = re.compile(r"[a-z][a-z0-9-]{0,63}")
KNOWN = frozenset({"type", "course_id", "user_id", "entity_id", "event_id", "timestamp", "duration", "query"})
# What camel case is after lower-casing.
RUN_TOGETHER = {"courseid": "course_id", "userid": "user_id", "entityid": "entity_id", "eventid": "event_id"}
# A page's link copied from its source has "&amp;" between parameters.
AMPERSAND = "amp;"
MOST_PARAMETERS = 1_000
SECONDS = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
LONGEST_S = 10**9
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
ZONED = re.compile(r"T.*(?:[Zz]|[+-]\d{2}(?::?\d{2})?)\Z", re.ASCII | re.DOTALL)
# A "+" that was not escaped comes as a space: "2026-01-14T18:00:00 01:00".
LOST_PLUS = re.compile(r"([T ]\d{2}\S*) (\d{2}(?::?\d{2})?)\Z", re.ASCII)


def parameters_of(event: Any) -> dict[str, str]:
    """The parameters of an event by their names, trimmed; an empty one is not there.

    An event is an object of the parameters; one without `type` has a query string as its `query`. Of a parameter that came more
    than once, the first value that is not empty counts. Raises InvalidEvent.
    """
    if not isinstance(event, Mapping):
        raise InvalidEvent("", "must be an object of parameters", reason="shape", code=INVALID)
    if not isinstance(event.get("query"), str) or any(name_of(key) == "type" for key in event):
        return first_of_each(object_pairs(event))
    others = {key: value for key, value in event.items() if key != "query"}
    return first_of_each(chain(query_pairs(event["query"]), object_pairs(others)))


def query_pairs(query: str) -> Iterator[tuple[str, str]]:
    """Names and values of a query string, as they were sent. A fragment is no part of it.

    Escapes that are none stay as they are; bytes that are not UTF-8 become U+FFFD. https://url.spec.whatwg.org/#urlencoded-parsing
    """
    for part in query.partition("#")[0].split("&"):
        key, _, value = part.partition("=")
        yield unquote_plus(key), unquote_plus(value)


def object_pairs(posted: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values of a JSON object. A list is a parameter that came several times. Raises InvalidEvent."""
    for key, value in posted.items():
        name = name_of(key)
        for each in value if isinstance(value, list) and name in KNOWN else (value,):
            yield name, _text(name, each)


def query_of(posted: Mapping[str, Any]) -> str:
    """A JSON object as the query string that says the same. Raises InvalidEvent."""
    return urlencode(list(object_pairs(posted)))


def first_of_each(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """By name, the first value that is not empty. Raises InvalidEvent for too many."""
    found: dict[str, str] = {}
    for key, value in pairs:
        name, text = name_of(key), _sendable(value).strip()
        if name and text and name not in found:
            found[name] = text
    if len(found) > MOST_PARAMETERS:
        raise InvalidEvent("", f"must not have more than {MOST_PARAMETERS} parameters", code=INVALID)
    return found


def name_of(key: str) -> str:
    """The name of a parameter however it is spelt: "user-id", "userId", "USER\\_ID" and "amp;user_id" are "user_id"."""
    name = _sendable(key).replace("\\", "").strip().lower().removeprefix(AMPERSAND).replace("-", "_")
    return RUN_TOGETHER.get(name, name)


def type_of(parameters: Mapping[str, str]) -> str:
    """The event type, in lower case and with hyphens. InvalidEvent for none and for an invalid one, with one code for both."""
    if "type" not in parameters:
        raise InvalidEvent("type", "is missing", reason="shape", code=NO_TYPE)
    event_type = parameters["type"].lower().replace("_", "-")
    if TYPE.fullmatch(event_type) is None:
        raise InvalidEvent("type", "must be a letter and up to 63 of a-z, 0-9 and -", code=NO_TYPE)
    return event_type


def duration_ms(parameters: Mapping[str, str]) -> int | None:
    """The parameter `duration`, a number of seconds, in milliseconds; None without it. Raises InvalidEvent."""
    text = parameters.get("duration")
    if text is None:
        return None
    if SECONDS.fullmatch(text) is None or (seconds := Decimal(text)) > LONGEST_S:
        raise InvalidEvent("duration", f"must be a number of seconds from 0 to {LONGEST_S}", code=INVALID)
    return int((seconds * 1000).to_integral_value())


def moment_us(parameters: Mapping[str, str], name: str, zone: tzinfo) -> int | None:
    """A parameter that is a timestamp or a date, in µs since the epoch; None without it.

    What has no offset is a time of `zone`; a date is its first moment there. Raises InvalidEvent.
    """
    text = parameters.get(name)
    if text is None:
        return None
    text = LOST_PLUS.sub(r"\1+\2", text)
    if is_date(text):
        text += "T00:00:00"
    elif text[10:11] == " ":
        text = f"{text[:10]}T{text[11:]}"
    try:
        as_utc_us = parse_timestamp(text)
        return as_utc_us if ZONED.search(text) else _in_zone_us(as_utc_us, zone)
    except (InvalidValue, OverflowError):
        rule = "must be an ISO 8601 timestamp or date such as 2026-01-14T18:00:00+01:00 or 2026-01-14"
        raise InvalidEvent(name, rule, code=INVALID) from None


def is_date(text: str) -> bool:
    """Whether a text is a date without a time."""
    return DATE.fullmatch(text) is not None


def text_of_us(micros: int) -> str:
    """An instant as UTC text with milliseconds. OverflowError before the year 1 or after 9999."""
    return (EPOCH + timedelta(microseconds=micros)).isoformat(timespec="milliseconds") + "Z"


def _in_zone_us(as_utc_us: int, zone: tzinfo) -> int:
    """What a clock of the zone showed, given as if it had been one of UTC."""
    shown: datetime = EPOCH + timedelta(microseconds=as_utc_us)
    offset = shown.replace(tzinfo=zone).utcoffset() or timedelta()
    return as_utc_us - offset // timedelta(microseconds=1)


def _text(name: str, value: Any) -> str:
    """A value of a JSON object as a query string would have it; what has parts only where nobody asks what it says."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if name in KNOWN and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise InvalidEvent(name, "must be a text or a number", reason="shape", code=NO_TYPE if name == "type" else INVALID)
    # An integer may be too large for what writes JSON.
    return str(value) if type(value) is int else dump(value).decode()


def _sendable(text: str) -> str:
    """The text with U+FFFD for lone surrogates, which no statement can hold."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
