"""Timestamps and durations."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.errors import InvalidValue
from lrs.xapi.times import duration_s, format_stored, parse_timestamp

NOON = 1_447_848_000_000_000  # 2015-11-18T12:00:00Z in µs
BOTH = ("1.0.3", "2.0.0")


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("text", [
    "2015-11-18T12:00:00Z", "2015-11-18t12:00:00z", "2015-11-18T12:00:00.000+00:00", "2015-11-18T07:00:00-05:00",
    "2015-11-18T17:30:00.0000000+05:30", "2015-11-17T12:30:00-23:30",
])
def test_both_versions_take_rfc_3339(text, version):
    assert parse_timestamp(text, version) == NOON


@pytest.mark.parametrize("text", [
    "2015-11-18T12:00:00", "2015-11-18T12:00Z", "2015-11-18T12Z", "20151118T120000Z", "2015-W47-3T12:00:00Z",
    "2015W473T12",
    "2015-322T12:00:00Z", "2015322T1200Z", "2015-11-18T14:00:00+02", "2015-11-18T14:00:00+0200",
    "2015-11-18T12:00:00,0Z",
])
def test_only_1_0_takes_the_other_forms_of_iso_8601(text):
    assert parse_timestamp(text, "1.0.3") == NOON
    with pytest.raises(InvalidValue):
        parse_timestamp(text, "2.0.0")


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("text", [
    "", "now", "01/011/2015", "2015-11-18", "12:00:00Z", "2015-11-18 12:00:00Z", "2015-02-29T12:00:00Z",
    "2015-13-01T12:00:00Z",
    "2015-11-18T25:00:00Z", "2015-11-18T12:60:00Z", "2015-11-18T12:00:00-00", "2015-11-18T12:00:00-0000",
    "2015-11-18T12:00:00-00:00", "2015-11-18T12:00:00+24:00", "0000-01-01T00:00:00Z", "2015-1118T12:00:00Z",
    "2015-11-18T12:00:00.Z", "2015-11-18T12:00:00Z\n", "２０１５-11-18T12:00:00Z", "2015-000T12:00Z", "2015-366T12:00Z",
    "2015-W54-1T12:00Z", "2015-11-18T24:00:01Z",
])
def test_no_version_takes_what_names_no_instant(text, version):
    with pytest.raises(InvalidValue):
        parse_timestamp(text, version)


def test_a_fraction_belongs_to_the_smallest_unit():
    assert parse_timestamp("2015-11-18T11.5Z") == NOON - 1_800_000_000
    assert parse_timestamp("2015-11-18T11:59.5Z") == NOON - 30_000_000
    assert parse_timestamp("2015-11-18T11:59:59,5Z") == NOON - 500_000


def test_digits_below_a_microsecond_are_cut_off():
    assert parse_timestamp("2015-11-18T12:00:00.0000019Z") == NOON + 1
    assert parse_timestamp("1969-12-31T23:59:59.9999999Z") == -1
    assert parse_timestamp(f"2015-11-18T12:00:00.{'9' * 9000}") == NOON + 999_999


def test_a_leap_second_is_there_only_at_midnight_utc():
    assert parse_timestamp("2016-12-31T23:59:60Z") == parse_timestamp("2017-01-01T00:00:00Z")
    assert parse_timestamp("2017-01-01T05:29:60+05:30") == parse_timestamp("2017-01-01T00:00:00Z")
    with pytest.raises(InvalidValue):
        parse_timestamp("2016-12-31T12:59:60Z")


def test_hour_24_is_the_next_midnight():
    assert parse_timestamp("2015-11-18T24:00:00Z") == parse_timestamp("2015-11-19T00:00:00Z")


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.integers(-1439, 1439))
def test_an_instant_is_the_same_in_every_zone(moment, minutes):
    there = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=minutes)))
    micros = (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    for version in BOTH:
        assert parse_timestamp(there.isoformat(), version) == micros


@given(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999))
def test_what_is_written_is_read_again(micros):
    assert parse_timestamp(format_stored(micros), "2.0.0") == micros


def test_stored_has_all_six_digits_and_utc():
    assert format_stored(NOON) == "2015-11-18T12:00:00.000000Z"


@pytest.mark.parametrize(("text", "seconds"), [
    ("PT1M30S", 90), ("PT16559.14S", 16559.14), ("PT1H0M0.1S", 3600.1), ("P1DT12H36M0.12567S", 131760.12567),
    ("P4W", 2419200),
    ("PT1.5H", 5400), ("P0,5D", 43200), ("PT0S", 0), ("P1.5W", 907200),
])
def test_a_duration_is_a_number_of_seconds(text, seconds):
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", [
    "", "P", "PT", "P1DT", "PA1H0M0S", "P4W1D", "1M", "PT1M1H", "PT1.5H1M", "-PT1S", "PT1S ", "pt1s", "PT1", "P1S",
    "PT1,S", "P1HT1S",
])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(InvalidValue):
        duration_s(text)


@pytest.mark.parametrize("text", ["P3Y", "P1M", "P3Y1M29DT4H35M59.14S"])
def test_months_and_years_have_no_seconds(text):
    with pytest.raises(InvalidValue, match="no fixed number"):
        duration_s(text)


@given(*[st.integers(0, 10**6)] * 4)
def test_the_parts_of_a_duration_add_up(days, hours, minutes, seconds):
    assert duration_s(f"P{days}DT{hours}H{minutes}M{seconds}S") == ((days * 24 + hours) * 60 + minutes) * 60 + seconds
