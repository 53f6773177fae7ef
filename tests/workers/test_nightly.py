"""What is to happen every night happens once for each, whoever is there, and however late."""

from datetime import UTC, datetime, timedelta

import pytest
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import AutoReconnect

from lrs.store.directory import Directory
from lrs.store.heartbeats import Heartbeats
from lrs.store.jobs import KeptJobs
from lrs.store.retention import Nights, night_of
from workers.follow import Sweeper
from workers.heart import Heart
from workers.removals import Nightly
from workers.services import Services

TOMORROW = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
async def tenants(database):
    """Two that keep statements for a time, and one that keeps them for ever."""
    directory = Directory(database, "a-secret")
    for tenant, days in (("one", 30), ("two", 60), ("for-ever", None)):
        await directory.create_tenant(tenant)
        await directory.set_retention(tenant, days)
    return directory


@pytest.fixture
def worker(database):
    return lambda: Nightly(Nights(database), KeptJobs(database))


async def begun(database) -> list[str]:
    found = [each["tenant"] async for each in database["jobs"].find({"kind": "retain"})]
    await database["jobs"].delete_many({})  # they are done
    return sorted(found)


@pytest.mark.parametrize(("moment", "night"), [
    ("2026-01-15T03:16:59+00:00", "2026-01-14"), ("2026-01-15T03:17:00+00:00", "2026-01-15"),
    ("2026-01-15T23:59:59+00:00", "2026-01-15"), ("2026-01-15T05:00:00+02:00", "2026-01-14"),
])
def test_a_night_begins_after_three_in_utc(moment, night):
    assert night_of(datetime.fromisoformat(moment)) == night


async def test_each_night_is_begun_once_by_whichever_worker(tenants, worker, database):
    first, second = worker(), worker()
    await first.begin(datetime.now(UTC))
    assert await begun(database) == []  # it was wanted after this night had begun
    for days in (1, 2, 5):
        for each in (second, first, second, worker()):
            await each.begin(TOMORROW + timedelta(days=days))
        assert await begun(database) == ["one", "two"]


async def test_a_worker_whose_clock_is_behind_begins_no_night_again(tenants, worker, database):
    await worker().begin(TOMORROW)
    await begun(database)
    await worker().begin(TOMORROW - timedelta(days=3))
    assert await begun(database) == []


async def test_what_could_not_be_begun_is_made_up_for(tenants, worker, database, monkeypatch):
    nightly = worker()
    with monkeypatch.context() as away, pytest.raises(AutoReconnect):
        away.setattr(AsyncIOMotorCollection, "insert_one", raising)
        await nightly.begin(TOMORROW)
    await nightly.begin(TOMORROW)
    assert await begun(database) == ["one", "two"]


async def raising(*_args, **_named):
    raise AutoReconnect("away")


async def test_the_heart_of_a_worker_begins_the_night_without_redis(tenants, worker, config, database, monkeypatch):
    for tenant in ("one", "two"):
        await database["tenants"].update_one({"_id": tenant}, {"$set": {"retained_in": "2026-01-01"}})
    services = Services.of(database, {}, config)
    heart = Heart(Heartbeats(database), Sweeper(services), worker())
    await heart._beat()
    assert await begun(database) == ["one", "two"]
