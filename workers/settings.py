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
from lrs.plugins import load_adapters, load_materializers
from lrs.queue import Queue, redis_settings
from lrs.store.heartbeats import Heartbeats
from lrs.store.mongo import Database
from lrs.store.retention import Nights
from workers.attachments import SWEEP_MINUTES, sweep_attachments
from workers.follow import SWEEP_SECONDS, Sweeper, follow, sweep
from workers.heart import Heart
from workers.jobs import Runner, run_job
from workers.native_events import SWEEP_SECONDS as EVENT_SECONDS
from workers.native_events import sweep_events
from workers.removals import SWEEP_MINUTES as REMOVAL_MINUTES
from workers.removals import Nightly, sweep_removals
from workers.services import Services
from workers.tasks import TASKS

logger = structlog.get_logger(__name__)

# A crashed worker's job counts as running until its timeout, so timeouts are short; what is left is found by the next sweep.
JOB_TIMEOUT_S = 30
BACK_AFTER_S = 1.0
# A Redis that does not answer so many pings, each within so many seconds, is taken for gone.
MOST_MISSED, PING_EVERY_S = 3, 3.0
CLOSED_WITHIN_S = 2.0


def worker_of(config: Config, services: Services, *, burst: bool, runner: Runner | None = None, sweeper: Sweeper | None = None) -> Worker:
    """An arq worker with all functions. No results are kept: a result would make arq refuse the next job of that id."""
    return Worker(
        functions=[follow, run_job],
        cron_jobs=[
            cron(sweep, second=set(SWEEP_SECONDS), unique=True, timeout=JOB_TIMEOUT_S, keep_result=0, run_at_startup=True),
            cron(sweep_events, second=set(EVENT_SECONDS), unique=True, timeout=JOB_TIMEOUT_S, keep_result=0),
            cron(sweep_attachments, minute=set(SWEEP_MINUTES), unique=True, timeout=JOB_TIMEOUT_S, keep_result=0),
            cron(sweep_removals, minute=set(REMOVAL_MINUTES), unique=True, timeout=JOB_TIMEOUT_S, keep_result=0),
        ],
        redis_settings=redis_settings(config.redis_url),
        ctx={"services": services, "runner": runner, "sweeper": sweeper or Sweeper(services)},
        burst=burst, handle_signals=False, keep_result=0, job_timeout=JOB_TIMEOUT_S,
        # Hints of a tenant that is being followed end at once, so these are for so many different ones.
        max_jobs=8, poll_delay=0.1, max_tries=5, job_completion_wait=int(config.drain_timeout),
    )


async def run(config: Config, *, burst: bool = False) -> None:
    """Work until SIGTERM or SIGINT, then end what is under way; with `burst`, until the queue is empty.

    Raises ConfigurationError if MongoDB cannot be used. While Redis is away, the worker sweeps by itself.
    """
    database, queue = Database.connect(config), Queue(config.redis_url)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    try:
        await database.prepare()
        services = Services.of(database, load_materializers(), config, load_adapters(), queue)
        sweeper, runner = Sweeper(services), Runner(services.jobs, services, TASKS, config.jobs)
        heart = Heart(Heartbeats(database), sweeper, Nightly(Nights(database), services.jobs))
        tasks = [asyncio.create_task(runner.work(stop, burst=burst)), asyncio.create_task(heart.beat())]
        for task in () if burst else tasks:
            task.add_done_callback(lambda _: stop.set())  # it ends by itself only if it is broken, and then so are we
        while not stop.is_set():
            await _work(worker_of(config, services, burst=burst, runner=runner, sweeper=sweeper), stop, config.drain_timeout)
            if burst:
                await sweeper.built()
                break
        await tasks[0]
        await services.events.drain()
        await _ended(tasks[1])
        sweeper.stop()
        await heart.stop()
    finally:
        await queue.close()
        database.close()


async def _ended(task: asyncio.Task[Any]) -> None:
    """End what goes on for ever; raises what it died of, if it did."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def _work(worker: Worker, stop: asyncio.Event, drain_s: float) -> None:
    """One life of an arq worker: until it is told to stop, has no more to do, or loses Redis."""
    started = time.monotonic()
    working: asyncio.Task[Any] = asyncio.create_task(worker.async_run())
    stopping, watching = asyncio.create_task(stop.wait()), asyncio.create_task(_silence(worker))
    await asyncio.wait({working, stopping, watching}, return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
        if stop.is_set():
            worker.handle_sig_wait_for_completion(signal.SIGTERM)
            await asyncio.wait({working}, timeout=drain_s)
        if not working.done():  # it waits for a Redis that says nothing
            working.cancel()
    stopping.cancel()
    watching.cancel()
    try:
        await working
    except (RedisError, OSError, TimeoutError) as error:
        logger.warning("redis_away", error=str(error), after_s=round(time.monotonic() - started, 1))
    except asyncio.CancelledError:
        if not stop.is_set() and not watching.done():
            raise
    await _closed(worker)
    if not stop.is_set():
        await asyncio.sleep(BACK_AFTER_S)


async def _silence(worker: Worker) -> None:
    """Returns when Redis has said nothing for a while: arq itself would wait for as long as the connection lasts."""
    missed = 0
    while missed < MOST_MISSED:
        await asyncio.sleep(PING_EVERY_S)
        pool = getattr(worker, "_pool", None)
        if pool is None:
            continue
        try:
            await asyncio.wait_for(pool.ping(), PING_EVERY_S)
            missed = 0
        except (RedisError, OSError, TimeoutError):
            missed += 1
    logger.warning("redis_silent")


async def _closed(worker: Worker) -> None:
    """Let arq close what it opened, if it can: what it may never have opened, and a Redis that says nothing, are no reason to stay."""
    closing = asyncio.ensure_future(worker.close())
    await asyncio.wait({closing}, timeout=CLOSED_WITHIN_S)
    if not closing.done():
        closing.cancel()
    elif not closing.cancelled() and (error := closing.exception()):
        logger.debug("close_failed", error=str(error))
