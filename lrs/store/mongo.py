"""The connection to MongoDB: collections by name, wanted indexes, transactions, and which errors mean what."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import structlog
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession, AsyncIOMotorCollection, AsyncIOMotorCursor
from pymongo import WriteConcern
from pymongo.client_session import ClientSession
from pymongo.database import Database as Driven
from pymongo.errors import BulkWriteError, ConnectionFailure, ExecutionTimeout, OperationFailure, PyMongoError, ServerSelectionTimeoutError
from pymongo.read_concern import ReadConcern

from lrs.config import Config
from lrs.errors import ConfigurationError, StoreUnavailable
from lrs.store.causality import Elections, MajorityAfter, SnapshotAfter
from lrs.store.idle import end_idle_transactions
from lrs.store.indexes import INDEXES

logger = structlog.get_logger(__name__)

APP_NAME = "learning-record-store"
INVALID_OPTIONS = 72  # src/mongo/base/error_codes.yml
# Whatever the driver raises: for those who may not import it.
DriverError = PyMongoError

MAJORITY = WriteConcern(w="majority", j=True)
SELECTION_TIMEOUT_MS = 5_000
# A paused mongod must not hold a request for ever: above any honest answer, below the patience of a client.
SOCKET_TIMEOUT_MS = 20_000
COMMIT_TIMEOUT_MS = 15_000
TRANSACTION: Mapping[str, Any] = {
    "read_concern": ReadConcern("snapshot"), "write_concern": MAJORITY, "max_commit_time_ms": COMMIT_TIMEOUT_MS,
}
# A session is used again within so many seconds; the server forgets one after half an hour.
SESSION_RESTS_S = 60.0
# A start waits no longer than this for a server that is starting, too, and for indexes, in seconds.
ANSWERS_WITHIN_S, ASKED_EVERY_S = 15.0, 0.5
INDEXED_WITHIN_S = 10.0
# Threads for transactions that are carried out, or committed, at the same time.
MOST_AT_ONCE = 16

T = TypeVar("T")


class Database:
    """One MongoDB database; every collection is read and written with majority concern, and read as `causality` says."""

    def __init__(self, client: AsyncIOMotorClient, name: str, reads: MajorityAfter) -> None:
        self._client = client
        self._database = client.get_database(name, read_concern=reads)
        self._reads = reads
        self._indexing: asyncio.Future[None] | None = None
        self._sessions: list[tuple[float, AsyncIOMotorClientSession]] = []
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, "transaction")

    @classmethod
    def connect(cls, config: Config) -> "Database":
        """A client of the configured server; opens nothing before its first use."""
        reads = MajorityAfter()
        client = AsyncIOMotorClient(
            config.mongo_url, w="majority", journal=True, retryWrites=True, retryReads=True, event_listeners=[Elections(reads)],
            serverSelectionTimeoutMS=SELECTION_TIMEOUT_MS, socketTimeoutMS=SOCKET_TIMEOUT_MS, tz_aware=True,
            appname=APP_NAME,
        )
        return cls(client, config.mongo_database, reads)

    def __getitem__(self, collection: str) -> AsyncIOMotorCollection:
        return self._database[collection]

    def at_one_moment(self, collection: str) -> AsyncIOMotorCollection:
        """A collection of which each query, however much it reads, sees one moment."""
        return self._database.get_collection(collection, read_concern=SnapshotAfter(self._reads))

    async def prepare(self) -> None:
        """Create the indexes that are missing; ConfigurationError if the server cannot serve us at all, or does not answer for a while.

        On a large collection that takes its time, and goes on behind this call.
        """
        hello = await self._hello()
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            raise ConfigurationError("MongoDB must run as a replica set (of one will do): transactions need it")
        self._indexing = asyncio.ensure_future(self._create_indexes())
        await asyncio.wait({self._indexing}, timeout=INDEXED_WITHIN_S)
        if self._indexing.done():
            self._indexing.result()
        else:
            logger.warning("indexes_are_being_built", still_after_s=INDEXED_WITHIN_S)
            self._indexing.add_done_callback(_log_indexed)

    async def _hello(self) -> Mapping[str, Any]:
        until = time.monotonic() + ANSWERS_WITHIN_S
        while True:
            try:
                return await self._client.admin.command("hello")  # type: ignore[no-any-return]
            except (ServerSelectionTimeoutError, ConnectionFailure) as error:
                if time.monotonic() > until:
                    raise ConfigurationError(f"MongoDB does not answer: {error}") from error
                # One that was killed has its journal to read first.
                logger.info("waiting_for_mongodb", error=str(error))
                await asyncio.sleep(ASKED_EVERY_S)

    async def _create_indexes(self) -> None:
        for collection, indexes in INDEXES.items():
            while True:
                try:
                    await self._database[collection].create_indexes(list(indexes))
                    break
                except PyMongoError as error:
                    # An election, or it takes longer than a connection waits, and goes on meanwhile: ask again.
                    if not is_transient(error):
                        raise
                    logger.info("indexes_asked_for_again", collection=collection, error=str(error))
                    await asyncio.sleep(1)

    async def ping(self) -> bool:
        """Whether the primary answers now."""
        try:
            await asyncio.wait_for(self._client.admin.command("ping"), 1)
        except (TimeoutError, PyMongoError):
            return False
        return True

    @asynccontextmanager
    async def ordered(self) -> AsyncIterator[AsyncIOMotorClientSession]:
        """Whatever this process reads once the block is left has seen what was written with the yielded session."""
        async with self._session() as session:
            yield session
            self._reads.learn(session.operation_time)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncIOMotorClientSession]:
        """Everything done with the yielded session appears together or not at all, once the block is left.

        Raises what the driver raises: see `is_transient`. A commit whose outcome is unknown is retried here.
        """
        async with self._session() as session:
            session.start_transaction(**TRANSACTION)
            try:
                yield session
            except BaseException:
                if session.in_transaction:
                    await self._in_thread(_abort, session.delegate)
                raise
            await self._in_thread(_commit, session.delegate)
            self._reads.learn(session.operation_time)

    async def transact(self, work: Callable[[Driven[Any], ClientSession], T]) -> T:
        """The same for what can be done in one go: `work` runs in a thread, on the driver itself, and the commit with it.

        Each way through a thread and back costs our process a good part of what a command costs it.
        """
        async with self._session() as session:
            done = await self._in_thread(_transact, self._database.delegate, session.delegate, work)
            self._reads.learn(session.operation_time)
            return done

    async def _in_thread(self, call: Callable[..., T], *given: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *given)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[AsyncIOMotorClientSession]:
        """A session for one use; if that goes well, it serves again."""
        session = self._rested_session() or await self._client.start_session()
        try:
            yield session
        except BaseException:
            await session.end_session()
            raise
        self._sessions.append((time.monotonic(), session))

    def _rested_session(self) -> AsyncIOMotorClientSession | None:
        """A session whose last use went well a moment ago: to begin and to end one goes through a thread each time."""
        while self._sessions:
            rested_at, session = self._sessions.pop()
            if time.monotonic() - rested_at < SESSION_RESTS_S:
                return session
        return None

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Callable[[str], Callable[..., AsyncIOMotorCursor]]]:
        """All that is read through what is yielded is as it was at one moment, for five minutes (what MongoDB keeps, by default)."""
        async with await self._client.start_session(snapshot=True) as session:
            concern = ReadConcern("snapshot")
            yield lambda name: partial(self._database.get_collection(name, read_concern=concern).find, session=session)

    async def counted(self) -> Mapping[str, int]:
        """What the whole server has counted since its start: keys of indexes examined, documents written."""
        metrics = (await self._client.admin.command("serverStatus"))["metrics"]
        written = sum(metrics["document"][name] for name in ("inserted", "updated", "deleted"))
        return {"keys": metrics["queryExecutor"]["scanned"], "written": written}

    async def command(self, name: str, value: Any = 1, **more: Any) -> Mapping[str, Any]:
        """A command of the database's own, such as its statistics."""
        return await self._database.command(name, value, **more)  # type: ignore[no-any-return]

    async def checkpoint(self) -> None:
        """Let everything be on disk where it belongs, so that sizes can be told."""
        await self._client.admin.command("fsync")

    async def end_idle_transactions(self, idle_s: float) -> int:
        """Have MongoDB drop transactions of this product that nobody has gone on with for so long; how many. DriverError."""
        return await end_idle_transactions(self._client, APP_NAME, idle_s)

    async def collection_names(self) -> list[str]:
        """What there is."""
        return sorted(await self._database.list_collection_names())

    async def drop(self) -> None:
        """Remove the whole database."""
        await self._client.drop_database(self._database.name)

    def close(self) -> None:
        """Close all connections."""
        if self._indexing is not None:
            self._indexing.cancel()
        self._threads.shutdown(wait=False)
        self._client.close()


def _log_indexed(indexing: asyncio.Future[None]) -> None:
    if indexing.cancelled():
        return
    if error := indexing.exception():
        logger.error("indexes_not_built", error=str(error))
    else:
        logger.info("indexes_are_built")


def _transact(database: Driven[Any], session: ClientSession, work: Callable[[Driven[Any], ClientSession], T]) -> T:
    session.start_transaction(**TRANSACTION)
    try:
        done = work(database, session)
    except BaseException:
        if session.in_transaction:
            _abort(session)
        raise
    _commit(session)
    return done


def _abort(session: ClientSession) -> None:
    try:
        session.abort_transaction()
    except PyMongoError as error:  # the server drops it by itself; the error that led here is the one to report
        logger.debug("abort_failed", error=str(error))


def _commit(session: ClientSession, tries: int = 3) -> None:
    for left in reversed(range(tries)):
        try:
            session.commit_transaction()
            return
        except PyMongoError as error:
            if not left or not error.has_error_label("UnknownTransactionCommitResult"):
                raise


def unavailable(error: DriverError) -> StoreUnavailable | None:
    """What a caller is told if the error may pass; None if it will not."""
    return StoreUnavailable("the database does not answer") if is_transient(error) else None


def is_transient(error: DriverError) -> bool:
    """Whether the same operation may go through a moment later: conflicts, elections, lost connections."""
    if error.has_error_label("TransientTransactionError") or error.has_error_label("UnknownTransactionCommitResult"):
        return True
    if isinstance(error, (ConnectionFailure, ExecutionTimeout)):
        return True
    if isinstance(error, BulkWriteError):
        faults = [*error.details.get("writeErrors", ()), *error.details.get("writeConcernErrors", ())]
        return bool(faults) and all(fault.get("code") in _TRANSIENT_CODES for fault in faults)
    return isinstance(error, OperationFailure) and (error.code in _TRANSIENT_CODES or _asks_a_member_left_behind(error))


def _asks_a_member_left_behind(error: OperationFailure) -> bool:
    """Whether the member does not know of the time yet that `causality` has just learnt from its successor as primary."""
    return error.code == INVALID_OPTIONS and "afterClusterTime" in str(error)


# InterruptedAtShutdown, InterruptedDueToReplStateChange, NotWritablePrimary, PrimarySteppedDown, NotPrimaryNoSecondaryOk,
# NotPrimaryOrSecondary, ShutdownInProgress, WriteConflict, NoSuchTransaction, LockTimeout, WriteConcernTimeout, MaxTimeMSExpired,
# HostUnreachable, HostNotFound, NetworkTimeout, CursorNotFound, CursorKilled, FailedToSatisfyReadPreference,
# ReadConcernMajorityNotAvailableYet, SnapshotTooOld, ExceededTimeLimit, TransactionExceededLifetimeLimitSeconds
# (src/mongo/base/error_codes.yml)
_TRANSIENT_CODES = frozenset({
    11600, 11602, 10107, 189, 13435, 13436, 91, 112, 251, 24, 64, 50, 6, 7, 89, 43, 237, 133, 134, 239, 262, 290,
})
