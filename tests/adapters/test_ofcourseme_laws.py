"""Laws of OfCourseMe's events that hold for any calls."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ofcourseme_desk import CONFIG, SETTINGS

from adapters.ofcourseme.calls import escaped, event_in, posted_event
from adapters.ofcourseme.parameters import (
    INVALID,
    NO_TYPE,
    moment_us,
    name_of,
    parameters_of,
    query_of,
    type_of,
)
from adapters.ofcourseme.schema import CatalogueSchema, SettingsSchema
from adapters.ofcourseme.translate import iso_duration, translate
from lrs.adapter_settings import zone_of
from lrs.errors import InvalidBody, InvalidEvent
from lrs.xapi.times import duration_s, format_stored, parse_timestamp
from lrs.xapi.validate import check_batch

LOADED = SettingsSchema().load(SETTINGS)
RECEIVED_US = parse_timestamp(CONFIG["received_at"])
LAWFUL = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = [
    "type", "TYPE", "user_id", "user\\_id", "amp;userId", "course-id", "entity_id", "timestamp", "duration", "query", "event_id", "x", "",
]
SAYINGS = ["menu-click", "Course_Complete", "2026-01-14", "2026-01-14T18:00:00 01:00", "12.5", "-1", " ", "\ud800"]
TEXTS = st.text(max_size=8) | st.sampled_from(SAYINGS)
PAIRS = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=4), TEXTS), max_size=12)


def of_query(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    return event_in(urlencode(pairs, errors="surrogatepass"))


def outcome(event: Any) -> Any:
    """The statements of an event, or the code with which it is refused."""
    try:
        return translate(event, LOADED, RECEIVED_US)
    except InvalidEvent as error:
        return error.code


@LAWFUL
@given(st.text(max_size=60) | st.binary(max_size=60).map(escaped) | PAIRS.map(lambda pairs: of_query(pairs)["query"]))
def test_any_query_string_is_an_event_or_refused_with_a_code(query: str) -> None:
    told = outcome(event_in(query))
    if isinstance(told, str):
        assert told in (NO_TYPE, INVALID)
        return
    check_batch(told, "1.0.3")
    check_batch(told, "2.0.0")


@LAWFUL
@given(st.binary(max_size=60), st.sampled_from(["", "application/json", "application/x-www-form-urlencoded", "text/plain"]))
def test_any_body_is_an_event_or_refused(body: bytes, kind: str) -> None:
    try:
        event = posted_event("type=menu-click", kind, body)
    except (InvalidBody, InvalidEvent):
        return
    json.dumps(event, ensure_ascii=False).encode()
    outcome(event)


@LAWFUL
@given(PAIRS)
def test_of_a_parameter_that_comes_again_the_first_value_that_says_something_counts(pairs: list[tuple[str, str]]) -> None:
    clean = [(name, text) for name, text in pairs if "\ud800" not in text]
    found = parameters_of(of_query(clean))
    for name in {name_of(key) for key, _ in clean} - {""}:
        said = [text.strip() for key, text in clean if name_of(key) == name and text.strip()]
        assert found.get(name) == (said[0] if said else None)


@LAWFUL
@given(st.dictionaries(st.sampled_from(NAMES[:-1]), st.text(max_size=8) | st.integers(), max_size=8))
def test_a_json_object_says_what_its_query_string_says(posted: dict[str, Any]) -> None:
    event = {"type": "menu-click", **posted}
    assert outcome(event) == outcome(event_in(query_of(event))) == outcome(of_query([(key, str(each)) for key, each in event.items()]))


@LAWFUL
@given(PAIRS, st.integers(0, 2**50))
def test_an_id_is_made_of_the_event_id_or_of_the_receipt_and_all_that_was_said(pairs: list[tuple[str, str]], received_us: int) -> None:
    try:
        [statement] = translate(of_query([("type", "Menu_Click"), *pairs]), LOADED, received_us)
    except InvalidEvent:
        return
    said = parameters_of(of_query([("type", "Menu_Click"), *pairs])) | {"type": "menu-click"}
    parts = ["event", said["event_id"]] if "event_id" in said else ["call", format_stored(received_us), sorted(map(list, said.items()))]
    namespace = uuid5(NAMESPACE_URL, "https://lrs.example.org/xapi/adapters/ofcourseme")
    assert statement["id"] == str(uuid5(namespace, json.dumps(parts, separators=(",", ":"), ensure_ascii=False)))


@given(st.from_regex(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}", fullmatch=True))
def test_every_name_of_letters_digits_and_hyphens_is_a_type(name: str) -> None:
    assert type_of({"type": name}) == name.lower().replace("_", "-")


@pytest.mark.parametrize("key", [
    "user_id", "user\\_id", "USER\\_ID", "userId", "userid", "user-id", " user_id ", "amp;user_id", "AMP;user\\_id",
])
def test_a_key_has_one_name_however_it_is_spelt(key: str) -> None:
    assert name_of(key) == "user_id"


def test_an_object_without_type_has_a_query_string_and_what_stands_beside_it() -> None:
    assert parameters_of({"query": "type=a&x=1", "x": 2, "y": 3}) == {"type": "a", "x": "1", "y": "3"}
    assert parameters_of({"query": "type=a", "Type": "b"}) == {"query": "type=a", "type": "b"}
    assert parameters_of(posted_event("", "application/json", b'{"query": "type=a"}')) == {"query": "type=a"}


def test_what_stands_behind_a_hash_is_no_part_of_a_query() -> None:
    assert parameters_of(event_in("type=a#b&user_id=1")) == {"type": "a"}
    assert parameters_of(posted_event("", "", b"type=a&user_id=1#2")) == {"type": "a", "user_id": "1#2"}


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), st.sampled_from(["UTC", "Europe/Rome", "America/St_Johns", "Pacific/Apia"]))
def test_a_time_without_offset_is_what_clocks_of_the_zone_showed(shown: datetime, name: str) -> None:
    expected = shown.replace(tzinfo=UTC if name == "UTC" else ZoneInfo(name))
    for separator in "T ":
        given_us = moment_us({"timestamp": shown.isoformat(separator)}, "timestamp", zone_of(name))
        assert given_us == (expected - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@given(st.integers(0, 10**12))
def test_durations_are_exact_to_the_millisecond(milliseconds: int) -> None:
    assert duration_s(iso_duration(milliseconds)) == milliseconds / 1000


@pytest.mark.parametrize("length", [-1, "60", None, True, 1e10, float("nan"), {"seconds": 1}, [60]])
def test_a_catalogue_holds_seconds_and_nothing_else(length: Any) -> None:
    assert CatalogueSchema().validate({"0": 60, "1": length}).keys() == {"1"}


@pytest.mark.parametrize("wrong", [
    {"source_timezone": "Europe/Atlantis"}, {"source_timezone": "../../etc/passwd"}, {"source_timezone": ""}, {"source_timezone": "Europe"},
    {"source_timezone": "\0"}, {"home_page": "lms"}, {"language": "english!"}, {"base_iri": "x"}, {"platform": ""}, {"colour": "red"},
])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, str]) -> None:
    assert SettingsSchema().validate(wrong)
