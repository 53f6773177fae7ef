"""How a process begins beside a database that is slow, starting, or between two primaries."""

import asyncio
from dataclasses import replace

import pytest
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import AutoReconnect, OperationFailure, WriteConcernError
from servers import real_mongod

from lrs.store.mongo import Database


async def test_a_start_does_not_wait_for_indexes_that_take_long_to_build(config, monkeypatch):
    database, go_on = Database.connect(config), asyncio.Event()
    create = database._create_indexes

    async def create_later():
        await go_on.wait()
        await create()

    monkeypatch.setattr(database, "_create_indexes", create_later)
    monkeypatch.setattr("lrs.store.mongo.INDEXED_WITHIN_S", 0.1)
    async with asyncio.timeout(5):
        await database.prepare()
    assert await database.collection_names() == []
    go_on.set()
    await database._indexing
    assert "records" in await database.collection_names()
    await database.drop()
    database.close()


async def test_a_start_waits_for_a_mongodb_that_was_killed_and_reads_its_journal(tmp_path, config):
    mongod = real_mongod(tmp_path / "mongod")
    late = replace(config, mongo_url=f"{mongod.url}&serverSelectionTimeoutMS=200")
    database = Database.connect(late)
    preparing = asyncio.create_task(database.prepare())
    try:
        await asyncio.sleep(1)
        assert not preparing.done()
        await asyncio.to_thread(mongod.start)
        await preparing
        assert "records" in await database.collection_names()
    finally:
        preparing.cancel()
        database.close()
        await asyncio.to_thread(mongod.stop)


STEPPED_DOWN = WriteConcernError("Primary stepped down while waiting for replication", 189)
NOT_ALLOWED = OperationFailure("not allowed", 13)


@pytest.mark.parametrize(("error", "starts"), [(STEPPED_DOWN, True), (AutoReconnect("lost"), True), (NOT_ALLOWED, False)], ids=str)
async def test_a_start_goes_on_after_an_election_but_not_without_the_right_to_make_indexes(config, monkeypatch, error, starts):
    database, create, failed = Database.connect(config), AsyncIOMotorCollection.create_indexes, []

    async def fails_first(collection, *args, **options):
        if not failed:
            failed.append(collection.name)
            raise error
        return await create(collection, *args, **options)

    monkeypatch.setattr(AsyncIOMotorCollection, "create_indexes", fails_first)
    try:
        if starts:
            await database.prepare()
            assert failed[0] in await database.collection_names()
        else:
            with pytest.raises(OperationFailure):
                await database.prepare()
    finally:
        await database.drop()
        database.close()
