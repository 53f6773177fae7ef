"""Carrying out jobs: a few at a time, taken from MongoDB, whether or not Redis has hinted at them."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import structlog

from lrs.errors import LRSError, StoreUnavailable
from lrs.jobs import RENEWED_EVERY_S, JobCancelled, JobLost, Running
from lrs.store.jobs import Ending, Job, KeptJobs
from lrs.store.mongo import DriverError
from workers.services import Services

logger = structlog.get_logger(__name__)

Task: TypeAlias = Callable[[Services, Running], Awaitable[Mapping[str, Any] | Ending]]

# Without any hint a job waits no longer than this until somebody looks, in seconds.
LOOK_EVERY_S = 2.0
# So often a job is begun without getting further before it has failed; a job that kills its worker is among those.
MOST_TRIES = 6
LONGEST_PAUSE_S = 30.0


async def run_job(ctx: dict[str, Any], job_id: str) -> None:
    """The hint that there is a job. Whoever has room takes the oldest there is, and that may be another."""
    runner: Runner | None = ctx.get("runner")
    if runner is not None:
        logger.debug("job_hinted", job=job_id)
        runner.wake()


class Runner:
    """Works on up to `at_once` jobs in this process. It does not need Redis, and Redis going away does not end a job."""

    def __init__(self, kept: KeptJobs, services: Services, tasks: Mapping[str, Task], at_once: int) -> None:
        self._kept = kept
        self._services = services
        self._tasks = tasks
        self._at_once = at_once
        self._woken = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    async def work(self, stop: asyncio.Event, *, burst: bool = False) -> None:
        """Work until told to stop, and then give back what is not finished; with `burst`, until there is no job to be had."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._woken.clear()
                await self._fill()
                if burst and not self._under_way:
                    return
                await self._rest(stopping)
        finally:
            stopping.cancel()
            for task in self._under_way:
                task.cancel()
            if self._under_way:
                await asyncio.wait(self._under_way)

    async def _fill(self) -> None:
        """Begin jobs while there is room and there are some."""
        try:
            while len(self._under_way) < self._at_once:
                job = await self._kept.claim(secrets.token_hex(12), self._tasks)
                if job is None:
                    return
                task = asyncio.create_task(self._see_to(job))
                self._under_way.add(task)
                task.add_done_callback(self._left)
        except DriverError as error:
            logger.warning("jobs_put_off", error=str(error))

    def _left(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._woken.set()

    async def _rest(self, stopping: asyncio.Task[Any]) -> None:
        woken = asyncio.create_task(self._woken.wait())
        await asyncio.wait({woken, stopping}, timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        woken.cancel()

    async def _see_to(self, job: Job) -> None:
        """Carry out a job and say how it ended. If the database does not hear us, its lease runs out, and it goes on elsewhere."""
        about = {"job": job.id, "kind": job.kind, "tenant": job.tenant}
        try:
            await self._carry_out(job, about)
        except DriverError as error:
            logger.warning("job_left", **about, error=str(error))

    async def _carry_out(self, job: Job, about: Mapping[str, Any]) -> None:
        if job.tries > MOST_TRIES:
            await self._kept.fail(job, JobLost(f"its worker was lost {MOST_TRIES} times without any progress"))
            return
        logger.info("job_begun", **about, tries=job.tries)
        running = Running(job, self._kept)
        work = asyncio.ensure_future(self._tasks[job.kind](self._services, running))
        keeping = asyncio.create_task(_keep(running))
        try:
            await asyncio.wait({work, keeping}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await _ended(work, keeping)
            await self._kept.put_back(running.job)
            logger.info("job_given_back", **about)
            raise
        if keeping.done():
            await _ended(work)
        await _ended(keeping)
        await self._tell(running.job, work, about)

    async def _tell(self, job: Job, work: asyncio.Future[Any], about: Mapping[str, Any]) -> None:
        error = JobLost(job.id) if work.cancelled() else work.exception()
        if error is None:
            ending = work.result()
            await self._kept.finish(job, ending if isinstance(ending, Ending) else Ending(ending))
            logger.info("job_done", **about)
        elif isinstance(error, JobLost):
            logger.info("job_cancelled" if isinstance(error, JobCancelled) else "job_lost", **about)
        elif _is_final(error) or job.tries >= MOST_TRIES:
            await self._kept.fail(job, error)
            logger.error("job_failed", **about, exc_info=error)
        else:
            pause_s = min(2.0 ** (job.tries - 1), LONGEST_PAUSE_S)
            await self._kept.put_back(job, error, pause_s)
            logger.warning("job_again", **about, after_s=pause_s, error=repr(error))


async def _keep(running: Running) -> None:
    """Renew the lease as long as it is ours; returns when it is not. The database may be away for a while."""
    while True:
        await asyncio.sleep(RENEWED_EVERY_S)
        try:
            await running.save()
        except DriverError as error:
            logger.warning("lease_not_renewed", job=running.job.id, error=str(error))
        except JobLost:
            return


async def _ended(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _is_final(error: BaseException) -> bool:
    """Whether to try again would be of no use: what was asked for cannot be."""
    return isinstance(error, LRSError) and not isinstance(error, StoreUnavailable)
