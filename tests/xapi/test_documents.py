"""The pure rules of documents. xAPI 1.0.3, Communication 2.2, 2.3, 2.6, 2.7 and 3.1."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrs.errors import InvalidBody, InvalidParameter
from lrs.xapi.documents import (
    ACTIVITY_PROFILE,
    AGENT_PROFILE,
    ANY,
    STATE,
    Place,
    Preconditions,
    check_content,
    etag_of,
    is_json,
    listed_of,
    merged,
    place_of,
)

AGENT = '{"mbox":"mailto:ada@School.example.org"}'
PARAMS = {"activityId": "https://example.org/a", "agent": AGENT, "stateId": "s"}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
OBJECTS = st.dictionaries(TEXTS, SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(TEXTS, SCALARS, max_size=2), max_size=4)


def test_a_place_has_the_identity_of_its_agent_and_its_registration_in_lower_case():
    """Data 2.4.2.3; RFC 4122, 3."""
    params = {**PARAMS, "registration": "9A3D3B8E-2B3C-4B69-8E4F-2F6A3C1F5A11"}
    assert place_of(STATE, params, "1.0.3") == Place(
        "state", "https://example.org/a", "mailto:ada@school.example.org", "9a3d3b8e-2b3c-4b69-8e4f-2f6a3c1f5a11", "s"
    )


@pytest.mark.parametrize("agent", [
    '{"account": {"homePage": "https://a.org", "name": "x|y"}}', '{"openid": "https://a.org/x"}',
    '{"mbox_sha1sum": "EBD31E95054C018B10727CCFFD2EF2EC3A016EE9"}',
])
def test_an_agent_may_be_named_by_any_of_its_identifiers(agent):
    """Communication 2.6: an Agent object. Data 2.4.2.3."""
    assert place_of(AGENT_PROFILE, {"agent": agent, "profileId": "p"}, "2.0.0").agent


def test_an_anonymous_agent_has_no_documents():
    """An Agent has exactly one identifier. Data 2.4.2.1."""
    with pytest.raises(InvalidParameter):
        place_of(AGENT_PROFILE, {"agent": '{"objectType": "Agent", "name": "Ada"}', "profileId": "p"}, "1.0.3")


def test_a_group_is_named_by_its_identifier_in_an_agent():
    """The agent parameter is an Agent Object and not a Group. Communication 2.6, Note."""
    with pytest.raises(InvalidParameter) as told:
        place_of(AGENT_PROFILE, {"agent": '{"objectType": "Group", "mbox": "mailto:a@b.org"}', "profileId": "p"}, "1.0.3")
    assert told.value.place == "agent.objectType"


def test_a_parameter_of_another_resource_is_refused():
    """Not recognized in their intended context. Communication 3.2."""
    for resource, name in ((ACTIVITY_PROFILE, "agent"), (AGENT_PROFILE, "activityId"), (ACTIVITY_PROFILE, "registration")):
        params = {**PARAMS, "profileId": "p", "registration": "9a3d3b8e-2b3c-4b69-8e4f-2f6a3c1f5a11"}
        kept = {each: params[each] for each in (*resource.required, "profileId", name)}
        with pytest.raises(InvalidParameter) as told:
            place_of(resource, kept, "1.0.3")
        assert told.value.place == name


def test_a_misspelt_parameter_is_told_its_right_name():
    """In all but case. Communication 3.2."""
    with pytest.raises(InvalidParameter) as told:
        place_of(STATE, {**PARAMS, "stateid": "x"}, "1.0.3")
    assert "stateId" in told.value.rule


def test_since_is_read_as_microseconds_and_only_of_several():
    """Communication 2.3, Multiple Document GET."""
    several = {"activityId": "https://example.org/a", "since": "1970-01-01T00:00:01Z"}
    assert listed_of(ACTIVITY_PROFILE, several, "2.0.0") == (Place("activity_profile", "https://example.org/a"), 1_000_000)
    with pytest.raises(InvalidParameter):
        listed_of(ACTIVITY_PROFILE, {**several, "profileId": "p"}, "2.0.0")


def test_since_follows_the_rules_of_its_version():
    """2.0 takes RFC 3339 only. IEEE 9274.1.1, 4.2.7."""
    several = {"activityId": "https://example.org/a", "since": "20200101T000000Z"}
    assert listed_of(ACTIVITY_PROFILE, several, "1.0.3")[1] is not None
    with pytest.raises(InvalidParameter):
        listed_of(ACTIVITY_PROFILE, several, "2.0.0")


def test_an_empty_id_is_an_id():
    """An id is a String. Communication 2.2."""
    assert place_of(STATE, {**PARAMS, "stateId": ""}, "1.0.3").document_id == ""


def test_only_states_under_1_0_are_replaced_without_looking():
    """State conflicts are unlikely (1.0.3, Communication 3.1); 2.0 knows no exception (IEEE 9274.1.1, 4.1.4)."""
    blind = {(each.name, version) for each in (STATE, ACTIVITY_PROFILE, AGENT_PROFILE) for version in ("1.0.3", "2.0.0")
             if each.replaced_blindly(version)}
    assert blind == {("state", "1.0.3")}


def test_only_profiles_under_1_0_need_a_precondition_to_be_made():
    """A client making a PUT request to a profile MUST include one. Communication 3.1, Client Requirements."""
    refused = {(each.name, version) for each in (STATE, ACTIVITY_PROFILE, AGENT_PROFILE) for version in ("1.0.3", "2.0.0")
               if not each.put_blindly(version)}
    assert refused == {("activity_profile", "1.0.3"), ("agent_profile", "1.0.3")}


@given(st.binary(max_size=100))
def test_a_tag_is_the_sha1_of_the_content_in_lower_case_hexadecimal(content):
    """Communication 3.1, LRS Requirements."""
    assert etag_of(content) == hashlib.sha1(content).hexdigest() == etag_of(content).lower()


@pytest.mark.parametrize(("header", "tags"), [
    ('"a"', {"a"}), ('"a", "b"', {"a", "b"}), ('"a","b"', {"a", "b"}), ("abc", {"abc"}), (' "a" ', {"a"}), ('""', {""}),
    ('"a b,c"', {"a b,c"}), ('W/"a"', set()), ('W/"a", "b"', {"b"}),
])
def test_if_match_lists_strong_tags(header, tags):
    """RFC 2616, 14.24 and 3.11."""
    assert Preconditions.of(header, None).match == tags


def test_if_none_match_lists_weak_tags_too():
    """RFC 2616, 14.26: the weak comparison will do."""
    assert Preconditions.of(None, 'W/"a", "b"').none_match == {"a", "b"}


@pytest.mark.parametrize("header", ["", " ", ",", ", ,"])
def test_a_header_without_a_tag_is_refused(header):
    """Nobody knows what it asks for. Communication 3.2."""
    with pytest.raises(InvalidParameter):
        Preconditions.of(header, None)
    with pytest.raises(InvalidParameter):
        Preconditions.of(None, header)


@pytest.mark.parametrize(("preconditions", "none", "a", "b"), [
    (Preconditions(), True, True, True),
    (Preconditions(match=ANY), False, True, True),
    (Preconditions(none_match=ANY), True, False, False),
    (Preconditions(match=frozenset("a")), False, True, False),
    (Preconditions(none_match=frozenset("a")), True, False, True),
    (Preconditions(match=ANY, none_match=frozenset("a")), False, False, True),
    (Preconditions(match=frozenset("a"), none_match=ANY), False, False, False),
    (Preconditions(match=frozenset()), False, False, False),
])
def test_preconditions_hold_of_nothing_or_of_a_tag(preconditions, none, a, b):
    """RFC 2616, 14.24 and 14.26; whoever names only weak tags in If-Match has nothing changed."""
    assert (preconditions.hold(None), preconditions.hold("a"), preconditions.hold("b")) == (none, a, b)


@pytest.mark.parametrize(("content_type", "is_so"), [
    ("application/json", True), ("Application/JSON", True), ("application/json; charset=utf-8", True), ("application/json;", True),
    ("text/json", False), ("application/json5", False), ("application/ld+json", False), ("", False), ("not/json", False),
])
def test_json_is_told_by_its_media_type_alone(content_type, is_so):
    """A Content-Type of application/json. Communication 2.2; RFC 2046, 1: in either case."""
    assert is_json(content_type) is is_so


def test_what_is_not_called_json_may_be_anything():
    """Arbitrary binary data. Communication 2.2."""
    check_content("text/plain", b"{\xff")


@settings(max_examples=50)
@given(OBJECTS, OBJECTS)
def test_merging_is_setting_each_posted_property(there, posted):
    """Communication 2.2, "JSON Procedure"."""
    try:
        result = merged("application/json", json.dumps(there).encode(), "application/json", json.dumps(posted).encode())
    except InvalidBody as refused:
        assert "exponents" in refused.rule or "JSON" in refused.rule
    else:
        assert json.loads(result) == {**there, **posted}


@settings(max_examples=50)
@given(OBJECTS)
def test_merging_twice_is_merging_once(posted):
    """A POST sent again changes nothing more."""
    text = json.dumps(posted).encode()
    once = merged("application/json", b'{"first":1}', "application/json", text)
    assert merged("application/json", once, "application/json", text) == once


def test_merging_keeps_the_order_and_the_digits_of_what_is_there():
    """Any valid serialization will do; ours changes nothing it need not. Communication 2.2."""
    assert merged("application/json", b'{"z":1.10,"a":1E5,"m":[0.1000000000000000000001]}', "application/json", b'{"a":2,"b":null}') == (
        b'{"z":1.1,"a":2,"m":[0.1000000000000000000001],"b":null}'
    )


@pytest.mark.parametrize(("there", "posted", "named"), [
    (("text/plain", b"{}"), ("application/json", b"{}"), "there"),
    (("application/json", b"{}"), ("text/plain", b"{}"), "posted"),
    (("application/json", b"[]"), ("application/json", b"{}"), "there"),
    (("application/json", b"{}"), ("application/json", b"1"), "posted"),
])
def test_what_cannot_be_merged_is_named(there, posted, named):
    """The document being posted or any existing document. Communication 2.2, Requirements."""
    with pytest.raises(InvalidBody) as told:
        merged(*there, *posted)
    assert named in told.value.rule
