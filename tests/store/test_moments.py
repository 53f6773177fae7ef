"""A report is read as of one moment; a server that has let go of it is asked for another."""

import pytest
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import OperationFailure

from lrs.store import rollups
from lrs.store.mongo import is_transient
from lrs.store.rollups import Lines

GONE = OperationFailure("the moment is gone", rollups.SNAPSHOT_TOO_OLD)


@pytest.fixture
def failing(monkeypatch):
    """Let so many reads fail."""
    real = AsyncIOMotorCollection.aggregate

    def fail(times: int, error: OperationFailure = GONE) -> None:
        left = iter(range(times))

        def aggregate(self, *args, **named):
            if next(left, None) is not None:
                raise error
            return real(self, *args, **named)

        monkeypatch.setattr(AsyncIOMotorCollection, "aggregate", aggregate)

    return fail


async def test_a_moment_that_is_gone_is_replaced_by_another(database, failing):
    place = {"_id": "a", "tenant": "school", "label": "visits@1", "scope": "all", "bucket": "", "dims": {}, "sums": {"n": 3}, "cells": 1}
    await database["lines"].insert_one(place)
    failing(rollups.MOMENTS - 1)
    [line] = await Lines(database).read("school", "visits@1", "all", sums=("n",))
    assert line.sums == {"n": 3}


async def test_whoever_finds_no_moment_at_all_may_come_again(database, failing):
    failing(rollups.MOMENTS)
    with pytest.raises(OperationFailure) as raised:
        await Lines(database).read("school", "visits@1", "all", sums=("n",))
    assert is_transient(raised.value)


async def test_other_failures_are_told_at_once(database, failing):
    failing(1, OperationFailure("no such stage", 40324))
    with pytest.raises(OperationFailure, match="no such stage"):
        await Lines(database).read("school", "visits@1", "all", sums=("n",))
