"""Who is at it: a lease keeps processes from doing the same work twice. Nothing is wrong if it does not; so it need not be durable.

One document for each piece of work: {_id, tenant, holder, until}. Only MongoDB's clock counts.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from pymongo import ReturnDocument, WriteConcern
from pymongo.errors import DuplicateKeyError, PyMongoError

from lrs.store.mongo import Database

logger = structlog.get_logger(__name__)

# A holder that was killed holds up the others for so long, in seconds.
LEASE_S = 5.0


class Leases:
    """The leases of one process."""

    def __init__(self, database: Database) -> None:
        # Lost in a failover, it costs some double work.
        self._leases = database["leases"].with_options(write_concern=WriteConcern(w=1))
        self._holder = secrets.token_hex(8)

    async def take(self, tenant: str, work: str) -> bool:
        """Take the lease, or prolong it; whether it is ours now. Nobody else holds it at the same time."""
        free = {"$or": [{"$eq": ["$holder", self._holder]}, {"$lte": ["$until", "$$NOW"]}]}
        until = {"$add": ["$$NOW", int(LEASE_S * 1000)]}
        take = {
            "tenant": tenant, "holder": {"$cond": [free, self._holder, "$holder"]}, "until": {"$cond": [free, until, "$until"]},
        }
        try:
            lease = await self._leases.find_one_and_update(
                {"_id": f"{tenant}/{work}"}, [{"$set": take}], upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:  # two were the first
            return False
        return bool(lease["holder"] == self._holder)

    async def give_back(self, tenant: str, work: str) -> None:
        """Let others take it at once, if it is ours."""
        try:
            await self._leases.delete_one({"_id": f"{tenant}/{work}", "holder": self._holder})
        except PyMongoError as error:  # it runs out by itself
            logger.debug("lease_not_given_back", error=str(error))

    @asynccontextmanager
    async def held(self, tenant: str, work: str) -> AsyncIterator[bool]:
        """Try to take the lease for the block; yields whether it is ours. It is prolonged for as long as the block takes."""
        if not await self.take(tenant, work):
            yield False
            return
        keeping = asyncio.create_task(self._keep(tenant, work))
        try:
            yield True
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
            await self.give_back(tenant, work)

    async def _keep(self, tenant: str, work: str) -> None:
        try:
            while True:
                await asyncio.sleep(LEASE_S / 3)
                await self.take(tenant, work)
        except PyMongoError as error:  # it runs out by itself
            logger.debug("lease_not_kept", error=str(error))
