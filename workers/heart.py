"""What a worker does by itself, with or without Redis: say that it is there, begin what is due each night, sweep if nobody else does."""

import asyncio
import os
import secrets
import socket
import time
from datetime import UTC, datetime

import structlog

from lrs import __version__
from lrs.errors import StoreUnavailable
from lrs.store.heartbeats import Heartbeats
from lrs.store.mongo import DriverError
from workers.follow import Sweeper
from workers.removals import Nightly

logger = structlog.get_logger(__name__)

BEAT_S = 5.0
# Redis' clock has one of all workers sweep every five seconds. A worker that saw none for so long, by its own doing or another's, does it.
OVERDUE_S = 12.0


class Heart:
    """Beats until it is cancelled. The database may be away for a while."""

    def __init__(self, heartbeats: Heartbeats, sweeper: Sweeper, nightly: Nightly) -> None:
        self._heartbeats = heartbeats
        self._sweeper = sweeper
        self._nightly = nightly
        self._id = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        self._about = {"host": socket.gethostname(), "pid": os.getpid(), "version": __version__}
        self._told_at = float("-inf")

    async def beat(self) -> None:
        """One beat after the other."""
        while True:
            try:
                await self._beat()
            except (DriverError, StoreUnavailable) as error:
                logger.warning("no_heartbeat", error=str(error))
            await asyncio.sleep(BEAT_S)

    async def _beat(self) -> None:
        swept_at = self._sweeper.swept_at
        await self._heartbeats.beat(self._id, self._about, swept=swept_at > self._told_at)
        self._told_at = time.monotonic()
        await self._nightly.begin(datetime.now(UTC))
        if time.monotonic() - swept_at > OVERDUE_S:
            ago = (await self._heartbeats.workers()).swept_s_ago
            if ago is None or ago > OVERDUE_S:
                logger.info("sweeping_without_redis")
                await self._sweeper.sweep()

    async def stop(self) -> None:
        """The worker ends."""
        try:
            await self._heartbeats.end(self._id)
        except DriverError as error:
            logger.debug("end_not_told", error=str(error))
