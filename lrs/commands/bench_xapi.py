"""What `lrs bench xapi` measures: ours, the ceiling of a server that stores nothing, and bare inserts into the same MongoDB, in turn."""

import asyncio
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any
from urllib.parse import urljoin

import aiohttp

from lrs import samples
from lrs.commands.bench_kolibri import leave
from lrs.commands.bench_processes import seconds_of, spent
from lrs.commands.bench_results import run_told
from lrs.commands.bench_workloads import BARE, NOOP, OURS, PAGE, PATH, WORKLOADS, Store, Workload
from lrs.commands.management import Endpoint, tenant_path
from lrs.commands.progress import Bar
from lrs.embedded.home import Home
from lrs.errors import ConfigurationError

# Statements of one call of an import, and calls at a time.
IMPORTED_TOGETHER, IMPORTING = 1000, 3
# The server that stores nothing is asked for so many different statements.
SHOWN_TO_NOOP = 1000

@dataclass
class Sample:
    """One workload on one target in one round. Times in milliseconds; `cpu_us`: processor time for a request, by process."""

    workload: str
    target: str
    requests: int = 0
    statements: int = 0
    seconds: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    cpu_us: Mapping[str, float] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Statements a second where they are stored or walked, requests a second for all else."""
        return self.statements / self.seconds if self.seconds else 0.0

    @classmethod
    def of(cls, workload: str, target: str, told: Mapping[str, Any], cpu_us: Mapping[str, float]) -> "Sample":
        """Out of what a run tells: its requests, statements, seconds, and how long each request took."""
        took = sorted(told["took_ms"]) or [0.0]
        p50, p95 = took[len(took) // 2], took[len(took) * 95 // 100]
        return cls(workload, target, told["requests"], told["statements"], told["seconds"], p50, p95, cpu_us)


@dataclass
class Bench:
    """A run: where, how much, and who hears of it."""

    api: Endpoint
    home: Home
    mongo_url: str | None
    preload: int
    rounds: int
    seconds: float
    tell: Callable[[str], None]
    bar: Bar
    keep: bool = False
    tenant: str = field(default_factory=lambda: f"bench-{secrets.token_hex(4)}")
    store: Store = field(default_factory=lambda: Store(secrets.randbits(40)))

    async def run(self) -> list[Sample]:
        """All samples."""
        async with self.client() as client, _noop() as noop:
            taken = [await self.fill(self.preload)]
            for number in range(1, self.rounds + 1):
                self.tell(f"round {number} of {self.rounds}")
                taken += [each async for each in self._round(client, noop)]
            return taken

    @asynccontextmanager
    async def client(self) -> AsyncIterator[aiohttp.ClientSession]:
        """A client of a tenant that is made before, and deleted whatever happens."""
        key, secret = await asyncio.to_thread(self._provision)
        try:
            headers = {"Authorization": aiohttp.encode_basic_auth(key, secret), "X-Experience-API-Version": "1.0.3"}
            async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as client:
                yield client
        finally:
            await leave(self.api, self.tenant, self.tell, keep=self.keep)

    def _provision(self) -> tuple[str, str]:
        self.api.call("PUT", tenant_path(self.tenant))
        made = self.api.call("POST", tenant_path(self.tenant, "credentials"), {"kind": "basic", "scopes": ["all"]})
        return made["key"], made["secret"]

    async def fill(self, upto: int) -> Sample:
        """Import statements until there are so many: by a few calls at a time, so that one is read while another is written."""
        before, took, began, start = seconds_of(self.home), list[float](), time.perf_counter(), self.store.next
        chunks = iter(range(start, upto, IMPORTED_TOGETHER))

        def send(first: int) -> int:
            numbers = range(first, min(first + IMPORTED_TOGETHER, upto))
            lines, path = samples.lines(numbers, self.store.base), tenant_path(self.tenant, "import")
            asked = time.perf_counter()
            self.api.call("POST", path, lines, {"Content-Type": "application/x-ndjson"})
            took.append((time.perf_counter() - asked) * 1000)
            return len(numbers)

        with self.bar(f"importing up to {upto}", upto - start) as done:
            async def go_on() -> None:
                for first in chunks:
                    done(await asyncio.to_thread(send, first))

            await asyncio.gather(*(go_on() for _ in range(IMPORTING)))
        self.store.next = self.store.filled = upto
        told = {"requests": len(took), "statements": upto - start, "seconds": time.perf_counter() - began, "took_ms": took}
        return Sample.of(f"import up to {upto}", OURS, told, spent(before, seconds_of(self.home), upto - start))

    async def settle(self) -> None:
        """Wait until the worker has followed: what it does late would be in the figures of what is measured next."""
        await asyncio.to_thread(self.api.call, "POST", tenant_path(self.tenant, "settle"))

    async def _round(self, client: aiohttp.ClientSession, noop: str) -> AsyncIterator[Sample]:
        yield await self._walk(client)
        for workload in WORKLOADS:
            for target in workload.targets:
                if target == BARE and self.mongo_url is None:
                    continue
                before = seconds_of(self.home)
                if target == BARE:
                    told = await self._bare(workload)
                else:
                    url = self.api.url if target == OURS else noop
                    told = await self._send(client, url, workload, self.store if target == OURS else Store(0, filled=SHOWN_TO_NOOP))
                cpu = spent(before, seconds_of(self.home), told["requests"]) if target == OURS else {}
                yield Sample.of(workload.name, target, told, cpu)

    async def _send(self, client: aiohttp.ClientSession, url: str, workload: Workload, store: Store) -> dict[str, Any]:
        jobs = list(workload.jobs(store, workload.most))
        waiting, took, statements = iter(jobs), list[float](), 0
        began = time.perf_counter()

        async def one() -> None:
            nonlocal statements
            for method, path, body, count in waiting:
                asked = time.perf_counter()
                await answered(client, method, url + path, body)
                took.append((time.perf_counter() - asked) * 1000)
                statements += count
                if time.perf_counter() - began > self.seconds:
                    return

        await asyncio.gather(*(one() for _ in range(workload.clients)))
        return {"requests": len(took), "statements": statements, "seconds": time.perf_counter() - began, "took_ms": took}

    async def _walk(self, client: aiohttp.ClientSession) -> Sample:
        """Everything, page by page; each statement must come exactly once."""
        before, took, seen = seconds_of(self.home), list[float](), list[str]()
        url, began = f"{self.api.url}{PATH}?limit={PAGE}", time.perf_counter()
        while url and time.perf_counter() - began < 4 * self.seconds:
            asked = time.perf_counter()
            page = json.loads(await answered(client, "GET", url, None))
            took.append((time.perf_counter() - asked) * 1000)
            seen += [each["id"] for each in page["statements"]]
            url = urljoin(self.api.url, page["more"]) if page["more"] else ""
        if len(set(seen)) != len(seen):
            raise ConfigurationError("a walk by `more` gave a statement twice: no figure of this store is worth anything")
        told = {"requests": len(took), "statements": len(seen), "seconds": time.perf_counter() - began, "took_ms": took}
        return Sample.of("walk by more, limit 100", OURS, told, spent(before, seconds_of(self.home), len(took)))

    async def _bare(self, workload: Workload) -> Any:
        options = {"--size": workload.size, "--clients": workload.clients, "--requests": workload.most, "--seconds": self.seconds}
        words = [str(word) for option in options.items() for word in option]
        argv = (sys.executable, "-m", "lrs.store.bare", self.mongo_url or "", "--indexed", "--seed", str(secrets.randbits(40)), *words)
        process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        if process.returncode:
            raise ConfigurationError(f"bare inserts into {self.mongo_url} failed")
        return json.loads(output)


@asynccontextmanager
async def _noop() -> AsyncIterator[str]:
    """The server that stores nothing, and where it is."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lrs.commands.bench_noop", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.terminate()
        await process.wait()


async def answered(client: aiohttp.ClientSession, method: str, url: str, body: bytes | None) -> bytes:
    """The body of an answer; ConfigurationError unless it is 2xx: what fails is not measured."""
    headers = {"Content-Type": "application/json"} if body is not None else None
    async with client.request(method, url, data=body, headers=headers) as answer:
        content = await answer.read()
        if answer.status >= 300:
            raise ConfigurationError(f"{method} {url} answered {answer.status}: {content[:200].decode(errors='replace')}")
        return content


def table_of(taken: Iterable[Sample]) -> list[tuple[object, ...]]:
    """Medians over the rounds, and the rate as a part of each other target's."""
    groups: dict[tuple[str, str], list[Sample]] = {}
    for each in taken:
        groups.setdefault((each.workload, each.target), []).append(each)
    rates = {names: median(each.per_second for each in group) for names, group in groups.items()}
    rows = []
    for (workload, target), group in groups.items():
        parts = [
            f"{rates[workload, target] / rates[workload, other]:.2f}" if target == OURS and rates.get((workload, other)) else ""
            for other in (NOOP, BARE)
        ]
        cpu = [_middle(group, name) for name in ("api", "mongod", "worker")]
        times = (f"{median(each.p50_ms for each in group):.2f}", f"{median(each.p95_ms for each in group):.2f}")
        rows.append((workload, target, f"{rates[workload, target]:.0f}", *times, *parts, *cpu))
    return rows


def _middle(group: Sequence[Sample], process: str) -> str:
    spent_us = [each.cpu_us[process] for each in group if process in each.cpu_us]
    return f"{median(spent_us):.0f}" if spent_us else ""


def as_json(bench: Bench, taken: Iterable[Sample]) -> dict[str, Any]:
    """The whole run, for a file."""
    return {
        **run_told(), "preload": bench.preload, "rounds": bench.rounds, "seconds": bench.seconds,
        "samples": [{**asdict(each), "per_second": each.per_second} for each in taken],
    }
