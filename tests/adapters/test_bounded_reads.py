"""Lists of any length are read with little of them in memory at once, and are what they would be all at once."""

import pytest
from builders import TALLY, a_statement, learner
from hypothesis import given
from hypothesis import strategies as st

from adapters.kolibri.queries import Page, Window, paged
from adapters.studyfetch import usage as usage_module
from adapters.studyfetch.facts import Fact
from adapters.studyfetch.reports import newest_first
from adapters.studyfetch.usage import Latest
from lrs.errors import NotFound

facts = st.lists(st.builds(Fact, st.text("abc", min_size=1, max_size=3), st.integers(0, 5), st.just("chat")), max_size=40, unique=True)


@given(facts, st.integers(0, 50), st.booleans())
def test_the_latest_of_many_events_are_those_of_all_of_them_sorted(given_facts: list[Fact], number: int, last: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(usage_module, "SPARE", 2)
        latest = Latest(number, last=last)
        for each in given_facts:
            latest.add(each)
            assert len(latest._facts) <= 2 * number + 2
    whole = newest_first(given_facts)
    wanted = whole[:number] if last else whole[max(0, len(whole) - number):]
    assert [each.at_us for each in latest.newest_first()] == [each.at_us for each in wanted]
    assert latest.count == len(given_facts)


@given(st.integers(0, 30), st.none() | st.builds(Page, st.integers(1, 10), st.integers(1, 10)))
def test_a_page_of_a_list_holds_no_more_than_the_page(number: int, page: Page | None) -> None:
    window, held = Window(page), 0
    for entry in range(number):
        if window.takes_next():
            window.add(entry)
            held += 1
    whole = list(range(number))
    if page is None:
        assert window.answer() == whole == paged(None, whole)
        return
    assert held <= page.size
    first = (page.number - 1) * page.size
    if page.number > 1 and first >= number:
        with pytest.raises(NotFound):
            window.answer()
    else:
        assert window.answer()["results"] == whole[first:first + page.size]
        assert window.answer()["count"] == number


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_summaries_one_after_the_other_are_all_there_are(parts, monkeypatch, size):
    monkeypatch.setattr("lrs.summaries.EACH_PAGE", size)
    await parts.post(*(a_statement(actor=learner(name)) for name in ("ada", "bob", "cyd", "ada")))
    for facets in ({}, {"size": "many"}, {"size": ["many", "few"]}, {"size": "none"}):
        whole = [summary for _, summary in await parts.summaries.find("school", TALLY, facets)]
        assert [each async for each in parts.summaries.each("school", TALLY, facets)] == whole
    assert len([each async for each in parts.summaries.each("school", TALLY, {})]) == 4
