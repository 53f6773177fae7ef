"""Contents on a real MongoDB: once each, never half, never missing under a statement, and gone when nobody holds them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from builders import AUTHORITY, a_statement
from conftest import Parts
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorGridFSBucket

from lrs.config import Config
from lrs.errors import StoreUnavailable
from lrs.store.attachments import CHUNK, Attachments, Kept, LostContent
from lrs.store.directory import Directory
from lrs.store.mongo import Database

NOW, LATER = timedelta(0), timedelta(hours=1)


@dataclass(frozen=True)
class Octets:
    octets: bytes
    fails: bool = False

    @property
    def length(self) -> int:
        return len(self.octets)

    async def chunks(self, size: int) -> AsyncIterator[bytes]:
        for start in range(0, len(self.octets), size):
            yield self.octets[start:start + size]
        if self.fails:
            raise ConnectionResetError("the disk is gone")


def sha2(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


@pytest.fixture
def attachments(database: Database) -> Attachments:
    return Attachments(database)


async def put(attachments: Attachments, *contents: bytes, tenant: str = "school") -> list[str]:
    await attachments.keep(tenant, {sha2(each): Octets(each) for each in contents})
    return [sha2(each) for each in contents]


async def post(parts: Parts, *hashes: str, **more: Any) -> str:
    """A statement that holds these contents; its id."""
    files = [{"usageType": "https://example.org/u", "display": {}, "contentType": "a/b", "length": 1, "sha2": each} for each in hashes]
    statement = a_statement(attachments=files, **more)
    await parts.intake.accept([statement], tenant="school", authority=AUTHORITY, attachments=set(hashes))
    return str(statement["id"])


async def read(attachments: Attachments, kept: Kept) -> bytes:
    return b"".join([chunk async for chunk in attachments.read(kept)])


async def counts(database: Database) -> tuple[int, int, int]:
    """Contents that are known, files, chunks."""
    names = ("attachments", "attachments.files", "attachments.chunks")
    known, files, chunks = [await database[name].count_documents({}) for name in names]
    return known, files, chunks


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 8 * CHUNK, 8 * CHUNK + 1, 20 * CHUNK + 7])
async def test_what_was_kept_comes_back_octet_by_octet(attachments: Attachments, parts: Parts, length: int) -> None:
    content = (b"0123456789" * (length // 10 + 1))[:length]
    (digest,) = await put(attachments, content)
    found = await attachments.of("school", [await post(parts, digest)])
    assert found[digest].length == length and await read(attachments, found[digest]) == content


async def test_a_kept_content_is_a_file_that_any_reader_of_gridfs_reads(attachments: Attachments, config: Config) -> None:
    content = b"x" * (3 * CHUNK + 5)
    (digest,) = await put(attachments, content)
    client: Any = AsyncIOMotorClient(config.mongo_url)
    bucket = AsyncIOMotorGridFSBucket(client[config.mongo_database], bucket_name="attachments")
    assert await (await bucket.open_download_stream_by_name(digest)).read() == content
    client.close()


async def test_a_content_is_kept_once_for_each_tenant(attachments: Attachments, database: Database) -> None:
    for tenant in ("school", "school", "other"):
        await put(attachments, b"the same", tenant=tenant)
    assert await counts(database) == (2, 2, 2)


async def test_contents_that_come_at_the_same_moment_are_kept_once(attachments: Attachments, database: Database) -> None:
    several = [b"one" * CHUNK, b"two", b"three"]
    await asyncio.gather(*(put(Attachments(database), *several[first:]) for first in (0, 1, 2, 0, 1, 0, 0)))
    assert await counts(database) == (3, 3, 5)
    for content in several:
        document = await database["attachments"].find_one({"sha2": sha2(content)})
        assert await read(attachments, Kept(sha2(content), len(content), document["file"])) == content


async def test_a_statement_gives_only_what_came_with_it(attachments: Attachments, parts: Parts) -> None:
    secret, own = await put(attachments, b"secret", b"own")
    await post(parts, secret)
    file = {"usageType": "https://example.org/u", "display": {}, "contentType": "a/b", "length": 6, "sha2": secret, "fileUrl": "a:b"}
    curious = a_statement(attachments=[file])
    await parts.intake.accept([curious], tenant="school", authority=AUTHORITY)
    assert await attachments.of("school", [curious["id"]]) == {}
    mine = await post(parts, own)
    assert set(await attachments.of("school", [mine.upper(), curious["id"]])) == {own}
    assert await attachments.of("other", [mine]) == {}


async def test_what_a_statement_holds_is_never_swept(attachments: Attachments, parts: Parts, database: Database) -> None:
    held, orphan = await put(attachments, b"held", b"orphan")
    statement_id = await post(parts, held)
    assert await attachments.sweep_orphans(LATER) == 0
    assert await counts(database) == (2, 2, 2)
    assert [await attachments.sweep_orphans(NOW) for _ in range(2)] == [1, 0]
    assert await counts(database) == (1, 1, 1)
    assert set(await attachments.of("school", [statement_id])) == {held}
    assert await database["attachments"].find_one({"unclaimed_since": {"$exists": True}}) is None


async def test_a_content_that_was_swept_may_come_again(attachments: Attachments, parts: Parts) -> None:
    await put(attachments, b"again")
    await attachments.sweep_orphans(NOW)
    (digest,) = await put(attachments, b"again")
    found = await attachments.of("school", [await post(parts, digest)])
    assert await read(attachments, found[digest]) == b"again"


async def test_a_statement_whose_content_was_swept_meanwhile_is_not_stored(attachments: Attachments, parts: Parts) -> None:
    (digest,) = await put(attachments, b"slow")
    await attachments.sweep_orphans(NOW)
    with pytest.raises(StoreUnavailable):
        await post(parts, digest)
    assert await parts.all_ids() == []


async def test_sweeping_beside_posts_leaves_no_statement_without_its_data(
    attachments: Attachments, make_parts: Callable[[], Parts], database: Database
) -> None:
    parts, posted = make_parts(), []

    async def post_some() -> None:
        for number in range(15):
            (digest,) = await put(attachments, b"content %d" % (number % 4))
            try:
                posted.append((await post(parts, digest), digest))
            except StoreUnavailable:
                continue

    async def sweep_all() -> None:
        while not posting.done():
            await attachments.sweep_orphans(NOW)

    posting = asyncio.gather(post_some(), post_some())
    await asyncio.gather(posting, sweep_all(), return_exceptions=True)
    for statement_id, digest in posted:
        found = await attachments.of("school", [statement_id])
        assert (await read(attachments, found[digest])).startswith(b"content ")
    assert len(await parts.all_ids()) == len(posted)


async def test_what_was_not_written_to_its_end_is_swept(attachments: Attachments, database: Database) -> None:
    with pytest.raises(ConnectionResetError):
        await attachments.keep("school", {"a" * 64: Octets(b"x" * (9 * CHUNK), fails=True)})
    assert (await counts(database))[:2] == (0, 1)
    assert await attachments.sweep_orphans(LATER) == 0
    assert await attachments.sweep_orphans(NOW) == 1
    assert await counts(database) == (0, 0, 0)


async def test_a_writer_that_slept_through_a_sweep_makes_nothing_known(attachments: Attachments, database: Database) -> None:
    class Sleepy(Octets):
        async def chunks(self, size: int) -> AsyncIterator[bytes]:
            yield self.octets
            await attachments.sweep_orphans(NOW)

    with pytest.raises(StoreUnavailable):
        await attachments.keep("school", {sha2(b"x"): Sleepy(b"x")})
    assert await database["attachments"].count_documents({}) == 0


async def test_a_file_that_lost_a_chunk_is_not_given_out_as_whole(attachments: Attachments, parts: Parts, database: Database) -> None:
    (digest,) = await put(attachments, b"x" * (3 * CHUNK))
    found = await attachments.of("school", [await post(parts, digest)])
    await database["attachments.chunks"].delete_one({"n": 1})
    with pytest.raises(LostContent):
        await read(attachments, found[digest])


async def test_a_deleted_tenant_leaves_no_data_behind(attachments: Attachments, parts: Parts, database: Database) -> None:
    directory = Directory(database, "secret")
    await directory.create_tenant("school")
    (digest,) = await put(attachments, b"x" * (2 * CHUNK))
    await post(parts, digest)
    with pytest.raises(ConnectionResetError):
        await attachments.keep("school", {"a" * 64: Octets(b"half", fails=True)})
    await put(attachments, b"theirs", tenant="other")
    await directory.delete_tenant("school")
    assert (await counts(database))[:2] == (1, 1)
    assert await database["attachments.chunks"].count_documents({}) == 1


async def test_each_question_about_contents_has_an_index(database: Database) -> None:
    for name, query in {
        "attachments": {"unclaimed_since": {"$lt": 1}}, "attachments.files": {"metadata.pending_since": {"$lt": 1}},
        "attachments.chunks": {"files_id": 1, "n": {"$gte": 1}}, "records": {"tenant": "a", "attachments": "b"},
    }.items():
        plan = await database[name].find(query).explain()
        assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"]) and "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
