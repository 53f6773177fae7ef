"""A worker's jobs in the test's own process, over the same database as everything else."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from lrs.config import Config
from lrs.materialize import Materializer
from lrs.plugins import load_adapters, load_materializers
from lrs.store.mongo import Database
from workers.jobs import Runner, Task
from workers.services import Services
from workers.tasks import TASKS

LOOKS_S = 0.05


@asynccontextmanager
async def working(
    config: Config, tasks: Mapping[str, Task] = TASKS, materializers: Mapping[str, Materializer[Any]] | None = None, at_once: int = 2
) -> AsyncIterator[Services]:
    """Jobs are carried out while the block lasts."""
    database, stop = Database.connect(config), asyncio.Event()
    services = Services.of(database, load_materializers() if materializers is None else materializers, config, adapters=load_adapters())
    runner = Runner(services.jobs, services, tasks, at_once)
    work, looking = asyncio.create_task(runner.work(stop)), asyncio.create_task(_look(runner))
    try:
        yield services
    finally:
        stop.set()
        looking.cancel()
        await work
        database.close()


async def _look(runner: Runner) -> None:
    while True:
        runner.wake()
        await asyncio.sleep(LOOKS_S)
