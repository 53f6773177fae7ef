"""Tenants that were deleted, remembered for a while: a process that was paused meanwhile may still write what it held for one.

A document: {_id: a digest of the tenant's name, at}, as nothing of a deleted tenant remains, its name included. What is found of a tenant
with such a digest that is not there is removed as its deletion would have done.
"""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from pymongo.errors import DuplicateKeyError

from lrs.store.mongo import Database
from lrs.store.traces import remove_all_of, tenants_named

# No process that still held something is paused for longer.
REMEMBERED = timedelta(days=1)
# What `leaving` of a tenant is while the sweep removes what came late; and when a sweep that was cut off is taken up again.
LATE, TAKEN_UP_AFTER = "late", timedelta(minutes=5)


class Departed:
    """The collection `departed`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._departed = database["departed"]
        self._tenants = database["tenants"]

    async def remember(self, tenant: str) -> None:
        """Look after a tenant that has been removed."""
        await self._departed.update_one({"_id": _digest(tenant)}, {"$set": {"at": datetime.now(UTC)}}, upsert=True)

    async def sweep(self) -> int:
        """Remove what came late; of how many tenants there was something. Safe to run again, and beside deletions."""
        await self._departed.delete_many({"at": {"$lt": datetime.now(UTC) - REMEMBERED}})
        digests = {each["_id"] async for each in self._departed.find({})}
        if not digests:
            return 0
        cut_off = {each["_id"] async for each in self._tenants.find({"leaving": LATE}, projection={"_id": 1})}
        late = sorted(each for each in await tenants_named(self._database) | cut_off if _digest(each) in digests)
        return sum([await self._sweep_one(tenant) for tenant in late])

    async def _sweep_one(self, tenant: str) -> bool:
        if not await self._is_ours(tenant):
            return False
        await remove_all_of(tenant, self._database)
        await self._tenants.delete_one({"_id": tenant, "leaving": LATE})
        return True

    async def _is_ours(self, tenant: str) -> bool:
        """Whether the tenant is not there, and nobody makes it anew or deletes it until all of it is removed."""
        known: dict[str, Any] | None = await self._tenants.find_one({"_id": tenant})
        if known is not None:
            cut_off = datetime.now(UTC).replace(tzinfo=None) - TAKEN_UP_AFTER
            return known.get("leaving") == LATE and known["created"].replace(tzinfo=None) < cut_off
        try:
            await self._tenants.insert_one({"_id": tenant, "created": datetime.now(UTC), "leaving": LATE})
        except DuplicateKeyError:
            return False
        return True


def _digest(tenant: str) -> str:
    return blake2b(tenant.encode(), digest_size=16).hexdigest()
