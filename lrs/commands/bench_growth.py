"""What `lrs bench growth` measures: queries in a small store and in a large one, deep pages, the rate and the bytes of an import."""

import json
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin

import aiohttp

from lrs import samples
from lrs.commands.bench_processes import seconds_of, spent
from lrs.commands.bench_workloads import query_path
from lrs.commands.bench_xapi import Bench, answered
from lrs.config import Config
from lrs.store_bench import Inside, Sizes, inside

PAGE = 50
ORDERS = {"latest first": "false", "earliest first": "true"}
# How many pages a walk by `more` goes on for in each order, and how many of its first and of its last pages are taken together.
DEEPEST, TOGETHER = {"latest first": 10_000, "earliest first": 1_000}, 200


def _of(who: int) -> dict[str, str]:
    return {"agent": samples.agent_parameter(samples.learner(who))}


def _tutored(by: int) -> dict[str, str]:
    return {"agent": json.dumps({"mbox": f"mailto:tutor.{by}@academy.example.net"}), "related_agents": "true"}


def _below(path: str) -> dict[str, str]:
    return {"activity": f"{samples.ACADEMY}/{path}", "related_activities": "true"}


BUSY, QUIET = 0, samples.LEARNERS - 1
LESSON, LAST_LESSON = {"activity": samples.lesson(0)}, {"activity": samples.lesson(samples.LESSONS - 1)}
RARE_VERB = {"verb": samples.verb(5)}

# Filters of every selectivity: of all that is there, of much of it, of next to nothing; and conditions that are common, but hardly
# ever or never met together.
QUERIES: dict[str, dict[str, str]] = {
    "everything": {},
    "since": {"since": "2026-01-01T00:00:00Z"},
    "verb, common": {"verb": samples.verb(0)},
    "agent, busy": _of(BUSY),
    "agent, quiet": _of(QUIET),
    "activity, busy": LESSON,
    "registration": {"registration": str(samples.registration(BUSY, 0))},
    "related agent, in a seventh": _tutored(1),
    "related activity, in all": _below("programme"),
    "related activity, in a few": _below("modules/23"),
    "agent and verb, busy": {**_of(BUSY), **RARE_VERB},
    "activity and verb, rare": {**LAST_LESSON, **RARE_VERB},
    "agent and activity, rare": {**_of(BUSY), **LAST_LESSON},
    "agent and activity, never": {**_of(BUSY), "activity": f"{samples.ACADEMY}/nothing"},
    "agent, activity and verb": {**_of(BUSY), **LESSON, **RARE_VERB},
    "verb, never": {"verb": f"{samples.ADL}/voided-never"},
    "related agent and activity, never": {**_tutored(1), **LESSON},
    "related activity and verb": {**_below("programme"), **RARE_VERB},
    "related activity and agent, rare": {**_below("modules/23"), **_of(BUSY)},
    "related agent and verb": {**_tutored(1), **RARE_VERB},
    "related agent and related activity": {**_tutored(1), **_below("modules/23")},
    "both related and verb, rare": {**_tutored(1), **_below("modules/23"), **RARE_VERB},
}


@dataclass
class Taken:
    """What a query took at each size: milliseconds at the 95th percentile, µs of mongod's processor, keys examined (None: not known)."""

    p95_ms: list[float] = field(default_factory=list)
    mongod_us: list[float] = field(default_factory=list)
    keys: list[int | None] = field(default_factory=list)


class Growth:
    """One run: `rows` of each size in rising order, then `table`."""

    def __init__(self, bench: Bench, sizes: Sequence[int], requests: int) -> None:
        self._bench, self.sizes, self._requests = bench, sizes, requests
        self._taken: dict[tuple[str, str], Taken] = {}
        self.imports: list[tuple[object, ...]] = []

    async def run(self) -> AsyncIterator[str]:
        """Measure; tells of everything in a line as it comes, so that a run that is stopped has told something."""
        bench = self._bench
        async with bench.client() as client, AsyncExitStack() as stack:
            look = None
            if bench.mongo_url:
                config = replace(Config.from_environment(os.environ), mongo_url=bench.mongo_url)
                look = await stack.enter_async_context(inside(config))
            for size in self.sizes:
                yield await self._fill(size, look)
                bench.tell(f"measuring with {size} statements")
                for name, query in QUERIES.items():
                    for order, ascending in ORDERS.items():
                        await self._measure(client, look, (name, order), {**query, "ascending": ascending})
                        yield self._told((name, order))
                for order, ascending in ORDERS.items():
                    for name in await self._walk(client, order, ascending):
                        yield self._told((name, order))

    def table(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Columns and rows."""
        at = [f"at {size}" for size in self.sizes]
        columns = (
            "query", "order", *(f"p95 ms {each}" for each in at), "growth",
            *(f"mongod us {each}" for each in at), *(f"keys {each}" for each in at),
        )
        rows = [
            (*names, *(f"{each:.2f}" for each in taken.p95_ms), f"{taken.p95_ms[-1] / taken.p95_ms[0]:.2f}",
             *(f"{each:.0f}" for each in taken.mongod_us), *("" if each is None else each for each in taken.keys))
            for names, taken in self._taken.items()
        ]
        return columns, rows

    async def _fill(self, size: int, look: Inside | None) -> str:
        """Import up to a size; what that took, and what the statements take on disk."""
        before = await look.sizes() if look else None
        start = self._bench.store.next
        sample = await self._bench.fill(size)
        self._bench.tell("waiting for the summaries")
        await self._bench.settle()
        after = await look.sizes() if look else None
        cpu = [f"{sample.cpu_us[name]:.0f}" if name in sample.cpu_us else "" for name in ("api", "mongod", "worker")]
        row = (size - start, f"{sample.per_second:.0f}", *cpu, *_bytes(before, after))
        self.imports.append(row)
        return "  ".join(f"{name} {value}" for name, value in zip(IMPORTS, row, strict=True))

    async def _measure(
        self, client: aiohttp.ClientSession, look: Inside | None, names: tuple[str, str], query: Mapping[str, str]
    ) -> None:
        url, times, before = self._bench.api.url + query_path(limit=PAGE, **query), list[float](), seconds_of(self._bench.home)
        for _ in range(self._requests):
            asked = time.perf_counter()
            await answered(client, "GET", url, None)
            times.append(time.perf_counter() - asked)
        mongod_us = spent(before, seconds_of(self._bench.home), self._requests).get("mongod", 0.0)
        keys = await look.keys_examined(self._bench.tenant, query, PAGE) if look else None
        self._note(names, times, mongod_us, keys)

    async def _walk(self, client: aiohttp.ClientSession, order: str, ascending: str) -> list[str]:
        """By `more` from the first page to the deepest there is; the first pages and the last ones, which are to cost the same."""
        bench = self._bench
        url, times, spent_at = bench.api.url + query_path(limit=PAGE, ascending=ascending), list[float](), [seconds_of(bench.home)]
        with bench.bar(f"walking, {order}", min(DEEPEST[order], bench.store.filled // PAGE)) as done:
            while url and len(times) < DEEPEST[order]:
                asked = time.perf_counter()
                page = json.loads(await answered(client, "GET", url, None))
                times.append(time.perf_counter() - asked)
                url = urljoin(bench.api.url, page["more"]) if page["more"] else ""
                spent_at += [seconds_of(bench.home)] if len(times) % TOGETHER == 0 or not url else []
                done(1)
        last = len(times) % TOGETHER or TOGETHER
        names = [f"first {TOGETHER} pages of a walk", f"last {TOGETHER} pages of it"]
        for name, some, (before, after), count in (
            (names[0], times[:TOGETHER], spent_at[:2], min(TOGETHER, len(times))), (names[1], times[-TOGETHER:], spent_at[-2:], last),
        ):
            self._note((name, order), some, spent(before, after, count).get("mongod", 0.0), None)
        return names

    def _note(self, names: tuple[str, str], seconds: Sequence[float], mongod_us: float, keys: int | None) -> None:
        taken = self._taken.setdefault(names, Taken())
        taken.p95_ms.append(sorted(seconds)[len(seconds) * 95 // 100] * 1000)
        taken.mongod_us.append(mongod_us)
        taken.keys.append(keys)

    def _told(self, names: tuple[str, str]) -> str:
        taken = self._taken[names]
        keys = "" if taken.keys[-1] is None else f", {taken.keys[-1]} keys"
        return f"{names[0]}, {names[1]}: p95 {taken.p95_ms[-1]:.2f} ms, mongod {taken.mongod_us[-1]:.0f} us{keys}"


IMPORTS = ("imported", "a second", "API us", "mongod us", "worker us", "bytes", "bytes on disk", "bytes of indexes")


def _bytes(before: Sizes | None, after: Sizes | None) -> tuple[object, ...]:
    """Of one statement: in memory, on disk, in all indexes; what was there before is left out."""
    if before is None or after is None or after.records <= before.records:
        return "", "", ""
    more = after.records - before.records
    return tuple(
        f"{(getattr(after, name) - getattr(before, name)) / more:.0f}" for name in ("data", "on_disk", "indexes")
    )
