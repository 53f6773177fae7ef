"""Reference data of adapters: users, lessons, catalogues, as operators PUT them."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lrs.plugins import Entry
from lrs.store.mongo import Database

# How long a process may go on with what it has before it asks whether there is something newer, in seconds.
FRESH_FOR_S = 0.5
# Snapshots kept by a process; beyond, all are dropped, so that made-up tenant names cannot fill memory.
MOST_CACHED = 1_000


@dataclass(frozen=True)
class Snapshot:
    """All reference data of one adapter and tenant: kind -> id -> document. `revision` grows with every change; 0 is none."""

    revision: int
    kinds: Mapping[str, Mapping[str, Mapping[str, Any]]]


EMPTY = Snapshot(0, {})


class References:
    """Replaced as a whole, read as a whole."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entries = database["entries"]
        self._revisions = database["revisions"]
        self._snapshots: dict[tuple[str, str], tuple[float, Snapshot]] = {}

    async def replace(self, tenant: str, adapter: str, name: str, entries: Iterable[Entry]) -> None:
        """Put these entries in the place of all that were there under the name; readers see the old or the new ones."""
        documents = [
            {"tenant": tenant, "adapter": adapter, "name": name, "kind": entry.kind, "id": entry.id,
             "names": list(entry.names), "document": dict(entry.document)}
            for entry in entries
        ]
        async with self._database.transaction() as session:
            await self._revisions.update_one(
                {"_id": f"{tenant}/{adapter}"}, {"$inc": {"revision": 1}, "$set": {"tenant": tenant}}, upsert=True, session=session
            )
            await self._entries.delete_many({"tenant": tenant, "adapter": adapter, "name": name}, session=session)
            if documents:
                await self._entries.insert_many(documents, session=session)
        self._snapshots.pop((tenant, adapter), None)

    async def snapshot(self, tenant: str, adapter: str) -> Snapshot:
        """What there is now; at most a moment old."""
        asked = time.monotonic()
        at, known = self._snapshots.get((tenant, adapter), (float("-inf"), EMPTY))
        if asked - at < FRESH_FOR_S:
            return known
        found = await self._revisions.find_one({"_id": f"{tenant}/{adapter}"})
        revision = found["revision"] if found else 0
        if revision != known.revision:
            known = Snapshot(revision, await self._load(tenant, adapter) if revision else {})
        if len(self._snapshots) >= MOST_CACHED:
            self._snapshots.clear()
        self._snapshots[tenant, adapter] = (asked, known)
        return known

    async def _load(self, tenant: str, adapter: str) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        kinds: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
        async for entry in self._entries.find({"tenant": tenant, "adapter": adapter}):
            kinds[entry["kind"]][entry["id"]] = entry["document"]
        return kinds

    async def holders(self, adapter: str, kind: str, name: str) -> list[str]:
        """The tenants whose reference data has an entry of that kind with that look-up name, in order."""
        return sorted(await self._entries.distinct("tenant", {"adapter": adapter, "kind": kind, "names": name}))
