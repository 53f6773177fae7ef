"""Rebuilding summaries from nothing but statements, and proving that the saved ones equal such a recount."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrs.follow import Follower
from lrs.materialize import Materializer
from lrs.store.keying import Keying
from lrs.store.mongo import Database
from lrs.store.positions import last_at
from lrs.store.saving import Saved
from lrs.store.summaries import BEFORE_ALL, SavedSummaries
from lrs.store.watermark import Watermark

# Summaries folded together: their records are read with one query.
CHUNK = 200


@dataclass(frozen=True)
class Verification:
    """How many summaries were recounted, and which were not equal to their recount ("<materializer>:<key>")."""

    checked: int
    different: Sequence[str]


class Rebuilder:
    """Beside live traffic: what the follower saves meanwhile is folded again until it rests on the new base."""

    def __init__(
        self, database: Database, watermark: Watermark, saved: SavedSummaries, follower: Follower,
        materializers: Mapping[str, Materializer[Any]],
    ) -> None:
        self._keying = Keying(database)
        self._watermark = watermark
        self._saved = saved
        self._follower = follower
        self._materializers = materializers

    async def rebuild(self, tenant: str, name: str | None = None) -> dict[str, int]:
        """Key all records anew and fold all summaries (or those of one materializer) from nothing; how many, by materializer."""
        chosen = [each for each in self._materializers.values() if name in (None, each.name)]
        await self._follower.settle(tenant)
        await self._rekey(tenant, chosen)
        return {each.name: await self._rebuild_one(tenant, each) for each in chosen}

    async def _rekey(self, tenant: str, materializers: Sequence[Materializer[Any]]) -> None:
        """Let each record carry the keys that its statement has now; a void, those of its target too."""
        through = last_at(await self._watermark.through(fresh=True))
        after = BEFORE_ALL
        while records := await self._follower.next(tenant, after, through):
            await self._keying.complete(tenant, records, materializers, anew=True)
            after = records[-1]["position"]

    async def _rebuild_one(self, tenant: str, materializer: Materializer[Any]) -> int:
        rebuilt: set[str] = set()
        async for keys in self._saved.keys(tenant, materializer, CHUNK):
            new = [key for key in keys if key not in rebuilt]
            await self._rebuild_keys(tenant, materializer, new)
            rebuilt.update(new)
        return len(rebuilt)

    async def _rebuild_keys(self, tenant: str, materializer: Materializer[Any], keys: Sequence[str]) -> None:
        while keys:
            through = last_at(await self._watermark.through(fresh=True))
            summaries = await self._saved.refold(tenant, materializer, keys, through=through)
            await self._saved.save(tenant, materializer, [Saved(key, through, each) for key, each in summaries.items()])
            await self._saved.forget(tenant, materializer, [key for key in keys if key not in summaries])
            # What went further than that in the meantime may rest on what was there before.
            states = await self._saved.states(tenant, materializer, keys)
            keys = [key for key, (mark, _) in states.items() if mark > through]

    async def verify(self, tenant: str) -> Verification:
        """Recount every summary from its statements and compare the bytes."""
        await self._follower.settle(tenant)
        checked, different = 0, []
        for materializer in self._materializers.values():
            seen: set[str] = set()
            async for keys in self._saved.keys(tenant, materializer, CHUNK):
                new = [key for key in keys if key not in seen]
                seen.update(new)
                different += [f"{materializer.name}:{key}" for key in await self._differing(tenant, materializer, new)]
            checked += len(seen)
        return Verification(checked, different)

    async def _differing(self, tenant: str, materializer: Materializer[Any], keys: Sequence[str]) -> list[str]:
        """The keys whose saved bytes are not those of the recount up to their mark, or that lag behind the cursor."""
        cursor = await self._follower.cursor(tenant)
        states = await self._saved.states(tenant, materializer, keys)
        recounts = await self._recounts(tenant, materializer, {key: states.get(key, (BEFORE_ALL, b""))[0] for key in keys}, cursor)
        nothing = materializer.encode(materializer.empty())
        return [
            key for key in keys
            if key not in recounts or materializer.encode(recounts[key]) != states.get(key, (BEFORE_ALL, nothing))[1]
        ]

    async def _recounts(
        self, tenant: str, materializer: Materializer[Any], marks: Mapping[str, int], cursor: int
    ) -> dict[str, Any]:
        """Recounts up to the cursor, or up to a key's mark where the follower was there since."""
        resting = [key for key, mark in marks.items() if mark <= cursor]
        moved: Iterable[str] = marks.keys() - set(resting)
        recounts = await self._saved.refold(tenant, materializer, resting, through=cursor)
        for key in moved:
            recounts |= await self._saved.refold(tenant, materializer, [key], through=marks[key])
        return recounts
