"""What `lrs bench store` measures (see `lrs.store.costs`), and what the database says of what `lrs bench growth` asks for."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lrs.config import Config
from lrs.plugins import load_materializers
from lrs.store.costs import Costs, Row
from lrs.store.mongo import Database
from lrs.store.statements import Statements
from lrs.xapi.query import parse_query


async def measure_store(config: Config, count: int, tell: Callable[[str], None]) -> tuple[list[Row], list[Row]]:
    """The rows about indexes and about shapes, from so many statements; the database of `config` is dropped afterwards."""
    database = Database.connect(config)
    try:
        costs = Costs(database, count, load_materializers(), tell)
        return await costs.indexes(), await costs.shapes()
    finally:
        await database.drop()
        database.close()


@dataclass(frozen=True)
class Sizes:
    """What the records take: how many there are, and bytes before compression, on disk, and of all their indexes."""

    records: int
    data: int
    on_disk: int
    indexes: int


class Inside:
    """The database of a running installation, to be read only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keys_examined(self, tenant: str, query: Mapping[str, str], page: int) -> int:
        """How many keys of indexes MongoDB looks at for the first page of a query and one statement more."""
        plan = await Statements(self._database, page).explain(tenant, parse_query(query, "1.0.3"))
        return int(plan["executionStats"]["totalKeysExamined"])

    async def sizes(self) -> Sizes:
        """Of the records of all tenants, as they are on disk."""
        await self._database.checkpoint()
        told = await self._database.command("collStats", "records")
        return Sizes(*(int(told[name]) for name in ("count", "size", "storageSize", "totalIndexSize")))


@asynccontextmanager
async def inside(config: Config) -> AsyncIterator[Inside]:
    """The configured database."""
    database = Database.connect(config)
    try:
        yield Inside(database)
    finally:
        database.close()
