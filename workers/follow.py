"""The jobs that keep summaries up to date: one for a tenant that has new statements, and the sweep for what nobody was told of."""

from typing import Any

import structlog

from lrs.errors import StoreUnavailable
from lrs.store.mongo import DriverError
from workers.services import Services

logger = structlog.get_logger(__name__)

SWEEP_SECONDS = frozenset(range(0, 60, 5))


async def follow(ctx: dict[str, Any], tenant: str) -> None:
    """Bring a tenant's summaries up to now. Safe to run twice, or at the same time."""
    services: Services = ctx["services"]
    await services.follower.settle(tenant)


async def sweep(ctx: dict[str, Any]) -> None:
    """Do the same for every tenant that has statements beyond its cursor: hints can be lost, the log cannot.

    And remove the generations of summaries that nobody reads any more.
    """
    services: Services = ctx["services"]
    try:
        lagging = await services.follower.lagging()
    except DriverError as error:
        logger.warning("sweep_put_off", error=str(error))
        return
    for tenant in lagging:
        try:
            await services.follower.settle(tenant)
        except (DriverError, StoreUnavailable) as error:  # a tenant's trouble is not that of the next
            logger.warning("sweep_left_out", tenant=tenant, error=str(error))
    try:
        removed = await services.rebuilder.tidy()
    except DriverError as error:
        logger.warning("generations_not_removed", error=str(error))
        return
    if removed:
        logger.info("generations_removed", editions=removed)
