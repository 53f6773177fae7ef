"""Documents of learners and activities: any bytes, found by their place. The database decides every race.

xAPI 1.0.3, Communication 2.2 and 3.1.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from lrs.errors import DocumentConflict, PreconditionFailed, StoreUnavailable, TooLarge
from lrs.store.mongo import Database
from lrs.store.watermark import now_us
from lrs.xapi.documents import ANY, JSON, Place, Preconditions, Resource, etag_of, merged
from lrs.xapi.json_text import dump

# MongoDB refuses what is over 16 MiB; a document's place may take some of that.
LARGEST = 15 * 1024 * 1024
# Each round of a merge that is lost was won by another, so as many clients may merge into one document at the same moment.
MOST_ROUNDS = 200
NO_TERMS: Mapping[Place, Sequence[str]] = {}
# A query may not be over 16 MiB either.
MOST_IDS = 10_000
# Reading and writing JSON of more bytes takes long enough to be kept out of the loop.
LONG = 64 * 1024
CHANGED = "the document is not as If-Match or If-None-Match require: get it, and send its ETag as If-Match"
THERE = "there is a document already: check its current state, and send its ETag as If-Match to replace it"


@dataclass(frozen=True)
class Document:
    """What is at a place. `etag` is without quotes, `updated_us` in µs since the epoch."""

    content: bytes
    content_type: str
    etag: str
    updated_us: int


class Documents:
    """One MongoDB document each, by a digest of its place: a place may be longer than a key should be."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._documents = database["documents"]
        self._clock = clock

    async def get(self, tenant: str, place: Place) -> Document | None:
        """What is at a place; None if nothing is."""
        found = await self._documents.find_one({"_id": _id(tenant, place)})
        return found and Document(found["content"], found["content_type"], found["etag"], found["updated_us"])

    async def ids(self, tenant: str, place: Place, since_us: int | None = None) -> tuple[list[str], int | None]:
        """The ids of a context's documents that changed after `since_us`, in order, and when the last of them did (µs)."""
        query = _several(tenant, place)
        if since_us is not None:
            query["updated_us"] = {"$gt": since_us}
        updated: dict[str, int] = {}
        async for each in self._documents.find(query, projection={"document_id": 1, "updated_us": 1}):
            updated[each["document_id"]] = max(each["updated_us"], updated.get(each["document_id"], 0))
        return sorted(updated), max(updated.values(), default=None)

    async def put(
        self, tenant: str, place: Place, content_type: str, content: bytes, preconditions: Preconditions, *, careful: bool
    ) -> None:
        """Put a content at a place. PreconditionFailed, TooLarge, or, if `careful`, DocumentConflict.

        `careful`: what is there is replaced only if the preconditions say something of it.
        """
        fresh = self._fresh(place, content_type, content)
        blind = careful and not preconditions
        if blind or (preconditions.none_match == ANY and preconditions.match is None):
            if not await self._insert(tenant, place, fresh):
                raise DocumentConflict(THERE) if blind else PreconditionFailed(CHANGED)
        elif preconditions.match is not None:
            if not await self._replace(tenant, place, fresh, _holding(preconditions)):
                raise PreconditionFailed(CHANGED)
        else:
            await self._upsert(tenant, place, fresh, preconditions)

    async def post(
        self, tenant: str, place: Place, content_type: str, content: bytes, preconditions: Preconditions
    ) -> None:
        """Merge a JSON object into the one at a place, or put it there. PreconditionFailed, TooLarge, InvalidBody.

        xAPI 1.0.3, Communication 2.2, "JSON Procedure".
        """
        for _ in range(MOST_ROUNDS):
            there = await self.get(tenant, place)
            if not preconditions.hold(there.etag if there else None):
                raise PreconditionFailed(CHANGED)
            if there is None:
                done = await self._insert(tenant, place, self._fresh(place, content_type, content))
            else:
                together = await _merged(there, content_type, content)
                unchanged = {"etag": there.etag, "content_type": there.content_type}
                done = await self._replace(tenant, place, self._fresh(place, JSON, together), unchanged)
            if done:
                return
        raise StoreUnavailable("too many change this document at once")

    async def delete(self, tenant: str, place: Place, preconditions: Preconditions) -> None:
        """Remove what is at a place, if anything is. PreconditionFailed."""
        removed = await self._documents.delete_one({"_id": _id(tenant, place), **_holding(preconditions)})
        if removed.deleted_count or not preconditions:
            return
        # Nothing was there, or another than required: only a request that takes nothing for granted is content with the first.
        if preconditions.match is not None or await self.get(tenant, place) is not None:
            raise PreconditionFailed(CHANGED)

    async def delete_several(self, tenant: str, place: Place) -> None:
        """Remove all documents of a context; without a registration, those of all registrations. Communication 2.3."""
        await self._documents.delete_many(_several(tenant, place))

    async def put_profiles(
        self, tenant: str, profiles: Mapping[Place, bytes], terms: Mapping[Place, Sequence[str]] = NO_TERMS
    ) -> None:
        """Put JSON contents at places, whatever is there; what is there already is not written.

        They keep the order in which they were first put. `terms` are what each can be found by until something else is put there.
        """
        fresh = {
            _id(tenant, place): self._fresh(place, JSON, content, terms.get(place, ())) for place, content in profiles.items()
        }
        first_us = {each: document["updated_us"] + number for number, (each, document) in enumerate(fresh.items())}
        there = self._documents.find({"_id": {"$in": list(fresh)}}, projection={"etag": 1, "terms": 1})
        same = {each["_id"] async for each in there if all(each.get(name) == fresh[each["_id"]][name] for name in ("etag", "terms"))}
        writes = [
            UpdateOne({"_id": each}, {"$set": {"tenant": tenant, **document}, "$setOnInsert": {"first_us": first_us[each]}}, upsert=True)
            for each, document in fresh.items() if each not in same
        ]
        if writes:
            await self._documents.bulk_write(writes, ordered=False)

    async def profiles(
        self, tenant: str, resource: Resource, profile_id: str, owners: Iterable[str] | None = None, *,
        having: Sequence[Collection[str]] = (),
    ) -> dict[str, bytes]:
        """The contents of all documents of one profile, by the identity of the agent or the IRI of the activity, as they were first put.

        With `owners`, theirs alone, in no order: each by its place, however many others there are. With `having`, those alone that have
        one of the terms of each of these, and those that have come without terms, by another door.
        """
        owner = resource.required[0].removesuffix("Id")
        if owners is not None:
            contents: dict[str, bytes] = {}
            ids = [_id(tenant, Place(resource.name, document_id=profile_id, **{owner: each})) for each in owners]
            for start in range(0, len(ids), MOST_IDS):
                found = self._documents.find({"_id": {"$in": ids[start:start + MOST_IDS]}}, projection={owner: 1, "content": 1})
                contents |= {each[owner]: each["content"] for each in await found.to_list(None)}
            return contents
        query: dict[str, Any] = {"tenant": tenant, "resource": resource.name, "document_id": profile_id}
        if having:
            query["$and"] = [{"terms": {"$in": [None, *sorted(terms)]}} for terms in having]
        found = self._documents.find(query, projection={owner: 1, "content": 1, "first_us": 1, "updated_us": 1})
        listed = sorted(await found.to_list(None), key=lambda each: each.get("first_us", each["updated_us"]))
        return {each[owner]: each["content"] for each in listed}

    def _fresh(self, place: Place, content_type: str, content: bytes, terms: Sequence[str] = ()) -> dict[str, Any]:
        if len(content) > LARGEST:
            raise TooLarge(f"the document takes {len(content)} bytes, more than {LARGEST}")
        return {
            **_fields(place), "content_type": content_type, "content": content, "etag": etag_of(content),
            "updated_us": now_us(self._clock), "terms": list(terms) or None,
        }

    async def _insert(self, tenant: str, place: Place, fresh: dict[str, Any]) -> bool:
        try:
            await self._documents.insert_one({"_id": _id(tenant, place), "tenant": tenant, **fresh})
        except DuplicateKeyError:
            return False
        return True

    async def _replace(self, tenant: str, place: Place, fresh: dict[str, Any], holding: dict[str, Any]) -> bool:
        replaced = await self._documents.update_one({"_id": _id(tenant, place), **holding}, {"$set": fresh})
        return bool(replaced.matched_count)

    async def _upsert(self, tenant: str, place: Place, fresh: dict[str, Any], preconditions: Preconditions) -> None:
        """Replace or insert. An upsert whose filter misses the one that is there tries to insert, as one that loses a race does."""
        query = {"_id": _id(tenant, place), **_holding(preconditions)}
        for _ in range(MOST_ROUNDS):
            try:
                await self._documents.update_one(query, {"$set": {"tenant": tenant, **fresh}}, upsert=True)
                return
            except DuplicateKeyError:
                if preconditions:
                    raise PreconditionFailed(CHANGED) from None
        raise StoreUnavailable("too many change this document at once")


async def _merged(there: Document, content_type: str, content: bytes) -> bytes:
    parts = there.content_type, there.content, content_type, content
    if len(content) + len(there.content) < LONG:
        return merged(*parts)
    return await asyncio.to_thread(merged, *parts)


def _holding(preconditions: Preconditions) -> dict[str, Any]:
    """The filter for a document of which the preconditions hold."""
    tags: dict[str, Any] = {}
    if isinstance(preconditions.match, frozenset):
        tags["$in"] = sorted(preconditions.match)
    if isinstance(preconditions.none_match, frozenset):
        tags["$nin"] = sorted(preconditions.none_match)
    if preconditions.none_match == ANY:
        tags = {"$in": []}  # whatever is there is one too many
    return {"etag": tags} if tags else {}


def _fields(place: Place) -> dict[str, Any]:
    named = {
        "resource": place.resource, "activity": place.activity, "agent": place.agent, "registration": place.registration,
        "document_id": place.document_id,
    }
    return {name: value for name, value in named.items() if value is not None}


def _several(tenant: str, place: Place) -> dict[str, Any]:
    return {"tenant": tenant, **_fields(place)}


def _id(tenant: str, place: Place) -> str:
    parts = [place.resource, place.activity, place.agent, place.registration, place.document_id]
    return f"{tenant}/{sha256(dump(parts)).hexdigest()}"
