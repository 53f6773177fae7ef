"""Who an agent is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statement_parts import ACCOUNT, AGENT, GROUP, IRI

from lrs.xapi.agents import identities_in, identity, person
from lrs.xapi.values import IRI as IRI_PATTERN


@pytest.mark.parametrize(("agent", "key"), [
    ({"mbox": "mailto:Ada@School.Example.ORG"}, "mailto:Ada@school.example.org"),
    ({"mbox_sha1sum": "AB" * 20}, "sha1sum:" + "ab" * 20),
    ({"openid": f"{IRI}/Ada"}, f"openid:{IRI}/Ada"),
    ({"account": ACCOUNT}, "account:https://school.example.org|ada"),
    (GROUP, None),
])
def test_an_identity_is_one_string_in_which_case_matters_only_where_it_has_meaning(agent, key):
    assert identity(agent) == key


def test_what_people_call_an_agent_does_not_matter():
    assert identity({**AGENT, "name": "Countess"}) == identity(AGENT)


def test_a_group_brings_its_members_and_itself_if_it_has_an_identity():
    assert identities_in(GROUP) == ["mailto:ada@school.example.org", "account:https://school.example.org|ada"]
    assert identities_in({**GROUP, "mbox": "mailto:class@x.org"})[0] == "mailto:class@x.org"


@given(*[st.from_regex(IRI_PATTERN, fullmatch=True), st.text(max_size=5)] * 2)
def test_no_two_accounts_share_a_key(page, name, other_page, other_name):
    one, other = ({"account": {"homePage": p, "name": n}} for p, n in ((page, name), (other_page, other_name)))
    assert (identity(one) == identity(other)) == (one == other)


def test_a_person_has_every_name_and_identifier_once():
    assert person([AGENT, {**AGENT, "name": "Countess"}, {"account": ACCOUNT}]) == {
        "objectType": "Person", "name": ["Ada", "Countess"], "mbox": [AGENT["mbox"]], "account": [ACCOUNT],
    }
