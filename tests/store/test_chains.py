"""References on a real MongoDB: a statement is found by what it refers to, at any remove, whichever came first."""

import asyncio
import json
import random
import threading
import uuid

import pytest
from builders import a_statement, a_void_of, learner

from lrs.xapi.lookups import look_ups
from lrs.xapi.query import matches, parse_query
from lrs.xapi.times import parse_timestamp

VERBS = [f"https://x.example/verbs/{number}" for number in range(6)]


def an_id(number=None):
    return str(uuid.UUID(int=number, version=4)) if number else str(uuid.uuid4())


def a_link(target, **parts):
    """A statement that refers to another."""
    return a_statement(object={"objectType": "StatementRef", "id": target}, **parts)


def a_chain(length, *, closed=False):
    """Statements of which each refers to the next, each with a verb and an actor of its own; the last to an activity or the first."""
    ids = [an_id() for _ in range(length)]
    links = [
        a_link(target, id=own, verb={"id": VERBS[number]}, actor=learner(f"learner{number}"))
        for number, (own, target) in enumerate(zip(ids, [*ids[1:], ids[0]], strict=True))
    ]
    if not closed:
        links[-1] = {**links[-1], "object": {"id": "https://x.example/activities/end"}}
    return links


async def nothing(*_):
    """As if the process had ended before it could."""


async def found(parts, **parameters):
    page = await parts.statements.page("school", parse_query({"ascending": "true", **parameters}, "1.0.3"))
    return [each["id"] for each in page.statements]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("closed", [False, True], ids=["open", "cycle"])
async def test_a_chain_is_found_by_each_of_its_links_in_whatever_order_it_comes(parts, make_parts, seed, closed):
    chain = a_chain(5, closed=closed)
    others = [parts, make_parts()]
    order = random.Random(seed).sample(chain, len(chain))
    while order:
        size = 1 + seed % 3
        batch, order = order[:size], order[size:]
        await others[len(order) % 2].post(*batch)
    for number in range(5):
        expected = {each["id"] for each in (chain if closed else chain[:number + 1])}
        assert set(await found(parts, verb=VERBS[number])) == expected
        assert set(await found(parts, agent=json.dumps(learner(f"learner{number}")))) == expected
    everything = set() if closed else {each["id"] for each in chain}
    assert set(await found(parts, activity="https://x.example/activities/end")) == everything
    assert not [each async for each in parts.database["records"].find({"awaits": {"$exists": True}})]


async def test_a_statement_that_refers_to_itself_is_found_once(parts):
    own = an_id()
    await parts.post(a_link(own, id=own, verb={"id": VERBS[0]}))
    assert await found(parts, verb=VERBS[0]) == [own]


async def test_a_void_is_found_by_what_it_voids_and_what_it_voids_is_not(parts):
    target = a_statement(verb={"id": VERBS[0]})
    void = a_void_of(target["id"])
    await parts.post(target)
    await parts.post(void)
    assert await found(parts, verb=VERBS[0]) == [void["id"]]


async def test_a_reference_to_a_voided_statement_is_still_found_by_it(parts):
    target = a_statement(verb={"id": VERBS[0]})
    link = a_link(target["id"], verb={"id": VERBS[1]})
    void = a_void_of(target["id"])
    await parts.post(void)
    await parts.post(link)
    await parts.post(target)
    assert set(await found(parts, verb=VERBS[0])) == {link["id"], void["id"]}


async def test_the_time_range_is_about_the_reference_itself(parts):
    target = a_statement(verb={"id": VERBS[0]})
    await parts.post(target)
    stored = (await parts.statements.get("school", target["id"], voided=False))["stored"]
    link = a_link(target["id"])
    await parts.post(link)
    assert await found(parts, verb=VERBS[0], since=stored) == [link["id"]]
    assert await found(parts, verb=VERBS[0], until=stored) == [target["id"]]


async def test_references_do_not_reach_into_another_tenant(parts):
    target = a_statement(verb={"id": VERBS[0]})
    link = a_link(target["id"])
    await parts.post(link)
    await parts.post(target, tenant="other")
    assert await found(parts, verb=VERBS[0]) == []


@pytest.mark.parametrize("closed", [False, True], ids=["open", "cycle"])
async def test_references_and_targets_racing_between_processes_never_miss_one_another(make_parts, closed):
    processes = [make_parts() for _ in range(3)]
    chains = [a_chain(3, closed=closed) for _ in range(25)]
    await asyncio.gather(*(
        processes[(number + link) % 3].post(each) for number, chain in enumerate(chains) for link, each in enumerate(chain)
    ))
    for number in range(3):
        expected = {each["id"] for chain in chains for each in (chain if closed else chain[:number + 1])}
        assert set(await found(processes[0], verb=VERBS[number])) == expected


async def test_the_first_reference_of_all_waits_for_who_stores_its_target_without_looking(parts, make_parts):
    slow, target = make_parts(), a_statement(verb={"id": VERBS[0]})
    link = a_link(target["id"])
    fenced, go_on = threading.Event(), threading.Event()
    fence = slow.log._writer.fence_now

    def fence_and_wait(*given):
        orphans = fence(*given)
        fenced.set()
        assert go_on.wait(10)
        return orphans

    slow.log._writer.fence_now = fence_and_wait
    storing = asyncio.create_task(slow.post(target))
    assert await asyncio.to_thread(fenced.wait, 10)
    linking = asyncio.create_task(parts.post(link))
    await asyncio.wait({linking}, timeout=0.3)
    assert not linking.done()
    go_on.set()
    await asyncio.gather(storing, linking)
    assert set(await found(parts, verb=VERBS[0])) == {target["id"], link["id"]}


async def test_what_a_chain_is_moved_on_to_may_be_stored_at_that_very_moment(parts, make_parts):
    """By a transaction that sees the middle of the chain await it, and not yet its beginning."""
    first, middle, last = a_chain(3)
    await parts.post(middle)
    await parts.post(first)
    # As if both had been stored at the same moment, and nobody had looked again.
    await parts.database["records"].update_one(
        {"_id": f"school/{first['id']}"}, {"$set": {"awaits": middle["id"]}, "$pull": {"verb": VERBS[1]}}
    )
    slow, storing = make_parts(), []
    about_to_insert, go_on = asyncio.Event(), asyncio.Event()
    insert, settle, through = slow.log._insert, parts.log._settle_once, parts.watermark.through

    async def insert_later(records, session):
        about_to_insert.set()
        await go_on.wait()
        await insert(records, session)

    async def settle_meanwhile(end):
        if not storing:
            storing.append(asyncio.create_task(slow.post(last)))
            await about_to_insert.wait()
        return await settle(end)

    async def through_waits_for_who_is_storing(**options):
        if storing:
            go_on.set()
        return await through(**options)

    slow.log._insert, parts.log._settle_once = insert_later, settle_meanwhile
    parts.watermark.through = through_waits_for_who_is_storing
    await parts.log.see_to_references({("school", middle["id"])})
    go_on.set()
    await asyncio.gather(*storing)
    for number in range(3):
        assert set(await found(parts, verb=VERBS[number])) == {each["id"] for each in (first, middle, last)[:number + 1]}


async def test_the_follower_sees_to_a_reference_whose_process_died_before_it_could(parts):
    target = a_statement(verb={"id": VERBS[0]})
    link = a_link(target["id"])
    await parts.post(link)
    await parts.post(target)
    # As if both had been stored at the same moment, and nobody had looked again.
    await parts.database["records"].update_one(
        {"_id": f"school/{link['id']}"}, {"$set": {"awaits": target["id"]}, "$pull": {"verb": VERBS[0]}}
    )
    assert await found(parts, verb=VERBS[0]) == [target["id"]]
    await parts.follower.settle("school")
    assert set(await found(parts, verb=VERBS[0])) == {link["id"], target["id"]}


async def test_more_references_than_one_transaction_takes_are_all_reached(parts, monkeypatch):
    monkeypatch.setattr("lrs.store.chains.MOST_AT_ONCE", 4)
    target = a_statement(verb={"id": VERBS[0]})
    links = [a_link(target["id"]) for _ in range(11)]
    await parts.post(*links)
    await parts.post(target)
    assert set(await found(parts, verb=VERBS[0])) == {target["id"], *(each["id"] for each in links)}


async def test_the_follower_hands_to_the_rest_if_the_process_died_amid_more_than_one_transaction_takes(parts, monkeypatch):
    monkeypatch.setattr("lrs.store.chains.MOST_AT_ONCE", 4)
    target = a_statement(verb={"id": VERBS[0]})
    links = [a_link(target["id"]) for _ in range(11)]
    await parts.post(*links)
    await parts.follower.settle("school")
    with monkeypatch.context() as dying:
        dying.setattr(parts.log, "see_to_references", nothing)
        await parts.post(target)
    assert len(await found(parts, verb=VERBS[0])) == 1 + 4
    await parts.follower.settle("school")
    assert set(await found(parts, verb=VERBS[0])) == {target["id"], *(each["id"] for each in links)}


@pytest.mark.parametrize("seed", range(8))
async def test_finding_among_random_references_is_filtering_all_by_matches(parts, seed):
    chance = random.Random(seed)
    ids = [an_id() for _ in range(14)]
    sent = [
        a_statement(
            id=own, verb={"id": chance.choice(VERBS[:3])}, actor=learner(chance.choice("ab")),
            context=chance.choice([{}, {"instructor": learner("c")}, {"registration": an_id(7)}]),
            object=chance.choice([
                {"objectType": "StatementRef", "id": chance.choice([*ids, an_id()])}, {"id": VERBS[4]},
                {"objectType": "StatementRef", "id": chance.choice(ids).upper()},
            ]),
        )
        for own in ids
    ]
    left = list(sent)
    while left:
        size = chance.randint(1, 4)
        await parts.post(*left[:size])
        left = left[size:]
    stored = [await parts.statements.get("school", each["id"], voided=False) for each in sent]
    looked_up = {each["id"]: look_ups(each) for each in stored}
    for parameters in (
        {"verb": VERBS[0]}, {"verb": VERBS[1], "agent": json.dumps(learner("a"))}, {"activity": VERBS[4]},
        {"registration": an_id(7)}, {"agent": json.dumps(learner("c")), "related_agents": "true", "verb": VERBS[2]},
        {"verb": VERBS[0], "since": stored[5]["stored"]},
    ):
        query = parse_query({"ascending": "true", **parameters}, "1.0.3")
        expected = [
            each["id"] for each in stored
            if matches(query, looked_up[each["id"]], parse_timestamp(each["stored"]), False, targets(each["id"], looked_up))
        ]
        assert await found(parts, **parameters) == expected


def targets(statement_id, looked_up):
    """The look-ups along a chain, its first link left out."""
    chain, at = [], looked_up[statement_id].refs
    while at in looked_up and looked_up[at] not in chain and at != statement_id:
        chain.append(looked_up[at])
        at = looked_up[at].refs
    return chain
