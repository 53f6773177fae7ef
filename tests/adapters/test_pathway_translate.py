"""Rows to statements: one for each different snapshot, and nothing in it that the row does not say."""

import json
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from pathway_documents import BASE, HOME, NOW_US, a_log, a_pathway, a_status, an_activity, completed, of, settings, statements_of

from adapters.pathway.activity_types import canonical, kind_of, type_iri
from adapters.pathway.documents import split
from adapters.pathway.moments import moment_us, utc_text
from adapters.pathway.profiles import activities_in, learner_in, pathways_in, teaches
from lrs.errors import InvalidEvent
from lrs.xapi import vocabulary
from lrs.xapi.json_text import dump

ADL = "http://adlnet.gov/expapi/activities"
# The table of the reference, each kind with labels it has in documents, in the interface and in filters.
TYPES = {
    f"{BASE}/activity-types/pathway-data": ["data", "Data", "Data Target", "Data Targets", "data checkpoint", "DATA-TRACKING"],
    f"{ADL}/lesson": ["story", "Story", "Stories"],
    f"{ADL}/assessment": ["assessment", "Assessments"],
    "http://id.tincanapi.com/activitytype/survey": ["survey", "Surveys"],
    "https://www.opigno.org/en/tincan_registry/activity_type/certificate": ["certificate", "Certificates"],
    "http://activitystrea.ms/article": ["article", "Articles"],
    "https://w3id.org/xapi/audio/activity-type/audio": ["audio", "podcast", "Podcast Episode", "Podcast Episodes"],
    "https://w3id.org/xapi/video/activity-type/video": ["video", "Videos", "youtube", "YouTube Video", "stream", "Stream Snippets"],
    f"{ADL}/meeting": ["classroom", "Classrooms"],
    "http://activitystrea.ms/event": ["event", "Events"],
    "http://id.tincanapi.com/activitytype/reward": ["reward", "Rewards"],
    f"{ADL}/performance": ["physical", "Physical Activity", "Physical Activities"],
    "https://w3id.org/xapi/acrossx/activities/webpage": ["web", "Web Activity", "web activities"],
    "https://w3id.org/xapi/acrossx/activities/learning-plan": ["enrolment", "Enrollment", "Connect Pathway", "Connect Pathways", "pathway"],
    f"{ADL}/objective": ["milestone", "Milestones"],
    f"{BASE}/activity-types/pathway-confirmation": ["confirmation", "Confirmations"],
    f"{BASE}/activity-types/pathway-uploadandreview": ["Upload & Review", "upload and reviews"],
}


@pytest.mark.parametrize(("iri", "label"), [(iri, label) for iri, labels in TYPES.items() for label in labels])
def test_every_label_of_a_kind_has_the_kinds_activity_type(iri, label):
    assert type_iri(BASE, label) == iri


@pytest.mark.parametrize("iri", TYPES)
def test_an_activity_type_tells_the_kind_again(iri):
    assert type_iri(BASE, kind_of(iri)) == iri


def test_a_label_of_no_letters_has_no_activity_type_and_is_a_kind_that_nothing_has():
    assert type_iri(BASE, " & ") == f"{BASE}/activity-types/pathway-and"
    assert type_iri(BASE, "…") is None and canonical("…") == ""


def id_by_hand(*name):
    """As the reference writes it down: the UUIDv5 of compact JSON, not escaped."""
    return str(uuid5(uuid5(NAMESPACE_URL, f"{BASE}/adapters/pathway"), json.dumps(name, separators=(",", ":"), ensure_ascii=False)))


@pytest.mark.parametrize(("log", "name"), [
    (a_log(progress=45.5), ["P1", "S1", "ada@example.com", "progressed", "2026-01-10T12:00:00.000Z", 45500]),
    (a_log(progress="45.50"), ["P1", "S1", "ada@example.com", "progressed", "2026-01-10T12:00:00.000Z", 45500]),
    (completed(), ["P1", "S1", "ada@example.com", "completed", "2026-01-10T12:00:00.000Z", 100000]),
    (a_log("", status={}), ["P1", "S1", "name:ada byron", "assigned", None, 0]),
    (a_log("", status={}, firstname=None, lastname=""), ["P1", "S1", "pathway", "assigned", None, 0]),
    (a_log("b@x", progress=150, at="2026-01-10T14:30:00.9876+02:30"),
     ["P1", "S1", "b@x", "progressed", "2026-01-10T12:00:00.987Z", 100000]),
    (a_log(progress=7, at="2040-01-01T00:00:00Z"), ["P1", "S1", "ada@example.com", "progressed", "2040-01-01T00:00:00.000Z", 7000]),
])
def test_the_id_is_made_of_what_a_snapshot_is(log, name):
    [statement] = statements_of(of(log))
    assert statement["id"] == id_by_hand("log", *name)
    assert statement["context"]["registration"] == id_by_hand("registration", name[0], name[2])


@given(st.integers(0, 10**15))
def test_when_a_document_is_imported_changes_no_id(received_us):
    document = of(a_log(), a_log("ben@example.com", at=""), a_log("kim@example.com", at="2300-01-01T00:00:00Z"))
    assert [each["id"] for each in statements_of(document, received_us)] == [each["id"] for each in statements_of(document)]


def test_what_changes_without_anything_happening_changes_no_statement_of_the_same_snapshot():
    [one] = statements_of(of(a_log(telephone="1", country="A", city="B")))
    [other] = statements_of(of(a_log(telephone=None, country="C", city="D")))
    assert one == other


def test_a_row_that_says_little_becomes_a_statement_that_says_little():
    [statement] = statements_of({"pathway": {"ID": "P"}, "activities": [{"ID": "S", "logs": [{"email": "a@example.com"}]}]})
    assert set(statement) == {"id", "actor", "verb", "object", "result", "context", "timestamp"}
    assert statement["actor"] == {"objectType": "Agent", "account": {"homePage": HOME, "name": "a@example.com"}}
    assert "grouping" not in statement["context"]["contextActivities"] and "other" not in statement["context"]["contextActivities"]
    assert set(statement["result"]) == {"extensions"}
    assert statement["timestamp"] == utc_text(NOW_US)


@pytest.mark.parametrize(("zone", "text", "utc"), [
    ("Africa/Johannesburg", "2022-02-24T15:09:57", "2022-02-24T13:09:57.000Z"),
    ("Africa/Johannesburg", "2022-02-24 15:09:57", "2022-02-24T13:09:57.000Z"),
    ("Africa/Johannesburg", "2022-02-24", "2022-02-23T22:00:00.000Z"),
    ("Africa/Johannesburg", "2022-02-24T15:09:57Z", "2022-02-24T15:09:57.000Z"),
    ("Africa/Johannesburg", "2022-02-24T15:09", "2022-02-24T13:09:00.000Z"),
    ("America/New_York", "2022-07-01T00:00:00,5", "2022-07-01T04:00:00.500Z"),
    ("America/New_York", "2022-01-01T00:00:00", "2022-01-01T05:00:00.000Z"),
    ("UTC", "1969-12-31T23:59:59.999+00:00", "1969-12-31T23:59:59.999Z"),
    ("UTC", "2022-02-24t15:09:57+0545", "2022-02-24T09:24:57.000Z"),
    ("UTC", " 2022-02-24T15:09:57-00:00 ", "2022-02-24T15:09:57.000Z"),
    ("Asia/Kathmandu", "0999-01-01T00:00:00+14", "0998-12-31T10:00:00.000Z"),
])
def test_a_time_is_read_in_its_zone(zone, text, utc):
    assert utc_text(moment_us(text, zone, "at")) == utc
    [statement] = statements_of(of(a_log(at=text)), source_timezone=zone)
    assert statement["timestamp"] == utc
    assert statement["context"]["extensions"] == {f"{BASE}/extensions/source-timestamp": text}


@pytest.mark.parametrize("text", [
    "now", "2026", "2026-01", "2026-1-1", "20260110", "2026-01-10T", "2026-01-10T10", "2026-01-10T24:00:00Z", "2026-01-10T10:60:00Z",
    "2026-01-10T10:00:60Z", "2026-02-29T10:00:00Z", "2026-01-10T10:00:00+24:00", "2026-01-10T10:00:00+01:60", "0001-01-01T00:00:00+01:00x",
    "0000-01-01T00:00:00Z", "٢٠٢٦-٠١-١٠T10:00:00Z", "2026-01-10T10:00:00Z2026", "2026-01-10T10:00:00.", "1645708197",
])
def test_a_text_that_is_no_time_is_refused(text):
    with pytest.raises(InvalidEvent) as refusal:
        statements_of(of(a_log(at=text)))
    assert (refusal.value.place, refusal.value.reason) == ("log.status.timestamp", "value")


def test_a_time_that_utc_has_no_year_for_is_refused():
    with pytest.raises(InvalidEvent):
        moment_us("9999-12-31T23:59:59-12:00", "UTC", "at")


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "", "/etc/localtime", "Africa\x00"])
def test_a_zone_that_is_none_is_no_setting(name):
    with pytest.raises(ValidationError):
        settings(source_timezone=name)


def test_iris_and_names_follow_the_settings():
    [statement] = statements_of(
        of(a_log(groups=["7b"])), base_iri="https://x.example/", home_page="https://h.example", platform="F", language="pt-BR"
    )
    assert statement["object"]["id"] == "https://x.example/activities/pathway/activities/S1"
    assert statement["object"]["definition"]["name"] == {"pt-BR": "Story S1"}
    assert statement["actor"]["account"]["homePage"] == "https://h.example"
    assert statement["context"]["platform"] == "F"
    assert list(statement["context"]["extensions"]) == ["https://x.example/extensions/source-timestamp"]


def test_the_exact_progress_is_on_every_row_and_the_whole_one_only_where_it_belongs():
    assigned, progressed, done = statements_of(of(a_log(status=a_status(3, state="not started")), a_log(progress=99.9), completed()))
    exact = f"{BASE}/extensions/progress"
    assert [each["result"]["extensions"][exact] for each in (assigned, progressed, done)] == [3, 99.9, 100]
    assert [vocabulary.CMI5_PROGRESS in each["result"]["extensions"] for each in (assigned, progressed, done)] == [False, True, False]
    assert [each["result"].get("completion") for each in (assigned, progressed, done)] == [None, False, True]
    assert not any("success" in each["result"] for each in (assigned, progressed, done))


@pytest.mark.parametrize(("score", "told"), [
    (0, {"raw": 0, "min": 0, "max": 100, "scaled": 0.0}), (40, {"raw": 40, "min": 0, "max": 100, "scaled": 0.4}),
    ("77.5", {"raw": 77.5, "min": 0, "max": 100, "scaled": 0.775}), (100.5, {"raw": 100.5}), (-1, {"raw": -1}), ("8/10", None),
    (None, None), (True, None), ([], None), (1e300, {"raw": 1e300}), ("9" * 40, {"raw": 1e40}), ("1e999", None),
])
def test_the_score_of_a_story_is_a_percentage(score, told):
    [statement] = statements_of(of(completed(fulfilment={"type": "story", "story": {"ID": "X", "score": score}})))
    assert statement["result"].get("score") == told


def test_an_event_teaches_who_somebody_is_or_what_a_pathway_is_made_of():
    row, pathway, activity = split(of(a_log("Ada@Example.com", groups="7b", telephone=27, country=None)))
    [person] = teaches(row, settings())
    assert (person.resource, person.profile_id) == ("agents", f"{BASE}/profiles/pathway-user")
    assert person.owner["account"] == {"homePage": HOME, "name": "ada@example.com"}
    assert person.content == {
        "firstname": "Ada", "lastname": "Byron", "email": "Ada@Example.com", "telephone": "27", "country": "", "city": "", "groups": ["7b"],
    }
    [made] = teaches(pathway, settings())
    assert made.owner == f"{BASE}/activities/pathway/pathways/P1"
    assert [each.key for each in pathways_in([dump(made.content)])] == ["P1"]
    [part] = teaches(activity, settings())
    assert part.owner == f"{BASE}/activities/pathway/activities/S1" and part.profile_id.endswith("/pathway-structure/P1")
    assert [(each.key, each.level, each.required) for each in activities_in([dump(part.content)])] == [("S1", 1, True)]


def test_nobody_in_particular_teaches_nothing():
    [event, *_] = split(of(a_log("", firstname="", lastname=" ")))
    assert list(teaches(event, settings())) == []


@pytest.mark.parametrize("content", [b"7", b"[]", b"{}", b'{"firstname":7}', b"\xff", b'{"ID":"","name":""}'])
def test_documents_that_others_put_there_are_left_out(content):
    assert learner_in(content) is None
    assert pathways_in([content]) == [] and activities_in([content]) == []


def test_activities_that_two_pathways_have_are_one_activity_and_two_registrations():
    one, other = statements_of({"data": [a_pathway(an_activity(a_log())), a_pathway(an_activity(a_log()), id="P2")]})
    assert one["object"]["id"] == other["object"]["id"] and one["id"] != other["id"]
    assert one["context"]["registration"] != other["context"]["registration"]
