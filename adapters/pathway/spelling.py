"""How texts of pathway documents are read and compared. Pure."""

import re
from base64 import urlsafe_b64encode
from hashlib import blake2b
from math import isfinite
from typing import Any
from unicodedata import normalize
from urllib.parse import quote

import orjson

UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+")
NUMBER = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?", re.ASCII)


def text_of(value: Any) -> str:
    """A text as it came; a number as text; "" for anything else, such as null."""
    if isinstance(value, str):
        return value
    return repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def trimmed(value: Any) -> str:
    """The same without space around it, in NFC: how names and IDs make IRIs and statement ids."""
    text = text_of(value).strip()
    return text if text.isascii() else normalize("NFC", text)


def squeezed(text: str) -> str:
    """A text with single spaces inside, and none around it."""
    return " ".join(text.split())


def folded(text: str) -> str:
    """What two texts have in common that differ in case, in spaces, or in how accents are encoded only."""
    if text.isascii():
        return squeezed(text).lower()
    return normalize("NFC", squeezed(normalize("NFC", text)).casefold())


def in_iri(name: str) -> str:
    """A name as one segment of an IRI: only RFC 3986's unreserved characters stay bare."""
    return name if UNRESERVED.fullmatch(name) else quote(normalize("NFC", name), safe="")


def digest(*parts: str) -> str:
    """22 characters that stand for these parts."""
    return urlsafe_b64encode(blake2b(orjson.dumps(parts), digest_size=16).digest()).decode().rstrip("=")


def number_of(value: Any) -> int | float | None:
    """A finite number, or a text that is one; None for anything else. What a double does not hold becomes the nearest double."""
    if isinstance(value, str):
        text = value.strip()
        if not NUMBER.fullmatch(text):
            return None
        value = float(text) if set(text) & set(".eE") else int(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        as_double = float(value)
    except OverflowError:
        return None
    if not isfinite(as_double):
        return None
    return value if isinstance(value, float) or int(as_double) == value else as_double
