"""The data of attachments: one content for each tenant and hash, in GridFS, written before the statements that name it.

A content is a file of the bucket `attachments` and a document of the collection `attachments`, which makes it known:
`{_id: "<tenant>/<sha2>", tenant, sha2, length, file, unclaimed_since}`. Files are written here and not by the driver's own bucket,
which holds up to 48 MB of a file in memory; they are plain GridFS all the same. docs/decisions/0006.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog
from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from lrs.errors import StoreUnavailable
from lrs.store.mongo import Database, is_transient
from lrs.store.records import Prepared, record_id

logger = structlog.get_logger(__name__)

# Octets of a chunk, as in GridFS by default, and chunks that are read or written at a time: 2 MB in memory.
CHUNK = 255 * 1024
TOGETHER = 8
# Attempts to make contents known while others make the same ones known.
MOST_TRIES = 10
# Contents that one sweep looks at; what is left is for the next one.
MOST_SWEPT = 1_000
DUPLICATE_KEY = 11000


class Content(Protocol):
    """Octets that are to be kept: how many, and all of them in pieces of a size."""

    @property
    def length(self) -> int: ...

    def chunks(self, size: int) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True)
class Kept:
    """A content that is there: its hash in lower case, its length in octets, and its file."""

    sha2: str
    length: int
    file: ObjectId


class LostContent(Exception):
    """A file is not as long as it should be: it is being removed, or damaged."""


class Attachments:
    """What is kept, for those who post and those who read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._contents = database["attachments"]
        self._files = database["attachments.files"]
        self._chunks = database["attachments.chunks"]
        self._records = database["records"]

    async def keep(self, tenant: str, contents: Mapping[str, Content]) -> None:
        """See that each content, by its lower-case hash, is there. What is there is not written again. Raises StoreUnavailable.

        Until a statement claims it (see `claim`), it may be swept. Nothing is left to do if the caller gives up: what was
        begun is swept too.
        """
        there = await self._touch(tenant, contents)
        missing = {sha2: content for sha2, content in contents.items() if sha2 not in there}
        if not missing:
            return
        files = {sha2: ObjectId() for sha2 in missing}
        await self._write(tenant, files, missing)
        known = await self._make_known(tenant, files, missing)
        # Somebody else was faster with the same content: one of the two is enough.
        await self._discard([file for sha2, file in files.items() if known[sha2].file != file])

    async def of(self, tenant: str, statement_ids: Iterable[str]) -> dict[str, Kept]:
        """The contents that came with these statements, by lower-case hash."""
        ids = [record_id(tenant, each) for each in statement_ids]
        query = {"_id": {"$in": ids}, "attachments": {"$exists": True}}
        found = self._records.find(query, projection={"attachments": 1})
        return await self._there(tenant, {sha2 async for record in found for sha2 in record["attachments"]})

    async def read(self, kept: Kept) -> AsyncIterator[bytes]:
        """The octets of a content, chunk by chunk. Raises LostContent when one is not there."""
        # One query for each few chunks: a cursor would be closed under a reader that is slow.
        left = kept.length
        for first in range(0, -(-kept.length // CHUNK), TOGETHER):
            query = {"files_id": kept.file, "n": {"$gte": first, "$lt": first + TOGETHER}}
            for chunk in await self._chunks.find(query, projection={"data": 1}).sort("n", 1).to_list(TOGETHER):
                left -= len(chunk["data"])
                yield chunk["data"]
            if left != max(0, kept.length - (first + TOGETHER) * CHUNK):
                raise LostContent(f"file {kept.file} has not its {kept.length} octets")

    async def sweep_orphans(self, older_than: timedelta) -> int:
        """Remove what no statement claimed and what was not written to its end, both for so long; how many contents."""
        before, removed = datetime.now(UTC) - older_than, 0
        for content in await self._contents.find({"unclaimed_since": {"$lt": before}}).to_list(MOST_SWEPT):
            removed += await self._sweep(content)
        begun = {"metadata.pending_since": {"$lt": before}}
        for file in await self._files.find(begun, projection={"_id": 1}).to_list(MOST_SWEPT):
            # From here on it cannot be made known any more, even by a process that was asleep all the time.
            doomed = await self._files.update_one({"_id": file["_id"], **begun}, {"$set": {"metadata.doomed": True}})
            if doomed.matched_count:
                await self._discard([file["_id"]])
                removed += 1
        return removed

    async def there(self, tenant: str, sha2s: Iterable[str]) -> set[str]:
        """Which of these contents, by lower-case hash, are kept."""
        return set(await self._there(tenant, sha2s))

    async def release(self, tenant: str, sha2s: Iterable[str]) -> None:
        """Remove those of these contents that no statement claims any more. Whoever is about to claim one keeps it."""
        ids = [content_id(tenant, sha2) for sha2 in sha2s]
        if ids:
            await self._contents.update_many({"_id": {"$in": ids}}, {"$set": {"unclaimed_since": datetime.now(UTC)}})
            for content in await self._contents.find({"_id": {"$in": ids}}).to_list(None):
                await self._sweep(content)

    async def _sweep(self, content: Mapping[str, Any]) -> bool:
        same = {"_id": content["_id"], "unclaimed_since": content["unclaimed_since"]}
        claimed = {"tenant": content["tenant"], "attachments": content["sha2"]}
        if await self._records.find_one(claimed, projection={"_id": 1}) is not None:
            await self._contents.update_one(same, {"$unset": {"unclaimed_since": ""}})
            return False
        async with self._database.transaction() as session:
            # Not if it was touched since: somebody is about to claim it.
            if not (await self._contents.delete_one(same, session=session)).deleted_count:
                return False
            doom = {"$set": {"metadata.pending_since": content["unclaimed_since"], "metadata.doomed": True}}
            await self._files.update_one({"_id": content["file"]}, doom, session=session)
        await self._discard([content["file"]])
        return True

    async def _touch(self, tenant: str, sha2s: Iterable[str]) -> dict[str, Kept]:
        """The contents that are there, kept from being swept for a while."""
        ids = [content_id(tenant, sha2) for sha2 in sha2s]
        await self._contents.update_many({"_id": {"$in": ids}}, {"$set": {"unclaimed_since": datetime.now(UTC)}})
        return await self._there(tenant, sha2s)

    async def _there(self, tenant: str, sha2s: Iterable[str]) -> dict[str, Kept]:
        ids = [content_id(tenant, sha2) for sha2 in sha2s]
        if not ids:
            return {}
        found = self._contents.find({"_id": {"$in": ids}})
        return {each["sha2"]: Kept(each["sha2"], int(each["length"]), each["file"]) async for each in found}

    async def _write(self, tenant: str, files: Mapping[str, ObjectId], contents: Mapping[str, Content]) -> None:
        """Write files that nobody knows yet, each announced before its first chunk, so that whatever is left of it can be found."""
        now = datetime.now(UTC)
        await self._files.insert_many([
            {"_id": file, "filename": sha2, "length": contents[sha2].length, "chunkSize": CHUNK, "uploadDate": now,
             "metadata": {"tenant": tenant, "pending_since": now}}
            for sha2, file in files.items()
        ])
        waiting: list[dict[str, Any]] = []
        for sha2, file in files.items():
            number = 0
            async for data in contents[sha2].chunks(CHUNK):
                waiting.append({"files_id": file, "n": number, "data": data})
                number += 1
                if len(waiting) == TOGETHER:
                    await self._chunks.insert_many(waiting)
                    waiting = []
        if waiting:
            await self._chunks.insert_many(waiting)

    async def _make_known(
        self, tenant: str, files: Mapping[str, ObjectId], contents: Mapping[str, Content]
    ) -> dict[str, Kept]:
        """Make our files known, but for those whose content is known by now; what is known then."""
        for _ in range(MOST_TRIES):
            # Looked up each time: a commit that seemed to fail may have gone through.
            known = await self._touch(tenant, files)
            missing = [sha2 for sha2 in files if sha2 not in known]
            if not missing:
                return known
            try:
                await self._make_known_once(tenant, {sha2: files[sha2] for sha2 in missing}, contents)
            except PyMongoError as error:
                if not _was_overtaken(error):
                    raise
        raise StoreUnavailable("the attachments could not be stored for all the others who store the same")

    async def _make_known_once(self, tenant: str, files: Mapping[str, ObjectId], contents: Mapping[str, Content]) -> None:
        now = datetime.now(UTC)
        documents = [
            {"_id": content_id(tenant, sha2), "tenant": tenant, "sha2": sha2, "length": contents[sha2].length, "file": file,
             "unclaimed_since": now}
            for sha2, file in files.items()
        ]
        async with self._database.transaction() as session:
            ours = {"_id": {"$in": list(files.values())}, "metadata.doomed": None}
            done = await self._files.update_many(ours, {"$unset": {"metadata.pending_since": ""}}, session=session)
            if done.matched_count != len(files):
                raise StoreUnavailable("the attachments took too long, and were swept away: send them again")
            await self._contents.insert_many(documents, session=session)

    async def _discard(self, files: Sequence[ObjectId]) -> None:
        """Remove files; the chunks first, so that what a crash leaves is found again."""
        if files:
            await self._chunks.delete_many({"files_id": {"$in": list(files)}})
            await self._files.delete_many({"_id": {"$in": list(files)}})


def content_id(tenant: str, sha2: str) -> str:
    """The `_id` of a content: one for each tenant and lower-case hash."""
    return f"{tenant}/{sha2}"


async def claim(database: Database, batch: Iterable[Prepared], session: AsyncIOMotorClientSession) -> None:
    """Within the transaction that stores statements: hold what they name, or raise StoreUnavailable.

    A sweep that wants one of the contents at the same moment conflicts with it, and one of the two comes first. So there
    is never a statement whose data was here and is gone.
    """
    ids = {content_id(prepared.tenant, sha2) for prepared in batch for sha2 in prepared.attachments}
    if not ids:
        return
    held = await database["attachments"].update_many(
        {"_id": {"$in": list(ids)}}, {"$set": {"unclaimed_since": datetime.now(UTC)}}, session=session
    )
    if held.matched_count != len(ids):
        raise StoreUnavailable("an attachment was swept away before its statement was stored: send both again")


def _was_overtaken(error: PyMongoError) -> bool:
    """Whether somebody else made the same content known at the same time, or whatever it was may pass."""
    if isinstance(error, BulkWriteError):
        return all(fault["code"] == DUPLICATE_KEY for fault in error.details["writeErrors"])
    return isinstance(error, DuplicateKeyError) or is_transient(error)
