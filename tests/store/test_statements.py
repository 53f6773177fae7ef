"""Pages: each statement exactly once, in order, at any size; and finding is what `matches` says."""

import msgspec
import pytest
from builders import a_statement, learner

from lrs.xapi.query import parse_query


def ids(page):
    return [each["id"] for each in page.statements]


async def walk(parts, **parameters):
    query = parse_query({key: str(value) for key, value in parameters.items()}, "1.0.3")
    found, after = [], None
    while True:
        page = await parts.statements.page("school", query, after=after)
        found.append(ids(page))
        if page.next is None:
            return found
        after = page.next


@pytest.mark.parametrize("ascending", ["true", "false"])
@pytest.mark.parametrize("limit", [1, 3, 10, 11])
async def test_pages_hold_every_statement_once_in_the_order_of_stored(parts, ascending, limit):
    sent = [a_statement() for _ in range(10)]
    for each in sent:
        await parts.post(each)
    expected = [each["id"] for each in (sent if ascending == "true" else sent[::-1])]
    pages = await walk(parts, ascending=ascending, limit=limit)
    assert sum(pages, []) == expected
    assert all(len(page) == limit for page in pages[:-1])
    assert pages[-1]


async def test_what_is_written_during_a_walk_does_not_shift_its_pages(parts):
    sent = [a_statement() for _ in range(9)]
    await parts.post(*sent)
    query = parse_query({"limit": "3"}, "1.0.3")
    first = await parts.statements.page("school", query)
    await parts.post(*[a_statement() for _ in range(5)])
    second = await parts.statements.page("school", query, after=first.next)
    assert ids(first) + ids(second) == [each["id"] for each in sent[:2:-1]]


async def test_a_position_can_be_put_into_a_cursor(parts):
    await parts.post(a_statement(), a_statement())
    page = await parts.statements.page("school", parse_query({"limit": "1"}, "1.0.3"))
    assert msgspec.json.decode(msgspec.json.encode(page.next)) == page.next


async def test_since_is_exclusive_and_until_inclusive(parts):
    sent = [a_statement() for _ in range(3)]
    await parts.post(*sent)
    middle = await parts.statements.get("school", sent[1]["id"], voided=False)
    assert sum(await walk(parts, since=middle["stored"]), []) == [sent[2]["id"]]
    assert sum(await walk(parts, until=middle["stored"]), []) == [sent[1]["id"], sent[0]["id"]]


async def test_another_tenants_statements_are_not_there(parts):
    await parts.post(a_statement(actor=learner("bob")), tenant="other")
    assert await walk(parts) == [[]]
