"""What a single statement says that reports count: who, about what, when, with which result. Pure; docs/reports.md says it in words."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
import orjson

from lrs.materialize import once
from lrs.xapi import vocabulary
from lrs.xapi.agents import identity
from lrs.xapi.times import EPOCH, SECOND_US, duration_pattern, format_stored, parse_timestamp
from lrs.xapi.types import Statement

DAY_US = 86_400 * SECOND_US
# What a calendar has: a timestamp at its edges may leave it by its offset.
FIRST_US = (1 - EPOCH.toordinal()) * DAY_US
LAST_US = (3_652_060 - EPOCH.toordinal()) * DAY_US - 1
# Nothing a person does takes longer than a leap year; beyond, a duration is a mistake, and sums stay within an int64.
LONGEST_MS = 366 * 86_400_000
MS_OF = {"weeks": 604_800_000, "days": 86_400_000, "hours": 3_600_000, "minutes": 60_000, "seconds": 1_000}
# No clock writes more digits than this has.
LONGEST_DURATION = 100
# A longer IRI or name is cut, so that a summary stays small whatever is sent.
LONGEST_TEXT = 1_000

# Digests and durations that a process remembers: the same come again and again, for keys, facets and rows.
MOST_REMEMBERED = 16_384

COURSE_TYPES = frozenset({
    vocabulary.COURSE,
    "https://w3id.org/xapi/cmi5/activitytype/course",
    "http://id.tincanapi.com/activitytype/lms/course",
})
# A statement counts in no more courses than these.
MOST_COURSES = 3
COMPLETING = frozenset({vocabulary.COMPLETED})
SUCCEEDING = frozenset({vocabulary.PASSED, vocabulary.MASTERED})
# Their durations say again what others said: the whole of an attempt, or a player's clock so far.
TOTALLING = frozenset({
    vocabulary.COMPLETED, vocabulary.PASSED, vocabulary.FAILED, vocabulary.MASTERED, vocabulary.SCORED, vocabulary.SUSPENDED,
    vocabulary.PLAYED, vocabulary.PAUSED, vocabulary.SEEKED, "http://activitystrea.ms/submit",
})

NOTHING: Mapping[str, Any] = {}


class Fact(msgspec.Struct, frozen=True):
    """One statement of a learner about an activity. Times are µs since the epoch, `duration_ms` whole milliseconds.

    `scaled` is -1..1; None stands for what the statement does not say. `registration` is "" where there is none.
    """

    learner: str
    name: str | None
    activity: str
    activity_type: str | None
    verb: str
    at_us: int
    registration: str
    success: bool | None
    completion: bool
    scaled: float | None
    duration_ms: int | None
    courses: tuple[str, ...]

    @property
    def totals(self) -> bool:
        """Whether its duration repeats what others said."""
        return self.verb in TOTALLING


@lru_cache(MOST_REMEMBERED)
def digest(*parts: str) -> str:
    """22 characters that stand for these texts: base64url of 128 bits of BLAKE2b over their compact JSON."""
    return base64.urlsafe_b64encode(hashlib.blake2b(orjson.dumps(parts), digest_size=16).digest()).decode().rstrip("=")


def shown(text: str) -> str:
    """A text as reports keep it: beyond 1,000 characters its beginning and a digest, so that different ones stay different."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…{digest(text)}"


def learner_of(statement: Statement) -> str | None:
    """The identity of the one person who acts; None if a Group does, which is nobody in particular."""
    actor = statement["actor"]
    if actor.get("objectType", "Agent") != "Agent":
        return None
    known = identity(actor)
    return None if known is None else shown(known)


def activity_of(statement: Statement) -> str | None:
    """The activity a statement is about; None if it is about anything else."""
    target = statement["object"]
    return shown(target["id"]) if target.get("objectType", "Activity") == "Activity" else None


def courses_of(statement: Statement) -> tuple[str, ...]:
    """The courses a statement counts in: what calls itself a course among its object, parents and groupings.

    If none does, the first grouping that does not say of which type it is.
    """
    target = statement["object"]
    found = [target["id"]] if "definition" in target and _type_of(target) in COURSE_TYPES else []
    around = statement.get("context", NOTHING).get("contextActivities", NOTHING)
    untyped = None
    for where in ("parent", "grouping"):
        for activity in _listed(around.get(where, ())):
            kind = _type_of(activity)
            if kind in COURSE_TYPES:
                found.append(activity["id"])
            elif kind is None and where == "grouping" and untyped is None:
                untyped = activity["id"]
    if not found:
        return () if untyped is None else (shown(untyped),)
    return tuple(dict.fromkeys(shown(each) for each in found))[:MOST_COURSES]


def answered_within(statement: Statement) -> tuple[str, str | None] | None:
    """The activity whose question is answered, rightly or wrongly, and its type: the first parent of an `answered`."""
    if statement["verb"]["id"] != vocabulary.ANSWERED or "success" not in statement.get("result", {}):
        return None
    parents = _listed(statement.get("context", NOTHING).get("contextActivities", NOTHING).get("parent", ()))
    for each in parents:
        if each["id"] != statement["object"]["id"]:
            kind = _type_of(each)
            return shown(each["id"]), None if kind is None else shown(kind)
    return None


@once
def fact_of(statement: Statement) -> Fact:
    """The fact in a statement of a learner about an activity."""
    result: Mapping[str, Any] = statement.get("result", {})
    verb, actor = statement["verb"]["id"], statement["actor"]
    kind = _type_of(statement["object"])
    return Fact(
        learner=learner_of(statement) or "",
        name=shown(actor["name"]) if "name" in actor else None,
        activity=activity_of(statement) or "",
        activity_type=None if kind is None else shown(kind),
        verb=shown(verb),
        at_us=min(max(parse_timestamp(statement["timestamp"]), FIRST_US), LAST_US),
        registration=statement.get("context", {}).get("registration", "").lower(),
        success=result.get("success", True if verb in SUCCEEDING else False if verb == vocabulary.FAILED else None),
        completion=result.get("completion", verb in COMPLETING),
        scaled=float(result["score"]["scaled"]) if "scaled" in result.get("score", {}) else None,
        duration_ms=duration_ms(result["duration"]) if "duration" in result else None,
        courses=courses_of(statement),
    )


@lru_cache(MOST_REMEMBERED)
def duration_ms(text: str) -> int | None:
    """Whole milliseconds of an ISO 8601 duration, halves to the even one; None for years and months and beyond 366 days."""
    match = duration_pattern().fullmatch(text) if len(text) <= LONGEST_DURATION else None
    if match is None or match["years"] or match["months"]:
        return None
    total = sum((Decimal(match[unit].replace(",", ".")) * ms for unit, ms in MS_OF.items() if match[unit]), Decimal(0))
    return round(total) if total <= LONGEST_MS else None


def day_of(at_us: int) -> str:
    """The day in UTC: "2026-01-15"."""
    return _day(at_us // DAY_US)


@lru_cache(MOST_REMEMBERED)
def _day(number: int) -> str:
    return format_stored(number * DAY_US)[:10]


def _listed(group: Any) -> Iterable[Mapping[str, Any]]:
    # 1.0.x lets a single activity stand for a list of one. xAPI 1.0.3, Data 2.4.6.2.
    return (group,) if isinstance(group, dict) else group


def _type_of(activity: Mapping[str, Any]) -> str | None:
    return activity.get("definition", NOTHING).get("type")  # type: ignore[no-any-return]
