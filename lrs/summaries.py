"""Reading summaries: one by its key, always current; many by their facets."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from lrs.follow import Follower, extended
from lrs.materialize import Materializer
from lrs.store.log import Log
from lrs.store.summaries import BEFORE_ALL, SavedSummaries

S = TypeVar("S")


class Summaries:
    """What adapters and reports read. Neither way of reading misses a statement that was acknowledged before the call."""

    def __init__(self, saved: SavedSummaries, follower: Follower, log: Log) -> None:
        self._saved = saved
        self._follower = follower
        self._log = log

    async def current(self, tenant: str, materializer: Materializer[S], key: str) -> S:
        """One summary: the saved one, and what came since folded into it. Empty if there is no statement for the key."""
        saved = (await self._saved.load(tenant, materializer, [key])).get(key)
        mark = saved.mark if saved else BEFORE_ALL
        records = [record async for record in self._saved.tail(tenant, materializer, [key], after=mark)]
        # An adapter's next statement may rest on this one, and folds go by the order of the log.
        self._log.observe(records[-1]["position"] if records else mark)
        if any("voids" in record for record in records):
            return (await self._saved.refold(tenant, materializer, [key]))[key]
        return extended(materializer, key, saved, records)

    async def find(
        self, tenant: str, materializer: Materializer[S], facets: Mapping[str, str | Sequence[str]]
    ) -> list[tuple[str, S]]:
        """Summaries with all the facets (where several values are given: one of them), in the order of their keys."""
        await self._follower.settle(tenant)
        return await self._saved.find(tenant, materializer, facets)
