"""A roll-up simple enough to check by eye, and its lines counted from nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lrs.materialize import Materializer, Row
from lrs.store.summaries import SavedSummaries


@dataclass(frozen=True)
class Day:
    """What one learner did with one activity in one hour."""

    hour: str = ""
    learner: str = ""
    activity: str = ""
    count: int = 0
    millionths: int = 0


def _keys(statement: dict[str, Any]) -> Iterable[str]:
    if "mbox" in statement["actor"] and statement["object"].get("objectType", "Activity") == "Activity":
        yield f"{statement['timestamp'][:13]} {statement['actor']['mbox']} {statement['object']['id']}"


def _step(day: Day, statement: dict[str, Any]) -> Day:
    scaled = statement.get("result", {}).get("score", {}).get("scaled", 0)
    return replace(
        day, hour=statement["timestamp"][:13], learner=statement["actor"]["mbox"], activity=statement["object"]["id"],
        count=day.count + 1, millionths=day.millionths + round(scaled * 1_000_000),
    )


def _rows(_key: str, day: Day) -> Iterable[Row]:
    if not day.count:
        return
    sums = {"count": day.count, "millionths": day.millionths}
    yield Row("all", day.hour, {"learner": day.learner}, sums)
    # The line a cell adds to may become another one.
    yield Row(f"activity={day.activity}", day.hour[:10], {"learner": day.learner, "much": "yes" if day.count > 2 else "no"}, sums)
    # Two rows of one cell may be of one line.
    yield Row("all", "", {}, {"count": day.count})
    yield Row("all", "", {}, {"cells": 1})


DAYS: Materializer[Day] = Materializer(
    name="test.days", version=1, shape=Day, keys=_keys, empty=Day, step=_step, rows=_rows,
)


def added_up(materializer: Materializer[Any], cells: Mapping[str, Any]) -> dict[tuple[Any, ...], tuple[dict[str, int], int]]:
    """What the lines must be: by scope, bucket and dims, the sums, and how many cells add to them."""
    lines: dict[tuple[Any, ...], tuple[dict[str, int], set[str]]] = {}
    for key, cell in cells.items():
        for row in materializer.rows(key, cell):
            sums, keys = lines.setdefault((row.scope, row.bucket, tuple(sorted(row.dims.items()))), ({}, set()))
            keys.add(key)
            for name, value in row.sums.items():
                sums[name] = sums.get(name, 0) + value
    return {place: (_without_zeros(sums), len(keys)) for place, (sums, keys) in lines.items()}


async def recounted(saved: SavedSummaries, tenant: str, materializer: Materializer[Any], through: int) -> dict[str, Any]:
    """All cells, folded from nothing but statements."""
    keys = {key async for some in saved.keys(tenant, materializer, 100) for key in some}
    return await saved.refold(tenant, materializer, sorted(keys), through=through)


async def kept_lines(database: Any, tenant: str) -> dict[tuple[Any, ...], tuple[dict[str, int], int]]:
    """The lines as they are in the database."""
    return {
        (each["scope"], each["bucket"], tuple(each["dims"].items())): (_without_zeros(each.get("sums", {})), each["cells"])
        async for each in database["lines"].find({"tenant": tenant})
    }



def _without_zeros(sums: Mapping[str, int]) -> dict[str, int]:
    """A sum that came to nothing is as one that nobody ever added to."""
    return {name: value for name, value in sums.items() if value}
