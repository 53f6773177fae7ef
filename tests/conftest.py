"""What all tests share: real servers, started once when first asked for, and the parts of the product put together over them."""

import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from builders import AUTHORITY, TALLY
from memory_folder import memory_folder
from servers import for_worker, real_mongod, real_redis

from lrs.config import Config
from lrs.follow import Follower
from lrs.intake import Accepted, Intake
from lrs.materialize import Materializer
from lrs.queue import Queue
from lrs.rebuild import Rebuilder
from lrs.store.log import Log
from lrs.store.mongo import Database
from lrs.store.statements import Statements
from lrs.store.summaries import SavedSummaries
from lrs.store.watermark import Watermark
from lrs.summaries import Summaries
from lrs.xapi.query import parse_query


@pytest.fixture(scope="session")
def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real MongoDB: LRS_TEST_MONGO if that is set, else a mongod of our own."""
    if given := os.environ.get("LRS_TEST_MONGO"):
        yield given
        return
    with memory_folder() as data:
        server = real_mongod(tmp_path_factory.mktemp("mongod"), data)
        server.start()
        yield server.url
        server.stop()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis: LRS_TEST_REDIS if that is set, else a redis-server of our own."""
    if given := os.environ.get("LRS_TEST_REDIS"):
        yield for_worker(given, os.environ.get("PYTEST_XDIST_WORKER", "gw0"))
        return
    server = real_redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def config(mongo_url: str, redis_url: str) -> Config:
    """A configuration over real servers, with a database of the test's own."""
    return Config(
        mongo_url=mongo_url, mongo_database=f"test_{secrets.token_hex(6)}", redis_url=redis_url, secret="a-secret-for-tests",
        operator="operator:operator-secret", port=0,
    )


@pytest.fixture
async def database(config: Config) -> AsyncIterator[Database]:
    """A real database, empty, with its indexes; dropped afterwards."""
    database = Database.connect(config)
    await database.prepare()
    yield database
    await database.drop()
    database.close()


@dataclass(frozen=True)
class Parts:
    """The store and all that writes and reads it, as a process has them."""

    database: Database
    watermark: Watermark
    log: Log
    intake: Intake
    statements: Statements
    follower: Follower
    summaries: Summaries
    rebuilder: Rebuilder
    saved: SavedSummaries

    @classmethod
    def of(cls, database: Database, config: Config, materializers: Mapping[str, Materializer[Any]]) -> "Parts":
        watermark = Watermark(database, lambda: datetime.now(UTC))
        log = Log(database, watermark, lambda: datetime.now(UTC), config.write_timeout)
        saved = SavedSummaries(database)
        follower = Follower(database, watermark, log, saved, materializers)
        return cls(
            database, watermark, log, Intake(log, materializers, Queue(config.redis_url), lambda: datetime.now(UTC)),
            Statements(database, config.page_limit), follower, Summaries(saved, follower, log),
            Rebuilder(database, watermark, saved, follower, materializers), saved,
        )

    async def post(self, *statements: dict[str, Any], tenant: str = "school") -> list[Accepted]:
        """Submit statements as one batch."""
        return await self.intake.accept(statements, tenant=tenant, authority=AUTHORITY)

    async def all_ids(self, tenant: str = "school") -> list[str]:
        """The ids of all unvoided statements, in the order of the log."""
        page = await self.statements.page(tenant, parse_query({"ascending": "true"}, "1.0.3"))
        return [each["id"] for each in page.statements]


@pytest.fixture
def make_parts(database: Database, config: Config) -> Callable[[], Parts]:
    """Put the parts together once more over the same database, as another process would."""
    return lambda: Parts.of(database, config, {TALLY.name: TALLY})


@pytest.fixture
def parts(make_parts: Callable[[], Parts]) -> Parts:
    """The parts of one process."""
    return make_parts()
