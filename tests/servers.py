"""Real servers for tests, on loopback, that can be killed and started again on the same data."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from lrs.embedded.binaries import find_mongod, find_redis_server
from lrs.embedded.home import Home
from lrs.embedded.mongod import is_primary, mongod_program, mongod_url
from lrs.embedded.ports import free_port
from lrs.embedded.process import Program, tied_to_parent
from lrs.embedded.redis_server import is_answering, redis_program, redis_url

READY_WITHIN_S = 60.0
# Each test has a database of its own, which is dropped: its hundred files must be closed and removed at once, or there are too many.
FORGETTING = (
    "minSnapshotHistoryWindowInSeconds=0", "wiredTigerFileHandleCloseIdleTime=5", "wiredTigerFileHandleCloseScanInterval=2",
    "wiredTigerFileHandleCloseMinimum=100",
)
# Whoever waits for the journal waits for its next turn: that costs nothing where there is no disk to sync.
JOURNAL_MS = 1


class RealServer:
    """One server process. `kill` is kill -9; `start` after it finds the data it left."""

    def __init__(self, program: Program, url: str, ready: Callable[[], Awaitable[bool]]) -> None:
        self.program, self.url, self._ready = program, url, ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Run it and wait until it is ready."""
        log = self.program.log.open("ab") if self.program.log else subprocess.DEVNULL
        self._process = subprocess.Popen(
            self.program.argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=dict(self.program.environment),
            preexec_fn=tied_to_parent(),
        )
        asyncio.run(asyncio.wait_for(self._until_ready(), READY_WITHIN_S))

    async def _until_ready(self) -> None:
        while not await self._ready():
            assert self._process is not None and self._process.poll() is None, f"{self.program.name} ended: see {self.program.log}"
            await asyncio.sleep(0.05)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def pause(self) -> None:
        """SIGSTOP: it is there, and does nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self._gone()

    def stop(self) -> None:
        """SIGTERM, and wait."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._gone()

    def _gone(self) -> None:
        assert self._process is not None
        self._process.wait(30)


def real_mongod(folder: Path, data: Path | None = None) -> RealServer:
    """A replica set of one on a free port, with its log below the folder, and its data too unless they have a folder in memory."""
    home = Home(folder)
    if data is not None:
        home.mongo.symlink_to(data)
    home.create()
    port = free_port()
    program = mongod_program(find_mongod(), home, port)
    more = [word for setting in FORGETTING for word in ("--setParameter", setting)]
    if data is not None:
        more += ["--journalCommitInterval", str(JOURNAL_MS)]
    return RealServer(replace(program, argv=(*program.argv, *more)), mongod_url(port), lambda: is_primary(port))


def real_redis(folder: Path) -> RealServer:
    """A redis-server on a free port."""
    home = Home(folder)
    home.create()
    port = free_port()
    return RealServer(redis_program(find_redis_server(), home, port), redis_url(port), lambda: is_answering(port))


def for_worker(url: str, worker: str) -> str:
    """The same Redis with a database of its own for each process of tests ("gw0", "gw1"): theirs are emptied."""
    parts = urlsplit(url)
    first = int(parts.path.strip("/") or 0)
    return parts._replace(path=f"/{first + int(worker.removeprefix('gw'))}").geturl()
