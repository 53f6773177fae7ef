"""The log on a real MongoDB: all or none, once, in order, and a watermark that holds."""

import asyncio

import pytest
from builders import a_statement, a_void_of, learner

from lrs.errors import InvalidStatements, StatementConflict
from lrs.store.positions import last_at, stored_us_of
from lrs.store.writers import Fenced
from lrs.xapi.json_text import dump, parse
from lrs.xapi.times import parse_timestamp

ID = "6690e6c9-3ef0-4ed3-8b37-7f3964730bee"


async def test_a_statement_comes_back_as_it_was_sent(parts):
    sent = a_statement(result={"extensions": {"https://x.example/$a.b": {"$set": 1, "x.y": [1.5, None, "ü"], "": {}}}})
    await parts.post(sent)
    got = await parts.statements.get("school", sent["id"], voided=False)
    assert {name: got[name] for name in sent} == sent
    assert list(got["result"]["extensions"]["https://x.example/$a.b"]) == ["$set", "x.y", ""]


@pytest.mark.parametrize("value", [
    r'{"a\u0000b": 1}', "1180591620717411303424", "[[[9223372036854775808]]]", r'"nul \u0000 in text"', "1e-320", "-0.0",
    "0.1234567890123456789",
])
async def test_what_bson_cannot_hold_comes_back_all_the_same(parts, value):
    sent = a_statement(result={"extensions": {"https://x.example/e": parse(value)}})
    await parts.post(sent)
    got = await parts.statements.get("school", sent["id"], voided=False)
    assert dump(got["result"]["extensions"]) == b'{"https://x.example/e":' + value.encode().replace(b": ", b":") + b"}"


async def test_the_same_statement_twice_is_stored_once(parts):
    sent = a_statement()
    assert [each.stored for each in await parts.post(sent)] == [True]
    assert [each.stored for each in await parts.post(sent)] == [False]
    assert await parts.all_ids() == [sent["id"]]


async def test_an_id_is_the_same_in_either_case(parts):
    sent = a_statement(id=ID)
    await parts.post(sent)
    assert [each.stored for each in await parts.post({**sent, "id": ID.upper()})] == [False]
    assert await parts.statements.get("school", ID.upper(), voided=False)


async def test_a_second_different_statement_with_the_same_id_is_a_conflict_and_changes_nothing(parts):
    await parts.post(a_statement(id=ID))
    with pytest.raises(StatementConflict) as refused:
        await parts.post(a_statement(id=ID, actor=learner("bob")))
    assert refused.value.ids == (ID,)
    got = await parts.statements.get("school", ID, voided=False)
    assert got["actor"] == learner()


async def test_a_batch_with_a_conflict_stores_nothing(parts):
    await parts.post(a_statement(id=ID))
    with pytest.raises(StatementConflict):
        await parts.post(a_statement(), a_statement(id=ID, actor=learner("bob")), a_statement())
    assert await parts.all_ids() == [ID]


async def test_a_batch_with_a_bad_item_stores_nothing_and_names_every_bad_item(parts):
    with pytest.raises(InvalidStatements) as refused:
        await parts.post(a_statement(), a_statement(actor={}), a_statement(verb={"id": "no-iri"}))
    assert [problem.index for problem in refused.value.problems] == [1, 2]
    assert await parts.all_ids() == []


async def test_a_conflict_of_one_caller_is_nothing_to_the_others_gathered_with_it(parts):
    await parts.post(a_statement(id=ID))
    good = [a_statement() for _ in range(20)]
    outcomes = await asyncio.gather(
        *(parts.post(each) for each in good[:10]), parts.post(a_statement(id=ID, actor=learner("bob"))),
        *(parts.post(each) for each in good[10:]), return_exceptions=True,
    )
    assert isinstance(outcomes.pop(10), StatementConflict)
    assert all(outcome[0].stored for outcome in outcomes)
    assert set(await parts.all_ids()) == {ID, *(each["id"] for each in good)}


async def test_of_different_statements_with_one_id_sent_at_once_one_is_stored_and_the_others_conflict(parts, make_parts):
    others = [parts, make_parts(), make_parts()]
    sent = [a_statement(id=ID, actor=learner(f"learner{number}")) for number in range(30)]
    outcomes = await asyncio.gather(
        *(others[number % 3].post(each) for number, each in enumerate(sent)), return_exceptions=True
    )
    stored = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, list)]
    assert len(stored) == 1
    assert (await parts.statements.get("school", ID, voided=False))["actor"] == sent[stored[0]]["actor"]


async def test_what_waits_and_is_then_refused_is_no_conflict_for_what_is_stored(parts):
    """The same again is taken, whatever else is sent under its id at the same moment. Promise 2."""
    stored, other = a_statement(id=ID), a_statement(id=ID, actor=learner("bob"))
    await parts.post(stored)
    first, same = await asyncio.gather(parts.post(other), parts.post(stored), return_exceptions=True)
    assert isinstance(first, StatementConflict)
    assert [each.stored for each in same] == [False]


async def test_who_waits_behind_a_batch_that_is_refused_may_have_the_id(parts):
    taken = a_statement()
    await parts.post(taken)
    refused, free = await asyncio.gather(
        parts.post(a_statement(id=ID, actor=learner("bob")), {**taken, "actor": learner("cyd")}), parts.post(a_statement(id=ID)),
        return_exceptions=True,
    )
    assert isinstance(refused, StatementConflict)
    assert refused.ids == (taken["id"],)
    assert [each.stored for each in free] == [True]
    assert (await parts.statements.get("school", ID, voided=False))["actor"] == learner()


async def test_200_statements_posted_by_20_clients_at_once_are_200_statements(parts, make_parts):
    sent = [a_statement() for _ in range(200)]
    processes = [parts, make_parts(), make_parts(), make_parts()]
    outcomes = await asyncio.gather(
        *(processes[client % 4].post(each) for client in range(20) for each in sent)
    )
    assert sum(outcome[0].stored for outcome in outcomes) == 200
    assert sorted(await parts.all_ids()) == sorted(each["id"] for each in sent)


async def test_tenants_do_not_share_ids(parts):
    await parts.post(a_statement(id=ID))
    assert [each.stored for each in await parts.post(a_statement(id=ID, actor=learner("bob")), tenant="other")] == [True]
    assert (await parts.statements.get("school", ID, voided=False))["actor"] == learner()


async def test_stored_is_the_order_of_the_log_and_strictly_rises_within_a_batch(parts):
    sent = [a_statement() for _ in range(50)]
    await parts.post(*sent)
    got = [await parts.statements.get("school", each["id"], voided=False) for each in sent]
    times = [parse_timestamp(each["stored"]) for each in got]
    assert times == sorted(set(times))


async def test_a_voided_statement_is_found_only_as_voided(parts):
    await parts.post(a_statement(id=ID))
    (void,) = await parts.post(a_void_of(ID))
    assert await parts.statements.get("school", ID, voided=False) is None
    assert (await parts.statements.get("school", ID, voided=True))["id"] == ID
    assert await parts.all_ids() == [void.id]


async def test_a_void_that_comes_before_its_target_voids_it_all_the_same(parts, make_parts):
    (void,) = await parts.post(a_void_of(ID))
    await make_parts().post(a_statement(id=ID))
    assert await parts.all_ids() == [void.id]


async def test_a_void_and_its_target_in_one_batch(parts):
    void = a_void_of(ID)
    await parts.post(void, a_statement(id=ID))
    assert await parts.all_ids() == [void["id"]]


async def test_a_void_cannot_be_voided(parts):
    await parts.post(a_statement(id=ID))
    (void,) = await parts.post(a_void_of(ID))
    (second,) = await parts.post(a_void_of(void.id))
    assert await parts.all_ids() == [void.id, second.id]


async def test_voids_and_targets_racing_between_processes_never_miss_one_another(make_parts):
    one, other = make_parts(), make_parts()
    targets = [a_statement() for _ in range(60)]
    await asyncio.gather(
        *(one.post(each) for each in targets), *(other.post(a_void_of(each["id"])) for each in targets)
    )
    left = set(await one.all_ids())
    assert not left & {each["id"] for each in targets}


async def test_nothing_is_committed_at_or_below_a_watermark_once_it_is_known(make_parts):
    writers = [make_parts() for _ in range(3)]
    reader = make_parts()
    seen: set[str] = set()
    mark = 0
    done = asyncio.Event()

    async def write(writer):
        for _ in range(40):
            await writer.post(*[a_statement() for _ in range(3)])

    async def read():
        nonlocal mark
        records = reader.database["records"]
        while True:
            last = done.is_set()
            through = await reader.watermark.through(fresh=True)
            found = records.find({"tenant": "school", "position": {"$gt": mark, "$lte": last_at(through)}})
            seen.update([each["_id"] async for each in found])
            mark = last_at(through)
            if last:
                return

    reading = asyncio.create_task(read())
    await asyncio.gather(*(write(writer) for writer in writers))
    done.set()
    await reading
    everything = {each["_id"] async for each in reader.database["records"].find({})}
    assert len(everything) == 360
    assert seen == everything


async def test_a_writer_whose_clock_is_behind_is_lifted_over_the_watermark(parts, make_parts):
    late = make_parts()
    late.log._clock = lambda: __import__("datetime").datetime(2020, 1, 1, tzinfo=__import__("datetime").UTC)
    through = await parts.watermark.through(fresh=True)
    (accepted,) = await late.post(a_statement())
    got = await parts.statements.get("school", accepted.id, voided=False)
    assert parse_timestamp(got["stored"]) > through


async def test_a_forgotten_writer_registers_again(parts):
    await parts.post(a_statement())
    await parts.database["writers"].delete_many({})
    await parts.post(a_statement())
    assert len(await parts.all_ids()) == 2


async def test_a_fenced_transaction_writes_nothing(parts):
    await parts.post(a_statement())
    positions = await parts.log._writer.take(1, 0)
    await parts.database["writers"].update_many({}, {"$max": {"floor": last_at(stored_us_of(positions[0]))}})
    with pytest.raises(Fenced):
        async with parts.database.transaction() as session:
            await parts.log._writer.fence(positions[0], session)
