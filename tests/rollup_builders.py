"""A roll-up simple enough to check by eye, and its lines counted from nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from builders import a_statement, learner

from lrs.materialize import Materializer, Row
from lrs.store.cursors import Cursors
from lrs.store.positions import last_at
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
    """All cells that there are statements of, folded from nothing but those."""
    keys = {key async for some in saved.keys(tenant, materializer, 100) for key in some}
    return await saved.refold(tenant, materializer, sorted(keys), through=through)


async def kept_lines(database: Any, tenant: str, materializer: Materializer[Any]) -> dict[tuple[Any, ...], tuple[dict[str, int], int]]:
    """The lines as they are in the database, of the generation that is current."""
    current = (await Cursors(database).read(tenant)).current(materializer)
    return {
        (each["scope"], each["bucket"], tuple(each["dims"].items())): (_without_zeros(each.get("sums", {})), each["cells"])
        async for each in database["lines"].find({"tenant": tenant, "label": current.edition})
    }



def _without_zeros(sums: Mapping[str, int]) -> dict[str, int]:
    """A sum that came to nothing is as one that nobody ever added to."""
    return {name: value for name, value in sums.items() if value}


def at(hour: int, name: str = "ada", **parts: Any) -> dict[str, Any]:
    """A statement of a learner in an hour of one day."""
    return a_statement(timestamp=f"2026-03-02T{hour:02}:00:00.000Z", actor=learner(name), **parts)


async def total(parts: Any, materializer: Materializer[Any] = DAYS) -> int:
    """What all lines of one scope come to."""
    lines = await parts.summaries.rows("school", materializer, "all", until="2", sums=["count"])
    return lines[0].sums["count"] if lines else 0


async def assert_all_is_right(parts: Any) -> None:
    """Cells and lines equal their recount; nothing is left of what the current generation does not have."""
    report = await parts.rebuilder.verify("school")
    assert (report.different, report.more) == ([], 0)
    through = last_at(await parts.watermark.through(fresh=True))
    keys = [key async for some in parts.saved.keys("school", DAYS, 100) for key in some]
    cells = await parts.saved.refold("school", DAYS, keys, through=through)
    assert await kept_lines(parts.database, "school", DAYS) == added_up(DAYS, cells)


class Stopped(Exception):
    """The process ended here."""


def stops_after(records):
    """A report that ends the process when so many records are done; and what it heard."""
    heard = []

    async def report(done, of):
        heard.append((done, of))
        if done >= records:
            raise Stopped

    return report, heard


async def erase(parts: Any, name: str, tenant: str = "school") -> int:
    """Remove the records of a learner as an erasure does, and fold anew what they were in."""
    query = {"tenant": tenant, "agents": f"mailto:{name}@school.example.org"}
    keys = [key async for each in parts.database["records"].find(query) for key in each["keys"]]
    await parts.database["records"].delete_many(query)
    by_label: dict[str, set[str]] = {}
    for record_key in keys:
        label, _, key = record_key.partition(":")
        by_label.setdefault(label, set()).add(key)
    return int(await parts.rebuilder.refold(tenant, by_label))


def counted(what: Any, names: Iterable[str], asked: list[str]) -> None:
    """Each call of these methods is noted."""
    for name in names:
        method = getattr(what, name)
        setattr(what, name, lambda *given, _name=name, _method=method, **how: asked.append(_name) or _method(*given, **how))
