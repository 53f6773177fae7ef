"""OfCourseMe's events to statements. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from adapters.ofcourseme.facts import ACTIVITIES, PROFILE, SOURCE, segment
from adapters.ofcourseme.parameters import INVALID, KNOWN, duration_ms, moment_us, parameters_of, text_of_us, type_of
from adapters.ofcourseme.vocabulary import COMPLETED, Meaning, meaning_of
from lrs.adapter_settings import zone_of
from lrs.errors import InvalidEvent
from lrs.xapi import build, vocabulary
from lrs.xapi.times import format_stored
from lrs.xapi.types import Activity, Agent, ContextActivities, Result, Statement

# English, as the words are.
DISPLAY_LANGUAGE = "en-US"
# xAPI forbids timestamps in the future; clocks differ a little.
MOST_AHEAD_US = 5 * 60 * 1_000_000


def translate(event: Any, settings: Mapping[str, Any], received_us: int) -> Sequence[Statement]:
    """The one statement of an event that came at `received_us`, µs since the epoch. Raises InvalidEvent only."""
    parameters = parameters_of(event)
    event_type = type_of(parameters)
    base, meaning = settings["base_iri"], meaning_of(event_type)
    moment, extensions = _moment(parameters, settings, received_us)
    lasted_ms = duration_ms(parameters)
    statement: Statement = {
        "id": _statement_id(base, parameters, event_type, received_us),
        "actor": _actor(base, settings["home_page"], parameters.get("user_id")),
        "verb": build.verb(meaning.verb, {DISPLAY_LANGUAGE: meaning.display}),
        "object": _target(base, meaning, event_type, parameters.get("course_id")),
        "context": {
            "platform": settings["platform"], "language": settings["language"],
            "contextActivities": _around(base, meaning, parameters),
            "extensions": {f"{base}/extensions/event-type": event_type, **_extensions(base, parameters), **extensions},
        },
        "timestamp": moment,
    }
    if meaning is COMPLETED:
        statement["result"] = _completion(lasted_ms)
    return [statement]


def namespace_of(base: str) -> UUID:
    """The namespace of the ids of statements."""
    return uuid5(NAMESPACE_URL, f"{base}/adapters/{SOURCE}")


def _statement_id(base: str, parameters: Mapping[str, str], event_type: str, received_us: int) -> str:
    """Out of the event's own id; a call without one is known by its receipt, which no other call shares."""
    if "event_id" in parameters:
        return build.uuid5_of(namespace_of(base), ["event", parameters["event_id"]])
    pairs = sorted({**parameters, "type": event_type}.items())
    return build.uuid5_of(namespace_of(base), ["call", format_stored(received_us), pairs])


def _actor(base: str, home_page: str, user_id: str | None) -> Agent:
    """The user's account. Nobody has a home page of their own, so that a user called like that is another."""
    return build.account_actor(f"{base}/anonymous", SOURCE) if user_id is None else build.account_actor(home_page, user_id)


def _target(base: str, meaning: Meaning, event_type: str, course_id: str | None) -> Activity:
    activities = base + ACTIVITIES
    match meaning.target:
        case "course" if course_id is not None:
            return _course(base, course_id)
        case "search":
            return build.activity(f"{activities}/search", vocabulary.SEARCH_ENGINE)
        case "platform":
            return build.activity(f"{activities}/platform", vocabulary.APPLICATION)
    return build.activity(f"{activities}/actions/{event_type}", meaning.action_type)


def _course(base: str, course_id: str) -> Activity:
    return build.activity(f"{base}{ACTIVITIES}/courses/{segment(course_id)}", vocabulary.COURSE)


def _around(base: str, meaning: Meaning, parameters: Mapping[str, str]) -> ContextActivities:
    """The profile, the entity, and the course where it is not the object."""
    around: ContextActivities = {"category": [build.activity(base + PROFILE, vocabulary.PROFILE)]}
    if "entity_id" in parameters:
        entity = f"{base}{ACTIVITIES}/entities/{segment(parameters['entity_id'])}"
        around["grouping"] = [build.activity(entity, vocabulary.GROUP)]
    if "course_id" in parameters and meaning.target != "course":
        around["other"] = [_course(base, parameters["course_id"])]
    return around


def _extensions(base: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The text of a search, and all parameters that nobody asked for, as {name: text}."""
    extensions: dict[str, Any] = {}
    if "query" in parameters:
        extensions[f"{base}/extensions/search-query"] = parameters["query"]
    if others := {name: text for name, text in parameters.items() if name not in KNOWN}:
        extensions[f"{base}/extensions/params"] = others
    return extensions


def _moment(parameters: Mapping[str, str], settings: Mapping[str, Any], received_us: int) -> tuple[str, dict[str, str]]:
    """When it happened, and the extension that keeps what was sent where that lies in the future."""
    told_us = moment_us(parameters, "timestamp", zone_of(settings["source_timezone"]))
    if told_us is None:
        return text_of_us(received_us), {}
    if told_us > received_us + MOST_AHEAD_US:
        return text_of_us(received_us), {f"{settings['base_iri']}/extensions/source-timestamp": parameters["timestamp"]}
    try:
        return text_of_us(told_us), {}
    except OverflowError:
        raise InvalidEvent("timestamp", "must not be before the year 1", code=INVALID) from None


def _completion(lasted_ms: int | None) -> Result:
    return {"completion": True} if lasted_ms is None else {"completion": True, "duration": iso_duration(lasted_ms)}


def iso_duration(milliseconds: int) -> str:
    """As an ISO 8601 duration: 12500 -> "PT12.5S"."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"PT{seconds}{f'.{rest:03d}'.rstrip('0') if rest else ''}S"
