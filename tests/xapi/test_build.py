"""What all translators share."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.xapi import vocabulary
from lrs.xapi.build import account_actor, activity, uuid5_of, verb
from lrs.xapi.schema import check
from lrs.xapi.values import check_iri

NAMESPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
PARTS = st.lists(st.text(max_size=3) | st.integers(-5, 5) | st.none() | st.booleans(), max_size=4)


def test_what_is_built_is_a_valid_statement():
    built = {
        "actor": account_actor("https://school.example.org", "ada", display_name="Ada"),
        "verb": verb(vocabulary.ANSWERED),
        "object": activity(
            "https://school.example.org/q", vocabulary.QUESTION, name={"en": "Q"},
            extensions={vocabulary.VIDEO_LENGTH: 3}
        ),
    }
    check(built, "1.0.3")
    check(built, "2.0.0")


def test_what_is_not_given_is_left_out():
    assert activity("https://x.org/a") == {"objectType": "Activity", "id": "https://x.org/a"}
    assert account_actor("https://x.org", "ada") == {
        "objectType": "Agent", "account": {"homePage": "https://x.org", "name": "ada"},
    }


def test_a_verb_is_shown_as_the_last_word_of_its_iri():
    assert verb(vocabulary.LOGGED_IN)["display"] == {"en": "logged in"}
    assert verb(vocabulary.CREATED, {"de": "erstellt"})["display"] == {"de": "erstellt"}


def test_the_ids_of_today_are_the_ids_of_tomorrow():
    assert uuid5_of(NAMESPACE, ["attemptlog", "a1", "answered"]) == "e116311d-deaf-5cab-94bc-9c5d11fe736d"


@given(PARTS, PARTS)
def test_parts_have_the_same_id_only_if_they_are_the_same(one, other):
    same = [(type(part), part) for part in one] == [(type(part), part) for part in other]
    assert (uuid5_of(NAMESPACE, one) == uuid5_of(NAMESPACE, other)) == same


def test_the_order_of_keys_does_not_change_an_id():
    assert uuid5_of(NAMESPACE, [{"a": 1, "b": 2}]) == uuid5_of(NAMESPACE, [{"b": 2, "a": 1}])


def test_what_json_does_not_have_gives_no_id():
    with pytest.raises(TypeError):
        uuid5_of(NAMESPACE, [object()])


def test_every_word_of_the_vocabulary_is_an_iri_and_there_once():
    words = [value for name, value in vars(vocabulary).items() if name.isupper()]
    for word in words:
        check_iri(word)
    assert len(words) == len(set(words)) > 80
