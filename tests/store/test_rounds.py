"""What a round of following leaves undone, because it need not be done, makes no difference to what is read."""

import asyncio
import random
from dataclasses import dataclass, replace

import pytest
from builders import TALLY, a_statement, learner
from conftest import Parts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rollup_builders import DAYS, assert_all_is_right, at, counted, kept_lines

from lrs.materialize import Materializer, Remembering, Row, once
from lrs.store.cursors import Cursors, Superseded
from lrs.store.positions import last_at
from lrs.store.rollups import Changes, rows_of
from lrs.store.saving import NOT_YET, Anew, Cell, Saved, to_change, to_keep

KEY = "mailto:ada@school.example.org"


@dataclass(frozen=True)
class Last:
    """The activity somebody was at last: it becomes what it was, again and again."""

    activity: str = ""


LAST: Materializer[Last] = Materializer(
    name="test.last", version=1, shape=Last, keys=lambda statement: [statement["actor"]["mbox"]], empty=Last,
    step=lambda last, statement: Last(statement["object"]["id"]),
    rows=lambda key, last: [Row("all", "", {"activity": last.activity}, {"learners": 1, "nothing": 0})] if last.activity else [],
)


def being_at(activity, name="ada"):
    return a_statement(actor=learner(name), object={"id": f"https://school.example.org/{activity}"})


@pytest.fixture
def process(database, config):
    """The parts of a process in which these materializers are installed."""
    return lambda *materializers: Parts.of(database, config, {each.name: each for each in materializers or (LAST, TALLY, DAYS)})


async def document(parts, materializer=LAST, key=KEY):
    return await parts.database["summaries"].find_one({"materializer": materializer.edition, "key": key})


async def assert_verified(parts):
    report = await parts.rebuilder.verify("school")
    assert (report.different, report.more) == ([], 0)


async def test_a_summary_that_comes_out_as_it_was_is_not_written(process):
    parts = process()
    await parts.post(being_at("a"))
    await parts.follower.settle("school")
    before = await document(parts)
    await parts.post(being_at("b"), being_at("a"))
    await parts.follower.settle("school")
    assert await document(parts) == before
    assert (await parts.summaries.current("school", LAST, KEY)).activity.endswith("/a")
    assert (await parts.summaries.current("school", TALLY, KEY)).count == 3
    await assert_verified(parts)


def held_up(parts):
    """Whatever it folds is saved only when it is let go on: whether it has folded, and how to let it go on."""
    fold, folded, go_on = parts.follower.folding.fold, asyncio.Event(), asyncio.Event()

    async def fold_later(*given, **how):
        cells = await fold(*given, **how)
        parts.follower.folding.fold = fold
        folded.set()
        await go_on.wait()
        return cells

    parts.follower.folding.fold = fold_later
    return folded, go_on


async def test_a_follower_that_was_overtaken_does_not_bring_back_what_was_left_as_it_was(process, monkeypatch):
    monkeypatch.setattr("lrs.store.leases.LEASE_S", 0.1)
    monkeypatch.setattr("lrs.store.leases.Leases._keep", lambda *_: asyncio.sleep(0))  # it sleeps, and prolongs nothing
    parts, slow = process(), process()
    await parts.post(being_at("a"))
    await parts.follower.settle("school")
    await parts.post(being_at("b"))
    folded, go_on = held_up(slow)
    following = asyncio.create_task(slow.follower.follow("school"))
    await folded.wait()
    await parts.post(being_at("a"))
    await asyncio.sleep(0.2)
    await parts.follower.follow("school")
    go_on.set()
    await following
    await assert_verified(parts)
    assert [each.activity for each in (await parts.summaries.saved("school", LAST, [KEY])).values()] == ["https://school.example.org/a"]


async def test_a_follower_that_was_there_while_a_summary_was_folded_anew_loses_nothing(process):
    parts, other = process(), process()
    await parts.post(being_at("a"))
    await parts.follower.settle("school")
    folded, write = parts.rebuilder._folded, parts.saved.write

    async def fold_and_be_overtaken(*given):
        cells = await folded(*given)
        await other.post(being_at("a"))
        await other.follower.follow("school")
        return cells

    parts.rebuilder._folded = fold_and_be_overtaken
    await parts.database["records"].delete_many({"tenant": "school"})

    async def once(*given):
        parts.rebuilder._folded = folded
        return await write(*given)

    parts.saved.write = once
    await parts.rebuilder.refold("school", {LAST.name: [KEY], TALLY.name: [KEY], DAYS.name: []})
    assert (await parts.summaries.saved("school", LAST, [KEY]))[KEY].activity.endswith("/a")
    assert (await parts.summaries.saved("school", TALLY, [KEY]))[KEY].count == 1


async def test_a_follower_that_had_read_a_summary_before_it_was_folded_anew_reads_again(process):
    parts, slow = process(), process()
    await parts.post(being_at("a"), being_at("b"))
    await parts.follower.settle("school")
    await parts.database["records"].delete_many({"tenant": "school"})
    await Cursors(parts.database).supersede("school")
    through = last_at(await parts.watermark.through(fresh=True))
    await parts.post(being_at("b"))
    folded, go_on = held_up(slow)
    following = asyncio.create_task(slow.follower.follow("school"))
    await folded.wait()
    anew = [to_keep("school", LAST, Saved(KEY, through, Last("https://school.example.org/c")))]
    assert await parts.saved.write("school", anew, Anew(LAST.edition)) == set()
    go_on.set()
    await following
    assert (await document(parts))["state"] == LAST.encode(Last("https://school.example.org/b"))


@pytest.mark.parametrize("rests_on", [NOT_YET, {"mark": 5, "state": b"", "facets": []}], ids=["there is one now", "it is another now"])
async def test_what_rests_on_what_is_no_longer_so_is_not_written_and_nothing_with_it(process, rests_on):
    parts = process()
    await parts.saved.save("school", LAST, [Saved("k", 7, Last("x"))])
    lines = await kept_lines(parts.database, "school", LAST)
    cells = [
        to_change("school", LAST, Saved("new", 9, Last("y")), NOT_YET),
        to_change("school", LAST, Saved("k", 9, Last("y")), rests_on),
    ]
    with pytest.raises(Superseded):
        await parts.saved.write("school", cells)
    assert set(await parts.saved.load("school", LAST, ["k", "new"])) == {"k"}
    assert await kept_lines(parts.database, "school", LAST) == lines


async def test_a_summary_that_adds_nothing_any_more_takes_its_rows_with_it(process):
    parts = process()
    await parts.saved.save("school", LAST, [Saved("k", 7, Last("x"))])
    before = (await parts.saved.whole([f"school/{LAST.edition}/k"]))[f"school/{LAST.edition}/k"]
    cell = to_change("school", LAST, Saved("k", 9, Last()), before)
    assert isinstance(cell, Cell)
    await parts.saved.write("school", [cell])
    assert "rows" not in await document(parts, key="k")
    assert await kept_lines(parts.database, "school", LAST) == {}


async def test_a_round_asks_once_for_the_summaries_of_all_materializers(process):
    parts, asked = process(), []
    await parts.post(being_at("a"))
    await parts.follower.settle("school")
    counted(parts.saved, ("whole", "begun", "load", "documents"), asked)
    await parts.post(being_at("a", "bob"), at(3), at(4))
    await parts.follower.follow("school")
    assert sorted(asked) == ["begun", "whole"]
    await assert_all_is_right(parts)


def counted_keys(materializer):
    """The materializer, and which statements it was asked the keys of."""
    asked = []

    def keys(statement):
        asked.append(statement["id"])
        return materializer.keys(statement)

    return replace(materializer, keys=keys), asked


async def test_what_was_keyed_by_the_same_materializers_is_not_keyed_again(process):
    tally, asked = counted_keys(TALLY)
    parts, follower = process(TALLY, LAST), process(tally, LAST)
    await parts.post(being_at("a"), being_at("b"))
    await follower.follower.settle("school")
    await parts.post(being_at("a"), being_at("b"))
    asked.clear()
    await follower.follower.settle("school")
    assert asked == []
    assert (await follower.summaries.current("school", TALLY, KEY)).count == 4


def failing(_statement):
    raise ValueError


@pytest.mark.parametrize("others", [
    (TALLY,), (TALLY, replace(LAST, version=2)), (TALLY, replace(LAST, keys=failing)),
], ids=["without one", "another version", "one fails"])
async def test_what_others_have_keyed_gets_the_keys_it_lacks(process, others):
    parts, here = process(*others), process(TALLY, LAST)
    await here.post(being_at("x"))
    await here.follower.settle("school")
    await parts.post(being_at("a"))
    await here.follower.settle("school")
    assert (await here.summaries.saved("school", LAST, [KEY]))[KEY].activity.endswith("/a")
    await assert_verified(here)


def test_what_is_made_of_a_stored_statement_is_made_once():
    asked, sent = [], a_statement()
    verb_of = once(lambda statement: asked.append(statement["id"]) or statement["verb"])
    stored, another = Remembering(sent), Remembering(a_statement())
    assert verb_of(stored) is verb_of(stored) is sent["verb"]
    assert verb_of(another) is another["verb"]
    assert asked == [sent["id"], another["id"]]
    assert (stored, verb_of(sent), len(asked)) == (sent, sent["verb"], 3)


@given(*[st.dictionaries(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), st.integers(-2, 2), max_size=4) for _ in range(2)])
def test_replacing_rows_changes_lines_as_taking_them_back_and_adding_others_does(before, after):
    took, adds = [
        rows_of(replace(LAST, rows=lambda *_, given=given: [Row(*place, {}, {"n": value}) for place, value in given.items()]), "", None)
        for given in (before, after)
    ]
    replaced, one_by_one = Changes(), Changes()
    replaced.replace("label", took, adds)
    one_by_one.add("label", took, -1)
    one_by_one.add("label", adds)
    assert [str(each) for each in replaced.writes("school")] == [str(each) for each in one_by_one.writes("school")]
    assert sorted(replaced.dying("school")) == sorted(one_by_one.dying("school"))


MOVES = st.lists(st.one_of(
    st.tuples(st.just("post"), st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["ada", "bob"])), max_size=4), st.integers(0, 1)),
    st.tuples(st.just("follow"), st.none(), st.integers(0, 1)),
    st.tuples(st.just("follow both"), st.none(), st.integers(0, 1)),
    st.tuples(st.just("refold"), st.sampled_from(["ada", "bob"]), st.integers(0, 1)),
    st.tuples(st.just("rebuild beside"), st.none(), st.integers(0, 1)),
), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
async def test_whatever_is_left_as_it_was_all_is_its_recount(process, moves):
    processes, tenant = [process(LAST), process(LAST)], f"tenant{random.getrandbits(60)}"
    for kind, what, number in moves:
        on = processes[number]
        if kind == "post":
            await on.post(*[being_at(*each) for each in what], tenant=tenant)
        elif kind == "follow":
            await on.follower.settle(tenant)
        elif kind == "follow both":
            await asyncio.gather(*(each.follower.follow(tenant) for each in processes))
        elif kind == "refold":
            keys = {LAST.name: [f"mailto:{what}@school.example.org"]}
            await asyncio.gather(on.rebuilder.refold(tenant, keys), on.post(being_at("a", what), tenant=tenant), on.follower.follow(tenant))
        else:
            await asyncio.gather(on.rebuilder.rebuild(tenant), on.post(being_at("b"), tenant=tenant), on.follower.follow(tenant))
    assert (await processes[0].rebuilder.verify(tenant)).different == []
