"""Which tenants' old statements are still to be removed tonight: each tenant says in which night that was last begun."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lrs.store.mongo import Database

# When a night's removals begin, after midnight in UTC.
BEGINS = timedelta(hours=3, minutes=17)


def night_of(now: datetime) -> str:
    """The last night that has begun, by its day: "2026-01-15"."""
    return (now.astimezone(UTC) - BEGINS).date().isoformat()


class Nights:
    """The field `retained_in` of tenants. Whoever asks late finds the same."""

    def __init__(self, database: Database) -> None:
        self._tenants = database["tenants"]

    async def due(self, night: str) -> list[str]:
        """The tenants that do not keep their statements for ever, and whose removal was not begun in this night or a later one."""
        query: dict[str, Any] = {
            "retention_days": {"$exists": True}, "leaving": {"$exists": False}, "retained_in": {"$not": {"$gte": night}},
        }
        return [each["_id"] async for each in self._tenants.find(query, projection={"_id": 1})]

    async def begun(self, tenant: str, night: str) -> None:
        """A tenant's removal is a job by now."""
        await self._tenants.update_one({"_id": tenant}, {"$max": {"retained_in": night}})
