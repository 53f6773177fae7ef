"""What other systems say of a learner and a content of Kolibri's: a video player's `completed`, an H5P's `answered`. Pure.

The content is known by the activity IRI that this adapter gives it, the learner by an account whose name is the id of
the user. Neither `base_iri` nor `home_page` is compared: folds know no settings, and history outlives a change of them.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lrs.errors import InvalidValue
from lrs.xapi import vocabulary
from lrs.xapi.times import duration_s
from lrs.xapi.types import Statement

CONTENT_PATH = "/activities/kolibri/content/"
CONTENT = re.compile(rf"{CONTENT_PATH}([0-9a-f]{{32}})\Z")
OWN_PROFILE = "/profiles/kolibri"
HEX32 = re.compile(r"[0-9a-f]{32}")
DONE = frozenset({vocabulary.COMPLETED, vocabulary.PASSED, vocabulary.MASTERED})
ON_THE_WAY = frozenset({vocabulary.PROGRESSED, vocabulary.PAUSED, vocabulary.SUSPENDED, vocabulary.TERMINATED})
# The least that Kolibri's own front end reports of what has been begun.
BEGUN = 0.001


@dataclass(frozen=True)
class Elsewhere:
    """How far a learner got at least (0..1), and seconds to add."""

    user: str
    content: str
    progress: float
    time_spent: float = 0.0


def told_elsewhere(statement: Statement) -> Elsewhere | None:
    """What a statement of another system says about a content; None if it says nothing that counts."""
    verb = statement["verb"]["id"]
    if verb not in DONE and verb not in ON_THE_WAY and verb != vocabulary.ANSWERED:
        return None
    user, content = _user(statement), _content(statement["object"])
    asked = None if content is not None or verb != vocabulary.ANSWERED else _asked_in(statement)
    if user is None or (content is None and asked is None) or _is_own(statement):
        return None
    if asked is not None:
        return Elsewhere(user, asked, BEGUN)
    result: Mapping[str, Any] = statement.get("result") or {}
    progress = _progress(verb, result)
    if content is None or progress is None:
        return None
    # Only what sums up a visit: players repeat the time so far in all they say on the way.
    is_sum = verb in (vocabulary.COMPLETED, vocabulary.ANSWERED)
    return Elsewhere(user, content, progress, _seconds(result) if is_sum else 0.0)


def _progress(verb: str, result: Mapping[str, Any]) -> float | None:
    if verb in DONE:
        return None if result.get("completion") is False else 1.0
    if verb == vocabulary.ANSWERED:
        return 1.0 if result.get("completion") is True or result.get("success") is True else BEGUN
    extensions: Mapping[str, Any] = result.get("extensions") or {}
    for iri, whole in ((vocabulary.CMI5_PROGRESS, 100), (vocabulary.VIDEO_PROGRESS, 1)):
        told = extensions.get(iri)
        if isinstance(told, int | float) and not isinstance(told, bool) and 0 <= told <= whole:
            return min(1.0, math.ceil(float(told) * 1000 / whole) / 1000)
    return None


def _user(statement: Statement) -> str | None:
    actor: Mapping[str, Any] = statement["actor"]
    if actor.get("objectType", "Agent") != "Agent" or "account" not in actor:
        return None
    name = actor["account"]["name"].lower().replace("-", "")
    return name if HEX32.fullmatch(name) else None


def _content(target: Mapping[str, Any]) -> str | None:
    if target.get("objectType", "Activity") != "Activity":
        return None
    found = CONTENT.search(target["id"])
    return found[1] if found else None


def _asked_in(statement: Statement) -> str | None:
    """The content that a question is part of."""
    return next((content for each in _around(statement, "parent") if (content := _content(each)) is not None), None)


def _is_own(statement: Statement) -> bool:
    """Whether it is from this adapter, which says so in every statement: what it does counts by its native facts."""
    return any(each["id"].endswith(OWN_PROFILE) for each in _around(statement, "category"))


def _around(statement: Statement, kind: str) -> Iterable[Mapping[str, Any]]:
    context: Mapping[str, Any] = statement.get("context") or {}
    around = context.get("contextActivities", {}).get(kind, [])
    return [around] if isinstance(around, Mapping) else around


def _seconds(result: Mapping[str, Any]) -> float:
    try:
        return duration_s(result["duration"]) if "duration" in result else 0.0
    except InvalidValue:  # months have no length
        return 0.0
