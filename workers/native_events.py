"""Jobs over native events: what came in bulk, what could not be translated, and history under a new version of its adapter."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import structlog

from lrs.dead_letters import CHUNK, Chosen, Replayed, Report, kept_of
from lrs.errors import NotFound, StoreUnavailable
from lrs.jobs import Running
from lrs.store.mongo import DriverError
from lrs.store.native_events import UNKNOWN, Fate
from workers.services import Services

logger = structlog.get_logger(__name__)

# Whoever took an event has interpreted it by then, or has ended.
ABANDONED_AFTER_US = 60 * 1_000_000
SWEEP_SECONDS = frozenset((13, 43))


async def replay(services: Services, running: Running) -> Mapping[str, Any]:
    """Translate dead letters again, all or those of {"adapter"} and {"kind"}; with {"dry_run"} only tell what would become of them."""
    wanted, replayed = running.job.arguments, _begun(running)
    chosen = Chosen(wanted.get("adapter"), wanted.get("kind"))
    await services.letters.replay(
        running.job.tenant, chosen, replayed, dry_run=wanted.get("dry_run", False), report=_reporting(running)
    )
    return _told(replayed)


async def retranslate(services: Services, running: Running) -> Mapping[str, Any]:
    """Translate the stored events of {"adapter"} again; with {"dry_run"} only tell what would change."""
    wanted, replayed = running.job.arguments, _begun(running)
    await services.retranslation.run(
        running.job.tenant, wanted["adapter"], replayed, dry_run=wanted.get("dry_run", False), report=_reporting(running)
    )
    return _told(replayed)


async def interpret(services: Services, running: Running) -> Mapping[str, Any]:
    """Interpret the {"total"} events of {"adapter"} that were received from {"first_us"} to {"last_us"} for this job."""
    wanted, counts = running.job.arguments, Counter(running.checkpoint or {})
    while documents := await services.native_events.waiting(
        running.job.tenant, wanted["adapter"], wanted["first_us"], wanted["last_us"], CHUNK
    ):
        source = await services.letters.source_of(documents[0])
        outcomes = await services.events.interpret(source, [kept_of(each) for each in documents], wait=True)
        counts.update(each.kind for each in outcomes)
        await running.advance(counts.total(), wanted["total"], dict(counts), keep=True)
        await running.pace(len(outcomes))
    return {"events": dict(counts)}


async def sweep_events(ctx: dict[str, Any]) -> None:
    """Interpret what was kept and then forgotten, because a process ended. Safe to run twice, or beside posts."""
    services: Services = ctx["services"]
    try:
        while documents := await services.native_events.abandoned(time.time_ns() // 1000 - ABANDONED_AFTER_US, CHUNK):
            for document in documents:
                await _see_to(services, document)
    except (DriverError, StoreUnavailable) as error:
        logger.warning("events_not_swept", error=str(error))


async def _see_to(services: Services, document: Mapping[str, Any]) -> None:
    try:
        source = await services.letters.source_of(document)
    except NotFound:  # a call that its adapter answers by itself: what came of it only its caller knows
        await services.native_events.note({document["_id"]: Fate(UNKNOWN)})
    else:
        await services.events.interpret(source, [kept_of(document)], wait=True)


def _begun(running: Running) -> Replayed:
    """Where the last try of the job was."""
    known = dict(running.checkpoint or {})
    return Replayed(**{**known, "counts": Counter(known.get("counts", {}))})


def _reporting(running: Running) -> Report:
    async def report(seen: int, total: int, replayed: Replayed) -> None:
        looked_at = seen - (running.job.done or 0)
        await running.advance(seen, total, {**_told(replayed), "after": replayed.after, "seen": replayed.seen}, keep=True)
        await running.pace(looked_at)

    return report


def _told(replayed: Replayed) -> dict[str, Any]:
    return {"counts": dict(replayed.counts), "changes": replayed.changes}
