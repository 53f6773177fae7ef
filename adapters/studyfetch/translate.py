"""A usage event to its statement. Pure.

The statement says all that the event says, but what was spoken in a chat. Its id comes from the event's own id, else from all of its
content, so that an event counts once however often it comes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, UUID, uuid5

from adapters.studyfetch import vocabulary as names
from adapters.studyfetch.moments import NoMoment, format_ms, moment_of
from adapters.studyfetch.schema import REFUSE
from adapters.studyfetch.scores import result_of, with_cmi5_progress
from adapters.studyfetch.values import compact, first_name, id_text, name_text, number_of, number_text, text_of
from adapters.studyfetch.vocabulary import COMPONENT_TYPES, TYPES, UNKNOWN, EventType
from lrs.adapter_settings import zone_of
from lrs.errors import InvalidEvent
from lrs.xapi import build, vocabulary
from lrs.xapi.types import Activity, Agent, Context, Extensions, LanguageMap, Result, Statement, Verb

NO_SLUG = re.compile(r"[^a-z0-9]+")
# A clock may be ahead of ours by this much, in µs; what is further ahead is a clock that is wrong.
AHEAD_US = 5 * 60 * 1_000_000
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Event:
    """An event that has been looked at: its type in lower case, its row of the table, and its parts."""

    settings: Mapping[str, Any]
    whole: Mapping[str, Any]
    type: str
    row: EventType
    id: str | None
    metadata: Mapping[str, Any]

    @property
    def base(self) -> str:
        """What all minted IRIs begin with."""
        return str(self.settings["base_iri"])

    def iri(self, kind: str, *more: str) -> str:
        """The IRI of a thing of this kind: the id, and what is below it, percent-encoded."""
        return self.base + names.ACTIVITIES + "/".join([kind, *(quote(each, safe="") for each in more)])

    def named(self, *keys: str) -> str | None:
        """The first id among these keys of the metadata, else the resource's."""
        return first_name(*(self.metadata.get(key) for key in keys), self.whole.get("resourceId"))


def translate(event: Any, settings: Mapping[str, Any], received_us: int) -> Sequence[Statement]:
    """The one statement of an event, received at a time in µs since the epoch. Raises InvalidEvent only; the event is not touched."""
    if not isinstance(event, Mapping):
        raise InvalidEvent("", "must be an object", reason="shape", code="INVALID_JSON")
    try:
        return [_statement(_looked_at(event, settings), received_us)]
    except UnicodeEncodeError:
        raise InvalidEvent("", "must not have lone surrogates", reason="shape", code="INVALID_JSON") from None


def _looked_at(event: Mapping[str, Any], settings: Mapping[str, Any]) -> Event:
    given = event.get("eventType")
    event_type = given.strip().lower() if isinstance(given, str) else ""
    if not event_type:
        raise InvalidEvent("eventType", "must say what happened, such as material_created", reason="shape", code="MISSING_EVENT_TYPE")
    row = TYPES.get(event_type)
    if row is None and settings["unknown_event_types"] in REFUSE:
        rule = "is none of StudyFetch's event types, and others are refused here"
        raise InvalidEvent("eventType", rule, reason="unknown_type", code="UNKNOWN_EVENT_TYPE")
    metadata = event.get("metadata")
    own_id = next((text for name in ("id", "eventId", "_id") if (text := id_text(event.get(name))) is not None), None)
    return Event(settings, event, event_type, row or UNKNOWN, own_id, metadata if isinstance(metadata, Mapping) else NOTHING)


def _statement(event: Event, received_us: int) -> Statement:
    moment_us, source_timestamp = _moment(event, received_us)
    result = result_of(event.base, event.type, event.metadata)
    verb = _verb(event, result)
    if verb["id"] == vocabulary.PROGRESSED:
        result = with_cmi5_progress(result, event.base)
    statement: Statement = {
        "id": statement_id(event.base, event.whole, event.id),
        "actor": _actor(event),
        "verb": verb,
        "object": _object(event),
        "context": _context(event, source_timestamp),
        "timestamp": format_ms(moment_us),
    }
    if result:
        statement["result"] = result
    return statement


def statement_id(base: str, event: Mapping[str, Any], own_id: str | None) -> str:
    """The id of an event's statement: out of its own id, else out of the whole of it, however its keys are ordered."""
    if own_id is not None:
        return build.uuid5_of(namespace(base), ["event", own_id])
    return build.uuid5_of(namespace(base), ["sha256", sha256(compact(event, canonical=True).encode()).hexdigest()])


@lru_cache(maxsize=1_000)
def namespace(base: str) -> UUID:
    """What all ids that this adapter makes under a base are named in."""
    return uuid5(NAMESPACE_URL, base + names.ADAPTER)


def _moment(event: Event, received_us: int) -> tuple[int, str | None]:
    """When it happened, and, if that is in the future, what the event said instead."""
    place = next((name for name in ("timestamp", "createdAt") if event.whole.get(name) is not None), None)
    if place is None:
        return received_us, None
    given = event.whole[place]
    try:
        moment_us = moment_of(given, zone_of(event.settings["source_timezone"]))
    except NoMoment as error:
        raise InvalidEvent(place, str(error), code="INVALID_TIMESTAMP") from None
    if moment_us <= received_us + AHEAD_US:
        return moment_us, None
    return received_us, given if isinstance(given, str) else number_text(given)


def _actor(event: Event) -> Agent:
    """The user's account, whatever the id looks like; without a user, an account where no user can be."""
    user = name_text(event.whole.get("userId"))
    if user is None:
        return build.account_actor(event.base + names.ANONYMOUS, names.ANONYMOUS_NAME)
    return build.account_actor(event.settings["home_page"], user)


def _verb(event: Event, result: Result) -> Verb:
    if event.type == names.PERFORMANCE_TYPE and "score" not in result:
        return build.verb(vocabulary.PROGRESSED, {names.DISPLAY_LANGUAGE: "progressed"})
    iri = event.row.verb
    if iri is None:
        # A type without any letter of the Latin alphabet leaves nothing of itself.
        iri = f"{event.base}/verbs/{NO_SLUG.sub('-', event.type).strip('-') or 'event'}"
    return build.verb(iri, {names.DISPLAY_LANGUAGE: event.row.display or event.type})


def _object(event: Event) -> Activity:
    iri = _object_iri(event)
    name: LanguageMap | None = None
    if (text := text_of(event.metadata.get("name")) or text_of(event.metadata.get("title"))) is not None:
        name = {event.settings["language"]: text}
    if iri is None:
        return build.activity(event.iri(names.EVENT_TYPES, event.type), vocabulary.APPLICATION, name=name)
    return build.activity(iri, event.row.type or component_type(event.metadata), name=name)


def _object_iri(event: Event) -> str | None:
    """The thing that the event is about; None if there is no id for it."""
    kind = event.row.kind
    if kind == names.PLATFORM:
        return event.iri(kind)
    if kind == names.MESSAGES:
        own = first_name(event.metadata.get("messageId"), event.id)
        return None if own is None else event.iri(kind, own)
    if kind == names.QUESTIONS:
        test, question = event.named("testId"), name_text(event.metadata.get("questionId"))
        return None if test is None or question is None else event.iri(names.TESTS, test, names.QUESTIONS, question)
    own = event.named(*event.row.ids)
    return None if own is None else event.iri(kind, own)


def component_type(metadata: Mapping[str, Any]) -> str:
    """The activity type of a component, by what the metadata says it is."""
    return COMPONENT_TYPES.get(component_word(metadata), vocabulary.APPLICATION)


def component_word(metadata: Mapping[str, Any]) -> str:
    """StudyFetch's own word for a component's type, in lower case; "" where none is told."""
    word = metadata.get("componentType")
    return word.strip().lower() if isinstance(word, str) else ""


def _context(event: Event, source_timestamp: str | None) -> Context:
    around = {
        "category": [build.activity(event.base + names.PROFILE, vocabulary.PROFILE)],
        "parent": _parents(event),
        "grouping": [build.activity(event.iri(names.GROUPS, group), vocabulary.GROUP) for group in groups_of(event.whole)],
    }
    context: Context = {
        "platform": event.settings["platform"],
        "contextActivities": {name: each for name, each in around.items() if each},  # type: ignore[typeddict-item]
        "extensions": _extensions(event, source_timestamp),
    }
    if (registration := _registration(event)) is not None:
        context["registration"] = registration
    return context


def groups_of(event: Mapping[str, Any]) -> list[str]:
    """The groups of an event, each once: those of `groupIds`, then those of `groupId`. Either may be a list, or a single one."""
    given = [each for name in ("groupIds", "groupId") for each in _listed(event.get(name))]
    return list(dict.fromkeys(name for each in given if (name := name_text(each)) is not None))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _parents(event: Event) -> list[Activity]:
    """A question belongs to its test, what is said in a chat and the chat itself to a component."""
    if event.row.kind == names.QUESTIONS:
        test = event.named("testId")
        return [] if test is None else [build.activity(event.iri(names.TESTS, test), vocabulary.ASSESSMENT)]
    if event.row.kind not in (names.MESSAGES, names.SESSIONS):
        return []
    component = event.named("componentId") if event.row.kind == names.MESSAGES else name_text(event.metadata.get("componentId"))
    if component is None:
        return []
    # Without a word on its type nothing is said about it here: another event may have told.
    type_iri = component_type(event.metadata) if component_word(event.metadata) else None
    return [build.activity(event.iri(names.COMPONENTS, component), type_iri)]


def _registration(event: Event) -> str | None:
    """One for each attempt at a test, and for each session of a chat."""
    part, key = {names.ASSESSMENT: ("attempt", "attemptId"), names.CHAT: ("session", "sessionId")}.get(event.row.family, ("", ""))
    own = id_text(event.metadata.get(key))
    return None if own is None else build.uuid5_of(namespace(event.base), [part, own])


def _extensions(event: Event, source_timestamp: str | None) -> Extensions:
    metadata, attempt = event.metadata, number_of(event.metadata.get("attempt"))
    rest = unspoken(event.type, metadata, {name: each for name, each in metadata.items() if name not in names.LISTED})
    listed = {name: each for name, each in metadata.items() if name in names.LISTED}
    native = {"id": event.id, "resourceId": name_text(event.whole.get("resourceId")), "metadata": listed or None}
    told: dict[str, Any] = {
        event.base + names.EVENT_TYPE: event.type,
        event.base + names.SOURCE_TIMESTAMP: source_timestamp,
        event.base + names.ORGANIZATION: id_text(event.whole.get("organizationId")),
        vocabulary.ATTEMPT_ID: id_text(metadata.get("attemptId")),
        event.base + names.ATTEMPT: attempt,
        event.base + names.METADATA: rest or None,
        event.base + names.NATIVE: {name: each for name, each in native.items() if each is not None} or None,
    }
    return {iri: each for iri, each in told.items() if each is not None}


def unspoken(event_type: str, metadata: Mapping[str, Any], rest: dict[str, Any]) -> dict[str, Any]:
    """Of a chat, what is left without what was said in it, at any depth; other metadata as it is."""
    if not event_type.startswith("chat_") and component_word(metadata) not in names.TALKING:
        return rest
    left: dict[str, Any] = _silenced(rest)
    return left


def _silenced(value: Any) -> Any:
    """Numbers and truths are no speech: `messages: 12` is a count."""
    if isinstance(value, Mapping):
        return {
            name: _silenced(each) for name, each in value.items()
            if not (isinstance(each, str | list | Mapping) and name.lower().replace("_", "").replace("-", "") in names.SPOKEN)
        }
    return [_silenced(each) for each in value] if isinstance(value, list) else value
