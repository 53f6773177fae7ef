"""What this adapter's statements say that its reports need, and the IRIs by which they are known.

A statement is this adapter's if it has its profile as a category. The profile's IRI tells the base of all others, so a later
change of `base_iri` loses nothing.
"""

import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from urllib.parse import quote, unquote

from adapters.ofcourseme.parameters import LONGEST_S
from lrs.errors import InvalidValue
from lrs.xapi import vocabulary
from lrs.xapi.times import duration_s, parse_timestamp
from lrs.xapi.types import Statement

SOURCE = "ofcourseme"
PROFILE = f"/profiles/{SOURCE}"
ACTIVITIES = f"/activities/{SOURCE}"
MILLISECOND_US = 1_000
LONGEST_NAME = 64
DIGEST_MARK = "~"


@dataclass(frozen=True)
class Completed:
    """Somebody (None: nobody known) completed a course (None: it is not said which) at `at_us`, in `lasted_ms`, if that is said."""

    statement: str
    at_us: int
    user: str | None
    course: str | None
    entities: tuple[str, ...]
    lasted_ms: int | None


@dataclass(frozen=True)
class Searched:
    """Somebody searched."""

    at_us: int
    entities: tuple[str, ...]


def completed_of(statement: Statement) -> Completed | None:
    """The completion a statement tells of; None if it is another statement, or another adapter's."""
    if statement["verb"]["id"] != vocabulary.COMPLETED or (base := _base_of(statement)) is None:
        return None
    return Completed(
        statement=statement["id"], at_us=_moment_us(statement), user=_user(statement, base),
        course=id_in(statement["object"].get("id"), f"{base}{ACTIVITIES}/courses/"),
        entities=_entities(statement, base), lasted_ms=_lasted_ms(statement),
    )


def searched_of(statement: Statement) -> Searched | None:
    """The search a statement tells of; None as above."""
    if statement["verb"]["id"] != vocabulary.SEARCHED or (base := _base_of(statement)) is None:
        return None
    return Searched(_moment_us(statement), _entities(statement, base))


def segment(native_id: str) -> str:
    """An id as a part of an IRI."""
    return quote(unicodedata.normalize("NFC", native_id), safe="")


def id_in(iri: Any, prefix: str) -> str | None:
    """The id behind a prefix; None if the IRI has another one, or nothing behind it."""
    if not isinstance(iri, str) or not iri.startswith(prefix):
        return None
    return unquote(iri[len(prefix):]) or None


def short(name: str) -> str:
    """The name itself, or a digest of 22 characters where it is so long that keys and lines should not hold it."""
    if len(name) <= LONGEST_NAME and not name.startswith(DIGEST_MARK):
        return name
    return DIGEST_MARK + digest(name)


def digest(text: str) -> str:
    """128 bits of a text, in 22 characters."""
    return urlsafe_b64encode(blake2b(text.encode(errors="replace"), digest_size=16).digest()).rstrip(b"=").decode()


def _around(statement: Statement, where: str) -> Iterable[Mapping[str, Any]]:
    around: Mapping[str, Any] = statement.get("context", {}).get("contextActivities", {})
    found: Iterable[Mapping[str, Any]] = around.get(where, ())
    return found


def _base_of(statement: Statement) -> str | None:
    iris = (each["id"] for each in _around(statement, "category"))
    return next((iri.removesuffix(PROFILE) for iri in iris if iri.endswith(PROFILE)), None)


def _user(statement: Statement, base: str) -> str | None:
    """The name of an account. What is not one is nobody known here."""
    account = statement["actor"].get("account")
    if account is None or (account["homePage"] == f"{base}/anonymous" and account["name"] == SOURCE):
        return None
    return account["name"]


def _entities(statement: Statement, base: str) -> tuple[str, ...]:
    found = (id_in(each["id"], f"{base}{ACTIVITIES}/entities/") for each in _around(statement, "grouping"))
    return tuple(sorted({each for each in found if each is not None}))


def _moment_us(statement: Statement) -> int:
    moment_us = parse_timestamp(statement["timestamp"])
    return moment_us - moment_us % MILLISECOND_US


def _lasted_ms(statement: Statement) -> int | None:
    text = statement.get("result", {}).get("duration")
    if text is None:
        return None
    try:
        return round(min(duration_s(text), LONGEST_S) * 1000)
    except InvalidValue:  # years and months, which no call of ours makes
        return None
