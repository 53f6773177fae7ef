"""Jobs over native events: what came in bulk, what could not be translated, and history under a new version of its adapter."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import structlog
from marshmallow import ValidationError

from lrs.dead_letters import CHUNK, Chosen, Replayed, Report, kept_of, shown_id
from lrs.errors import LRSError, StoreUnavailable
from lrs.jobs import Running
from lrs.materialize import MISHAPS
from lrs.store.log import Refused
from lrs.store.mongo import DriverError
from lrs.store.native_events import DEAD, FOR_A_JOB, UNKNOWN, Fate
from workers.services import Services

logger = structlog.get_logger(__name__)

# Whoever took an event has interpreted it by then, or has ended.
ABANDONED_AFTER_US = 60 * 1_000_000
LONGEST_RULE = 500
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
    """Interpret the {"total"} events of {"adapter"} that came as one {"batch"} from {"first_us"} to {"last_us"}."""
    wanted, counts = running.job.arguments, Counter(running.checkpoint or {})
    while documents := await services.native_events.waiting(
        running.job.tenant, wanted["adapter"], wanted["batch"], wanted["first_us"], wanted["last_us"], CHUNK
    ):
        source = await services.letters.source_of(documents[0])
        outcomes = await services.events.interpret(source, [kept_of(each) for each in documents], wait=True)
        counts.update(each.kind for each in outcomes)
        await running.advance(counts.total(), wanted["total"], dict(counts), keep=True)
        await running.pace(len(outcomes))
    return {"events": dict(counts)}


async def sweep_events(ctx: dict[str, Any]) -> None:
    """Interpret what was kept and then forgotten, because a process or a job ended. Safe to run twice, or beside posts.

    A batch that never got its job goes: its sender was told nothing, and sends it again.
    """
    services: Services = ctx["services"]
    seen: set[str] = set()
    batches: dict[str, bool] = {}
    try:
        while documents := await services.native_events.abandoned(time.time_ns() // 1000 - ABANDONED_AFTER_US, CHUNK):
            new = [each for each in documents if each["_id"] not in seen]
            if not new:  # what was seen to is still there: the next sweep looks again
                return
            for document in new:
                seen.add(document["_id"])
                # What has gone meanwhile, with its learner or tenant, stays so.
                if await services.native_events.get(document["tenant"], shown_id(document)) is None:
                    continue
                if document["pending"] == FOR_A_JOB and not await _acknowledged(services, document, batches):
                    await services.native_events.remove([document["_id"]])
                else:
                    await _see_to(services, document)
    except (DriverError, StoreUnavailable) as error:
        logger.warning("events_not_swept", error=str(error))


async def _acknowledged(services: Services, document: Mapping[str, Any], batches: dict[str, bool]) -> bool:
    batch = document["batch"]
    if batch not in batches:
        batches[batch] = await services.jobs.of_batch(document["tenant"], batch) is not None
        if not batches[batch]:
            logger.warning("batch_never_acknowledged", tenant=document["tenant"], adapter=document["adapter"], batch=batch)
    return batches[batch]


async def _see_to(services: Services, document: Mapping[str, Any]) -> None:
    """One event's trouble is not that of the next: what cannot be interpreted now is a dead letter, and can be replayed."""
    adapter = services.letters.adapter_of(document)
    if adapter is not None and adapter.translate is None:
        # A call that its adapter answers by itself: what came of it only its caller knows.
        await services.native_events.note({document["_id"]: Fate(UNKNOWN)})
        return
    try:
        source = await services.letters.source_of(document)
        await services.events.interpret(source, [kept_of(document)], wait=True)
    except StoreUnavailable:
        raise
    except (LRSError, ValidationError, Refused, *MISHAPS) as error:
        logger.exception("event_not_interpreted", native_event=document["_id"])
        await services.native_events.note({document["_id"]: Fate(DEAD, (), {
            "kind": "refused", "place": "", "rule": str(error)[:LONGEST_RULE], "code": "NOT_INTERPRETED",
        })})


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
