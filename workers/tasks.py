"""What a job of each kind does. A task may be ended anywhere, and is begun again with its last checkpoint."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from lrs.erasure import Erasing, Report, a_pseudonym, digest_of
from lrs.errors import NotFound
from lrs.jobs import Running
from lrs.store.jobs import Ending
from lrs.store.positions import last_at
from workers.jobs import Task
from workers.native_events import interpret, replay, retranslate
from workers.services import Services

DAY_US = 86_400_000_000


async def rebuild(services: Services, running: Running) -> Mapping[str, Any]:
    """Fold all summaries of a tenant from nothing, or those of {"materializer"}; how many, by materializer."""
    wanted = running.job.arguments.get("materializer")
    if wanted is not None and wanted not in services.materializers:
        raise NotFound(f"no materializer {wanted} is installed")

    async def tell(done: int, total: int) -> None:
        # How far it is, the summaries know themselves; this only says that it gets further.
        await running.advance(done, total, checkpoint=done)

    per_second = running.job.arguments.get("per_second")
    return {"rebuilt": await services.rebuilder.rebuild(running.job.tenant, wanted, per_second=per_second, report=tell)}


async def verify(services: Services, running: Running) -> Mapping[str, Any]:
    """Recount the summaries of a tenant, or {"sample"} of them: how many, and which differ from what is saved."""
    arguments, seen = running.job.arguments, 0

    async def tell(done: int, total: int) -> None:
        nonlocal seen
        await running.advance(done, total)
        await running.pace(done - seen)
        seen = done

    report = await services.rebuilder.verify(running.job.tenant, arguments.get("sample"), arguments.get("materializer"), report=tell)
    return {"checked": report.checked, "lines": report.lines, "different": list(report.different), "more": report.more}


async def erase(services: Services, running: Running) -> Ending:
    """Remove all of the person {"actor"}: a receipt of how much of each kind. Nothing of the job names them afterwards."""
    tenant, agent = running.job.tenant, running.job.arguments["actor"]
    pseudonym = (running.checkpoint or {}).get("pseudonym") or a_pseudonym()
    total = running.job.total or await services.erasure.total(tenant, agent)
    await running.advance(total=total, checkpoint={**(running.checkpoint or {}), "pseudonym": pseudonym}, keep=True)
    erasing = Erasing(tenant, running.job.id, agent, pseudonym)
    removed = await _counted(services, running, lambda report: services.erasure.erase(erasing, report))
    learner = digest_of(agent, services.config.secret)
    return Ending({"learner": learner, "removed": removed}, arguments={"learner": learner}, forgotten=False)


async def retain(services: Services, running: Running) -> Mapping[str, Any]:
    """Remove what is older than the tenant wants it kept: how much of each kind."""
    tenant, job = running.job.tenant, running.job.id
    days = await services.directory.retention(tenant)
    if days is None:
        return {"days": None, "removed": {}}
    # By the watermark: nothing that is older can still come in.
    through = last_at(await services.watermark.through(fresh=True) - days * DAY_US)
    removed = await _counted(services, running, lambda report: services.erasure.remove_old(tenant, job, through, report))
    return {"days": days, "removed": removed}


async def _counted(services: Services, running: Running, remove: Callable[[Report], Awaitable[Mapping[str, int]]]) -> Mapping[str, int]:
    """What a removal counts. It is kept with the job before the notes it is made of go, and then is not done again."""
    async def report(count: int) -> None:
        await running.advance(running.job.done + count)
        await running.pace(count)

    if "counts" not in (running.checkpoint or {}):
        counts = dict(sorted((await remove(report)).items()))
        await running.advance(checkpoint={**(running.checkpoint or {}), "counts": counts}, keep=True)
    await services.erasure.forget(running.job.id)
    return running.checkpoint["counts"]  # type: ignore[no-any-return]


TASKS: Mapping[str, Task] = {
    "rebuild": rebuild, "verify": verify, "erase": erase, "retain": retain,
    "interpret": interpret, "replay": replay, "retranslate": retranslate,
}
