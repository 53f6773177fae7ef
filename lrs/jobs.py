"""Jobs, as those see them who start them, and those who carry them out. What is true of a job stands in MongoDB; Redis only hints."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lrs.errors import JobNotInState, NotFound
from lrs.queue import Queue
from lrs.store.jobs import CANCELLED, LEASE_S, RUNNING, Job, KeptJobs
from lrs.store.native_events import NativeEvents

# Progress is saved no more often than this, in seconds; a lease is renewed as often, whatever the task does meanwhile.
SAVED_EVERY_S = 0.5
RENEWED_EVERY_S = LEASE_S / 10
# A wait for the end of a job looks after these times, in seconds; the last one again and again.
LOOKS_S = (0.02, 0.05, 0.1, 0.2, 0.3)
MOST_IN_A_PAGE = 100
# The kind of job that interprets events which were acknowledged before anything was made of them.
INTERPRET = "interpret"


class JobLost(Exception):
    """The job is somebody else's by now, or gone: whoever works on it stops."""


class JobCancelled(JobLost):
    """Somebody cancelled the job."""


class Jobs:
    """For those who start jobs and look after them."""

    def __init__(self, kept: KeptJobs, queue: Queue, native_events: NativeEvents | None = None) -> None:
        self._kept = kept
        self._queue = queue
        self._native_events = native_events

    async def start(self, tenant: str, kind: str, arguments: Mapping[str, Any]) -> Job:
        """A job that a worker takes up within a moment; if the same one waits already, that one."""
        job = await self._kept.add(tenant, kind, arguments)
        self._queue.announce_job(job.id)
        return job

    async def get(self, tenant: str, job_id: str) -> Job:
        """A job of a tenant. NotFound."""
        job = await self._kept.get(tenant, job_id)
        if job is None:
            raise NotFound(f"tenant {tenant} has no job {job_id}")
        return job

    async def list(self, tenant: str, state: str | None = None, after: str | None = None) -> tuple[Sequence[Job], str | None]:
        """A page of a tenant's jobs, latest first, and the id after which the next page begins (None: this is the last)."""
        jobs = await self._kept.page(tenant, state, after, MOST_IN_A_PAGE + 1)
        shown = jobs[:MOST_IN_A_PAGE]
        return shown, shown[-1].id if len(jobs) > len(shown) else None

    async def over(self, job: Job, within_s: float) -> Job:
        """The job once it is over, or as it is after so many seconds."""
        deadline, looks = time.monotonic() + within_s, iter(LOOKS_S)
        while not job.is_over and (left := deadline - time.monotonic()) > 0:
            await asyncio.sleep(min(left, next(looks, LOOKS_S[-1])))
            job = await self.get(job.tenant, job.id)
        return job

    async def cancel(self, tenant: str, job_id: str) -> Job:
        """End it. What it has done so far stays done. NotFound, JobNotInState if it is over.

        Of an import only the job ends: its events were acknowledged, so those that are left are interpreted by the sweep, soon.
        """
        job = await self._kept.cancel(tenant, job_id) or await self._refuse(tenant, job_id, "cancelled")
        if job.kind == INTERPRET and self._native_events is not None:
            wanted = job.arguments
            await self._native_events.release(tenant, wanted["adapter"], wanted["batch"], wanted["first_us"], wanted["last_us"])
        return job

    async def retry(self, tenant: str, job_id: str) -> Job:
        """Let it go on from where it failed or was cancelled. NotFound, JobNotInState if it did neither."""
        job = await self._kept.retry(tenant, job_id) or await self._refuse(tenant, job_id, "tried again")
        self._queue.announce_job(job.id)
        return job

    async def _refuse(self, tenant: str, job_id: str, what: str) -> Job:
        job = await self.get(tenant, job_id)
        raise JobNotInState(f"job {job_id} is {job.state}: it cannot be {what}")


class Running:
    """A job in the hands of its task, which says how far it is and where it could go on.

    A task is safe to run twice, and to end anywhere: whoever has the job next goes on from the last checkpoint.
    """

    def __init__(self, job: Job, kept: KeptJobs) -> None:
        self.job = job
        self._kept = kept
        self._unsaved: dict[str, Any] = {}
        self._saved_at = time.monotonic()
        self._saving = asyncio.Lock()
        self._paced, self._paced_since = 0, time.monotonic()

    @property
    def checkpoint(self) -> Any:
        """What the task wrote last, in this try or in one before; None at first."""
        return self.job.checkpoint

    async def advance(
        self, done: int | None = None, total: int | None = None, checkpoint: Any = None, *, keep: bool = False
    ) -> None:
        """Say how far it is; what is None is as before. With `keep`, all of it is saved on return, else within a moment.

        JobLost, JobCancelled: stop, and leave it to others.
        """
        given = {"done": done, "total": total, "checkpoint": checkpoint}
        self._unsaved |= {name: value for name, value in given.items() if value is not None}
        self.job = replace(self.job, **self._unsaved)
        if keep or time.monotonic() - self._saved_at >= SAVED_EVERY_S:
            await self.save()
        else:
            await asyncio.sleep(0)  # others have work to do here too

    async def save(self) -> None:
        """Save what was said, and renew the lease. JobLost, JobCancelled."""
        async with self._saving:  # what is said later is saved later
            unsaved, self._saved_at = dict(self._unsaved), time.monotonic()
            state = await self._kept.renew(self.job, unsaved)
            self._unsaved = {name: value for name, value in self._unsaved.items() if value is not unsaved.get(name)}
        if state == CANCELLED:
            raise JobCancelled(self.job.id)
        if state != RUNNING:
            raise JobLost(self.job.id)

    async def pace(self, count: int) -> None:
        """Wait until `count` more are not more than `per_second` of the job's arguments allows; not at all without one."""
        per_second = self.job.arguments.get("per_second")
        if not per_second:
            return
        self._paced += count
        ahead_s = self._paced_since + self._paced / per_second - time.monotonic()
        if ahead_s > 0:
            await asyncio.sleep(ahead_s)
        elif ahead_s < -1:  # what was missed for long is not made up for in a burst
            self._paced, self._paced_since = 0, time.monotonic()
