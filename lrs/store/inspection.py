"""Looking at the database server itself: what it is, what time it has, and whether its indexes are those we want."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo.errors import OperationFailure

from lrs.store.indexes import INDEXES
from lrs.store.mongo import Database

OPTIONS = ("unique", "sparse", "partialFilterExpression", "expireAfterSeconds")
NAMESPACE_NOT_FOUND = 26


@dataclass(frozen=True)
class Server:
    """A MongoDB server: its version, its replica set and the members of it ("" and none if it is a router), and its clock."""

    version: str
    replica_set: str
    members: int
    now: datetime


async def server(database: Database) -> Server:
    """The one that takes our writes."""
    hello, build = await database.command("hello"), await database.command("buildInfo")
    # Commands give times without a zone: they are in UTC.
    now = hello["localTime"].replace(tzinfo=UTC)
    return Server(build["version"], hello.get("setName", ""), len(hello.get("hosts", ())), now)


async def indexes(database: Database) -> tuple[list[str], list[str]]:
    """The wanted indexes that are missing or are not as they should be, and those that nobody wants; "collection.name"."""
    wrong, unwanted = [], []
    for collection, wanted in INDEXES.items():
        real = await _real(database, collection)
        known = {each.document["name"]: each for each in wanted}
        for name, each in known.items():
            if name not in real or _shape(each.document) != _shape(real[name]):
                wrong.append(f"{collection}.{name}")
        unwanted += [f"{collection}.{name}" for name in real if name not in known and name != "_id_"]
    return wrong, unwanted


async def _real(database: Database, collection: str) -> dict[str, Mapping[str, Any]]:
    try:
        return {each["name"]: each async for each in database[collection].list_indexes()}
    except OperationFailure as error:
        if error.code == NAMESPACE_NOT_FOUND:
            return {}
        raise


def _shape(index: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Its keys in their order, and what is special about it."""
    return list(index["key"].items()), {name: index[name] for name in OPTIONS if index.get(name) not in (None, False)}
