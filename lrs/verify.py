"""Proving that saved summaries and lines equal a recount from nothing but statements."""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lrs.building import Report, nobody
from lrs.follow import Follower
from lrs.materialize import MISHAPS, Materializer, no_rows
from lrs.store.audit import Audit
from lrs.store.cursors import BEFORE_ALL, Cursors
from lrs.store.mongo import Database
from lrs.store.rollups import rows_of
from lrs.store.summaries import SavedSummaries

# Summaries recounted together: their records are read with one query.
CHUNK = 200
# Differences that a report names; of those beyond, it says how many.
MOST_NAMED = 1_000
# Random moments of the log at which a sample looks for summaries that are not saved.
MOST_MOMENTS = 1_000


@dataclass(frozen=True)
class Verification:
    """How many summaries and lines were recounted, and which were not equal to their recount, the first thousand by name
    ("<materializer>:<key>", "<materializer> line <scope>/<bucket>/<dims>"); `more` are those beyond.
    """

    checked: int
    different: Sequence[str]
    more: int = 0
    lines: int = 0


@dataclass
class _Tally:
    checked: int = 0
    lines: int = 0
    count: int = 0
    different: list[str] = field(default_factory=list)

    def differ(self, name: str) -> None:
        self.count += 1
        if self.count <= MOST_NAMED:
            self.different.append(name)


class Verifier:
    """Compares what is saved with a recount, beside live traffic. Memory does not grow with what there is."""

    def __init__(
        self, database: Database, saved: SavedSummaries, follower: Follower, materializers: Mapping[str, Materializer[Any]]
    ) -> None:
        self._audit = Audit(database)
        self._cursors = Cursors(database)
        self._saved = saved
        self._follower = follower
        self._materializers = materializers

    async def verify(
        self, tenant: str, *, sample: float | None = None, name: str | None = None, report: Report = nobody
    ) -> Verification:
        """Recount and compare byte for byte: all summaries (of one materializer), or of each a random sample.

        `sample` below 1 is a part of them, else a number. Lines are compared with what their cells have added, all of them; and
        that, with what a recount of the cells adds. `report` hears how many summaries are done, of about how many.
        """
        tally = _Tally()
        cursor = await self._cursors.read(tenant)
        chosen = [cursor.current(each) for each in self._materializers.values() if name in (None, each.name)]
        counts = [await self._saved.count(tenant, each) for each in chosen]
        total = sum(count if sample is None else _of(sample, count) for count in counts)
        for each, count in zip(chosen, counts, strict=True):
            async for keys in self._all(tenant, each) if sample is None else self._some(tenant, each, _of(sample, count)):
                tally.checked += len(keys)
                for key in await self._differing(tenant, each, keys):
                    tally.differ(f"{each.name}:{key}")
                await report(tally.checked, max(total, tally.checked))
            if each.rows is not no_rows:
                lines, different = await self._audit.lines(tenant, each)
                tally.lines += lines
                for line in different:
                    tally.differ(f"{each.name} line {line}")
        return Verification(tally.checked, tally.different, max(0, tally.count - MOST_NAMED), tally.lines)

    async def _all(self, tenant: str, materializer: Materializer[Any]) -> AsyncIterator[Sequence[str]]:
        """All keys that have a saved summary or a record, each once."""
        async for keys in self._saved.saved_keys(tenant, materializer, CHUNK):
            yield keys
        async for keys in self._saved.keys(tenant, materializer, CHUNK):
            there = await self._saved.states(tenant, materializer, keys)
            yield [key for key in keys if key not in there]

    async def _some(self, tenant: str, materializer: Materializer[Any], count: int) -> AsyncIterator[Sequence[str]]:
        saved = await self._audit.some_saved(tenant, materializer, count) if count else []
        recorded = await self._audit.some_recorded(tenant, materializer, min(max(count, 1), MOST_MOMENTS))
        keys = list(dict.fromkeys([*saved, *recorded]))
        for at in range(0, len(keys), CHUNK):
            yield keys[at:at + CHUNK]

    async def _differing(self, tenant: str, materializer: Materializer[Any], keys: Sequence[str]) -> list[str]:
        """The keys whose saved bytes are not those of the recount up to their mark, or that lag behind the cursor."""
        cursor = (await self._cursors.read(tenant)).positions.get(materializer.edition, BEFORE_ALL)
        found = await self._saved.documents(tenant, materializer, keys)
        marks = {key: found[key]["mark"] if key in found else BEFORE_ALL for key in keys}
        recounts = await self._recounts(tenant, materializer, marks, cursor)
        return [
            key for key in keys
            if key not in recounts or _bytes(materializer, key, recounts[key]) != _saved(materializer, found.get(key))
        ]

    async def _recounts(
        self, tenant: str, materializer: Materializer[Any], marks: Mapping[str, int], cursor: int
    ) -> dict[str, Any]:
        """Recounts up to the cursor, or up to a key's mark where the follower was there since."""
        resting = [key for key, mark in marks.items() if mark <= cursor]
        recounts = await self._saved.refold(tenant, materializer, resting, through=cursor)
        for key, mark in marks.items():
            if mark > cursor:
                recounts |= await self._saved.refold(tenant, materializer, [key], through=mark)
        return recounts


def _of(sample: float, count: int) -> int:
    """How many a sample is, of so many."""
    return math.ceil(sample * count) if sample < 1 else int(sample)


def _bytes(materializer: Materializer[Any], key: str, summary: Any) -> tuple[bytes, bytes] | None:
    """What is to be saved of a summary, and what it adds; None if that cannot be told."""
    try:
        return materializer.encode(summary), rows_of(materializer, key, summary)
    except MISHAPS:
        return None


def _saved(materializer: Materializer[Any], document: Mapping[str, Any] | None) -> tuple[bytes, bytes]:
    """The same of what is saved. One that is not there is as an empty one, which adds nothing."""
    if document is None:
        return materializer.encode(materializer.empty()), b""
    return document["state"], document.get("rows", b"")
