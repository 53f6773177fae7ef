"""Reading statements: one by its id, or a page of those that match a query."""

from collections.abc import Sequence
from dataclasses import dataclass

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import PyMongoError

from lrs.errors import StoreUnavailable
from lrs.store.filters import filter_of
from lrs.store.mongo import Database, is_transient
from lrs.store.records import record_id, statement_of
from lrs.xapi.query import StatementQuery
from lrs.xapi.types import Statement

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
        """The statement with an id if it is voided, or not, as asked; else None. Raises StoreUnavailable."""
        wanted = {"$ne": None} if voided else None
        query = {"_id": record_id(tenant, statement_id), "voided": wanted}
        try:
            record = await self._records.find_one(query, projection=GIVEN_BACK)
        except PyMongoError as error:
            raise _unavailable(error) from error
        return statement_of(record) if record else None

    async def page(
        self, tenant: str, query: StatementQuery, *, after: int | None = None, through: int | None = None
    ) -> Page:
        """A page of at most the query's limit (0: the server's), beyond the position `after`, stored at or before `through` (µs).

        The order is that of `stored`: latest first, or, if the query says so, earliest first. Raises StoreUnavailable.
        """
        limit = min(query.limit or self._page_limit, self._page_limit)
        order = ASCENDING if query.ascending else DESCENDING
        found = self._records.find(
            filter_of(tenant, query, after=after, through_us=through), projection=GIVEN_BACK
        ).sort("position", order).limit(limit + 1)
        try:
            records = await found.to_list(limit + 1)
        except PyMongoError as error:
            raise _unavailable(error) from error
        shown = records[:limit]
        return Page([statement_of(each) for each in shown], shown[-1]["position"] if len(records) > limit else None)


def _unavailable(error: PyMongoError) -> Exception:
    return StoreUnavailable("the database does not answer") if is_transient(error) else error
