"""MongoDB, Redis, API and worker on this machine: started in the order they need one another, stopped in reverse."""

import asyncio
import http.client
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from lrs.embedded.binaries import find_mongod, find_redis_server
from lrs.embedded.home import Home
from lrs.embedded.mongod import is_primary, mongod_program, mongod_url
from lrs.embedded.ports import LOOPBACK
from lrs.embedded.process import Program, birth, end_leftovers
from lrs.embedded.redis_server import is_answering, redis_program, redis_url
from lrs.embedded.service import Ready, Service
from lrs.errors import ConfigurationError

# Seconds. A mongod that was killed replays its journal first; the API and the worker drain before they end.
MONGOD_WITHIN, REDIS_WITHIN, API_WITHIN, DRAIN_WITHIN = 120.0, 20.0, 60.0, 40.0


@dataclass(frozen=True)
class Addresses:
    """Where all of it is."""

    mongo_url: str
    redis_url: str
    base_url: str


class Stack:
    """The four services of `lrs up`; a database whose URL is in `environment` is used, not started.

    `environment` is what the API and the worker get, beside the addresses. `tell` hears what a person should know.
    """

    def __init__(self, home: Home, environment: Mapping[str, str], *, port: int, tell: Callable[[str], None]) -> None:
        self._home = home
        self._environment = dict(environment)
        self._tell = tell
        self._services: list[Service] = []
        self._children: dict[str, dict[str, object]] = {}
        self._mongod = None if environment.get("LRS_MONGO_URL") else find_mongod()
        self._redis = None if environment.get("LRS_REDIS_URL") else find_redis_server()
        self.addresses = self._choose_addresses(port)

    def _choose_addresses(self, port: int) -> Addresses:
        return Addresses(
            mongo_url=mongod_url(self._home.port("mongod")) if self._mongod else self._environment["LRS_MONGO_URL"],
            redis_url=redis_url(self._home.port("redis-server")) if self._redis else self._environment["LRS_REDIS_URL"],
            base_url=f"http://{LOOPBACK}:{port}",
        )

    async def start_databases(self) -> None:
        """Both at once. ConfigurationError with the last lines of its log if one does not come up."""
        ports, starts = self._home.read("ports"), []
        if self._mongod:
            program = mongod_program(self._mongod, self._home, ports["mongod"])
            starts.append(self._start(program, lambda: is_primary(ports["mongod"]), MONGOD_WITHIN))
        if self._redis:
            program = redis_program(self._redis, self._home, ports["redis-server"])
            starts.append(self._start(program, lambda: is_answering(ports["redis-server"]), REDIS_WITHIN))
        await together(starts)

    async def start_servers(self) -> None:
        """API and worker at once; returns when the API says that it is ready and the worker runs."""
        port = self.addresses.base_url.rpartition(":")[2]
        worker, api = self._python("worker"), self._python("serve", "--host", LOOPBACK, "--port", port)
        await together(
            [
                self._start(worker, _runs, API_WITHIN),
                self._start(api, lambda: asyncio.to_thread(_is_ready, int(port)), API_WITHIN),
            ]
        )

    async def stop(self) -> None:
        """API, worker, Redis, MongoDB, each gone before the next is asked: what they still write finds its database."""
        rank = {"api": 0, "worker": 1, "redis-server": 2, "mongod": 3}
        for service in sorted(self._services, key=lambda service: rank[service.program.name]):
            await service.stop()
        self._services.clear()

    async def _start(self, program: Program, ready: Ready, within: float) -> None:
        service = Service(program, tell=self._tell, started=self._remember)
        self._services.append(service)
        await service.start(ready, within=within)

    def _python(self, command: str, *options: str) -> Program:
        name = {"serve": "api"}.get(command, command)
        environment = {
            **self._environment,
            "LRS_MONGO_URL": self.addresses.mongo_url,
            "LRS_REDIS_URL": self.addresses.redis_url,
            "PYTHONUNBUFFERED": "1",
        }
        # -P: the folder we were called in is no place to import from.
        argv = (sys.executable, "-P", "-m", "lrs", command, *options)
        return Program(name, argv, DRAIN_WITHIN, log=self._home.logs / f"{name}.log", environment=environment)

    def _remember(self, name: str, pid: int) -> None:
        self._children[name] = {"pid": pid, "birth": birth(pid)}
        try:
            self._home.write("children", self._children)
        except ConfigurationError as error:
            self._tell(error.message)


def end_leftovers_of(home: Home) -> list[str]:
    """End what a killed `lrs up` left running on this directory; the names of what was there."""
    return end_leftovers(home.read("children"))


async def together(starts: list[Coroutine[Any, Any, None]]) -> None:
    """Run them side by side. The first to fail ends the others, and its error is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for start in starts:
                group.create_task(start)
    except* ConfigurationError as errors:
        failure = errors.exceptions[0]
    else:
        return
    raise failure


async def _runs() -> bool:
    return True


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
