"""Reading statements: one by its id, or a page of those that match a query."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from motor.motor_asyncio import AsyncIOMotorCursor
from pymongo import ASCENDING, DESCENDING

from lrs.asked_together import AskedTogether
from lrs.store.filters import filter_of
from lrs.store.mongo import Database
from lrs.store.positions import last_at
from lrs.store.records import Stored, record_id
from lrs.xapi.query import StatementQuery
from lrs.xapi.types import Statement

# Statements that a walk of the whole log holds at a time.
WALK = 500
# A page ends once it has so many bytes of text, whatever the limit: statements may be megabytes each.
PAGE_BYTES = 8 * 1024 * 1024
# Looked up together at most, and at a time: while some are on their way, those who ask wait for the next round.
TOGETHER = 200
GIVEN_BACK = {"_id": 0, "text": 1, "position": 1}


@dataclass(frozen=True)
class Page:
    """Statements in the query's order, and the position after which the next page begins (None: this is the last)."""

    found: Sequence[Stored]
    next: int | None

    @cached_property
    def statements(self) -> Sequence[Statement]:
        """The same as values."""
        return [each.statement for each in self.found]


class Statements:
    """What is stored, for xAPI readers."""

    def __init__(self, database: Database, page_limit: int) -> None:
        self._records = database["records"]
        self._page_limit = page_limit
        self._by_id = AskedTogether(self._find_by_ids, TOGETHER)

    async def get(self, tenant: str, statement_id: str, *, voided: bool) -> Statement | None:
        """The statement with an id if it is voided, or not, as asked; else None."""
        found = await self.stored(tenant, statement_id, voided=voided)
        return found.statement if found else None

    async def stored(self, tenant: str, statement_id: str, *, voided: bool) -> Stored | None:
        """The same, as it is stored."""
        record = await self._by_id(record_id(tenant, statement_id))
        return Stored.of(record) if record and (record.get("voided") is not None) == voided else None

    async def _find_by_ids(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """The records with these `_id`s, by `_id`: one look for all who ask at the same time."""
        query: Any = ids[0] if len(ids) == 1 else {"$in": ids}
        found = self._records.find({"_id": query}, projection={"text": 1, "position": 1, "voided": 1})
        return {record["_id"]: record for record in await found.to_list(len(ids))}

    async def page(
        self, tenant: str, query: StatementQuery, *, after: int | None = None, through: int | None = None
    ) -> Page:
        """A page of at most the query's limit (0: the server's), beyond the position `after`, stored at or before `through` (µs).

        The order is that of `stored`: latest first, or, if the query says so, earliest first. It may be shorter where statements are large.
        """
        limit = min(query.limit or self._page_limit, self._page_limit)
        found: list[Stored] = []
        size = 0
        records = self._find(tenant, query, after, through).limit(limit + 1).batch_size(limit + 1)
        async for record in records:
            found.append(Stored.of(record))
            size += len(record["text"])
            if size > PAGE_BYTES and len(found) <= limit:
                await records.close()
                return Page(found, found[-1].position)
        return Page(found[:limit], found[limit - 1].position if len(found) > limit else None)

    async def in_order(self, tenant: str, since_us: int | None, through_us: int) -> AsyncIterator[Stored]:
        """Everything stored after `since_us` and up to `through_us` (µs), voided or not, in the order of the log."""
        position = {"$lte": last_at(through_us)} if since_us is None else {"$gt": last_at(since_us), "$lte": last_at(through_us)}
        found = self._records.find({"tenant": tenant, "position": position}, projection=GIVEN_BACK)
        async for record in found.sort("position", ASCENDING).batch_size(WALK):
            yield Stored.of(record)

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
