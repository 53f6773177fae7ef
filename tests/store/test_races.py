"""Races between processes, each staged so that it happens every time."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

from builders import TALLY, Tally, a_statement, a_void_of, learner

from lrs.store.saving import Saved

KEY = "mailto:ada@school.example.org"


async def test_a_target_whose_transaction_was_open_when_its_void_came_is_voided(parts, make_parts):
    await parts.post(a_void_of(str(uuid.uuid4())))  # from now on every writer knows that voids may be waiting
    slow, target = make_parts(), a_statement()
    await slow.post(a_statement())
    about_to_insert, go_on = asyncio.Event(), asyncio.Event()
    insert = slow.log._insert

    async def insert_later(records, session):
        about_to_insert.set()
        await go_on.wait()
        await insert(records, session)

    slow.log._insert = insert_later
    storing = asyncio.create_task(slow.post(target))
    await about_to_insert.wait()
    voiding = asyncio.create_task(parts.post(a_void_of(target["id"], actor=learner("teacher"))))
    await asyncio.sleep(0.3)
    assert not voiding.done()
    go_on.set()
    await asyncio.gather(storing, voiding)
    assert await parts.statements.get("school", target["id"], voided=True)
    assert (await parts.summaries.current("school", TALLY, KEY)).count == 2


async def test_what_rests_on_a_summary_comes_after_it_in_the_log_even_if_the_clock_is_behind(parts, make_parts):
    ahead, behind = make_parts(), make_parts()
    ahead.log._clock = lambda: datetime.now(UTC) + timedelta(seconds=30)
    (first,) = await ahead.post(a_statement())
    assert (await behind.summaries.current("school", TALLY, KEY)).count == 1
    (second,) = await behind.post(a_statement())
    assert await parts.all_ids() == [first.id, second.id]


async def test_a_slow_save_never_replaces_one_that_goes_further(parts):
    further, behind = Saved("k", 20, Tally(count=2)), Saved("k", 10, Tally(count=1))
    await parts.saved.save("school", TALLY, [further])
    await parts.saved.save("school", TALLY, [behind])
    assert (await parts.saved.load("school", TALLY, ["k"]))["k"] == further


async def test_whoever_hangs_up_has_sent_it_all_the_same(parts):
    sent = a_statement()
    posting = asyncio.create_task(parts.post(sent))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)
    await parts.intake.drain()
    assert await parts.all_ids() == [sent["id"]]


async def test_draining_waits_for_what_was_submitted(parts):
    sent = [a_statement() for _ in range(5)]
    posting = [asyncio.create_task(parts.post(each)) for each in sent]
    await asyncio.sleep(0)
    await parts.intake.drain()
    assert sorted(await parts.all_ids()) == sorted(each["id"] for each in sent)
    await asyncio.gather(*posting)
