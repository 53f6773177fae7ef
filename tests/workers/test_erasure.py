"""Erasing a learner leaves no trace of them, takes nothing of others, and every summary is still a recount."""

import asyncio
import hashlib
import json
import random
import uuid
from datetime import timedelta
from typing import Any

import pytest
from builders import TALLY, a_statement, a_void_of, learner
from working import working

from lrs.jobs import Jobs
from lrs.queue import Queue
from lrs.store.couples import couples_of
from lrs.store.documents import Documents
from lrs.store.jobs import KeptJobs
from lrs.store.native_events import DEAD, Fate, NativeEvents, Origin
from lrs.xapi.documents import AGENT_PROFILE, STATE, Place, Preconditions
from lrs.xapi.json_text import parse
from lrs.xapi.query import parse_query
from workers.services import Services

ADA, BOB, CYD = learner("ada"), learner("bob"), learner("cyd")
# How a trace of her would look like anywhere: her address, its sum, and her name.
SUM = hashlib.sha1(ADA["mbox"].encode()).hexdigest()
HUGE = parse(b"1234567890123456789012345678901234567890.5")
TRACES = ("ada@school", SUM, "Ada Lovelace")


@pytest.fixture
async def jobs(database, config):
    queue = Queue(config.redis_url)
    yield Jobs(KeptJobs(database), queue)
    await queue.close()


@pytest.fixture
async def services(config):
    async with working(config, materializers={TALLY.name: TALLY}) as services:
        yield services


async def erased(jobs: Jobs, agent: Any = ADA) -> Any:
    job = await jobs.over(await jobs.start("school", "erase", {"actor": agent}), 30)
    assert job.state == "done", job.error
    return job


async def everything(database) -> dict[str, list[Any]]:
    return {name: [each async for each in database[name].find({})] for name in await database.collection_names()}


def traces_in(everything: dict[str, list[Any]]) -> list[str]:
    return [
        f"{name}: {each}" for name, documents in everything.items() for each in documents
        if any(trace in str(each) for trace in TRACES)
    ]


async def ids_of(parts, **query: str) -> set[str]:
    page = await parts.statements.page("school", parse_query({"limit": "500", **query}, "1.0.3"))
    return {each["id"] for each in page.statements}


async def verified(services: Services) -> None:
    report = await services.rebuilder.verify("school")
    assert list(report.different) == []


async def test_nothing_of_a_learner_is_left_anywhere_and_all_of_the_others(parts, database, jobs, services):
    clock, origin = parts.intake._clock, Origin("toy@1", "request", "key", BOB)
    mine = [a_statement(actor={**ADA, "name": "Ada Lovelace"}) for _ in range(5)]
    sums = a_statement(actor={"mbox_sha1sum": SUM})
    about = a_statement(actor=BOB, object=ADA)
    his = [a_statement(actor=BOB) for _ in range(3)]
    taught = a_statement(actor=BOB, context={"instructor": {**ADA, "name": "Ada Lovelace"}})
    exact = a_statement(actor=BOB, context={"instructor": ADA, "extensions": {"http://a.example/x": HUGE}})
    refers = a_statement(actor=BOB, object={"objectType": "StatementRef", "id": mine[0]["id"]})
    again = a_statement(actor=CYD, object={"objectType": "StatementRef", "id": refers["id"]})
    void = a_void_of(mine[1]["id"], actor=BOB)
    her_void = a_void_of(his[0]["id"], actor=ADA)
    await parts.post(*mine, sums, about, *his, taught, exact, refers, again, void, her_void)
    documents, events = Documents(database, clock), NativeEvents(database, clock)
    for resource in (STATE, AGENT_PROFILE):
        for agent in ("mailto:ada@school.example.org", "mailto:bob@school.example.org"):
            activity = "http://a.example/1" if resource == STATE else None
            place = Place(resource.name, activity=activity, agent=agent, registration=None, document_id="d")
            await documents.put("school", place, "text/plain", agent.encode(), Preconditions(), careful=False)
    texts = [
        b'{"by": "ada@school.example.org"}', b'{"user": {"mail": "ada@school.example.org"}}', b'{"mail": "bob@school.example.org"}',
        b"{ada@school.example.org",
    ]
    kept = await events.keep("school", "toy", texts, origin)
    await events.note({kept[0].id: Fate("stored", [mine[0]["id"]])} | {each.id: Fate(DEAD, (), {"kind": "value"}) for each in kept[1:]})
    await services.follower.settle("school")

    job = await erased(jobs)
    assert traces_in(await everything(database)) == []
    removed = job.result["removed"]
    assert removed | {"summaries": 0} == {
        "statements": 8, "pseudonymized": 3, "documents": 2, "native_events": 1, "dead_letters": 2, "summaries": 0,
    }
    left = await ids_of(parts)
    assert left == {each["id"] for each in (*his[1:], taught, exact, refers, again, her_void)}
    assert (await parts.statements.get("school", exact["id"], voided=False))["context"]["extensions"] == {"http://a.example/x": HUGE}
    await verified(services)


async def test_records_of_others_have_the_couples_that_their_new_values_have(parts, database, jobs, services):
    mine, sang = a_statement(actor=ADA), {"verb": {"id": "http://a.example/verbs/sang"}}
    choir = a_statement(actor={"objectType": "Group", "member": [ADA, BOB]}, **sang)
    refers = a_statement(actor=BOB, object={"objectType": "StatementRef", "id": mine["id"]}, **sang)
    await parts.post(mine, choir, refers)
    await erased(jobs)
    for record in [each async for each in database["records"].find({})]:
        assert record["couples"] == couples_of(record)
    kept = (await parts.statements.get("school", choir["id"], voided=False))["actor"]["member"]
    pseudonym = next(each for each in kept if each != BOB)
    by = json.dumps({name: value for name, value in pseudonym.items() if name in ("mbox", "account")})
    assert await ids_of(parts, agent=by, verb="http://a.example/verbs/sang") == {choir["id"]}


async def test_the_receipt_tells_who_only_to_whoever_asks_for_the_same_person(parts, database, jobs, services, config):
    await parts.post(a_statement(actor=ADA))
    job = await erased(jobs)
    assert (await erased(jobs)).result == {"learner": job.result["learner"], "removed": {}}
    assert job.arguments == {"learner": job.result["learner"]} and len(job.result["learner"]) == 64
    assert (await erased(jobs, BOB)).result["learner"] != job.result["learner"]
    assert job.result["removed"]["statements"] == 1


async def test_what_referred_to_a_removed_statement_is_found_by_itself_only_until_that_comes_again(parts, jobs, services):
    first = a_statement(actor=ADA, verb={"id": "http://a.example/verbs/sang"})
    middle = a_statement(actor=BOB, object={"objectType": "StatementRef", "id": first["id"]})
    last = a_statement(actor=CYD, object={"objectType": "StatementRef", "id": middle["id"]})
    await parts.post(first, middle, last)
    sang, by_bob = {"verb": "http://a.example/verbs/sang"}, {"agent": json.dumps(BOB)}
    assert len(await ids_of(parts, **sang)) == 3
    await erased(jobs)
    assert await ids_of(parts, **sang) == set()
    assert await ids_of(parts, **by_bob) == {middle["id"], last["id"]}
    await parts.post({**first, "actor": CYD})
    assert await ids_of(parts, **sang) == {first["id"], middle["id"], last["id"]}


async def test_a_removed_statement_that_was_voided_may_come_again_unvoided(parts, jobs, services):
    statement = a_statement(actor=ADA)
    await parts.post(statement)
    await parts.post(a_void_of(statement["id"], actor=BOB))
    await erased(jobs)
    await parts.post({**statement, "actor": BOB})
    assert await ids_of(parts) == {statement["id"]}
    await verified(services)


async def test_what_is_posted_of_a_learner_meanwhile_survives_whole_or_not_at_all(parts, database, jobs, services):
    batches = [[a_statement(actor=ADA) for _ in range(7)] for _ in range(40)]
    await parts.post(*(each for batch in batches[:10] for each in batch))

    async def go_on():
        for batch in batches[10:]:
            await parts.post(*batch)
            await asyncio.sleep(0.01)

    posting = asyncio.create_task(go_on())
    await erased(jobs)
    await posting
    left = await ids_of(parts)
    for batch in batches:
        assert len({each["id"] for each in batch} & left) in (0, len(batch))
    await verified(services)
    await erased(jobs)
    assert await ids_of(parts) == set() and traces_in(await everything(database)) == []


async def test_every_summary_is_a_recount_after_random_erasures_beside_posts(parts, jobs, services):
    chance, names = random.Random(7), ["ada", "bob", "cyd", "dan"]
    posted: list[str] = []
    for _ in range(6):
        for _ in range(15):
            actor, kind = learner(chance.choice(names)), chance.random()
            if kind < 0.15 and posted:
                batch = [a_void_of(chance.choice(posted), actor=actor)]
            elif kind < 0.3 and posted:
                batch = [a_statement(actor=actor, object={"objectType": "StatementRef", "id": chance.choice(posted)})]
            else:
                context = {"instructor": learner(chance.choice(names))}
                batch = [a_statement(actor=actor, context=context) for _ in range(chance.randint(1, 4))]
            await parts.post(*batch)
            posted += [each["id"] for each in batch]
        if chance.random() < 0.5:
            await services.follower.settle("school")
        name = chance.choice(names)
        await asyncio.gather(erased(jobs, learner(name)), parts.post(a_statement(actor=learner("eve"))))
        assert await ids_of(parts, agent=json.dumps(learner(name)), related_agents="true") == set()
        await verified(services)


async def test_data_that_only_a_removed_statement_claimed_goes_with_it_and_shared_data_stays(parts, database, jobs, services):
    def attached(content: bytes, actor: Any) -> tuple[dict[str, Any], str]:
        sha2 = hashlib.sha256(content).hexdigest()
        attachment = {
            "usageType": "http://a.example/u", "display": {"en": "a"}, "contentType": "text/plain", "length": len(content), "sha2": sha2,
        }
        return a_statement(actor=actor, attachments=[attachment]), sha2

    class Octets:
        def __init__(self, content: bytes) -> None:
            self.content, self.length = content, len(content)

        async def chunks(self, _size: int):
            yield self.content

    own, shared = b"drawn by Ada Lovelace", b"a picture for all"
    posts = [attached(own, ADA), attached(shared, ADA), attached(shared, BOB)]
    await services.attachments.keep("school", {sha2: Octets(content) for (_, sha2), content in zip(posts, (own, shared), strict=False)})
    for statement, sha2 in posts:
        await parts.intake.accept([statement], tenant="school", authority=BOB, attachments=[sha2])
    job = await erased(jobs)
    assert job.result["removed"]["attachments"] == 1
    assert await services.attachments.there("school", [sha2 for _, sha2 in posts]) == {posts[2][1]}
    assert traces_in(await everything(database)) == []
    chunks = [each["data"] async for each in database["attachments.chunks"].find({})]
    assert chunks == [shared]


async def test_what_stands_up_to_a_moment_goes_and_the_rest_stays_a_recount(parts, database, services):
    old = [a_statement(actor=learner(name)) for name in ("ada", "bob", "bob")]
    early_void = a_void_of(str(uuid.uuid4()), actor=BOB)
    await parts.post(*old, early_void)
    through = (await database["records"].find_one({}, sort=[("position", -1)]))["position"]
    young = [a_statement(actor=BOB, object={"objectType": "StatementRef", "id": old[0]["id"]}), a_void_of(old[1]["id"], actor=BOB)]
    late = a_statement(id=early_void["object"]["id"], actor=BOB)
    await parts.post(*young, late)
    await services.follower.settle("school")

    async def report(_count: int) -> None:
        pass

    removed = await services.erasure.remove_old("school", "a job", through, report)
    # The void of an old statement goes with it, and that of one that stays stays with it.
    assert removed["statements"] == 4
    assert await ids_of(parts) == {young[0]["id"], early_void["id"]}
    await verified(services)


async def test_a_retention_is_a_job_that_removes_nothing_young_and_leaves_no_note(parts, database, jobs, services):
    await services.directory.create_tenant("school")
    await parts.post(a_statement(), a_statement())
    for days, removed in ((None, {}), (1, {})):
        await services.directory.set_retention("school", days)
        job = await jobs.over(await jobs.start("school", "retain", {"per_second": 1000}), 30)
        assert job.result == {"days": days, "removed": removed}
    assert len(await ids_of(parts)) == 2 and await database["removals"].count_documents({}) == 0


async def test_a_removal_that_was_cut_off_is_finished_whoever_finds_it(parts, database, services):
    mine = [a_statement(actor=ADA) for _ in range(3)]
    refers = a_statement(actor=BOB, object={"objectType": "StatementRef", "id": mine[0]["id"]})
    await parts.post(*mine, refers)
    await services.follower.settle("school")
    removal = services.erasure._removal
    assert await removal.remove("school", "a dead job", [f"school/{each['id']}" for each in mine])
    assert traces_in(await everything(database)) != []
    assert await services.erasure.finish_abandoned(timedelta(seconds=-2)) == 1
    assert traces_in(await everything(database)) == []
    assert await services.erasure.finish_abandoned(timedelta(seconds=-2)) == 0
    await verified(services)


async def test_a_tenant_that_is_deleted_amid_an_erasure_leaves_nothing_either(parts, database, jobs, services):
    await services.directory.create_tenant("school")
    for _ in range(4):
        await parts.post(*(a_statement(actor=ADA) for _ in range(300)))
    job = await jobs.start("school", "erase", {"actor": ADA, "per_second": 150})
    while (await jobs.get("school", job.id)).state == "waiting":
        await asyncio.sleep(0.02)
    await services.directory.delete_tenant("school")
    await asyncio.sleep(1)
    left = {name: documents for name, documents in (await everything(database)).items() if "school" in str(documents)}
    assert left == {}
