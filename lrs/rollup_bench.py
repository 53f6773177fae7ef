"""What `lrs bench rollups` measures: the cost of one more statement under a group that holds few or many, and the rate of a rebuild.

In a database of its own, by the product's own log, follower and rebuilder. What is there before is written past the log and its order
of writers, as nobody else writes: into the records as they are, from where a rebuild makes the summaries.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from lrs.config import Config
from lrs.follow import Follower
from lrs.materialize import Materializer, Row, record_keys
from lrs.rebuild import Rebuilder
from lrs.store.log import Log
from lrs.store.mongo import Database
from lrs.store.positions import position_of
from lrs.store.records import Prepared, to_record
from lrs.store.summaries import SavedSummaries
from lrs.store.watermark import Watermark
from lrs.summaries import Summaries
from lrs.xapi.lookups import look_ups
from lrs.xapi.prepare import prepare
from lrs.xapi.types import Statement

SIZES = (1_000, 100_000, 1_000_000)
TENANT, GROUP = "bench", "group=7b"
LEARNERS, ACTIVITIES = 500, 200
# Records written together while it is filled, and at a time; a microsecond each, since so long ago.
BATCH, FILLING, LONG_AGO_US = 500, 4, 3_600_000_000
# Statements of one learner at one activity in one hour: what a cell holds.
A_CELL = 10
BEGAN = datetime(2026, 1, 5, 8, tzinfo=UTC)
AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://bench.example.org", "name": "bench"}}
Line = tuple[object, ...]


@dataclass(frozen=True)
class Cell:
    """What one learner did with one activity in one hour."""

    hour: str = ""
    learner: str = ""
    activity: str = ""
    count: int = 0
    millionths: int = 0


def _keys(statement: Statement) -> Iterable[str]:
    yield f"{statement['timestamp'][:13]} {statement['actor']['account']['name']} {statement['object']['id'][-8:]}"


def _step(cell: Cell, statement: Statement) -> Cell:
    return replace(
        cell, hour=statement["timestamp"][:13], learner=statement["actor"]["account"]["name"], activity=statement["object"]["id"][-8:],
        count=cell.count + 1, millionths=cell.millionths + round(statement["result"]["score"]["scaled"] * 1_000_000),
    )


def _rows(_key: str, cell: Cell) -> Iterable[Row]:
    if cell.count:
        sums = {"count": cell.count, "millionths": cell.millionths}
        yield Row(GROUP, cell.hour, {"activity": cell.activity}, sums)
        yield Row(f"{GROUP}/learners", cell.hour[:10], {"learner": cell.learner}, sums)


CELLS: Materializer[Cell] = Materializer(
    name="bench.cells", version=1, shape=Cell, keys=_keys, empty=Cell, step=_step, rows=_rows,
)


def statements(count: int) -> Iterator[Statement]:
    """So many statements of one group, as a school makes them: each learner at one activity for a while, hour after hour."""
    for number in range(count):
        cell = number // A_CELL
        hours, learner = divmod(cell, LEARNERS)
        yield {
            "id": str(uuid.uuid4()),
            "actor": {"objectType": "Agent", "account": {"homePage": "https://bench.example.org", "name": f"learner-{learner:04}"}},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/answered", "display": {"en": "answered"}},
            "object": {"id": f"https://bench.example.org/activities/{(hours + learner) % ACTIVITIES:08}"},
            "context": {"contextActivities": {"grouping": [{"id": "https://bench.example.org/groups/7b"}]}},
            "result": {"score": {"scaled": (number % 20) / 20}, "success": True, "duration": "PT12.5S"},
            "timestamp": (BEGAN + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }


@asynccontextmanager
async def bench_database(config: Config) -> AsyncIterator[Database]:
    """The configured database, with its indexes; dropped afterwards."""
    database = Database.connect(config)
    try:
        await database.prepare()
        yield database
    finally:
        await database.drop()
        database.close()


class RollupBench:
    """One run: `row` for each size, in rising order. `tell` hears what is being done; `bar` shows how far it is."""

    def __init__(
        self, database: Database, probes: int, tell: Callable[[str], None],
        bar: Callable[[str, int], AbstractContextManager[Callable[[int], None]]],
    ) -> None:
        materializers: dict[str, Materializer[Any]] = {CELLS.name: CELLS}
        watermark = Watermark(database, lambda: datetime.now(UTC))
        saved = SavedSummaries(database)
        self._database, self._probes, self._tell, self._bar = database, probes, tell, bar
        self._log = Log(database, watermark, lambda: datetime.now(UTC), 60.0)
        self._follower = Follower(database, watermark, self._log, saved, materializers)
        self._summaries = Summaries(saved, self._follower, self._log)
        self._rebuilder = Rebuilder(database, watermark, saved, self._follower, materializers)
        self._coming = statements(SIZES[-1] + len(SIZES) * probes)
        self._held = self._filled = 0
        self._begin_us = time.time_ns() // 1000 - LONG_AGO_US

    async def row(self, size: int) -> Line:
        """Fill up to a size, rebuild, and measure there."""
        filled = size - self._held
        filled_s = await _timed(lambda: self._fill(filled))
        rebuilt_s = await _timed(self._rebuild)
        self._tell(f"measuring with {size} statements")
        before = await self._database.counted()
        followed = [await self._one_more() for _ in range(self._probes)]
        after = await self._database.counted()
        keys, written = [round((after[name] - before[name]) / self._probes, 1) for name in ("keys", "written")]
        read = [await _timed(self._read) for _ in range(self._probes)]
        return (
            size, f"{_at(followed, 50):.2f}", f"{_at(followed, 95):.2f}", keys, written, f"{_at(read, 50):.2f}",
            f"{filled / filled_s:.0f}", f"{size / rebuilt_s:.0f}",
        )

    async def verify(self) -> int:
        """How many summaries and lines are not what a recount gives: none, or the figures say nothing."""
        self._tell("verifying a sample")
        report = await self._rebuilder.verify(TENANT, 500)
        return len(report.different)

    async def _one_more(self) -> float:
        await self._store(1)
        return await _timed(lambda: self._follower.follow(TENANT))

    async def _read(self) -> None:
        await self._summaries.rows(TENANT, CELLS, GROUP, until="2026-01-05T09", by=["bucket"], sums=["count", "millionths"])

    async def _fill(self, count: int) -> None:
        """So many statements more, as records; in the past, so that what comes by the log stands behind them."""
        with self._bar(f"filling up to {self._held + count} statements", count) as done:
            for _ in range(0, count, FILLING * BATCH):
                portion = list(islice(self._coming, min(FILLING * BATCH, count)))
                await asyncio.gather(*(self._insert(portion[at:at + BATCH], self._filled + at) for at in range(0, len(portion), BATCH)))
                self._filled, count = self._filled + len(portion), count - len(portion)
                self._held += len(portion)
                done(len(portion))

    async def _insert(self, portion: Sequence[Statement], first: int) -> None:
        made = [to_record(_prepared(each), position_of(self._begin_us + first + at, 0)) for at, each in enumerate(portion)]
        await self._database["records"].insert_many(made, ordered=False)

    async def _rebuild(self) -> None:
        with self._bar(f"rebuilding {self._held} statements", self._held) as done:
            known = 0

            async def report(made: int, _total: int) -> None:
                nonlocal known
                done(made - known)
                known = made

            await self._rebuilder.build(TENANT, report=report)

    async def _store(self, count: int) -> None:
        batch = [_prepared(statement) for statement in islice(self._coming, count)]
        await self._log.append(batch)
        self._held += len(batch)


def _prepared(statement: Statement) -> Prepared:
    received = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    complete = prepare(statement, authority=AUTHORITY, version="1.0.3", received=received, statement_id=statement["id"])
    return Prepared(TENANT, statement, complete, look_ups(complete), record_keys([CELLS], complete))


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


def _at(seconds: Sequence[float], percentile: int) -> float:
    """Milliseconds."""
    return sorted(seconds)[min(len(seconds) - 1, len(seconds) * percentile // 100)] * 1000
