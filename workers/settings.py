"""The worker service: an arq worker on the configured Redis, with connections of its own."""

import asyncio
import signal
import time
from typing import Any

import structlog
from arq import cron
from arq.worker import Worker
from redis.exceptions import RedisError

from lrs.config import Config
from lrs.plugins import load_materializers
from lrs.queue import redis_settings
from lrs.store.mongo import Database
from workers.attachments import SWEEP_MINUTES, sweep_attachments
from workers.follow import SWEEP_SECONDS, follow, sweep
from workers.jobs import Runner, run_job
from workers.removals import DAILY_HOUR, DAILY_MINUTE, start_retention, sweep_removals
from workers.removals import SWEEP_MINUTES as REMOVAL_MINUTES
from workers.services import Services
from workers.tasks import TASKS

logger = structlog.get_logger(__name__)

# A crashed worker's job counts as running until its timeout, so timeouts are short; what is left is found by the next sweep.
JOB_TIMEOUT_S = 30
BACK_AFTER_S = 1.0


def worker_of(config: Config, services: Services, *, burst: bool, runner: Runner | None = None) -> Worker:
    """An arq worker with all functions. No results are kept: a result would make arq refuse the next job of that id."""
    return Worker(
        functions=[follow, run_job],
        cron_jobs=[
            cron(sweep, second=set(SWEEP_SECONDS), unique=True, timeout=JOB_TIMEOUT_S, keep_result=0, run_at_startup=True),
            cron(sweep_attachments, minute=set(SWEEP_MINUTES), unique=True, timeout=JOB_TIMEOUT_S, keep_result=0),
            cron(sweep_removals, minute=set(REMOVAL_MINUTES), unique=True, timeout=JOB_TIMEOUT_S, keep_result=0),
            cron(start_retention, hour=DAILY_HOUR, minute=DAILY_MINUTE, unique=True, timeout=JOB_TIMEOUT_S, keep_result=0),
        ],
        redis_settings=redis_settings(config.redis_url),
        ctx={"services": services, "runner": runner}, burst=burst, handle_signals=False, keep_result=0, job_timeout=JOB_TIMEOUT_S,
        max_jobs=4, poll_delay=0.05, max_tries=5, job_completion_wait=int(config.drain_timeout),
    )


async def run(config: Config, *, burst: bool = False) -> None:
    """Work until SIGTERM or SIGINT, then end what is under way; with `burst`, until the queue is empty.

    Raises ConfigurationError if MongoDB cannot be used. When Redis goes away, the worker comes back with it.
    """
    database = Database.connect(config)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    try:
        await database.prepare()
        services = Services.of(database, load_materializers(), config)
        runner = Runner(services.jobs, services, TASKS, config.jobs)
        working = asyncio.create_task(runner.work(stop, burst=burst))
        if not burst:
            working.add_done_callback(lambda _: stop.set())  # it ends by itself only if it is broken, and then so are we
        while not stop.is_set():
            await _work(worker_of(config, services, burst=burst, runner=runner), stop)
            if burst:
                break
        await working
    finally:
        database.close()


async def _work(worker: Worker, stop: asyncio.Event) -> None:
    """One life of an arq worker: until it is told to stop, has no more to do, or loses Redis."""
    started = time.monotonic()
    working: asyncio.Task[Any] = asyncio.create_task(worker.async_run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
        worker.handle_sig_wait_for_completion(signal.SIGTERM)
    stopping.cancel()
    try:
        await working
    except (RedisError, OSError, TimeoutError) as error:
        logger.warning("redis_away", error=str(error), after_s=round(time.monotonic() - started, 1))
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
    await _closed(worker)
    if not stop.is_set():
        await asyncio.sleep(BACK_AFTER_S)


async def _closed(worker: Worker) -> None:
    try:
        await worker.close()
    except (RedisError, OSError, AttributeError) as error:  # arq closes what it may never have opened
        logger.debug("close_failed", error=str(error))
