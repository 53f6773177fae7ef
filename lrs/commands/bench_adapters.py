"""What `lrs bench adapters` measures: native events beside statements, and the vendors' own reads as the store grows."""

import asyncio
import json
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random
from statistics import median

import aiohttp

from lrs import samples
from lrs.commands.bench_events import OFCOURSEME, PATHWAYS, STUDYFETCH, Call, Source
from lrs.commands.bench_kolibri import Load, all_of, leave, school, timed
from lrs.commands.bench_processes import seconds_of, spent
from lrs.commands.bench_workloads import BATCH, PATH
from lrs.commands.bench_xapi import answered
from lrs.commands.management import Endpoint, tenant_path
from lrs.commands.progress import Bar
from lrs.embedded.home import Home
from lrs.errors import ConfigurationError

SOURCES = (STUDYFETCH, OFCOURSEME, PATHWAYS)
VERSION = {"X-Experience-API-Version": "1.0.3"}
NDJSON = "application/x-ndjson"
# Events of one call while the store is filled, and how many calls at a time.
FILL, FILLING = 1_000, 4
# Clients that send batches, and that send one thing at a time, as in `lrs bench xapi`.
BATCHERS, SINGLES = 8, 32
STATEMENTS, ONE, UPDATE = f"POST of {BATCH} statements", "POST of one statement", "Kolibri update with one interaction"
PROCESSES = ("api", "mongod", "worker")
# Who answers questions while posts are measured.
LEARNERS_AT_THE_DESK = 64
CPU = tuple(f"{name} us" for name in PROCESSES)
POSTS = ("what", "statements a second", "beside", "as a part of it", *CPU)
READS = ("adapter", "read", "held", "p50 ms", "p95 ms", "a second", *CPU)
# What a run may be confined to: posts, and the reads of each adapter.
POSTING, KOLIBRI = "posts", "kolibri"
PARTS = (POSTING, *(source.adapter for source in SOURCES), KOLIBRI)
Row = tuple[object, ...]
# Sends something; how many statements are stored by it.
Send = Callable[[], Awaitable[int]]


@dataclass(frozen=True)
class Rate:
    """How many a second, and what processor time one took, in microseconds by process."""

    per_second: float
    cpu_us: Mapping[str, float]


@dataclass
class Adapters:
    """A run. `events`, `learners`: the sizes that reads are measured at, small ones first; `rounds` of posts, each kind for `seconds`."""

    api: Endpoint
    home: Home
    events: Sequence[int]
    learners: Sequence[int]
    requests: int
    rounds: int
    seconds: float
    tell: Callable[[str], None]
    bar: Bar
    keep: bool = False
    parts: Sequence[str] = PARTS
    seed: int = field(default_factory=lambda: secrets.randbits(40))

    async def posts(self) -> list[Row]:
        """Medians of each kind of post, the kinds in turn: see POSTS."""
        if POSTING not in self.parts:
            return []
        taken: dict[str, list[Rate]] = defaultdict(list)
        async with self._client() as (tenant, client), school(self._kolibri(LEARNERS_AT_THE_DESK)) as desk:
            batches, singles = self._statements(BATCH), self._statements(1)
            sends: dict[str, tuple[int, Send]] = {STATEMENTS: (BATCHERS, lambda: _post(client, next(batches), BATCH))}
            for source in SOURCES:
                sends[source.adapter] = BATCHERS, partial(self._post_next, client, source, self._batches(source))
            sends |= {ONE: (SINGLES, lambda: _post(client, next(singles), 1)), UPDATE: (SINGLES, desk.update_one)}
            for number in range(self.rounds + 1):
                self.tell(f"posting, round {number} of {self.rounds}" if number else "posting, so that all is warm")
                for name, (clients, send) in sends.items():
                    rate = await self._rate(clients, send, self.seconds if number else 0.0)
                    # What is followed late would be in the figures of the next kind.
                    await self._settle(tenant, desk.tenant)
                    taken[name] += [rate] if number else []
        middle = {name: median(each.per_second for each in rates) for name, rates in taken.items()}
        beside = {UPDATE: ONE, **{source.adapter: STATEMENTS for source in SOURCES}}
        return [
            (name, f"{middle[name]:.0f}", beside.get(name, ""), f"{middle[name] / middle[beside[name]]:.2f}" if name in beside else "",
             *cpu_of(rates))
            for name, rates in taken.items()
        ]

    async def reads(self) -> AsyncIterator[Row]:
        """For each adapter, size and read, as they are measured: see READS."""
        for source, sizes in ((STUDYFETCH, self.events), (OFCOURSEME, self.events), (PATHWAYS, self.learners)):
            if source.adapter not in self.parts:
                continue
            async with self._client() as (tenant, client):
                held = 0
                for size in sizes:
                    rate = await self._load(tenant, client, source, range(held, size))
                    yield source.adapter, "loading", size, "", "", f"{rate.per_second:.0f}", *cpu_of([rate])
                    held, dice = size, Random(7)
                    self.tell(f"reading {source.adapter} with {size}")
                    for name, call in source.reads(size).items():
                        yield source.adapter, name, size, *await self._timed(partial(_read_next, client, call, dice))
        for size in self.learners if KOLIBRI in self.parts else ():
            async with school(self._kolibri(size)) as desk:
                # What is followed late would be in the figures.
                await self._settle(desk.tenant)
                self.tell(f"reading kolibri with {size} learners")
                yield "kolibri", "mastery logs of a learner", size, *await self._timed(desk.list_one)

    async def _timed(self, send: Callable[[], Awaitable[None]]) -> Row:
        before = seconds_of(self.home)
        took = await timed(1, self.requests, send)
        return *took, *cpu_of([Rate(0, spent(before, seconds_of(self.home), self.requests))])

    def _kolibri(self, learners: int) -> Load:
        return Load(self.api, attempts=0, requests=self.requests, clients=SINGLES, tell=self.tell, learners=learners)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
        """A tenant of our own and a client of it, with the credentials that all doors take; the tenant is deleted whatever happens."""
        tenant, key = f"bench-{secrets.token_hex(4)}", secrets.token_urlsafe(24)
        call = self.api.call
        await asyncio.to_thread(call, "PUT", tenant_path(tenant))
        try:
            credentials = tenant_path(tenant, "credentials")
            made = await asyncio.to_thread(call, "POST", credentials, {"kind": "basic", "scopes": ["all"]})
            await asyncio.to_thread(call, "POST", credentials, {"kind": "api_key", "api_key": key, "scopes": ["all"]})
            headers = {"Authorization": aiohttp.encode_basic_auth(made["key"], made["secret"]), "x-api-key": key, **VERSION}
            async with aiohttp.ClientSession(self.api.url, headers=headers, connector=aiohttp.TCPConnector(limit=0)) as client:
                yield tenant, client
        finally:
            await leave(self.api, tenant, self.tell, keep=self.keep)

    async def _load(self, tenant: str, client: aiohttp.ClientSession, source: Source, numbers: range) -> Rate:
        """Send these events through the adapter's own door, and wait for the summaries."""
        before, began = seconds_of(self.home), time.perf_counter()
        with self.bar(f"loading {source.adapter}", len(numbers)) as done:
            async def send(some: range) -> None:
                await _post_events(client, source, source.lines(some, self.seed), len(some))
                done(len(some))

            await all_of(FILLING, (send(numbers[at:at + FILL]) for at in range(0, len(numbers), FILL)))
        self.tell("waiting for the summaries")
        await self._settle(tenant)
        rate = len(numbers) / (time.perf_counter() - began)
        return Rate(rate, spent(before, seconds_of(self.home), len(numbers)))

    async def _settle(self, *tenants: str) -> None:
        for tenant in tenants:
            await asyncio.to_thread(self.api.call, "POST", tenant_path(tenant, "settle"))

    async def _rate(self, clients: int, send: Send, seconds: float) -> Rate:
        """What so many clients get stored within a while; each sends once at least."""
        before, began, stored = seconds_of(self.home), time.perf_counter(), 0

        async def go_on() -> None:
            nonlocal stored
            while True:
                more = await send()
                stored += more  # not in one expression: others have stored meanwhile
                if time.perf_counter() - began > seconds:
                    return

        await asyncio.gather(*(go_on() for _ in range(clients)))
        return Rate(stored / (time.perf_counter() - began), spent(before, seconds_of(self.home), stored))

    def _statements(self, together: int) -> Iterator[bytes]:
        for at in count(0, together):
            made = [samples.sample(number, self.seed + together) for number in range(at, at + together)]
            yield json.dumps(made if together > 1 else made[0]).encode()

    def _batches(self, source: Source) -> Iterator[bytes]:
        together = BATCH // source.statements
        return (source.lines(range(at, at + together), self.seed) for at in count(0, together))

    async def _post_next(self, client: aiohttp.ClientSession, source: Source, batches: Iterator[bytes]) -> int:
        return await _post_events(client, source, next(batches), BATCH // source.statements)


def cpu_of(rates: Sequence[Rate]) -> tuple[str, ...]:
    """Microseconds of processor time by process, as in PROCESSES; "" where they cannot be told."""
    return tuple(
        f"{median(each.cpu_us[name] for each in rates):.0f}" if all(name in each.cpu_us for each in rates) else "" for name in PROCESSES
    )


async def _post(client: aiohttp.ClientSession, body: bytes, stored: int) -> int:
    await answered(client, "POST", PATH, body)
    return stored


async def _post_events(client: aiohttp.ClientSession, source: Source, lines: bytes, numbers: int) -> int:
    """Send what is made of so many numbers; how many statements are stored. ConfigurationError unless that is all of them."""
    path = f"/adapters/{source.adapter}/events"
    async with client.post(path, data=lines, headers={"Content-Type": NDJSON}) as answer:
        told, stored = await answer.json(), source.statements * numbers
        if answer.status != 200 or told["stored"] != stored:
            raise ConfigurationError(f"POST {path} answered {answer.status}: {json.dumps(told)[:300]}")
    return stored


async def _read_next(client: aiohttp.ClientSession, call: Callable[[Random], Call], dice: Random) -> None:
    await answered(client, *call(dice))
