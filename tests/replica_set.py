"""Three mongods that are one replica set, quick to elect; each can be killed, stopped and started again."""

import asyncio
import time
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from servers import READY_WITHIN_S, RealServer

from lrs.embedded.binaries import find_mongod
from lrs.embedded.home import Home
from lrs.embedded.mongod import REPLICA_SET, mongod_program
from lrs.embedded.ports import LOOPBACK, answers, free_port

ELECTION_MS = 1_500


class RealReplicaSet:
    """The members, and who of them leads."""

    def __init__(self, folder: Path, members: int = 3) -> None:
        self._members = {port: _member(folder / str(port), port) for port in (free_port() for _ in range(members))}

    @property
    def url(self) -> str:
        hosts = ",".join(f"{LOOPBACK}:{port}" for port in self._members)
        return f"mongodb://{hosts}/?replicaSet={REPLICA_SET}"

    def start(self) -> None:
        """Run them all, make them one set, and wait for a primary."""
        for server in self._members.values():
            server.start()
        members = [{"_id": number, "host": f"{LOOPBACK}:{port}"} for number, port in enumerate(self._members)]
        settings = {"electionTimeoutMillis": ELECTION_MS, "heartbeatIntervalMillis": 500}
        self._ask(next(iter(self._members)), {"replSetInitiate": {"_id": REPLICA_SET, "members": members, "settings": settings}})
        self.primary()

    def stop(self) -> None:
        """End them all; nothing of them is needed any more."""
        for server in self._members.values():
            if server.running:
                server.kill()

    def primary(self) -> RealServer:
        """Who leads now; waits for an election."""
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            for port, server in self._members.items():
                if server.running and self._leads(port):
                    return server
            time.sleep(0.1)
        raise AssertionError("no primary was elected")

    def step_down(self) -> None:
        """Let the primary hand over."""
        leader = self.primary()
        port = next(port for port, server in self._members.items() if server is leader)
        try:
            self._ask(port, {"replSetStepDown": 5, "secondaryCatchUpPeriodSecs": 2})
        except PyMongoError:  # it closes connections as it does so, or nobody has caught up
            return

    def _leads(self, port: int) -> bool:
        try:
            return bool(self._ask(port, {"hello": 1}).get("isWritablePrimary"))
        except PyMongoError:
            return False

    @staticmethod
    def _ask(port: int, command: dict[str, object]) -> dict[str, object]:
        with MongoClient(LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=1000, socketTimeoutMS=5000) as client:
            return client.admin.command(command)


def _member(folder: Path, port: int) -> RealServer:
    home = Home(folder)
    home.create()

    async def answers_now() -> bool:
        return await asyncio.to_thread(answers, port) is not None

    return RealServer(mongod_program(find_mongod(), home, port), "", answers_now)

