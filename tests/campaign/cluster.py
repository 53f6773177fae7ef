"""A small installation on loopback: API × 2, worker × 2, a replica set of three, one Redis, and a proxy before each that is asked."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from campaign import clocks, disks
from campaign.processes import Process, free_ports
from campaign.proxy import Link
from lrs.embedded.binaries import find_mongod, find_redis_server
from lrs.embedded.home import Home
from lrs.embedded.mongod import OPLOG_MB, REPLICA_SET, mongod_program
from lrs.embedded.ports import LOOPBACK, answers
from lrs.embedded.redis_server import is_answering, redis_program

MONGODS = ("mongod1", "mongod2", "mongod3")
ASKED = (*MONGODS, "redis", "api1", "api2")  # what others connect to: each has a port, and a proxy with another
OPERATOR = ("operator", "operator-secret")
ELECTION_MS, HEARTBEAT_MS = 1_500, 500
DISK_MB, SMALL_OPLOG_MB = 1_200, 128
PRIMARY_WITHIN_S = 60.0
WATCHED_EVERY_S = 0.3


class Cluster:
    """All of it. Processes of the product end and are started again as under any supervisor."""

    def __init__(self, folder: Path, *, small_disks: bool, database: str = "campaign") -> None:
        self.folder = folder
        self.small_disks = small_disks
        self.skew = clocks.library(folder)
        self.held: set[str] = set()  # names of processes that a fault has in hand: nobody else starts them
        self.most_rss_mb: dict[str, float] = {}
        self._watching: asyncio.Task[None] | None = None
        ports = free_ports(2 * len(ASKED))
        self._ports = dict(zip(ASKED, ports, strict=False))
        self.links = {name: Link(name, port, self._ports[name]) for name, port in zip(ASKED, ports[len(ASKED):], strict=True)}
        self.mongods = [self._mongod(name) for name in MONGODS]
        self.redis = self._redis()
        self.apis = [self._product(name, "serve", database) for name in ("api1", "api2")]
        self.workers = [self._product(name, "worker", database) for name in ("worker1", "worker2")]

    @property
    def processes(self) -> list[Process]:
        """Every process there is, in the order of their start."""
        return [*self.mongods, self.redis, *self.apis, *self.workers]

    @property
    def urls(self) -> list[str]:
        """Where clients ask: the proxies before the API processes."""
        return [f"http://{LOOPBACK}:{self.links[api.name].port}" for api in self.apis]

    @property
    def direct_urls(self) -> list[str]:
        """The API processes themselves."""
        return [f"http://{LOOPBACK}:{self._ports[api.name]}" for api in self.apis]

    def _mongod(self, name: str) -> Process:
        home, port = Home(self.folder / name), self._ports[name]
        (self.folder / name).mkdir()
        self.small_disks = self.small_disks and disks.mount(self.folder / name, DISK_MB)
        home.create()
        program = mongod_program(find_mongod(), home, port)
        argv = tuple(str(SMALL_OPLOG_MB) if each == str(OPLOG_MB) else each for each in program.argv)

        async def is_there() -> bool:
            return await asyncio.to_thread(answers, port) is not None

        return Process(name, argv, self.folder / f"{name}.log", is_there)

    def _redis(self) -> Process:
        home, port = Home(self.folder / "redis"), self._ports["redis"]
        home.create()
        program = redis_program(find_redis_server(), home, port)
        return Process("redis", program.argv, self.folder / "redis.log", lambda: is_answering(port))

    def _product(self, name: str, command: str, database: str) -> Process:
        hosts = ",".join(f"{LOOPBACK}:{self.links[each.name].port}" for each in self.mongods)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LRS_")} | {
            "LRS_MONGO_URL": f"mongodb://{hosts}/?replicaSet={REPLICA_SET}", "LRS_MONGO_DATABASE": database,
            "LRS_REDIS_URL": f"redis://{LOOPBACK}:{self.links['redis'].port}/0",
            "LRS_SECRET": "a-secret-for-tests", "LRS_OPERATOR": ":".join(OPERATOR), "PYTHONUNBUFFERED": "1",
        }
        port = self._ports.get(name)
        options = ("--port", str(port)) if port else ()
        argv = (sys.executable, "-m", "lrs", command, *options)

        async def is_ready() -> bool:
            return port is None or await is_listening(port)

        return Process(name, argv, self.folder / f"{name}.log", is_ready, environment)

    def clocks(self) -> str:
        """Whose clocks are wrong, by how much."""
        skews = {each.name: each.environment.get("CLOCK_SKEW_MS") for each in self.processes}
        return ", ".join(f"{name} {skew} ms" for name, skew in skews.items() if skew)

    async def start(self) -> None:
        """Start all of it; the databases first."""
        for link in self.links.values():
            await link.open()
        await asyncio.gather(*(each.start() for each in (*self.mongods, self.redis)))
        members = [{"_id": number, "host": f"{LOOPBACK}:{self.links[each.name].port}"} for number, each in enumerate(self.mongods)]
        settings = {"electionTimeoutMillis": ELECTION_MS, "heartbeatIntervalMillis": HEARTBEAT_MS, "catchUpTimeoutMillis": 2_000}
        await self.ask(self.mongods[0], {"replSetInitiate": {"_id": REPLICA_SET, "members": members, "settings": settings}})
        await self.primary()
        # One after the other: the first makes the indexes, the second finds them.
        await self.apis[0].start()
        await asyncio.gather(*(each.start() for each in (*self.apis[1:], *self.workers)))
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End everything. The databases are of no further use, and are not asked."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        for link in self.links.values():
            link.heal()
        for each in self.processes:
            each.go_on()
        await asyncio.gather(*(each.end(10.0) for each in (*self.apis, *self.workers) if each.running))
        await asyncio.gather(*(each.kill() for each in (*self.mongods, self.redis) if each.running))
        for link in self.links.values():
            await link.close()

    async def _watch(self) -> None:
        """Start again what ended by itself, and note how much memory each has at most."""
        while True:
            await asyncio.sleep(WATCHED_EVERY_S)
            for each in self.processes:
                self.most_rss_mb[each.name] = max(self.most_rss_mb.get(each.name, 0.0), each.rss_mb())
                if each.name not in self.held and each.note_a_fall():
                    with contextlib.suppress(RuntimeError, TimeoutError):
                        await each.start(may_fall=True)

    async def primary(self) -> Process:
        """The mongod that leads now; waits for an election. The latest elected, if a paused one still believes it does."""
        deadline = time.monotonic() + PRIMARY_WITHIN_S
        while time.monotonic() < deadline:
            told = await asyncio.gather(*(self._hello(each) for each in self.mongods))
            leaders = [
                (str(hello.get("electionId")), each.name, each)
                for each, hello in zip(self.mongods, told, strict=True) if hello.get("isWritablePrimary")
            ]
            if leaders:
                return max(leaders)[2]
            await asyncio.sleep(0.1)
        raise TimeoutError("no primary was elected")

    async def _hello(self, mongod: Process) -> Mapping[str, Any]:
        if not mongod.running or mongod.paused:
            return {}
        try:
            return await self.ask(mongod, {"hello": 1})
        except PyMongoError:
            return {}

    async def ask(self, mongod: Process, command: Mapping[str, Any], database: str = "admin") -> Mapping[str, Any]:
        """Let one mongod run a command, past its proxy. PyMongoError."""
        return await asyncio.to_thread(_ask, self._ports[mongod.name], command, database)

    async def flush_redis(self) -> bool:
        """FLUSHALL; whether it was there to do it."""
        return (await asyncio.to_thread(answers, self._ports["redis"], b"FLUSHALL\r\n") or b"").startswith(b"+OK")


def _ask(port: int, command: Mapping[str, Any], database: str) -> Mapping[str, Any]:
    with MongoClient[dict[str, Any]](
        LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=1_000, connectTimeoutMS=1_000, socketTimeoutMS=5_000
    ) as client:
        return client[database].command(dict(command))


async def is_listening(port: int) -> bool:
    """Whether an API process answers at all; whether it can reach its databases is not asked."""
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            async with session.get(f"http://{LOOPBACK}:{port}/healthz") as response:
                return response.status == 200
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False
