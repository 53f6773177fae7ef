"""Whole documents taken apart: a row is an event, in order; then what they are rows of."""

import pytest
from pathway_documents import a_log, a_pathway, a_response, an_activity, of, statements_of

from adapters.pathway.documents import split
from lrs.errors import InvalidEvent


def test_rows_come_first_in_their_order_and_then_what_they_are_rows_of():
    one, two = an_activity(a_log("a@x"), a_log("b@x")), an_activity(a_log("c@x"), id="S2")
    events = list(split(a_response(a_pathway(one, two))))
    assert [each["log"]["email"] for each in events[:3]] == ["a@x", "b@x", "c@x"]
    assert [set(each) for each in events[3:]] == [{"pathway"}, {"pathway", "activity"}, {"pathway", "activity"}]
    assert all("logs" not in each.get("activity", {}) for each in events)


def test_a_document_is_not_touched():
    document = of(a_log())
    list(split(document))
    assert document == of(a_log())


@pytest.mark.parametrize("wrap", [
    lambda item: a_response(item), lambda item: item, lambda item: [item], lambda item: [a_response(item)], lambda item: {"data": item},
    lambda item: {"data": {"0": item}}, lambda item: {"events": [item]}, lambda item: {"status": " SUCCESS ", "data": [item]},
], ids=["response", "item", "items", "responses", "no array", "php", "events", "spelling"])
def test_a_document_may_come_whole_or_in_parts(wrap):
    item = a_pathway(an_activity(a_log()))
    assert list(split(wrap(item))) == list(split(a_response(item)))


def test_an_event_is_a_document_of_its_own():
    event = next(iter(split(of(a_log()))))
    assert list(split(event)) == list(split(of(a_log())))
    assert list(split({"pathway": event["pathway"]})) == [{"pathway": event["pathway"]}]


def test_what_has_no_rows_is_told_of_once():
    assert list(split(a_response(a_pathway()))) == [{"pathway": a_pathway()["pathway"]}]
    assert len(list(split(a_response(a_pathway(an_activity(), an_activity(id="S2", logs=None)))))) == 3


@pytest.mark.parametrize("item", [
    {"pathway": {}, "activities": [an_activity(a_log(), a_log())]},
    {"activities": [an_activity(a_log(), a_log())], "pathway": None},
    a_pathway(an_activity(a_log(), a_log(), id="", name="")),
])
def test_what_cannot_be_known_is_refused_once_for_each_row_and_not_once_more(item):
    refused = 0
    for event in split(a_response(item)):
        try:
            statements_of(event)
        except InvalidEvent:
            refused += 1
    rows = [event for event in split(a_response(item)) if "log" in event]
    assert refused == len(rows) == 2


@pytest.mark.parametrize(("body", "place"), [
    ({"status": "error", "message": "Pathway not found"}, "status"), ({"status": "ERROR ", "data": []}, "status"), ({}, "data"),
    ([{"status": "error"}], "0.status"), ("text", ""), (None, ""), (7, ""), ([[]], "0"), ({"data": ["x"]}, "data.0"),
])
def test_what_is_no_document_is_refused_as_a_whole_with_its_place(body, place):
    with pytest.raises(InvalidEvent) as refusal:
        list(split(body))
    assert refusal.value.place == place


@pytest.mark.parametrize("body", [a_response(), [], {"data": None}, {"data": []}])
def test_a_document_with_nothing_in_it_is_no_error(body):
    assert list(split(body)) == []
