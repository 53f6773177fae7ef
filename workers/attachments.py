"""The job that removes what was uploaded and never came to belong to a statement."""

from datetime import timedelta
from typing import Any

import structlog

from lrs.errors import StoreUnavailable
from lrs.store.mongo import DriverError
from workers.services import Services

logger = structlog.get_logger(__name__)

SWEEP_MINUTES = frozenset((7, 37))
# No upload takes so long; one that is kept waiting longer is refused and sent again, and nothing is lost.
ORPHANED_AFTER = timedelta(days=1)


async def sweep_attachments(ctx: dict[str, Any]) -> None:
    """Remove contents that no statement has claimed for a day. Safe to run twice, or beside posts."""
    services: Services = ctx["services"]
    try:
        removed = await services.attachments.sweep_orphans(ORPHANED_AFTER)
    except (DriverError, StoreUnavailable) as error:
        logger.warning("attachments_not_swept", error=str(error))
        return
    if removed:
        logger.info("attachments_swept", contents=removed)
