"""Roll-ups: whatever comes in whichever order, the lines are the sum of the rows of the recounted cells."""

import asyncio
import random
from dataclasses import replace

import pytest
from builders import a_statement, a_void_of, learner
from conftest import Parts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rollup_builders import DAYS, added_up, erase, kept_lines, recounted

from lrs.materialize import Line, Row, no_rows
from lrs.store.positions import last_at
from lrs.store.rollups import MOST, Changes, rows_of

SUMS = "https://school.example.org/activities/sums"
ADA, BOB = "mailto:ada@school.example.org", "mailto:bob@school.example.org"


@pytest.fixture
def process(database, config):
    """The parts of a process in which these materializers are installed."""
    return lambda *materializers: Parts.of(database, config, {each.name: each for each in materializers or (DAYS,)})


def at(hour, name="ada", **parts):
    return a_statement(timestamp=f"{hour}:00:00.000Z", actor=learner(name), **parts)


async def assert_lines_are_right(parts, tenant="school"):
    await parts.follower.settle(tenant)
    cells = await recounted(parts.saved, tenant, DAYS, last_at(await parts.watermark.through(fresh=True)))
    assert await kept_lines(parts.database, tenant, DAYS) == added_up(DAYS, cells)


async def test_lines_are_added_up_by_scope_bucket_and_dims(process):
    parts = process()
    score = {"score": {"scaled": 0.5}}
    await parts.post(
        at("2026-03-02T09"), at("2026-03-02T10", result=score), at("2026-03-02T10", "bob"), at("2026-03-03T10", "bob", result=score),
    )

    async def rows(scope, **choice):
        return await parts.summaries.rows("school", DAYS, scope, **choice)

    assert await rows("all", since="2026-03-02", until="2026-03-03", by=["bucket:10"], sums=["count", "millionths"]) == [
        Line(("2026-03-02",), {"count": 3, "millionths": 500_000}, 0)
    ]
    assert await rows("all", since="2026", by=["learner", "bucket"], sums=["count"], where={"learner": BOB}) == [
        Line((BOB, "2026-03-02T10"), {"count": 1}, 0), Line((BOB, "2026-03-03T10"), {"count": 1}, 0),
    ]
    assert await rows(["all", f"activity={SUMS}"], by=["scope"], since="2026", distinct="learner", sums=["count"]) == [
        Line((f"activity={SUMS}",), {"count": 4}, 2), Line(("all",), {"count": 4}, 2),
    ]
    assert await rows("all", until="2026") == [Line((), {"cells": 4, "count": 4}, 0)]
    assert await rows("all", where={"learner": [ADA, BOB]}, by=["bucket:7"], distinct="learner") == [
        Line(("2026-03",), {"count": 4, "millionths": 1_000_000}, 2)
    ]
    assert await rows("none") == []


async def test_what_a_line_lacks_is_empty_and_no_distinct_value(process):
    parts = process()
    await parts.post(at("2026-03-02T09"))
    found = await parts.summaries.rows("school", DAYS, "all", by=["learner"], sums=["count"], distinct="learner")
    assert found == [Line(("",), {"count": 1}, 0), Line((ADA,), {"count": 1}, 1)]


async def test_rows_reflect_what_was_just_acknowledged_and_through_says_up_to_when(process):
    parts = process()
    for number in range(1, 5):
        (accepted,) = await parts.post(at("2026-03-02T09"))
        record = await parts.database["records"].find_one({"_id": f"school/{accepted.id}"})
        assert await parts.summaries.through("school") << 10 > record["position"] - 1024
        assert await parts.summaries.rows("school", DAYS, "all", sums=["count"], until="2") == [Line((), {"count": number}, 0)]


async def test_a_void_takes_back_what_was_added_and_a_line_without_cells_is_gone(process):
    parts = process()
    sent = at("2026-03-02T09")
    await parts.post(sent, at("2026-03-02T10"))
    await parts.follower.settle("school")
    await parts.post(a_void_of(sent["id"], actor={"account": {"homePage": "https://x.example", "name": "t"}}))
    found = await parts.summaries.rows("school", DAYS, "all", since="2", by=["bucket"])
    assert [line.group for line in found] == [("2026-03-02T10",)]
    await assert_lines_are_right(parts)


async def test_what_a_cell_has_added_is_taken_back_without_the_code_that_added_it(process, database):
    parts = process()
    await parts.post(at("2026-03-02T09"), at("2026-03-02T09", "bob"))
    await parts.follower.settle("school")
    await database["summaries"].update_many({}, {"$set": {"state": b"no JSON"}})
    changed = process(replace(DAYS, rows=lambda key, day: [Row("other", "", {}, {"count": day.count})]))
    await changed.post(at("2026-03-02T09"))
    await changed.follower.settle("school")
    assert await changed.summaries.rows("school", DAYS, "other", sums=["count"]) == [Line((), {"count": 2}, 0)]
    assert await changed.summaries.rows("school", DAYS, "all", sums=["count"], until="2") == [Line((), {"count": 1}, 0)]


def _fails(_key, day):
    return [Row("all", "", {}, {"count": day.count // (day.count - 2)})]


@pytest.mark.parametrize("rows", [
    _fails,
    lambda key, day: [Row("all", "", {}, {"count": day.count + 0.5 if day.count == 2 else 1})],
    lambda key, day: [Row("all", "", {}, {"count": day.count, "a.b" if day.count == 2 else "a": 1})],
    lambda key, day: [Row("all", "", {}, {"count": MOST + 1 if day.count == 2 else 1})],
    lambda key, day: [Row("all", "", {"bucket" if day.count == 2 else "other": "x"}, {"count": 1})],
    lambda key, day: [Row("all", "", {"learner": None if day.count == 2 else "x"}, {"count": 1})],
], ids=["fails", "fraction", "name", "size", "reserved", "no string"])
async def test_rows_that_fail_cost_their_own_cell_only_and_leave_nothing_behind(process, rows):
    broken = replace(DAYS, rows=rows)
    parts = process(broken)
    await parts.post(at("2026-03-02T09"), at("2026-03-02T09", "bob"))
    await parts.follower.settle("school")
    before = await kept_lines(parts.database, "school", DAYS)
    await parts.post(at("2026-03-02T09"))
    await parts.follower.settle("school")
    cells = {each["key"] async for each in parts.database["summaries"].find({})}
    assert cells == {f"2026-03-02T09 {BOB} {SUMS}"}
    left = await kept_lines(parts.database, "school", DAYS)
    assert left != before
    assert sum(cells for _, cells in left.values()) == 1
    await process(DAYS).post(at("2026-03-02T09"), at("2026-03-02T09", "bob"))
    mended = process(replace(DAYS, rows=DAYS.rows))
    await assert_lines_are_right(mended)


async def test_a_fraction_is_refused_by_name():
    with pytest.raises(TypeError, match="sum seconds of a row must be a whole number"):
        rows_of(replace(DAYS, rows=lambda key, day: [Row("all", "", {}, {"seconds": 0.5})]), "key", DAYS.empty())


async def test_forgetting_a_cell_takes_its_rows_back(process):
    parts = process()
    await parts.post(at("2026-03-02T09"), at("2026-03-02T09", "bob"))
    await parts.follower.settle("school")
    await parts.saved.forget("school", DAYS, [f"2026-03-02T09 {ADA} {SUMS}", "nothing"])
    assert await parts.summaries.rows("school", DAYS, "all", since="2", by=["learner"], sums=["count"]) == [Line((BOB,), {"count": 1}, 0)]
    await parts.saved.forget("school", DAYS, [f"2026-03-02T09 {BOB} {SUMS}"])
    assert await kept_lines(parts.database, "school", DAYS) == {}


async def test_summaries_without_rows_leave_no_lines(process, database):
    parts = process(replace(DAYS, rows=no_rows))
    await parts.post(at("2026-03-02T09"))
    await parts.follower.settle("school")
    assert await database["lines"].count_documents({}) == 0


async def test_lines_are_read_by_their_index(process, database):
    parts = process()
    await parts.post(*[at(f"2026-03-02T{hour:02}") for hour in range(20)])
    await parts.follower.settle("school")
    query = {"tenant": "school", "label": DAYS.label, "scope": "all", "bucket": {"$gte": "2026-03-02T05", "$lt": "2026-03-02T08"}}
    plan = await database._database.command("explain", {"find": "lines", "filter": query}, verbosity="executionStats")
    assert (plan["executionStats"]["totalDocsExamined"], plan["executionStats"]["nReturned"]) == (3, 3)


async def test_followers_at_once_count_nothing_twice(process):
    processes = [process() for _ in range(3)]
    for _ in range(6):
        await asyncio.gather(
            *(each.post(*[at(f"2026-03-02T{random.randrange(4):02}", random.choice("abc")) for _ in range(9)]) for each in processes),
            *(each.follower.follow("school") for each in processes), *(each.follower.settle("school") for each in processes),
        )
    await assert_lines_are_right(processes[0])
    assert await processes[1].summaries.rows("school", DAYS, "all", until="2", sums=["count"]) == [Line((), {"count": 162}, 0)]


NAMES, HOURS = st.sampled_from(["ada", "bob"]), st.sampled_from(["2026-03-02T09", "2026-03-02T10"])
PROCESS = st.integers(0, 1)
MOVES = st.lists(st.one_of(
    st.tuples(st.just("post"), st.lists(st.tuples(HOURS, NAMES), min_size=1, max_size=4), PROCESS),
    st.tuples(st.just("void"), st.integers(0, 30), PROCESS),
    st.tuples(st.just("follow"), st.just(0), PROCESS),
    st.tuples(st.just("follow both"), st.just(0), PROCESS),
    st.tuples(st.just("forget"), st.tuples(HOURS, NAMES), PROCESS),
    st.tuples(st.just("rebuild"), st.just(0), PROCESS),
    st.tuples(st.just("rebuild beside a follower"), st.just(0), PROCESS),
    st.tuples(st.just("erase"), NAMES, PROCESS),
), min_size=1, max_size=12)


async def _move(processes, tenant, posted, kind, what, process):
    on = processes[process]
    if kind == "post":
        batch = [at(hour, name, result={"score": {"scaled": 0.25}}) for hour, name in what]
        posted += batch
        await on.post(*batch, tenant=tenant)
    elif kind == "void" and posted:
        await on.post(a_void_of(posted[what % len(posted)]["id"], actor=learner("teacher")), tenant=tenant)
    elif kind == "follow":
        await on.follower.settle(tenant)
    elif kind == "follow both":
        await asyncio.gather(*(each.follower.follow(tenant) for each in processes))
    elif kind == "forget":
        # Forgotten by one who then falls over: the next statement of the key makes it whole.
        hour, name = what
        await on.saved.forget(tenant, DAYS, [f"{hour} mailto:{name}@school.example.org {SUMS}"])
        await on.post(at(hour, name), tenant=tenant)
    elif kind == "rebuild":
        await on.rebuilder.rebuild(tenant)
    elif kind == "rebuild beside a follower":
        await asyncio.gather(on.rebuilder.rebuild(tenant), *(each.follower.follow(tenant) for each in processes))
    elif kind == "erase":
        await erase(on, what, tenant)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
async def test_after_any_interleaving_lines_are_the_sum_of_the_rows_of_recounted_cells(process, moves):
    processes, tenant, posted = [process(), process()], f"tenant{random.getrandbits(60)}", []
    for kind, what, number in moves:
        await _move(processes, tenant, posted, kind, what, number)
    await assert_lines_are_right(processes[0], tenant)
    assert (await processes[1].rebuilder.verify(tenant)).different == []


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 3), st.integers(-5, 5)), max_size=8), st.randoms())
def test_adding_and_taking_back_in_any_order_leaves_nothing(rows, order):
    adding = [Row(scope, "", {"n": str(dim)}, {"x": value}) for scope, dim, value in rows]
    cells = [rows_of(replace(DAYS, rows=lambda *_, row=row: [row]), "", None) for row in adding]
    steps = [(cell, times) for cell in cells for times in (1, -1)]
    order.shuffle(steps)
    changes = Changes()
    for cell, times in steps:
        changes.add("label", cell, times)
    assert changes.writes("school") == changes.dying("school") == []
