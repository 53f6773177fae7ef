"""What a verification finds, in all or in a sample: it looks at every byte that is read by anybody."""

import pytest
from builders import TALLY
from conftest import Parts
from rollup_builders import DAYS, at

from lrs.store.cursors import Cursors
from lrs.verify import MOST_NAMED

SUMS = "https://school.example.org/activities/sums"
ADA = f"2026-03-02T01 mailto:ada@school.example.org {SUMS}"


@pytest.fixture
async def parts(database, config):
    """A process over some statements, of which everything is saved."""
    parts = Parts.of(database, config, {each.name: each for each in (DAYS, TALLY)})
    await parts.post(*[at(hour, name) for hour in range(8) for name in ("ada", "bob")])
    await parts.follower.settle("school")
    return parts


async def test_what_is_right_is_found_right(parts):
    for sample in (None, 0.5, 3):
        report = await parts.rebuilder.verify("school", sample)
        assert (report.different, report.more, report.lines) == ([], 0, 19)
        assert report.checked == 19 if sample is None else report.checked < 19
    assert (await parts.rebuilder.verify("school", materializer="test.tally")).lines == 0


@pytest.mark.parametrize("change", [
    {"$inc": {"sums.count": 1}}, {"$inc": {"cells": 1}}, {"$set": {"sums.other": 7}}, {"$set": {"bucket": "2026-03-02T23"}},
    {"$set": {"dims.learner": "mailto:nobody@school.example.org"}},
])
async def test_a_line_that_is_not_the_sum_of_its_cells_is_named(parts, change):
    await parts.database["lines"].update_one({"scope": "all", "bucket": "2026-03-02T01"}, change)
    found = (await parts.rebuilder.verify("school", 1, "test.days")).different
    assert found
    assert all(each.startswith("test.days line all/2026-03-02T") for each in found)


async def test_a_line_that_is_missing_or_invented_is_named(parts):
    lines = parts.database["lines"]
    line = await lines.find_one({"scope": "all", "bucket": "2026-03-02T01"})
    await lines.delete_one({"_id": line["_id"]})
    await lines.insert_one({**line, "_id": "x", "scope": "invented"})
    found = (await parts.rebuilder.verify("school")).different
    assert [each.split("/")[0] for each in found] == ["test.days line all", "test.days line invented"]
    await parts.rebuilder.rebuild("school", "test.days")
    assert (await parts.rebuilder.verify("school")).different == []


async def test_what_a_cell_says_to_have_added_is_compared_with_its_recount(parts):
    await parts.database["summaries"].update_one({"key": ADA}, {"$unset": {"rows": ""}})
    found = (await parts.rebuilder.verify("school")).different
    assert found[0] == f"test.days:{ADA}"
    assert len(found) == 4  # and the lines that it adds to


async def test_a_sample_finds_what_is_wrong_everywhere_and_what_was_never_saved(parts):
    await parts.database["summaries"].update_many({"materializer": TALLY.label}, {"$set": {"state": b"{}"}})
    assert (await parts.rebuilder.verify("school", 0.3, "test.tally")).different
    await parts.database["summaries"].delete_many({"materializer": TALLY.label})
    assert (await parts.rebuilder.verify("school", 0.3, "test.tally")).different


async def test_a_report_names_a_thousand_and_counts_the_rest(parts, monkeypatch):
    monkeypatch.setattr("lrs.verify.MOST_NAMED", 5)
    assert MOST_NAMED == 1_000
    await parts.database["summaries"].update_many({}, {"$set": {"state": b"{}"}})
    report = await parts.rebuilder.verify("school")
    assert (len(report.different), report.more) == (5, 14)


async def test_a_verification_after_a_rebuild_looks_at_what_the_rebuild_has_made(parts):
    await parts.rebuilder.rebuild("school")
    current = (await Cursors(parts.database).read("school")).current(DAYS)
    await parts.database["summaries"].update_many({"materializer": DAYS.label}, {"$set": {"state": b"{}"}})
    assert (await parts.rebuilder.verify("school")).different == []
    await parts.database["summaries"].update_one({"materializer": current.edition, "key": ADA}, {"$set": {"state": b"{}"}})
    assert (await parts.rebuilder.verify("school")).different == [f"test.days:{ADA}"]
