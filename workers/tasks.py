"""What a job of each kind does. A task may be ended anywhere, and is begun again with its last checkpoint."""

from collections.abc import Mapping
from typing import Any

from lrs.errors import NotFound
from lrs.jobs import Running
from workers.jobs import Task
from workers.native_events import interpret, replay, retranslate
from workers.services import Services


async def rebuild(services: Services, running: Running) -> Mapping[str, Any]:
    """Fold all summaries of a tenant from nothing, or those of {"materializer"}; how many, by materializer."""
    wanted = running.job.arguments.get("materializer")
    if wanted is not None and wanted not in services.materializers:
        raise NotFound(f"no materializer {wanted} is installed")
    # How far it is, the summaries know themselves.
    rebuilt = await services.rebuilder.rebuild(
        running.job.tenant, wanted, per_second=running.job.arguments.get("per_second"), report=running.advance
    )
    return {"rebuilt": rebuilt}


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


TASKS: Mapping[str, Task] = {
    "rebuild": rebuild, "verify": verify,
    "interpret": interpret, "replay": replay, "retranslate": retranslate,
}
