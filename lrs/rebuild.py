"""Rebuilding summaries from nothing but statements, and proving that the saved ones equal such a recount."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lrs.building import Report, nobody
from lrs.follow import Follower
from lrs.materialize import Materializer
from lrs.store.cursors import Cursor, Cursors
from lrs.store.editions import Editions
from lrs.store.mongo import Database
from lrs.store.positions import LAST, last_at
from lrs.store.saving import Anew, Cell, Saved, forgotten, forgotten_in, to_keep
from lrs.store.summaries import SavedSummaries
from lrs.store.watermark import Watermark
from lrs.verify import Verification, Verifier

# Summaries folded together: their records are read with one query.
CHUNK = 200


class Rebuilder:
    """Beside live traffic: what is made anew is a generation of its own until it is whole, and what is folded anew goes by its mark."""

    def __init__(
        self, database: Database, watermark: Watermark, saved: SavedSummaries, follower: Follower,
        materializers: Mapping[str, Materializer[Any]],
    ) -> None:
        self.editions = Editions(database)
        self._cursors = Cursors(database)
        self._watermark = watermark
        self._saved = saved
        self._follower = follower
        self._materializers = materializers
        self._verifier = Verifier(database, saved, follower, materializers)

    async def rebuild(
        self, tenant: str, name: str | None = None, *, per_second: float | None = None, report: Report = nobody
    ) -> dict[str, int]:
        """Key all records anew and fold all summaries (or those of one materializer) from nothing; how many, by materializer.

        At most so many records a second, telling `report` how many are done of how many. Whoever calls it again after it was
        stopped, goes on where it was. Readers see what was there before until all is made.
        """
        chosen = [each for each in self._materializers.values() if name in (None, each.name)]
        made = await self._follower.builder.build(tenant, chosen, per_second=per_second, report=report) if chosen else []
        return {each.name: await self._saved.count(tenant, each) for each in made}

    async def build(
        self, tenant: str, name: str | None = None, *, per_second: float | None = None, report: Report = nobody
    ) -> int:
        """The same; how many summaries in all."""
        return sum((await self.rebuild(tenant, name, per_second=per_second, report=report)).values())

    async def refold(self, tenant: str, keys_by_materializer: Mapping[str, Iterable[str]]) -> int:
        """Fold these summaries anew, after records were removed; how many have statements left. Also beside followers and rebuilds.

        Materializers by name or by label ("name@version", as the keys of records have it). Of one that is not installed here, and in
        retired generations, the summaries go, and what they add to lines; so do summaries that nothing is left of.
        """
        # What others have read before the records were gone cannot be saved from now on.
        await self._cursors.supersede(tenant)
        editions, kept = await self.editions.all(tenant), 0
        by_label = {each.label: each for each in self._materializers.values()}
        for name, keys in keys_by_materializer.items():
            installed = by_label.get(name) or self._materializers.get(name)
            label, all_keys = installed.label if installed else name, sorted(set(keys))
            for edition in sorted({label, *(each for each in editions if each.partition("#")[0] == label)}):
                for some in (all_keys[at:at + CHUNK] for at in range(0, len(all_keys), CHUNK)):
                    kept += await self._refold(tenant, installed, edition, some)
        return kept

    async def _refold(self, tenant: str, installed: Materializer[Any] | None, edition: str, keys: Sequence[str]) -> int:
        """Those that were further meanwhile may rest on what was there before: they are folded again."""
        kept = 0
        while keys:
            cursor = await self._cursors.read(tenant)
            cells = [forgotten_in(tenant, edition, key) for key in keys]
            if installed is not None and edition in {*cursor.positions, *cursor.building}:
                cells = await self._folded(cursor, replace(installed, generation=int(edition.partition("#")[2] or 0)), keys)
            left = await self._saved.write(tenant, cells, Anew(edition))
            done = [cell for cell in cells if cell.id not in left]
            kept += sum(cell.document is not None for cell in done if edition in cursor.positions)
            keys = [key for key in keys if forgotten_in(tenant, edition, key).id in left]
        return kept

    async def _folded(self, cursor: Cursor, materializer: Materializer[Any], keys: Sequence[str]) -> list[Cell]:
        through = cursor.building.get(materializer.edition, LAST)
        if through == LAST:
            through = last_at(await self._watermark.through(fresh=True))
        summaries = await self._saved.refold(cursor.tenant, materializer, keys, through=through)
        nothing, cells = materializer.encode(materializer.empty()), []
        for key in keys:
            cell = forgotten(cursor.tenant, materializer, key, through)
            if key in summaries:
                whole = to_keep(cursor.tenant, materializer, Saved(key, through, summaries[key]))
                cell = cell if whole.document and whole.document["state"] == nothing else whole
            cells.append(cell)
        return cells

    async def tidy(self) -> list[str]:
        """Remove the generations that rebuilds have replaced, once nobody reads them any more; which."""
        return await self.editions.tidy()

    async def verify(
        self, tenant: str, sample: float | None = None, materializer: str | None = None, *, report: Report = nobody
    ) -> Verification:
        """Recount all summaries, or a sample of them, and compare the bytes: see `Verifier.verify`."""
        await self._follower.settle(tenant)
        return await self._verifier.verify(tenant, sample=sample, name=materializer, report=report)
