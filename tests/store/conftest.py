"""The store's tests run on the mock always, and on a real MongoDB too."""

from collections.abc import AsyncIterator

import pytest
from mocks import MockDatabase

from lrs.config import Config
from lrs.store.mongo import Database


@pytest.fixture(params=["mock", "real"])
def chosen_config(request: pytest.FixtureRequest) -> Config | None:
    """The configuration of a real database; None for one in memory. (Asked for here: an async fixture cannot start servers.)"""
    return request.getfixturevalue("config") if request.param == "real" else None


@pytest.fixture
async def either_database(chosen_config: Config | None) -> AsyncIterator[Database]:
    """A database in memory, then a real one."""
    database = MockDatabase() if chosen_config is None else Database.connect(chosen_config)
    await database.prepare()
    yield database
    await database.drop()
    database.close()
