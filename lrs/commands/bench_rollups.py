"""`lrs bench rollups` and `lrs bench store`: a MongoDB to measure on, and a database of its own there, which is dropped afterwards."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from lrs.commands.progress import Bar
from lrs.config import Config
from lrs.embedded.binaries import find_mongod
from lrs.embedded.home import Home
from lrs.embedded.mongod import is_primary, mongod_program, mongod_url
from lrs.embedded.ports import LOOPBACK, free_port
from lrs.embedded.process import end, spawn
from lrs.errors import ConfigurationError
from lrs.rollup_bench import SIZES, Line, RollupBench, bench_database
from lrs.store_bench import Row, measure_store

HEADINGS = (
    "statements held", "follow p50 ms", "p95 ms", "keys examined", "documents written", "report p50 ms", "filled a second",
    "rebuilt a second",
)


async def measure_rollups(mongo: str | None, statements: int, probes: int, tell: Callable[[str], None], bar: Bar) -> AsyncIterator[Line]:
    """The rows of the report, each when it is measured.

    ConfigurationError if there is nothing to measure on, or if what was measured is wrong.
    """
    async with _server(mongo, tell) as url:
        config = Config(mongo_url=url, mongo_database=f"lrs_bench_{secrets.token_hex(4)}")
        async with bench_database(config) as database:
            run = RollupBench(database, probes, tell, bar)
            for size in sorted({*(each for each in SIZES if each < statements), statements}):
                yield await run.row(size)
            if wrong := await run.verify():
                raise ConfigurationError(f"{wrong} summaries or lines are not what a recount gives: the figures say nothing")


async def measure_costs(mongo: str | None, statements: int, tell: Callable[[str], None]) -> tuple[list[Row], list[Row]]:
    """The rows about indexes and about shapes of records. ConfigurationError if there is nothing to measure on."""
    async with _server(mongo, tell) as url:
        return await measure_store(Config(mongo_url=url, mongo_database=f"lrs_bench_{secrets.token_hex(4)}"), statements, tell)


@asynccontextmanager
async def _server(mongo: str | None, tell: Callable[[str], None]) -> AsyncIterator[str]:
    if mongo:
        if urlsplit(mongo).hostname not in (LOOPBACK, "localhost", "::1"):
            raise ConfigurationError(f"{urlsplit(mongo).hostname} is not this machine: a benchmark is a load, and no measure of a network")
        yield mongo
        return
    tell("starting a MongoDB")
    with tempfile.TemporaryDirectory(prefix="lrs-bench-") as folder:
        home, port = Home(Path(folder)), free_port()
        home.create()
        process = await spawn(mongod_program(find_mongod(), home, port))
        try:
            async with asyncio.timeout(60):
                while not await is_primary(port):
                    await asyncio.sleep(0.1)
            yield mongod_url(port)
        finally:
            await end(process, 30.0)
