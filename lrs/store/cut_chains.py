"""Chains of references that led through a statement that was removed: from then on they end there.

The other direction of `chains.py`. A record that refers to it, at any remove, is left with the look-up values of what remains of its
chain, and awaits the statement that is gone: it may come again.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pymongo import UpdateOne

from lrs.store.chains import LINK, setting
from lrs.store.couples import couples_of
from lrs.store.log import Log
from lrs.store.mongo import Database
from lrs.store.records import CHAINED_FIELDS, statement_of
from lrs.store.writers import Writer
from lrs.xapi.lookups import look_ups

Values = Mapping[str, Sequence[str]]
# Records of a level changed together.
AT_ONCE = 1_000


class CutChains:
    """To be done once nobody can store any more what rests on the removed statement: see `Removal.fence`. Safe to do again."""

    def __init__(self, database: Database, log: Log) -> None:
        self._records = database["records"]
        self._log = log
        self._writer = Writer(database)

    async def after(self, tenant: str, gone: Collection[str]) -> int:
        """Let chains end at these statements, by id, which are removed; how many records that changed."""
        ends: dict[str, str] = {each: each for each in gone}
        values: dict[str, Values] = {each: {} for each in gone}
        level, changed = list(gone), 0
        while level:
            found = await self._referring(tenant, level)
            new = {each["_id"].removeprefix(f"{tenant}/"): each for each in found}
            new = {own: each for own, each in new.items() if own not in ends}  # a chain may come back to itself
            for own, each in new.items():
                ends[own] = ends[each["refs"]]
                values[own] = _together(own_values(each), values[each["refs"]])
            if new and not changed:
                # From here on, whoever stores a statement looks for those who await it.
                await self._writer.announce_orphan()
            await self._save(tenant, {own: (values[own], ends[own]) for own in new})
            level, changed = list(new), changed + len(new)
        if changed:
            # One of them may have come again meanwhile, before anybody was seen to await it.
            await self._log.see_to_references({(tenant, each) for each in gone})
        return changed

    async def _referring(self, tenant: str, ids: Sequence[str]) -> list[dict[str, Any]]:
        query = {"tenant": tenant, "refs": {"$in": list(ids)}}
        return await self._records.find(query, projection=LINK | {"refs": 1, "position": 1, "text": 1}).to_list(None)

    async def _save(self, tenant: str, changed: Mapping[str, tuple[Values, str]]) -> None:
        writes = [
            UpdateOne({"_id": f"{tenant}/{own}"}, setting({
                **dict.fromkeys(CHAINED_FIELDS), **values, "awaits": end, "couples": couples_of(values), "pairs": None,
            }))
            for own, (values, end) in changed.items()
        ]
        for first in range(0, len(writes), AT_ONCE):
            await self._records.bulk_write(writes[first:first + AT_ONCE], ordered=False)


def own_values(record: Mapping[str, Any]) -> dict[str, list[str]]:
    """The look-up values that a record's statement has by itself, each field as a list."""
    found = look_ups(statement_of(record))
    own = {name: getattr(found, name) for name in CHAINED_FIELDS}
    return {name: [value] if isinstance(value, str) else list(value) for name, value in own.items() if value}


def _together(first: Values, then: Values) -> dict[str, list[str]]:
    return {
        name: list(dict.fromkeys([*first.get(name, ()), *then.get(name, ())]))
        for name in CHAINED_FIELDS if name in first or name in then
    }
