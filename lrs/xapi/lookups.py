"""What a statement can be found by, and the facts in it worth reporting on. xAPI 1.0.3, Communication 2.1.3."""

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from lrs.errors import InvalidValue
from lrs.xapi.agents import identities_in, identity
from lrs.xapi.times import duration_s, parse_timestamp
from lrs.xapi.types import Statement
from lrs.xapi.vocabulary import VOIDED

NOTHING: Mapping[str, Any] = {}


class LookUps(msgspec.Struct, frozen=True):
    """The look-up fields of one statement; agents are identity keys (`lrs.xapi.agents.identity`), UUIDs in lower case.

    `agents` are the actor and an agent as object, with the members of groups; `related_agents` are these and all others
    in it, authority and SubStatement included. `refs` is the statement its StatementRef points at, `voids` the same if
    it is to be voided. `authority` is the identity of the one agent that vouches for it. Then typed facts, None where the
    statement does not say: scaled score (-1..1), success,
    completion, duration in seconds (None also if it counts in months or years), timestamp in µs since the epoch.
    """

    statement_id: str | None
    verb: str
    activity: str | None
    agents: tuple[str, ...]
    related_agents: tuple[str, ...]
    related_activities: tuple[str, ...]
    registration: str | None
    refs: str | None
    voids: str | None
    scaled: float | None
    success: bool | None
    completion: bool | None
    duration_s: float | None
    timestamp_us: int | None
    authority: str | None = None


def look_ups(statement: Statement) -> LookUps:
    """The look-up fields of a checked statement, best after `prepare`, when it has an authority and a timestamp."""
    verb, target, context = statement["verb"]["id"], statement["object"], statement.get("context", NOTHING)
    kind = target.get("objectType", "Activity")
    agents = identities_in(statement["actor"])
    if kind in ("Agent", "Group"):
        agents += identities_in(target)
    statement_id, registration = statement.get("id"), context.get("registration")
    refs = target["id"].lower() if kind == "StatementRef" else None
    result: Mapping[str, Any] = statement.get("result", NOTHING)
    score = result.get("score", NOTHING)
    return LookUps(
        statement_id=None if statement_id is None else statement_id.lower(),
        verb=verb,
        activity=target["id"] if kind == "Activity" else None,
        agents=_once(agents),
        related_agents=_once(_agents_around(statement, agents)),
        related_activities=_once(_activities_around(statement)),
        registration=None if registration is None else registration.lower(),
        refs=refs,
        voids=refs if verb == VOIDED else None,
        scaled=float(score["scaled"]) if "scaled" in score else None,
        success=result.get("success"),
        completion=result.get("completion"),
        duration_s=_seconds(result.get("duration")),
        timestamp_us=parse_timestamp(statement["timestamp"]) if "timestamp" in statement else None,
        authority=identity(statement["authority"]) if "authority" in statement else None,
    )


def _once(found: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


def _agents_around(statement: Mapping[str, Any], narrow: list[str]) -> list[str]:
    """The agents of a statement in the broad sense; `narrow` are its actor and object, which stand first."""
    found = list(narrow)
    if "authority" in statement:
        found += identities_in(statement["authority"])
    context = statement.get("context")
    if context is not None:
        for role in ("instructor", "team"):
            if role in context:
                found += identities_in(context[role])
        for entry in context.get("contextAgents", ()):
            found += identities_in(entry["agent"])
        for entry in context.get("contextGroups", ()):
            found += identities_in(entry["group"])
    inner = statement["object"]
    if inner.get("objectType") == "SubStatement":
        own = identities_in(inner["actor"])
        if inner["object"].get("objectType") in ("Agent", "Group"):
            own += identities_in(inner["object"])
        found += _agents_around(inner, own)
    return found


def _activities_around(statement: Mapping[str, Any]) -> list[str]:
    """The activities of a statement in the broad sense, its object first."""
    target = statement["object"]
    kind = target.get("objectType", "Activity")
    found = [target["id"]] if kind == "Activity" else []
    context = statement.get("context")
    if context is not None and "contextActivities" in context:
        for group in context["contextActivities"].values():
            # 1.0.x lets a single activity stand for a list of one. xAPI 1.0.3, Data 2.4.6.2.
            for activity in (group,) if isinstance(group, dict) else group:
                found.append(activity["id"])
    if kind == "SubStatement":
        found += _activities_around(target)
    return found


def _seconds(duration: str | None) -> float | None:
    if duration is None:
        return None
    try:
        seconds = duration_s(duration)
    except InvalidValue:
        return None
    return seconds if math.isfinite(seconds) else None
