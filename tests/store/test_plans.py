"""How MongoDB finds what the API asks for, by its own profiler: by an index, in the index's order, and little beside what is answered."""

import itertools
import json
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from builders import AUTHORITY, a_statement, a_void_of, learner
from conftest import Parts
from rollup_builders import DAYS

from lrs.store.documents import Documents
from lrs.store.jobs import Ending, KeptJobs
from lrs.store.native_events import DEAD, STORED, Fate, NativeEvents, Origin
from lrs.store.statements import Statements
from lrs.xapi.documents import Place, Preconditions
from lrs.xapi.query import parse_query

PAGE = 10
# A page and the one that tells whether there are more: three keys for each.
MOST_KEYS = 3 * (PAGE + 1)
VERBS = [f"https://x.example/verbs/{name}" for name in "ab"]
ACTIVITIES = [f"https://x.example/activities/{name}" for name in "ab"]
REGISTRATION = "00000000-0000-4000-8000-000000000001"
CLOCK_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def looked_at(database):
    """A block of which it is kept what was asked of a collection, as the profiler tells it."""
    @asynccontextmanager
    async def looked_at(collection):
        profiled = []
        await database.command("profile", 2)
        try:
            yield profiled
        finally:
            await database.command("profile", 0)
        space = re.escape(f".{collection}") + "$"
        profiled += [each async for each in database["system.profile"].find({"ns": {"$regex": space}, "planSummary": {"$exists": True}})]
        await database["system.profile"].drop()

    return looked_at


def assert_by_index(profiled, most_keys=MOST_KEYS):
    assert profiled, "nothing was asked"
    for each in profiled:
        assert "COLLSCAN" not in each["planSummary"], each["command"]
        assert not each.get("hasSortStage"), each["command"]
    examined = {name: sum(each.get(name, 0) for each in profiled) for name in ("keysExamined", "docsExamined")}
    assert max(examined.values()) <= most_keys, (examined, [each["planSummary"] for each in profiled])


def _tutor(name):
    return {"agent": json.dumps(learner(f"tutor.{name}")), "related_agents": "true"}


def _course(name):
    return {"activity": f"https://x.example/courses/{name}", "related_activities": "true"}


FILTERS = {
    "nothing": {}, "verb": {"verb": VERBS[0]}, "agent": {"agent": json.dumps(learner("ada"))}, "activity": {"activity": ACTIVITIES[0]},
    "related agent": {"agent": json.dumps(learner("ada")), "related_agents": "true"},
    "related activity": {"activity": ACTIVITIES[0], "related_activities": "true"}, "registration": {"registration": REGISTRATION},
    "agent and verb": {"agent": json.dumps(learner("ada")), "verb": VERBS[0]},
    "activity and verb": {"activity": ACTIVITIES[0], "verb": VERBS[0]},
    "agent and activity": {"agent": json.dumps(learner("ada")), "activity": ACTIVITIES[0]},
    "agent, verb and activity": {"agent": json.dumps(learner("ada")), "verb": VERBS[0], "activity": ACTIVITIES[0]},
    "related activity and verb": {**_course("a"), "verb": VERBS[0]},
    "related agent and activity": {**_tutor("a"), "activity": ACTIVITIES[0]},
    "related activity and agent": {**_course("a"), "agent": json.dumps(learner("ada"))},
    "related agent and related activity": {**_tutor("a"), **_course("a")},
    "agent, verb and activity that meet two by two only, never": {
        "agent": json.dumps(learner("cleo")), "verb": VERBS[0], "activity": ACTIVITIES[1],
    },
    "related agent and activity, never": {**_tutor("a"), "activity": ACTIVITIES[1]},
    "related activity and verb, never": {**_course("a"), "verb": "https://x.example/verbs/never"},
    "since": {"since": "2026-01-01T00:00:00Z"}, "until": {"until": "2126-01-01T00:00:00Z"},
    "nobody": {"agent": json.dumps(learner("nobody"))}, "no such verb": {"verb": "https://x.example/verbs/never"},
}


@pytest.mark.parametrize("ascending", ["true", "false"])
async def test_every_page_of_statements_costs_what_the_first_does(parts, database, looked_at, ascending):
    cleos = [("cleo", *each) for each in zip(VERBS, ACTIVITIES, strict=True)]
    combinations = [*itertools.product(("ada", "bob"), VERBS, ACTIVITIES), *cleos]
    await parts.post(*[
        a_statement(actor=learner(name), verb={"id": verb}, object={"id": activity}, context={
            "registration": REGISTRATION, "instructor": learner(f"tutor.{activity[-1]}"),
            "contextActivities": {"parent": [{"id": f"https://x.example/courses/{activity[-1]}"}]},
        })
        for _ in range(45) for name, verb, activity in combinations
    ])
    statements, seen = Statements(database, PAGE), {}
    for name, filters in FILTERS.items():
        query, after, seen[name] = parse_query({**filters, "ascending": ascending}, "1.0.3"), None, 0
        while True:
            async with looked_at("records") as profiled:
                page = await statements.page("school", query, after=after)
            assert_by_index(profiled)
            seen[name], after = seen[name] + len(page.found), page.next
            if after is None or seen[name] >= 4 * PAGE:
                break
    never = {name for name in FILTERS if name.endswith("never")}
    assert {name for name, count in seen.items() if count < 4 * PAGE} == {"nobody", "no such verb", *never}


async def test_the_log_is_read_on_from_where_a_reader_is(parts, database, looked_at):
    await parts.post(*[a_statement() for _ in range(300)])
    half = [each async for each in parts.statements.in_order("school", None, 2**60)][290]
    async with looked_at("records") as profiled:
        since_us = half.position >> 10
        assert len([each async for each in parts.statements.in_order("school", since_us, 2**60)]) == 9
    assert_by_index(profiled)
    async with looked_at("records") as profiled:
        assert await parts.statements.are_more_than("school", 5)
    assert_by_index(profiled)


async def test_one_statement_is_one_look(parts, looked_at):
    statements = [a_statement(id=f"00000000-0000-4000-8000-{number:012}") for number in range(200)]
    await parts.post(*statements)
    await parts.post(a_void_of(statements[0]["id"]))
    async with looked_at("records") as profiled:
        assert await parts.statements.get("school", statements[7]["id"], voided=False)
        assert await parts.statements.get("school", statements[0]["id"], voided=True)
        assert await parts.statements.get("school", "00000000-0000-4000-8000-00000000ffff", voided=False) is None
    # MongoDB has a way of its own for one `_id`, which the profiler does not count as an index.
    assert all(each["planSummary"] in ("IDHACK", "IXSCAN { _id: 1 }") for each in profiled)
    assert sum(each["docsExamined"] for each in profiled) == 2


PLACES = {
    "states": Place("state", activity=ACTIVITIES[0], agent="mailto:3@b.org"),
    "states of a registration": Place("state", activity=ACTIVITIES[0], agent="mailto:3@b.org", registration=REGISTRATION),
    "agent profiles": Place("agent_profile", agent="mailto:3@b.org"),
    "activity profiles": Place("activity_profile", activity=ACTIVITIES[0]),
}


async def test_lists_of_documents_look_at_those_of_their_place_only(database, looked_at):
    clock = iter(range(1_000_000))
    documents = Documents(database, lambda: datetime.fromtimestamp(1_772_442_847 + next(clock), UTC))
    for resource in ("state", "agent_profile", "activity_profile"):
        for number, activity in itertools.product(range(12), ACTIVITIES):
            for document in range(5):
                place = Place(
                    resource, None if resource == "agent_profile" else activity,
                    None if resource == "activity_profile" else f"mailto:{number}@b.org",
                    REGISTRATION if resource == "state" and document % 2 else None,
                    f"{document}" if resource == "state" else f"{number}-{activity}-{document}",
                )
                await documents.put("school", place, "text/plain", b"x", Preconditions(), careful=False)
    there = {"states": 5, "states of a registration": 5, "agent profiles": 10, "activity profiles": 60}
    for name, place in PLACES.items():
        for since_us in (None, 1_772_442_847_000_000):
            async with looked_at("documents") as profiled:
                found, _ = await documents.ids("school", place, since_us)
            assert found
            # A key more ends each stretch of an index.
            assert_by_index(profiled, there[name] + 2)


async def filled_with_events(database):
    """300 events of each of two adapters, one in twenty of them dead, few of those unreadable."""
    kept = NativeEvents(database, lambda: CLOCK_AT)
    for adapter in ("studyfetch", "pathway"):
        events = await kept.keep("school", adapter, [b"{}"] * 300, Origin(f"{adapter}@1", "request", "key", AUTHORITY))
        fates = {}
        for number, event in enumerate(events):
            kind = "unreadable" if number % 100 == 99 else "value"
            dead = Fate(DEAD, (), {"kind": kind, "place": "", "rule": "", "code": ""})
            fates[event.id] = dead if number % 20 == 19 else Fate(STORED, [f"{adapter}-{number}"])
        await kept.note(fates)
    return kept


@pytest.mark.parametrize("asked", [
    {"outcome": DEAD}, {"outcome": DEAD, "adapter": "pathway"}, {"outcome": DEAD, "kind": "unreadable"},
    {"outcome": DEAD, "adapter": "pathway", "kind": "unreadable"}, {"outcome": STORED, "adapter": "studyfetch"},
], ids=lambda asked: " ".join(asked.values()))
async def test_every_page_of_native_events_costs_what_the_first_does(database, looked_at, asked):
    kept, after, limit, pages = await filled_with_events(database), None, 3, 0
    while pages < 20:
        async with looked_at("native_events") as profiled:
            page = await kept.page("school", **asked, after=after, limit=limit)
        assert_by_index(profiled, 3 * limit)
        if not page:
            break
        after, pages = page[-1]["_id"], pages + 1
    assert pages >= 1


async def test_dead_letters_are_counted_among_themselves(database, looked_at):
    kept = await filled_with_events(database)
    async with looked_at("native_events") as profiled:
        assert await kept.count("school", outcome=DEAD, kind="unreadable") == 6
        assert await kept.count("school", outcome=DEAD, adapter="pathway") == 15
    assert_by_index(profiled, 30 + 4)
    async with looked_at("native_events") as profiled:
        assert sum(each["count"] for each in await kept.reasons("school")) == 30
    # What is sorted there are the few groups.
    assert all("COLLSCAN" not in each["planSummary"] and each["docsExamined"] <= 30 for each in profiled)


async def test_the_events_behind_statements_are_found_by_their_ids(database, looked_at):
    kept = await filled_with_events(database)
    async with looked_at("native_events") as profiled:
        assert len(await kept.behind("school", "pathway-7")) == 1
        assert await kept.owned("school", ["pathway-7", "studyfetch-8"]) == {"pathway-7", "studyfetch-8"}
    assert all("COLLSCAN" not in each["planSummary"] for each in profiled)
    assert sum(each["docsExamined"] for each in profiled) <= 3


async def test_events_that_wait_are_found_without_a_look_at_the_others(database, looked_at):
    kept = await filled_with_events(database)
    waiting = await kept.keep("school", "pathway", [b"{}"] * 3, Origin("pathway@1", "request", "key", AUTHORITY))
    async with looked_at("native_events") as profiled:
        assert len(await kept.abandoned(waiting[-1].received_us + 1, PAGE)) == 3
    assert_by_index(profiled)


@pytest.mark.parametrize("state", [None, "done", "waiting"])
async def test_every_page_of_jobs_costs_what_the_first_does(database, looked_at, state):
    jobs = KeptJobs(database)
    for number in range(120):
        await jobs.add("elsewhere", "rebuild", {"number": number})
        await jobs.add("school", "verify", {"number": number})
        if number % 40 != 39:
            job = await jobs.claim("worker", ["verify"])
            await jobs.finish(job, Ending({}))
    after, seen = None, 0
    while True:
        async with looked_at("jobs") as profiled:
            page = await jobs.page("school", state, after, PAGE)
        assert_by_index(profiled)
        if not page:
            break
        after, seen = page[-1].id, seen + len(page)
    assert seen == {None: 120, "done": 117, "waiting": 3}[state]


@pytest.mark.parametrize("facets", [
    {}, {"learner": "mailto:ada@school.example.org"}, {"clock": "T09"}, {"clock": ["T09", "T10", "never"]},
], ids=lambda facets: " ".join(facets))
async def test_every_page_of_summaries_costs_what_the_first_does(database, config, looked_at, facets):
    days = replace(DAYS, facets=lambda day: {"learner": [day.learner], "clock": [day.hour[10:]]})
    parts = Parts.of(database, config, {days.name: days})
    await parts.post(*[
        a_statement(timestamp=f"2026-03-{day:02}T{hour:02}:00:00.000Z", actor=learner(name), object={"id": activity})
        for day in range(1, 4) for hour in range(8, 20) for name in ("ada", "bob") for activity in ACTIVITIES
    ])
    await parts.follower.settle("school")
    after, pages = None, 0
    while True:
        async with looked_at("summaries") as profiled:
            _, after = await parts.saved.page("school", days, facets, after=after, limit=PAGE)
        assert_by_index(profiled)
        pages += 1
        if after is None:
            break
    assert pages > 1


async def test_lines_are_looked_at_within_their_scope_and_time_only(database, config, looked_at):
    parts = Parts.of(database, config, {DAYS.name: DAYS})
    await parts.post(*[
        a_statement(timestamp=f"2026-03-{day:02}T{hour:02}:00:00.000Z", actor=learner(name))
        for day in range(1, 6) for hour in range(8, 20) for name in ("ada", "bob")
    ])
    await parts.follower.settle("school")
    for choice, most in (
        ({"by": ["bucket"]}, 8), ({"by": ["learner"], "distinct": "learner"}, 8), ({"by": ["bucket"], "limit": 3}, 3),
        ({"where": {"learner": "mailto:ada@school.example.org"}}, 8),
    ):
        async with looked_at("lines") as profiled:
            since, until = "2026-03-03T09", "2026-03-03T13"
            assert await parts.summaries.rows("school", DAYS, "all", since=since, until=until, sums=["count"], **choice)
        reads = [each for each in profiled if each["command"].get("aggregate") == "lines"]
        assert reads and all("COLLSCAN" not in each["planSummary"] and each["docsExamined"] <= most for each in reads)
