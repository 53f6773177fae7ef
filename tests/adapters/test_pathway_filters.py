"""Filters of learners: what they let through, and that nothing else is read for it."""

import json

import pytest
from pathway_documents import a_log, a_pathway, a_response, an_activity, completed, elsewhere, emails, of, pathway_desk


@pytest.fixture
async def desk():
    async with pathway_desk() as desk:
        yield desk


def school() -> list[dict[str, object]]:
    """Imports and statements of other systems, in which people are called by several names."""
    learner = {number: f"learner.{number}@example.com" for number in range(6)}
    rows = [
        a_log(email, firstname=f"First {number % 3}", lastname="Of Many", groups=[f"Group {number % 2}"])
        for number, email in learner.items()
    ]
    activities = [an_activity(*rows), an_activity(*rows[:3], completed("", firstname="No", lastname="Mail", groups=["Group 1"]), id="S2")]
    return [a_response(a_pathway(*activities), a_pathway(an_activity(*rows, id="S3"), id="P2"))]


ELSEWHERE = (
    elsewhere(number=1), elsewhere(number=2, actor={"mbox": "mailto:Learner.1@EXAMPLE.com", "name": "Else Where"}),
    elsewhere(number=3, actor={"mbox": "mailto:kim@example.com", "name": "First 1"}, pathway=None),
    elsewhere(number=4, actor={"mbox": "mailto:kim@example.com", "name": "Kim Lee"}, activity="S2", at="2026-01-12T12:00:00Z"),
    elsewhere(number=5, actor={"openid": "https://example.org/sam", "name": "Sam"}, activity="S2", pathway=None),
)
SOME = (
    {"users": ["learner.1@example.com"]}, {"users": ["FIRST 1"]}, {"users": ["first 1 of many", "sam"]}, {"users": ["of many"]},
    {"users": ["no mail"]}, {"users": ["kim lee"]}, {"users": ["kim"]}, {"users": ["else where"]}, {"users": ["nobody"]},
    {"groups": ["group 0"]}, {"groups": ["Group 1"], "users": ["first 1"]}, {"groups": ["none"]},
)


def fits(log, users=(), groups=()):
    """What the reference says of filters, over a row of an answer."""
    names = [log["firstname"], log["lastname"], log["email"], f"{log['firstname']} {log['lastname']}"]
    return (not users or any(name.lower() == user.lower() for name in names for user in users)) and (
        not groups or any(name.lower() == group.lower() for name in log["groups"] for group in groups))


@pytest.mark.parametrize("query", SOME)
@pytest.mark.parametrize("more", [(), (elsewhere(number=9, activity="Unheard%20of"),)])
async def test_what_a_filter_lets_through_is_what_fits_of_the_whole_answer(desk, query, more):
    await desk.take(*school())
    await desk.post(*ELSEWHERE, *more)
    whole, some = await desk.item(), await desk.item(**query)
    for all_of_it, part in zip(whole["activities"], some["activities"], strict=True):
        assert part["logs"] == [log for log in all_of_it["logs"] if fits(log, **query)]
        assert part["stats"]["total"] == len(part["logs"])


@pytest.mark.parametrize("query", [{"users": ["learner.7@example.com"]}, {"groups": ["Group 7"]}, {"users": ["First 7 Many"]}])
async def test_a_filtered_answer_reads_no_standings_of_others(desk, query, monkeypatch):
    rows = [a_log(f"learner.{n}@example.com", firstname=f"First {n}", lastname="Many", groups=[f"Group {n}"]) for n in range(20)]
    await desk.take(a_response(a_pathway(an_activity(*rows), an_activity(*rows, id="S2"))))
    read, store = [], desk.store.statements
    saved, find = store.saved, store.find

    async def saved_told(*asked):
        found = await saved(*asked)
        read.extend(found.values())
        return found

    async def find_told(*asked):
        found = await find(*asked)
        read.extend(summary for _, summary in found)
        return found

    monkeypatch.setattr(store, "saved", saved_told)
    monkeypatch.setattr(store, "find", find_told)
    assert emails(await desk.logs(**query)) == ["learner.7@example.com"]
    assert {each.told.user for each in read} == {"learner.7@example.com"}


async def test_a_person_is_found_by_a_document_that_came_without_terms(desk):
    await desk.take(of(a_log(firstname="Ada", lastname="Byron")))
    [place] = [each for each in desk.store.documents._there if each.agent]
    known = json.loads(desk.store.documents._there[place]) | {"firstname": "Augusta", "lastname": "King"}
    await desk.store.documents.put_profiles("school", {place: json.dumps(known).encode()})
    assert [log["firstname"] for log in await desk.logs(users=["Augusta King"])] == ["Augusta"]
    assert await desk.logs(users=["ada"]) == []
