"""What is not as it should be is said, and by how much."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lrs.doctor import Facts, examined, look
from lrs.health import Condition, Health
from lrs.queue import Queue, RedisServer
from lrs.store.heartbeats import Heartbeats, Workers
from lrs.store.inspection import Server, indexes
from lrs.store.jobs import STATES, KeptJobs

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ALIVE = [{"host": "a", "pid": 1, "version": __import__("lrs").__version__}]
WELL = Facts(
    NOW, Server("6.0.5", "rs0", 3, NOW), (), (), RedisServer("6.2.14", 64 * 1024 ** 2, "noeviction"),
    Condition(0.2, 1, dict.fromkeys(STATES, 0), Workers(ALIVE, 3.0)),
)
ILL = {
    "mongo": ("bad", replace(WELL, mongo=None)),
    "mongo ": ("bad", replace(WELL, mongo=replace(WELL.mongo, version="4.4.1"))),
    "replica set": ("warning", replace(WELL, mongo=replace(WELL.mongo, members=1))),
    "clock": ("bad", replace(WELL, now=NOW + timedelta(seconds=9))),
    "indexes": ("bad", replace(WELL, wrong_indexes=["records.a"])),
    "indexes ": ("warning", replace(WELL, unwanted_indexes=["records.b"])),
    "redis": ("warning", replace(WELL, redis=None)),
    "redis memory": ("warning", replace(WELL, redis=RedisServer("7.0.1", 1, "allkeys-lru"))),
    "redis memory ": ("warning", replace(WELL, redis=RedisServer("7.0.1", 0, "noeviction"))),
    "workers": ("bad", replace(WELL, condition=replace(WELL.condition, workers=Workers([], 3.0)))),
    "workers ": ("warning", replace(WELL, condition=replace(WELL.condition, workers=Workers([{"version": "0"}], 3.0)))),
    "sweep": ("warning", replace(WELL, condition=replace(WELL.condition, workers=Workers(ALIVE, None)))),
    "lag": ("bad", replace(WELL, condition=replace(WELL.condition, lag_s=100.0))),
    "lag ": ("warning", replace(WELL, condition=replace(WELL.condition, lag_s=20.0))),
    "jobs": ("warning", replace(WELL, condition=replace(WELL.condition, jobs=dict.fromkeys(STATES, 1)))),
}


def test_where_all_is_well_nothing_is_said_to_be_amiss():
    assert {each.state for each in examined(WELL)} == {"ok"}


@pytest.mark.parametrize(("name", "state", "facts"), [(name.strip(), *told) for name, told in ILL.items()])
def test_each_thing_that_is_amiss_is_told_by_its_name_and_alone(name, state, facts):
    assert [(each.name, each.state) for each in examined(facts) if each.state != "ok"] == [(name, state)]


async def test_a_missing_a_changed_and_an_unwanted_index_are_found(database):
    assert await indexes(database) == ([], [])
    await database["records"].drop_index("tenant_1_verb_1_position_1")
    await database["jobs"].drop_index("same_1")
    await database["jobs"].create_index([("same", 1)])
    await database["records"].create_index([("hobby", 1)])
    wrong, unwanted = await indexes(database)
    assert (sorted(wrong), unwanted) == (["jobs.same_1", "records.tenant_1_verb_1_position_1"], ["records.hobby_1"])


async def test_a_whole_installation_is_looked_at(database, config, parts):
    queue, heartbeats = Queue(config.redis_url), Heartbeats(database)
    await heartbeats.beat("one", {"host": "h", "pid": 1, "version": ALIVE[0]["version"]}, swept=True)
    await heartbeats.beat("ended", {"host": "h", "pid": 2, "version": "0"}, swept=False)
    await heartbeats.end("ended")
    health = Health(parts.follower, KeptJobs(database), heartbeats, lambda: datetime.now(UTC))
    states = {each.name: each.state for each in examined(await look(database, queue, health, lambda: datetime.now(UTC)))}
    assert states == {
        "version": "ok", "mongo": "ok", "replica set": "warning", "clock": "ok", "indexes": "ok", "redis": "ok", "redis memory": "ok",
        "workers": "ok", "sweep": "ok", "lag": "ok", "jobs": "ok",
    }
    await queue.close()
