"""Every row of the reference's table, as it is written there."""

from typing import Any

import pytest

from adapters.studyfetch.schema import SettingsSchema
from adapters.studyfetch.translate import translate
from adapters.studyfetch.vocabulary import TYPES, family_of
from lrs.errors import InvalidEvent

SETTINGS = SettingsSchema().load({})
BASE = "https://lrs.example.org/xapi"
RECEIVED_US = 1_769_904_000_000_000
RESOURCE, APPLICATION = "http://id.tincanapi.com/activitytype/resource", "http://activitystrea.ms/application"
ASSESSMENT, AUDIO = "http://adlnet.gov/expapi/activities/assessment", "https://w3id.org/xapi/audio/activity-type/audio"
CHANNEL, SERVICE = "http://id.tincanapi.com/activitytype/chat-channel", "http://activitystrea.ms/service"
PERFORMANCE, MESSAGE = "http://adlnet.gov/expapi/activities/performance", "http://id.tincanapi.com/activitytype/chat-message"
QUESTION = "http://adlnet.gov/expapi/activities/question"
ASSIGNMENT = "http://id.tincanapi.com/activitytype/school-assignment"
CREATE, DELETE = "http://activitystrea.ms/create", "http://activitystrea.ms/delete"
ADL = "http://adlnet.gov/expapi/verbs/"

# event type, metadata, verb, display, object below activities/studyfetch/, its type
TABLE = [
    ("material_created", {"materialId": "m"}, CREATE, "created", "materials/m", RESOURCE),
    ("material_uploaded", {}, "https://w3id.org/xapi/netc/verbs/uploaded", "uploaded", "materials/r", RESOURCE),
    ("material_processed", {}, "https://w3id.org/xapi/dod-isd/verbs/processed", "processed", "materials/r", RESOURCE),
    ("material_deleted", {}, DELETE, "deleted", "materials/r", RESOURCE),
    ("component_created", {"componentId": "c", "componentType": "practice_test"}, CREATE, "created", "components/c", ASSESSMENT),
    ("component_accessed", {}, "https://w3id.org/xapi/netc/verbs/accessed", "accessed", "components/r", APPLICATION),
    ("component_deleted", {"componentType": "chat"}, DELETE, "deleted", "components/r", CHANNEL),
    ("component_usage", {}, f"{ADL}interacted", "interacted", "components/r", APPLICATION),
    ("chat_message_sent", {"messageId": "m"}, "http://activitystrea.ms/send", "sent", "messages/m", MESSAGE),
    ("chat_message_sent", {}, "http://activitystrea.ms/send", "sent", "messages/e", MESSAGE),
    ("chat_session_started", {"sessionId": "s"}, f"{ADL}initialized", "initialized", "chat-sessions/s", CHANNEL),
    ("chat_session_ended", {}, f"{ADL}terminated", "terminated", "chat-sessions/r", CHANNEL),
    ("test_created", {"testId": "t"}, CREATE, "created", "tests/t", ASSESSMENT),
    ("test_started", {}, f"{ADL}initialized", "initialized", "tests/r", ASSESSMENT),
    ("test_completed", {}, f"{ADL}completed", "completed", "tests/r", ASSESSMENT),
    ("test_question_answered", {"questionId": "q"}, f"{ADL}answered", "answered", "tests/r/questions/q", QUESTION),
    ("test_question_answered", {"testId": "t", "questionId": "q"}, f"{ADL}answered", "answered", "tests/t/questions/q", QUESTION),
    ("test_retaken", {}, f"{ADL}attempted", "attempted", "tests/r", ASSESSMENT),
    ("audio_recap_create", {"componentType": "chat"}, CREATE, "created", "components/r", AUDIO),
    ("assignment_grader_create", {"assignmentId": "a"}, "https://w3id.org/xapi/acrossx/verbs/evaluated", "evaluated", "assignments/a",
     ASSIGNMENT),
    ("student_performance", {"percentage": 7}, f"{ADL}scored", "scored", "resources/r", PERFORMANCE),
    ("student_performance", {"progress": 7}, f"{ADL}progressed", "progressed", "resources/r", PERFORMANCE),
    ("api_call", {"endpoint": "/e"}, "http://activitystrea.ms/request", "requested", "endpoints/%2Fe", SERVICE),
    ("cache_hit", {}, f"{BASE}/verbs/cache-hit", "served from cache", "endpoints/r", SERVICE),
    ("sso_login", {}, "https://w3id.org/xapi/adl/verbs/logged-in", "logged-in", "platform", APPLICATION),
    ("sso_logout", {}, "https://w3id.org/xapi/adl/verbs/logged-out", "logged-out", "platform", APPLICATION),
    ("Flashcards: shuffled!", {}, f"{BASE}/verbs/flashcards-shuffled", "flashcards: shuffled!", "resources/r", APPLICATION),
]


def statement_of(settings: Any = SETTINGS, **event: Any) -> Any:
    [statement] = translate(event, settings, RECEIVED_US)
    return statement


@pytest.mark.parametrize(("event_type", "metadata", "verb", "display", "path", "kind"), TABLE)
def test_a_row_of_the_table_is_as_the_reference_has_it(event_type, metadata, verb, display, path, kind):
    statement = statement_of(id="e", eventType=event_type, resourceId="r", metadata=metadata)
    assert statement["verb"] == {"id": verb, "display": {"en-US": display}}
    assert statement["object"]["id"] == f"{BASE}/activities/studyfetch/{path}"
    assert statement["object"]["definition"]["type"] == kind


def test_the_table_has_all_of_the_twenty_three_types_and_every_family():
    assert len(TYPES) == 23 and {row[0] for row in TABLE} - set(TYPES) == {"Flashcards: shuffled!"}
    families = [family_of(name) for name in TYPES]
    assert {family: families.count(family) for family in families} == {
        "material": 4, "component": 4, "chat": 3, "assessment": 5, "feature": 3, "system": 4,
    }


@pytest.mark.parametrize("event_type", [name for name in TYPES if not name.startswith("sso_")])
def test_without_any_id_the_type_is_the_object(event_type):
    statement = statement_of(eventType=event_type)
    assert statement["object"]["id"] == f"{BASE}/activities/studyfetch/event-types/{event_type}"
    assert statement["object"]["definition"]["type"] == APPLICATION


@pytest.mark.parametrize("word", ["refuse", "reject", "strict"])
def test_a_strict_tenant_refuses_unknown_types_and_no_known_one(word):
    strict = SettingsSchema().load({"unknown_event_types": word})
    with pytest.raises(InvalidEvent) as refusal:
        statement_of(strict, eventType="quiz_battle")
    assert (refusal.value.code, refusal.value.reason, refusal.value.place) == ("UNKNOWN_EVENT_TYPE", "unknown_type", "eventType")
    for name in TYPES:
        statement_of(strict, eventType=f" {name.upper()} ")


def test_the_settings_say_base_home_page_platform_language_and_zone():
    settings = SettingsSchema().load({
        "base_iri": "https://lms.example.edu/x//", "home_page": "https://id.example.edu", "platform": "SF", "language": "pt-BR",
        "source_timezone": "Asia/Kolkata",
    })
    statement = statement_of(
        settings, id="e", eventType="material_created", userId=5, resourceId="r", timestamp="2026-01-15T09:30:00", metadata={"name": "N"}
    )
    assert statement["actor"]["account"] == {"homePage": "https://id.example.edu", "name": "5"}
    assert statement["object"]["definition"]["name"] == {"pt-BR": "N"}
    assert statement["object"]["id"] == "https://lms.example.edu/x/activities/studyfetch/materials/r"
    assert statement["context"]["platform"] == "SF"
    assert statement["timestamp"] == "2026-01-15T04:00:00.000Z"
    assert statement["id"] != statement_of(id="e", eventType="material_created")["id"]


@pytest.mark.parametrize("wrong", [
    {"base_iri": "lrs"}, {"base_iri": "https://x.org/?a"}, {"home_page": "school"}, {"platform": ""}, {"language": "not a language"},
    {"source_timezone": "Mars/Olympus"}, {"source_timezone": "../../etc/passwd"}, {"source_timezone": "+25:00"}, {"source_timezone": ""},
    {"unknown_event_types": "maybe"}, {"api_key": "test-key"}, {"platform": None},
])
def test_settings_that_cannot_be_are_refused(wrong):
    assert SettingsSchema().validate(wrong)


def test_the_clock_may_be_five_minutes_ahead_and_no_more():
    there = statement_of(eventType="sso_login", timestamp="2026-02-01T00:05:00Z")
    assert there["timestamp"] == "2026-02-01T00:05:00.000Z"
    beyond = statement_of(eventType="sso_login", timestamp="2026-02-01T00:05:00.001Z")
    assert beyond["timestamp"] == "2026-02-01T00:00:00.000Z"
    assert beyond["context"]["extensions"][f"{BASE}/extensions/source-timestamp"] == "2026-02-01T00:05:00.001Z"
