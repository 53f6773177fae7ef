"""What `lrs bench store` measures: see `lrs.store.costs`."""

from collections.abc import Callable

from lrs.config import Config
from lrs.plugins import load_materializers
from lrs.store.costs import Costs, Row
from lrs.store.mongo import Database


async def measure_store(config: Config, count: int, tell: Callable[[str], None]) -> tuple[list[Row], list[Row]]:
    """The rows about indexes and about shapes, from so many statements; the database of `config` is dropped afterwards."""
    database = Database.connect(config)
    try:
        costs = Costs(database, count, load_materializers(), tell)
        return await costs.indexes(), await costs.shapes()
    finally:
        await database.drop()
        database.close()
