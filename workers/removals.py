"""The daily start of what removes old statements, and the sweep for what was cut off or has been replaced."""

from datetime import timedelta
from typing import Any

import structlog

from lrs.errors import StoreUnavailable
from lrs.store.mongo import DriverError
from workers.services import Services

logger = structlog.get_logger(__name__)

DAILY_HOUR, DAILY_MINUTE = 3, 17
SWEEP_MINUTES = frozenset((11, 31, 51))
# A job that is at it has settled its note long before.
ABANDONED_AFTER = timedelta(minutes=5)
# Beside live traffic, unless an operator starts it by hand.
PER_SECOND = 500


async def start_retention(ctx: dict[str, Any]) -> None:
    """A job for each tenant that does not keep its statements for ever. What fails today is done tomorrow."""
    services: Services = ctx["services"]
    try:
        for tenant in await services.directory.with_retention():
            await services.jobs.add(tenant, "retain", {"per_second": PER_SECOND})
    except DriverError as error:
        logger.warning("retention_put_off", error=str(error))


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
