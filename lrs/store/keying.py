"""The keys that records carry: which summaries their statements belong to, as the installed materializers see it.

A record gets its keys when it is stored. It lacks some if the process that stored it did not know a materializer, or one failed there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pymongo import UpdateOne

from lrs.materialize import Materializer, fingerprint, record_keys
from lrs.store.couples import couples_of
from lrs.store.mongo import Database
from lrs.store.records import CHAINED_FIELDS, record_id, statement_once

Record = dict[str, Any]


class Keying:
    """Sees to it that records have their keys, and voids those of their targets.

    What was stored by a process that asked the same `installed` materializers, and all with success, has them, and is not keyed again.
    """

    def __init__(self, database: Database, installed: Iterable[Materializer[Any]] | None = None) -> None:
        self._records = database["records"]
        self._keyed = "" if installed is None else fingerprint(installed)

    async def complete(
        self, tenant: str, records: Sequence[Record], materializers: Sequence[Materializer[Any]], *, anew: bool = False
    ) -> None:
        """Add what keys are missing, here and in the database.

        `anew`: remove those that the materializers no longer give, and give couples to records of a version that knew none.
        """
        labels = {each.label for each in materializers} if anew else set()
        if anew and records:
            await self._couple(tenant, records[0]["position"], records[-1]["position"])
        others = [each for each in records if "voids" not in each and (anew or each.get("keyed") != self._keyed)]
        await self._save(others, [_keys(each, materializers, labels) for each in others])
        voids = [each for each in records if "voids" in each]
        if voids:
            # Read when all targets further up have theirs. What counts for a void itself is decided when it is folded.
            targets = await self._keys_of(record_id(tenant, each["voids"]) for each in voids)
            await self._save(voids, [
                list(dict.fromkeys([*_keys(each, materializers), *targets.get(record_id(tenant, each["voids"]), ())]))
                for each in voids
            ])

    async def _couple(self, tenant: str, first: int, last: int) -> None:
        """To records between two positions that have none; `pairs` is what the version before had in their place."""
        query = {"tenant": tenant, "couples": None, "position": {"$gte": first, "$lte": last}}
        writes = [
            # Not if it got them meanwhile, with what it has inherited.
            UpdateOne({"_id": each["_id"], "couples": None}, {"$set": {"couples": couples}, "$unset": {"pairs": ""}})
            async for each in self._records.find(query, projection=dict.fromkeys(CHAINED_FIELDS, 1)) if (couples := couples_of(each))
        ]
        if writes:
            await self._records.bulk_write(writes, ordered=False)

    async def _keys_of(self, ids: Iterable[str]) -> Mapping[str, Sequence[str]]:
        # A void cannot be voided: it has no effect on the summaries of another.
        found = self._records.find({"_id": {"$in": list(ids)}, "voids": None}, projection={"keys": 1})
        return {each["_id"]: each.get("keys", ()) async for each in found}

    async def _save(self, records: Sequence[Record], keys: Sequence[Sequence[str]]) -> None:
        writes = []
        for record, wanted in zip(records, keys, strict=True):
            has = record.get("keys", [])
            if wanted != has:
                record["keys"] = wanted
                lost = [key for key in has if key not in wanted]
                # Never set as a whole: others may add keys at this moment.
                if lost:
                    writes.append(UpdateOne({"_id": record["_id"]}, {"$pullAll": {"keys": lost}}))
                writes.append(UpdateOne({"_id": record["_id"]}, {"$addToSet": {"keys": {"$each": wanted}}}))
        if writes:
            await self._records.bulk_write(writes, ordered=False)


def _keys(record: Record, materializers: Sequence[Materializer[Any]], anew: Collection[str] = ()) -> list[str]:
    """What a record has, without the keys of the labels that are to be had anew, and what its statement has now."""
    kept = [key for key in record.get("keys", ()) if key.partition(":")[0] not in anew]
    return list(dict.fromkeys([*kept, *record_keys(materializers, statement_once(record))]))
