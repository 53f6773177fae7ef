"""Reports on a real database: what is saved is what a direct count of the statements that are not voided gives."""

import random
import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import reports_counted as counted
from builders import a_statement, a_void_of, learner
from conftest import Parts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lrs.config import Config
from lrs.reports import ACTIVITY_CELL, COURSE_CELL, MATERIALIZERS
from lrs.reports.facts import day_of, digest
from lrs.reports.tables import ACTIVITY_SUMS, COURSE_SUMS
from lrs.store.mongo import Database

SUMS = "https://school.example.org/activities/sums"


@pytest.fixture
def process(database: Database, config: Config) -> Callable[[], Parts]:
    """The parts of a process in which these materializers are installed."""
    return lambda: Parts.of(database, config, {each.name: each for each in MATERIALIZERS})


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    traffic=st.lists(counted.statements, min_size=1, max_size=20, unique_by=lambda each: each["id"]),
    chance=st.randoms(use_true_random=False),
)
async def test_after_any_traffic_and_voids_reports_are_a_recount(
    process: Callable[[], Parts], traffic: list[dict[str, Any]], chance: random.Random
) -> None:
    parts, tenant = process(), f"school-{secrets.token_hex(6)}"
    voids = {each["id"] for each in traffic if each["object"].get("objectType") != "StatementRef" and chance.random() < 0.3}
    todo = [*traffic, *(a_void_of(each, context={}) for each in voids)]
    chance.shuffle(todo)
    for statement in todo:
        await parts.post(statement, tenant=tenant)
        if chance.random() < 0.3:
            await parts.follower.settle(tenant)
    left = [each for each in traffic if each["id"] not in voids]
    assert await _activities(parts, tenant) == _counted_activities(left)
    assert await _daily(parts, tenant) == Counter(
        (day_of(int(counted.at(each))), each["verb"]["id"]) for own in counted.about(left).values() for each in own
    )
    courses = await parts.summaries.rows(tenant, COURSE_CELL, "courses", by=("course",), sums=COURSE_SUMS)
    learners = Counter(course for _, course in counted.within(left))
    assert {line.group[0]: line.sums["learners"] for line in courses} == learners
    assert (await parts.rebuilder.verify(tenant)).different == []


async def _activities(parts: Parts, tenant: str) -> dict[str, Counter[str]]:
    lines = await parts.summaries.rows(tenant, ACTIVITY_CELL, "activities", by=("activity",), sums=ACTIVITY_SUMS)
    return {line.group[0]: Counter({name: value for name, value in line.sums.items() if value}) for line in lines}


def _counted_activities(statements: list[dict[str, Any]]) -> dict[str, Counter[str]]:
    activities: dict[str, Counter[str]] = {}
    for (_, activity), own in counted.about(statements).items():
        line = activities.setdefault(activity, Counter())
        spent_ms = sum(counted.time_ms(each) for each in counted.by(own, "registration"))
        for sums in (counted.outcome(own, spent_ms), {"statements": len(own), "attempts": counted.attempts(own)}):
            for name, value in sums.items():
                line[name] += value
    return {activity: Counter({name: value for name, value in line.items() if value}) for activity, line in activities.items()}


async def _daily(parts: Parts, tenant: str) -> dict[tuple[str, ...], int]:
    lines = await parts.summaries.rows(tenant, ACTIVITY_CELL, "daily", by=("bucket", "verb"), sums=("statements",))
    return {line.group: line.sums["statements"] for line in lines}


async def test_pages_of_cells_lead_through_all_of_a_facet_in_the_order_of_keys(process: Callable[[], Parts]) -> None:
    parts = process()
    await parts.post(*(a_statement(actor=learner(f"pupil{number}")) for number in range(23)))
    await parts.post(*(a_statement(actor=learner(f"pupil{number}"), object={"id": f"{SUMS}/{number}"}) for number in range(5)))
    for facets, count in (({}, 28), ({"activity": digest(SUMS)}, 23), ({"learner": digest("mailto:pupil3@school.example.org")}, 2)):
        whole = await parts.summaries.find("school", ACTIVITY_CELL, facets)
        assert len(whole) == count
        found, after = [], None
        while True:
            page, after = await parts.summaries.page("school", ACTIVITY_CELL, facets, after=after, limit=5)
            assert len(page) <= 5
            found += page
            if after is None:
                break
        assert found == whole


async def test_a_page_reads_no_more_than_it_gives(process: Callable[[], Parts]) -> None:
    parts = process()
    await parts.post(*(a_statement(actor=learner(f"pupil{number}")) for number in range(60)))
    keys = [key for key, _ in await parts.summaries.find("school", ACTIVITY_CELL, {})]
    for facets in ({}, {"facets": f"activity={digest(SUMS)}"}):
        query = {"tenant": "school", "materializer": ACTIVITY_CELL.label, "key": {"$gt": keys[40]}, **facets}
        plan = await parts.database["summaries"].find(query).sort("key", 1).limit(6).explain()
        assert plan["executionStats"]["totalKeysExamined"] <= 7
        assert plan["executionStats"]["totalDocsExamined"] <= 6


async def test_the_lines_of_a_page_are_the_first_ones_by_bucket(process: Callable[[], Parts]) -> None:
    parts = process()
    await parts.post(*(a_statement(object={"id": f"{SUMS}/{number}"}) for number in range(12)))

    async def lines(**choice: Any) -> list[tuple[str, ...]]:
        found = await parts.summaries.rows("school", ACTIVITY_CELL, "activities", by=("bucket", "activity"), sums=("learners",), **choice)
        return [line.group for line in found]

    whole = await lines()
    assert [each[0] for each in whole] == sorted(digest(f"{SUMS}/{number}") for number in range(12))
    assert await lines(limit=5) == whole[:5]
    assert await lines(limit=5, since=f"{whole[4][0]}\0") == whole[5:10]
