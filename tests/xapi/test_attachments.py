"""Which data a batch needs, and whether it came. xAPI 1.0.3, Communication 1.5.2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.xapi.attachments import by_hash, declared, held, nowhere, same_media_type
from lrs.xapi.vocabulary import SIGNATURE

A, B = "a" * 64, "b" * 64


def with_files(*attachments: dict, **more: object) -> dict:
    return {"attachments": list(attachments), **more}


def test_attachments_are_found_in_statements_and_substatements_in_their_order() -> None:
    batch = [with_files({"sha2": A}, {"sha2": B}, object=with_files({"sha2": A})), {}, with_files({"sha2": B})]
    places = [(each.index, each.place, each.sha2[0]) for each in declared(batch)]
    assert places == [(0, "attachments.0", "a"), (0, "attachments.1", "b"), (0, "object.attachments.0", "a"), (2, "attachments.0", "b")]
    assert {sha2: len(each) for sha2, each in by_hash(batch).items()} == {A: 2, B: 2}


def test_only_what_has_neither_data_nor_address_is_nowhere() -> None:
    """"neither contain a fileUrl nor match a received Attachment part based on their hash"."""
    batch = [with_files({"sha2": A}, {"sha2": B, "fileUrl": "https://example.org"}, {"sha2": B}, {})]
    assert [each.place for each in nowhere(batch, {A})] == ["attachments.2.fileUrl", "attachments.3.fileUrl"]
    assert nowhere(batch[:0], ()) == [] and len(nowhere(batch, ())) == 3


def test_a_signature_needs_its_data_even_with_an_address() -> None:
    """Data 2.6: it has to be decoded, and its payload compared with the statement."""
    signature = {"usageType": SIGNATURE, "sha2": A, "fileUrl": "https://example.org/signature"}
    assert [each.place for each in nowhere([with_files(signature)], ())] == ["attachments.0"]
    assert nowhere([with_files(signature)], {A}) == []


def test_hexadecimal_digits_mean_the_same_in_either_case() -> None:
    assert nowhere([with_files({"sha2": A.upper()})], {A}) == []
    assert held(with_files({"sha2": A.upper()}, {"sha2": A}), {A}) == [A]


def test_a_statement_holds_only_what_came_for_it() -> None:
    """So nobody reads data by naming its hash in a statement of the own."""
    statement = with_files({"sha2": B}, {"sha2": A, "fileUrl": "https://example.org"})
    assert held(statement, {B}) == [B]
    assert held(statement, {A, B, "c" * 64}) == [B, A]
    assert held({}, {A}) == []


@pytest.mark.parametrize(("one", "other", "same"), [
    ("text/plain", "text/plain; charset=ascii", True), ("TEXT/Plain ;a=b", "text/plain", True), ("text/plain", "text/html", False),
    ("", "text/plain", False), ("image/svg+xml", "image/svg", False),
])
def test_media_types_are_compared_without_their_parameters(one: str, other: str, same: bool) -> None:
    assert same_media_type(one, other) is same


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["attachments", "object", "sha2", "fileUrl", "usageType"]), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=4), st.sets(st.text(max_size=3)))
def test_junk_is_passed_over(junk: list[object], received: set[str]) -> None:
    for problem in nowhere(junk, received):
        assert 0 <= (problem.index or 0) < len(junk) and "attachments." in problem.place
    for each in junk:
        assert set(held(each, received)) <= received
