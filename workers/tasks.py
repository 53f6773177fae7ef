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
    names = [name for name in services.materializers if wanted in (None, name)]
    if not names:
        raise NotFound(f"no materializer {wanted} is installed")
    rebuilt: dict[str, int] = dict(running.checkpoint or {})
    for name in names:
        if name not in rebuilt:
            rebuilt |= await services.rebuilder.rebuild(running.job.tenant, name)
            await running.advance(len(rebuilt), len(names), rebuilt, keep=True)
            await running.pace(rebuilt[name])
    return {"rebuilt": rebuilt}


async def verify(services: Services, running: Running) -> Mapping[str, Any]:
    """Recount every summary of a tenant: how many, and which differ from what is saved."""
    report = await services.rebuilder.verify(running.job.tenant)
    return {"checked": report.checked, "different": list(report.different)}


TASKS: Mapping[str, Task] = {
    "rebuild": rebuild, "verify": verify,
    "interpret": interpret, "replay": replay, "retranslate": retranslate,
}
