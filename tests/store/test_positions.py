"""Positions: the order of the log, in an int64."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.store.positions import SLOTS, last_at, position_of, stored_us_of
from lrs.xapi.times import parse_timestamp

INT64 = range(-(2**63), 2**63)


@given(st.integers(0, 2**53 - 1), st.integers(0, SLOTS - 1))
def test_a_position_contains_its_time_and_is_at_most_the_last_of_it(stored_us: int, slot: int) -> None:
    position = position_of(stored_us, slot)
    assert position in INT64
    assert stored_us_of(position) == stored_us
    assert last_at(stored_us - 1) < position <= last_at(stored_us)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "1500-06-01T00:00:00Z", "2300-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_any_time_that_can_be_asked_for_has_a_position_the_store_can_hold(text: str) -> None:
    assert last_at(parse_timestamp(text)) in INT64


def test_times_far_away_stay_in_their_order() -> None:
    times = [parse_timestamp(f"{year:04}-01-01T00:00:00Z") for year in (1, 1600, 1970, 2026, 2250, 2300, 9999)]
    assert sorted(times, key=last_at) == times
