"""What an event type becomes in xAPI: verb, object and family, row by row; and the names this adapter gives to what it adds."""

from dataclasses import dataclass
from typing import Final

from lrs.xapi import vocabulary

PERFORMANCE_TYPE: Final = "student_performance"
# The displays of the table are English; names of things are in the language of the settings.
DISPLAY_LANGUAGE: Final = "en-US"


@dataclass(frozen=True)
class EventType:
    """One row. `kind` is the part of the object's IRI that says what it is, `ids` are the metadata keys that name it before
    `resourceId` does; `type` None: by the component type. `verb` None: none fits, one of our own is made.
    """

    family: str
    verb: str | None
    display: str
    kind: str
    ids: tuple[str, ...]
    type: str | None


MATERIALS, COMPONENTS, TESTS, QUESTIONS, MESSAGES = "materials", "components", "tests", "questions", "messages"
SESSIONS, ASSIGNMENTS, RESOURCES, ENDPOINTS, PLATFORM = "chat-sessions", "assignments", "resources", "endpoints", "platform"
GROUPS, EVENT_TYPES = "groups", "event-types"
MATERIAL, COMPONENT, CHAT, ASSESSMENT, FEATURE, SYSTEM, OTHER = (
    "material", "component", "chat", "assessment", "feature", "system", "other",
)
FAMILIES = (MATERIAL, COMPONENT, CHAT, ASSESSMENT, FEATURE, SYSTEM)


def _material(verb: str, display: str) -> EventType:
    return EventType(MATERIAL, verb, display, MATERIALS, ("materialId",), vocabulary.RESOURCE)


def _component(verb: str, display: str) -> EventType:
    return EventType(COMPONENT, verb, display, COMPONENTS, ("componentId",), None)


def _session(verb: str, display: str) -> EventType:
    return EventType(CHAT, verb, display, SESSIONS, ("sessionId",), vocabulary.CHAT_CHANNEL)


def _test(verb: str, display: str) -> EventType:
    return EventType(ASSESSMENT, verb, display, TESTS, ("testId",), vocabulary.ASSESSMENT)


def _system(verb: str | None, display: str, kind: str) -> EventType:
    of_calls = kind == ENDPOINTS
    ids, type_iri = (("endpoint",), vocabulary.SERVICE) if of_calls else ((), vocabulary.APPLICATION)
    return EventType(SYSTEM, verb, display, kind, ids, type_iri)


TYPES: Final[dict[str, EventType]] = {
    "material_created": _material(vocabulary.CREATED, "created"),
    "material_uploaded": _material(vocabulary.UPLOADED, "uploaded"),
    "material_processed": _material(vocabulary.PROCESSED, "processed"),
    "material_deleted": _material(vocabulary.DELETED, "deleted"),
    "component_created": _component(vocabulary.CREATED, "created"),
    "component_accessed": _component(vocabulary.ACCESSED, "accessed"),
    "component_deleted": _component(vocabulary.DELETED, "deleted"),
    "component_usage": _component(vocabulary.INTERACTED, "interacted"),
    "chat_message_sent": EventType(CHAT, vocabulary.SENT, "sent", MESSAGES, ("messageId",), vocabulary.CHAT_MESSAGE),
    "chat_session_started": _session(vocabulary.INITIALIZED, "initialized"),
    "chat_session_ended": _session(vocabulary.TERMINATED, "terminated"),
    "test_created": _test(vocabulary.CREATED, "created"),
    "test_started": _test(vocabulary.INITIALIZED, "initialized"),
    "test_completed": _test(vocabulary.COMPLETED, "completed"),
    "test_question_answered": EventType(
        ASSESSMENT, vocabulary.ANSWERED, "answered", QUESTIONS, ("questionId",), vocabulary.QUESTION
    ),
    "test_retaken": _test(vocabulary.ATTEMPTED, "attempted"),
    "audio_recap_create": EventType(FEATURE, vocabulary.CREATED, "created", COMPONENTS, ("componentId",), vocabulary.AUDIO),
    "assignment_grader_create": EventType(
        FEATURE, vocabulary.EVALUATED, "evaluated", ASSIGNMENTS, ("assignmentId",), vocabulary.SCHOOL_ASSIGNMENT
    ),
    # Without a score it is progress.
    PERFORMANCE_TYPE: EventType(FEATURE, vocabulary.SCORED, "scored", RESOURCES, (), vocabulary.PERFORMANCE),
    "api_call": _system(vocabulary.REQUESTED, "requested", ENDPOINTS),
    "cache_hit": _system(None, "served from cache", ENDPOINTS),
    "sso_login": _system(vocabulary.LOGGED_IN, "logged-in", PLATFORM),
    "sso_logout": _system(vocabulary.LOGGED_OUT, "logged-out", PLATFORM),
}
# What is not in the table: stored all the same, unless the settings say otherwise.
UNKNOWN: Final = EventType(OTHER, None, "", RESOURCES, (), vocabulary.APPLICATION)

COMPONENT_TYPES: Final = {
    "flashcards": vocabulary.FLASHCARD_DECK, "practice_test": vocabulary.ASSESSMENT, "audio_recap": vocabulary.AUDIO,
    "chat": vocabulary.CHAT_CHANNEL, "tutor_me": vocabulary.TUTOR_SESSION, "scenarios": vocabulary.SCENARIO,
}
# Where people talk.
TALKING: Final = frozenset({"chat", "tutor_me", "chat_analytics"})

# Metadata that has a place of its own in a statement; all other goes into one extension.
LISTED: Final = frozenset({
    "name", "title", "componentType", "componentId", "materialId", "testId", "questionId", "assignmentId", "messageId", "sessionId",
    "attemptId", "attempt", "durationSeconds", "score", "maxScore", "minScore", "percentage", "correctCount", "questionCount",
    "passed", "correct", "answer", "progress", "endpoint", "modelKey",
})
# What people said to each other or to a model, in lower case without "_" and "-". It is personal data, and is never copied.
SPOKEN: Final = frozenset({
    "text", "message", "messages", "content", "contents", "body", "messagetext", "messagecontent", "messagebody", "chattext", "chat",
    "prompt", "question", "query", "reply", "response", "completion", "transcript", "conversation", "history", "html", "markdown",
    "input", "output", "usermessage", "assistantmessage", "summary",
})

# The ends of IRIs under the base that the settings name.
ACTIVITIES: Final = "/activities/studyfetch/"
ADAPTER: Final = "/adapters/studyfetch"
ANONYMOUS: Final = "/anonymous"
ANONYMOUS_NAME: Final = "studyfetch"
PROFILE: Final = "/profiles/studyfetch"
EVENT_TYPE: Final = "/extensions/event-type"
METADATA: Final = "/extensions/metadata"
SOURCE_TIMESTAMP: Final = "/extensions/source-timestamp"
ORGANIZATION: Final = "/extensions/organization-id"
ATTEMPT: Final = "/extensions/attempt"
PROGRESS: Final = "/extensions/progress"
# The parts of the event that its statement has lost otherwise, so that the event can be told again.
NATIVE: Final = "/extensions/studyfetch"


def family_of(event_type: str) -> str:
    """The family of an event type; "other" for one that is in no family."""
    return TYPES.get(event_type, UNKNOWN).family
