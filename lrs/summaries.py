"""Reading summaries: one by its key, always current; many by their facets."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, TypeVar

from lrs.folding import extended
from lrs.follow import Follower
from lrs.materialize import Line, Materializer, fold
from lrs.store.cursors import BEFORE_ALL
from lrs.store.log import Log
from lrs.store.summaries import SavedSummaries, counted

S = TypeVar("S")

# Summaries that whoever goes through many of them has in memory.
EACH_PAGE = 500


class Summaries:
    """What adapters and reports read. Neither way of reading misses a statement that was acknowledged before the call."""

    def __init__(self, saved: SavedSummaries, follower: "Follower | BroughtUp", log: Log) -> None:
        self._saved = saved
        self._follower = follower
        self._log = log

    async def current(self, tenant: str, materializer: Materializer[S], key: str) -> S:
        """One summary: the saved one, and what came since folded into it. Empty if there is no statement for the key.

        StoreUnavailable while the log is read for a materializer that is new; BrokenMaterializer.
        """
        current, whole = await self._follower.wait_for(tenant, materializer)
        # What is saved goes at least as far as all of them do, so nothing is missed in between.
        loaded, records = await asyncio.gather(self._saved.load(tenant, current, [key]), self._tail(tenant, current, key, whole))
        saved = loaded.get(key)
        if saved is not None:
            records = [record for record in records if record["position"] > saved.mark]
        elif whole > BEFORE_ALL:
            records = await self._tail(tenant, current, key, BEFORE_ALL)
        # An adapter's next statement may rest on this one, and folds go by the order of the log.
        self._log.observe(records[-1]["position"] if records else saved.mark if saved else BEFORE_ALL)
        if saved is not None and any("voids" in record for record in records):
            records = await self._tail(tenant, current, key, BEFORE_ALL)
            return fold(current, list(counted(records, current, key)))
        return extended(current, key, saved, records)

    async def _tail(self, tenant: str, materializer: Materializer[Any], key: str, after: int) -> list[Mapping[str, Any]]:
        return [record async for record in self._saved.tail(tenant, materializer, [key], after=after)]

    async def saved(self, tenant: str, materializer: Materializer[S], keys: Sequence[str]) -> dict[str, S]:
        """The summaries among these keys as they were last saved: in one read, and a moment old."""
        materializer, _ = await self._follower.wait_for(tenant, materializer)
        return {key: saved.summary for key, saved in (await self._saved.load(tenant, materializer, keys)).items()}

    async def find(
        self, tenant: str, materializer: Materializer[S], facets: Mapping[str, str | Sequence[str]]
    ) -> list[tuple[str, S]]:
        """Summaries with all the facets (where several values are given: one of them), in the order of their keys, all at once: for
        what cannot become many, such as those of one learner about one thing. StoreUnavailable as above.
        """
        return await self._saved.find(tenant, await self._follower.ready(tenant, materializer), facets)

    async def each(
        self, tenant: str, materializer: Materializer[S], facets: Mapping[str, str | Sequence[str]]
    ) -> AsyncIterator[S]:
        """The same ones, one after the other: however many there are, a page of them is in memory. StoreUnavailable as above."""
        after: str | None = None
        while True:
            some, after = await self.page(tenant, materializer, facets, after=after, limit=EACH_PAGE)
            for _, summary in some:
                yield summary
            if after is None:
                return

    async def page(
        self, tenant: str, materializer: Materializer[S], facets: Mapping[str, str | Sequence[str]], *, after: str | None = None, limit: int
    ) -> tuple[list[tuple[str, S]], str | None]:
        """At most `limit` summaries with all the facets and a key beyond `after`, in the order of their keys; and the key after which
        there are more, None if these are the last. A page costs the same wherever it is. StoreUnavailable as above.
        """
        if after is None:
            current = await self._follower.ready(tenant, materializer)
        else:
            current, _ = await self._follower.wait_for(tenant, materializer)
        return await self._saved.page(tenant, current, facets, after=after, limit=limit)

    async def rows(
        self, tenant: str, materializer: Materializer[Any], scope: str | Sequence[str], *, since: str | None = None,
        until: str | None = None, by: Sequence[str] = (), sums: Sequence[str] = (),
        where: Mapping[str, str | Sequence[str]] | None = None, distinct: str | None = None, limit: int | None = None,
        beyond: Sequence[str] = (), groups: int | None = None,
    ) -> list[Line]:
        """The lines of a roll-up in one scope or several, added up by group, in the order of the groups.

        Of those with `since` <= bucket < `until` and the dims of `where` (where several values are given: one of them). `by` names dims,
        "scope", "bucket", or "bucket:10" for its first ten characters; what a line lacks is "". `sums` names what to add up, by default
        all there is; `distinct` a dim whose different values are counted; `limit` takes only so many lines, the first ones by bucket;
        `groups`, with `sums`, gives only so many groups, the first ones after the group `beyond`. No group is made of no lines.
        StoreUnavailable as above.
        """
        current = await self._follower.ready(tenant, materializer)
        return await self._saved.lines(
            tenant, current, scope, since=since, until=until, by=by, sums=sums, where=where, distinct=distinct, limit=limit,
            beyond=beyond, groups=groups,
        )

    async def through(self, tenant: str) -> int:
        """Bring summaries up to now; the microseconds since the epoch up to which lists and roll-ups are complete."""
        return await self._follower.follow_once(tenant)

    async def brought_up(self, tenant: str) -> tuple[int, "Summaries"]:
        """What `through` gives, and these summaries for the reads of one answer: they go as far, and no read follows the log again.

        What is acknowledged after this call may be missing in what they give.
        """
        return await self.through(tenant), Summaries(self._saved, BroughtUp(self._follower), self._log)


class BroughtUp:
    """A follower for those who have just followed: whatever they ask for is ready."""

    def __init__(self, follower: "Follower | BroughtUp") -> None:
        self.follow_once = follower.follow_once
        self.wait_for = follower.wait_for

    async def ready(self, tenant: str, materializer: Materializer[S]) -> Materializer[S]:
        """The materializer in the generation to read. StoreUnavailable if there is none."""
        current, _ = await self.wait_for(tenant, materializer)
        return current
