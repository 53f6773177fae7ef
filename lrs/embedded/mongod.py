"""A mongod of our own: a replica set of one, so that transactions and majority writes mean what they say."""

import asyncio
import os
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from lrs.embedded.home import Home
from lrs.embedded.ports import LOOPBACK, answers
from lrs.embedded.process import Program

REPLICA_SET = "rs0"
GIB = 1024**3
NOT_YET_INITIALIZED = 94  # src/mongo/base/error_codes.yml
OPLOG_MB = 512
# Ids and keys are written all over their indexes. Kept until the next checkpoint (a minute at most), a page is written once for many of
# them; by default it is written out, and read in again, once a twentieth of the cache has changed: that takes half the rate of an import.
EVICTION = "eviction_dirty_target=40,eviction_dirty_trigger=60,eviction_updates_target=20,eviction_updates_trigger=40"


def mongod_url(port: int) -> str:
    """How the rest of the product reaches it."""
    return f"mongodb://{LOOPBACK}:{port}/?replicaSet={REPLICA_SET}"


def mongod_program(executable: str, home: Home, port: int) -> Program:
    """mongod on loopback, journaled (it always is), with a modest cache; its log is its output."""
    argv = (
        executable,
        *("--dbpath", str(home.mongo), "--port", str(port), "--bind_ip", LOOPBACK, "--nounixsocket"),
        *("--replSet", REPLICA_SET, "--oplogSize", str(OPLOG_MB)),
        *("--wiredTigerCacheSizeGB", f"{cache_gb(memory()):.2f}", "--wiredTigerEngineConfigString", EVICTION),
        # Nobody takes over from a set of one, so a long goodbye to the other members is only waiting.
        *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false", "--quiet"),
    )
    return Program("mongod", argv, stop_within=60.0, log=home.logs / "mongod.log")


def memory() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def cache_gb(machine_bytes: int) -> float:
    """A quarter of the machine's memory, at least 0.25 and at most 8 GB: half of its own default, as it shares the machine.

    Where what is written to the indexes does not fit, writes wait for pages to be evicted.
    """
    return min(8.0, max(0.25, machine_bytes / 4 / GIB))


async def is_primary(port: int) -> bool:
    """Whether it takes writes now. On the way there the replica set is made, or moved to this port, once it answers."""
    return await asyncio.to_thread(_lead, port)


def _lead(port: int) -> bool:
    if answers(port) is None:
        return False
    with MongoClient[dict[str, Any]](LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=2000) as client:
        try:
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            _configure(client, f"{LOOPBACK}:{port}")
        except PyMongoError:  # not yet: the log says why if it never comes to it
            return False
    return False


def _configure(client: MongoClient[dict[str, Any]], member: str) -> None:
    """Make the replica set if there is none; give it this address if the port has changed since. Safe to repeat."""
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": member}]})
        return
    if config["members"][0]["host"] != member:
        config["members"] = [{**config["members"][0], "host": member}]
        config["version"] += 1
        # Forced, as a member that does not find its own address in the set has no vote.
        client.admin.command("replSetReconfig", config, force=True)
