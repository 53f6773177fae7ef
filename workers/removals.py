"""The nightly start of what removes old statements, and the sweep for what was cut off or has been replaced."""

from datetime import datetime, timedelta
from typing import Any

import structlog

from lrs.errors import StoreUnavailable
from lrs.store.jobs import KeptJobs
from lrs.store.mongo import DriverError
from lrs.store.retention import Nights, night_of
from workers.services import Services

logger = structlog.get_logger(__name__)

SWEEP_MINUTES = frozenset((11, 31, 51))
# A job that is at it has settled its note long before.
ABANDONED_AFTER = timedelta(minutes=5)
# Beside live traffic, unless an operator starts it by hand.
PER_SECOND = 500


class Nightly:
    """Begins the removals of each night, once: whoever looks first after its hour does it, be it days later. It does not need Redis."""

    def __init__(self, nights: Nights, jobs: KeptJobs) -> None:
        self._nights = nights
        self._jobs = jobs
        self._begun = ""

    async def begin(self, now: datetime) -> None:
        """A job for each tenant that does not keep its statements for ever, if this night has none yet. DriverError: ask again."""
        night = night_of(now)
        if night <= self._begun:
            return
        for tenant in await self._nights.due(night):
            # Two who do so at once add one job, or two of which the second finds nothing to do.
            await self._jobs.add(tenant, "retain", {"per_second": PER_SECOND})
            await self._nights.begun(tenant, night)
            logger.info("retention_begun", tenant=tenant, night=night)
        self._begun = night


async def sweep_removals(ctx: dict[str, Any]) -> None:
    """Let summaries and chains follow what was removed before its job was cancelled or died; remove summaries that were replaced.

    And what was written for tenants after they had been deleted.

    Safe to run twice, or beside jobs.
    """
    services: Services = ctx["services"]
    try:
        if finished := await services.erasure.finish_abandoned(ABANDONED_AFTER):
            logger.info("removals_finished", removals=finished)
        if tidied := await services.rebuilder.tidy():
            logger.info("generations_removed", generations=tidied)
        if late := await services.departed.sweep():
            logger.warning("late_writes_removed", tenants=late)
    except (DriverError, StoreUnavailable) as error:
        logger.warning("removals_not_finished", error=str(error))
