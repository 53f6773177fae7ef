"""What is put together of checkers judges as they do."""

from hypothesis import given
from hypothesis import strategies as st

from lrs.xapi import shapes
from lrs.xapi.json_text import Verbatim
from lrs.xapi.shapes import Fault, list_of, map_of, object_of, one_of, remembered
from lrs.xapi.values import check_iri, check_number, check_text

PARTS = {"kind": one_of("a", "b"), "id": check_iri, "names": map_of(check_text, check_text), "sizes": list_of(check_number)}
_plain = object_of(PARTS, ("id",))
VALUES = st.fixed_dictionaries({}, optional={
    "kind": st.sampled_from(["a", "b", "c", 1, None]),
    "id": st.sampled_from(["https://example.org/x", "x", 7, True]),
    "names": st.dictionaries(st.sampled_from(["en", "de"]), st.sampled_from(["x", "é", "\ud800", 1, None])),
    "sizes": st.lists(st.sampled_from([1, 1.0, True, "1", None, Verbatim("1e400")]), max_size=2),
}) | st.sampled_from([None, [], "x", 1])


def verdict(check, value):
    try:
        check(value)
    except Fault as fault:
        return fault.place, fault.rule
    return None


@given(st.lists(VALUES, max_size=12))
def test_a_checker_that_remembers_judges_as_one_that_does_not_whatever_came_before(values):
    remembering = remembered(_plain)
    for value in [*values, *values]:
        assert verdict(remembering, value) == verdict(_plain, value)


def test_what_is_remembered_is_not_judged_again_and_no_more_than_a_number_of_parts_is(monkeypatch):
    monkeypatch.setattr(shapes, "MOST_REMEMBERED", 2)
    judged = []
    remembering = remembered(judged.append)
    for value in ("a", "b", "a", "b", "c", "c", "a"):
        remembering(value)
    assert judged == ["a", "b", "c", "a"]


def test_a_long_part_is_judged_each_time():
    judged = []
    remembering = remembered(judged.append)
    remembering("x" * 1_000)
    remembering("x" * 1_000)
    assert len(judged) == 2
