"""JSON values of events: what counts as an id, a number, a text; and JSON written canonically. Pure."""

import math
import unicodedata
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

from lrs.xapi.json_text import Verbatim

Number = int | float


def id_text(value: Any) -> str | None:
    """An id as text, just as it is: 7 -> "7", 0 -> "0", " a" -> " a". None for what is no id: null, blank, true, an object.

    17.0 is the same JSON number as 17.
    """
    if isinstance(value, str):
        return value if value.strip() else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if isinstance(value, Verbatim):
        return value.text
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return number_text(value)


def name_text(value: Any) -> str | None:
    """An id that is compared: as `id_text`, in Unicode's NFC, so that it is one name however it was composed."""
    text = id_text(value)
    return None if text is None else unicodedata.normalize("NFC", text)


def first_name(*values: Any) -> str | None:
    """The first of the values that is an id."""
    return next((text for value in values if (text := name_text(value)) is not None), None)


def number_of(value: Any) -> Number | None:
    """The value, if it is a finite JSON number; texts of digits and booleans are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an integer beyond any double
        return None


def text_of(value: Any) -> str | None:
    """The value, if it is a text that is not blank."""
    return value if isinstance(value, str) and value.strip() else None


def number_text(value: Number) -> str:
    """A number as JSON, as Python's json module writes it."""
    if isinstance(value, Verbatim):
        return value.text
    return float.__repr__(value) if isinstance(value, float) else int.__repr__(value)


def compact(value: Any, *, canonical: bool = False) -> str:
    """A JSON value as JSON without white space, not ASCII-escaped; canonical: with the keys of objects in order."""
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, Mapping):
        names = sorted(value) if canonical else value
        return "{" + ",".join(f"{encode_basestring(name)}:{compact(value[name], canonical=canonical)}" for name in names) + "}"
    return "[" + ",".join(compact(each, canonical=canonical) for each in value) + "]"
