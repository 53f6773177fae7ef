"""A database in memory, for speed. What the mock cannot do (transactions, raw documents) is made up for here, and only here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bson.raw_bson import RawBSONDocument
from mongomock_motor import AsyncMongoMockClient

from lrs.store.causality import MajorityAfter
from lrs.store.mongo import Database


class _Collection:
    """A mock collection that takes what the real one takes. Its operations are in no transaction."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._collection, name)
        if not callable(attribute):
            return attribute

        def call(*args: Any, session: None = None, **options: Any) -> Any:
            return attribute(*args, **options)

        return call

    def insert_many(self, documents: list[Any], session: None = None) -> Any:
        return self._collection.insert_many([
            dict(each.items()) if isinstance(each, RawBSONDocument) else each for each in documents
        ])


class MockDatabase(Database):
    """A Database without a server. Nothing is rolled back: for tests in which nothing fails half-way."""

    def __init__(self) -> None:
        super().__init__(AsyncMongoMockClient(), "mock", MajorityAfter())

    def __getitem__(self, collection: str) -> Any:
        return _Collection(super().__getitem__(collection))

    async def prepare(self) -> None:
        pass

    async def drop(self) -> None:
        pass

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        yield None

    @asynccontextmanager
    async def ordered(self) -> AsyncIterator[Any]:
        yield None
