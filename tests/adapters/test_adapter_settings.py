"""Settings that all adapters have are checked in one way."""

from datetime import UTC, datetime, timedelta

import pytest
from marshmallow import ValidationError

from lrs.adapter_settings import zone_of
from lrs.plugins import load_adapters

ADAPTERS = sorted(name for name, adapter in load_adapters().items() if "base_iri" in adapter.settings().fields)
ZONED = [name for name in ADAPTERS if "source_timezone" in load_adapters()[name].settings().fields]


def load(name, **settings):
    return load_adapters()[name].settings().load(settings)


def test_all_four_adapters_have_them():
    assert {"kolibri", "studyfetch", "pathway", "ofcourseme"} <= set(ADAPTERS)


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_slash_at_the_end_of_the_base_iri_is_dropped(name):
    assert load(name, base_iri="https://school.example.org/xapi//")["base_iri"] == "https://school.example.org/xapi"


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("settings", [
    {"base_iri": "school"}, {"base_iri": "https://school.example.org/?q="}, {"base_iri": 5}, {"home_page": "school"}, {"platform": ""},
    {"language": "en_US"}, {"language": ""},
], ids=str)
def test_what_is_no_iri_name_or_language_is_refused_at_its_place(name, settings):
    with pytest.raises(ValidationError) as refused:
        load(name, **settings)
    assert set(refused.value.messages) == set(settings)


@pytest.mark.parametrize("name", ZONED)
@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../../etc/passwd", "Europe", "+25:00", "+5", "", "\x00"])
def test_what_is_no_time_zone_is_refused(name, zone):
    with pytest.raises(ValidationError) as refused:
        load(name, source_timezone=zone)
    assert set(refused.value.messages) == {"source_timezone"}


def test_a_time_zone_is_known_by_its_name_or_offset():
    noon = datetime(2026, 7, 1, 12)
    assert zone_of("UTC") is UTC and zone_of("Z") is UTC
    assert zone_of("Europe/Rome").utcoffset(noon) == timedelta(hours=2)
    assert zone_of("-0330").utcoffset(noon) == zone_of("-03:30").utcoffset(noon) == -timedelta(hours=3, minutes=30)
