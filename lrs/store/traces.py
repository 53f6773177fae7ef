"""Removing everything of a tenant, wherever it is."""

from typing import Any

from motor.motor_asyncio import AsyncIOMotorCollection

from lrs.store.mongo import Database

# GridFS keeps a file in two collections of one name; only the first says whose it is.
FILES, CHUNKS = ".files", ".chunks"
# A delete of all at once may take longer than a connection waits.
AT_ONCE = 5_000
# What was under way when the tenant's last credential became worthless is finished by then.
MOST_PASSES = 10


async def remove_all_of(tenant: str, database: Database) -> None:
    """Delete every document that has this `tenant` (a file of GridFS: in its metadata), and the tenant's cursor.

    A collection is found because it is there, not because somebody thought of it here. Safe to run again.
    """
    for _ in range(MOST_PASSES):
        if not await _pass(tenant, database):
            return


async def tenants_named(database: Database) -> set[str]:
    """The tenants that any document which would be removed says it is of."""
    named: set[str] = set()
    for name in await _collections(database):
        for field in ("tenant", "metadata.tenant") if name.endswith(FILES) else ("tenant",):
            named.update(await database[name].distinct(field))
    return named | {each["_id"] async for each in database["cursors"].find({}, projection={"_id": 1})}


async def _collections(database: Database) -> list[str]:
    """Those that say of their documents whose they are."""
    return [
        name for name in await database.collection_names()
        if not name.startswith("system.") and not name.endswith(CHUNKS) and name not in ("tenants", "departed")
    ]


async def _pass(tenant: str, database: Database) -> int:
    removed = 0
    for name in await _collections(database):
        if name.endswith(FILES):
            removed += await _remove_files(tenant, database[name], database[name.removesuffix(FILES) + CHUNKS])
        removed += await _remove_documents(tenant, database[name])
    removed += (await database["cursors"].delete_one({"_id": tenant})).deleted_count
    return removed


async def _remove_documents(tenant: str, collection: AsyncIOMotorCollection) -> int:
    removed = 0
    while ids := [each["_id"] async for each in collection.find({"tenant": tenant}, projection={"_id": 1}).limit(AT_ONCE)]:
        removed += (await collection.delete_many({"_id": {"$in": ids}})).deleted_count
    return removed


async def _remove_files(tenant: str, files: AsyncIOMotorCollection, chunks: AsyncIOMotorCollection) -> int:
    """Chunks first, so that what a crash leaves is found again."""
    removed = 0
    whose: dict[str, Any] = {"$or": [{"metadata.tenant": tenant}, {"tenant": tenant}]}
    while ids := [each["_id"] async for each in files.find(whose, projection={"_id": 1}).limit(AT_ONCE)]:
        await chunks.delete_many({"files_id": {"$in": ids}})
        removed += (await files.delete_many({"_id": {"$in": ids}})).deleted_count
    return removed
