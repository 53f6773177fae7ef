"""Reading statements: one by its id, or a page of those that match a query."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from motor.motor_asyncio import AsyncIOMotorCursor
from pymongo import ASCENDING, DESCENDING

from lrs.store.filters import filter_of
from lrs.store.mongo import Database
from lrs.store.positions import last_at
from lrs.store.records import record_id, statement_of
from lrs.xapi.query import StatementQuery
from lrs.xapi.types import Statement

# Statements that a walk of the whole log holds at a time.
WALK = 500
GIVEN_BACK = {"statement": 1, "text": 1, "position": 1}


@dataclass(frozen=True)
class Page:
    """Statements in the query's order, and the position after which the next page begins (None: this is the last)."""

    statements: Sequence[Statement]
    next: int | None


class Statements:
    """What is stored, for xAPI readers."""

    def __init__(self, database: Database, page_limit: int) -> None:
        self._records = database["records"]
        self._page_limit = page_limit

    async def get(self, tenant: str, statement_id: str, *, voided: bool) -> Statement | None:
        """The statement with an id if it is voided, or not, as asked; else None."""
        wanted = {"$ne": None} if voided else None
        query = {"_id": record_id(tenant, statement_id), "voided": wanted}
        record = await self._records.find_one(query, projection=GIVEN_BACK)
        return statement_of(record) if record else None

    async def page(
        self, tenant: str, query: StatementQuery, *, after: int | None = None, through: int | None = None
    ) -> Page:
        """A page of at most the query's limit (0: the server's), beyond the position `after`, stored at or before `through` (µs).

        The order is that of `stored`: latest first, or, if the query says so, earliest first.
        """
        limit = min(query.limit or self._page_limit, self._page_limit)
        records = await self._find(tenant, query, after, through).limit(limit + 1).to_list(limit + 1)
        shown = records[:limit]
        # A plain int: what the driver gives is a subclass that encoders do not know.
        return Page([statement_of(each) for each in shown], int(shown[-1]["position"]) if len(records) > limit else None)

    async def in_order(self, tenant: str, since_us: int | None, through_us: int) -> AsyncIterator[Statement]:
        """Everything stored after `since_us` and up to `through_us` (µs), voided or not, in the order of the log."""
        position = {"$lte": last_at(through_us)} if since_us is None else {"$gt": last_at(since_us), "$lte": last_at(through_us)}
        found = self._records.find({"tenant": tenant, "position": position}, projection=GIVEN_BACK)
        async for record in found.sort("position", ASCENDING).batch_size(WALK):
            yield statement_of(record)

    async def are_more_than(self, tenant: str, count: int) -> bool:
        """Whether there are more statements than that, voided or not. Costs no more than counting so many."""
        return bool(await self._records.count_documents({"tenant": tenant}, limit=count + 1) > count)

    async def explain(self, tenant: str, query: StatementQuery) -> Mapping[str, Any]:
        """How MongoDB would find the first page."""
        return await self._find(tenant, query, None, None).limit(self._page_limit + 1).explain()  # type: ignore[no-any-return]

    def _find(self, tenant: str, query: StatementQuery, after: int | None, through_us: int | None) -> AsyncIOMotorCursor:
        order = ASCENDING if query.ascending else DESCENDING
        found = filter_of(tenant, query, after=after, through_us=through_us)
        return self._records.find(found, projection=GIVEN_BACK).sort("position", order)
