"""The lines of roll-ups: sums over cells, kept by adding what each change of a cell adds, and taking away what it had added before.

A line is {_id, tenant, label, scope, bucket, dims, sums, cells}; `cells` counts the cells that add to it. A cell keeps what it has added
beside it, so that it can be taken back without any code that once made it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec
from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from lrs.materialize import Line, Materializer
from lrs.store.mongo import Database

# What one cell may add to a sum. A line of nine million such cells still fits 64 bits.
MOST = 10**12
# Moments at which a read is tried; and what MongoDB answers if one is gone (src/mongo/base/error_codes.yml).
MOMENTS, SNAPSHOT_TOO_OLD = 5, 239
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WHOLE = frozenset({int})
_RESERVED = frozenset({"scope", "bucket"})
_JSON, _READ = msgspec.json.Encoder(), msgspec.json.Decoder()

# Where a line is: label, scope, bucket, and dims in the order of their names.
Place = tuple[str, str, str, tuple[tuple[str, str], ...]]


def rows_of(materializer: Materializer[Any], key: str, summary: Any) -> bytes:
    """All that a cell adds to lines, as JSON [[scope, bucket, dims, sums], …], each line once; b"" if it adds to none.

    ValueError or TypeError if a row is not as `Row` says, and whatever `rows` raises.
    """
    lines: dict[tuple[str, str, tuple[tuple[str, str], ...]], dict[str, int]] = {}
    for row in materializer.rows(key, summary):
        scope, bucket, dims, sums = row.scope, row.bucket, row.dims, row.sums
        _check(scope, bucket, dims, sums)
        place = (scope, bucket, tuple(dims.items()) if len(dims) < 2 else tuple(sorted(dims.items())))
        if (known := lines.get(place)) is None:
            lines[place] = dict(sums)
        else:
            for name, value in sums.items():
                known[name] = known.get(name, 0) + value
    if not lines:
        return b""
    for added in lines.values():
        if added and (max(added.values()) > MOST or min(added.values()) < -MOST):
            raise ValueError(f"a cell adds at most {MOST} to a sum")
    ordered = sorted(lines.items(), key=_place) if len(lines) > 1 else lines.items()
    return _JSON.encode([(scope, bucket, dict(dims), sums) for (scope, bucket, dims), sums in ordered])


def _place(line: tuple[Any, Any]) -> Any:
    return line[0]


def _check(scope: str, bucket: str, dims: Mapping[str, str], sums: Mapping[str, int]) -> None:
    for text in (scope, bucket, *dims.values()):
        if not isinstance(text, str):
            raise TypeError(f"scope, bucket and dims of a row are strings, not {text!r}")
    _check_names(tuple(dims), tuple(sums))
    if not _WHOLE.issuperset(map(type, sums.values())):
        name, value = next(each for each in sums.items() if type(each[1]) is not int)
        raise TypeError(f"sum {name} of a row must be a whole number, not {value!r}: only those add up the same in any order")


@lru_cache(4_096)
def _check_names(dims: tuple[str, ...], sums: tuple[str, ...]) -> None:
    """Rows of one kind have the same names: what has passed is remembered."""
    for name in (*dims, *sums):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot name a dim or sum of a row: letters, digits, _ and - only")
    for name in dims:
        if name in _RESERVED:
            raise ValueError(f"no dim can be called {name}")


class Changes:
    """What a number of cells add to lines and take from them, added up."""

    def __init__(self) -> None:
        self._sums: dict[Place, dict[str, int]] = {}
        self._cells: dict[Place, int] = {}
        self._had: dict[Place, set[str]] = {}

    def add(self, label: str, rows: bytes, times: int = 1) -> None:
        """Add what `rows_of` gave of a cell; `times` -1 takes it back."""
        for place, sums in _by_place(label, rows).items():
            self._change(place, *((sums, None) if times < 0 else (None, sums)))

    def replace(self, label: str, took: bytes, adds: bytes) -> None:
        """Take back what a cell has added, and add what it adds now; of rows that stay as they are, nothing."""
        before, after = _by_place(label, took), _by_place(label, adds)
        for place, sums in before.items():
            if (now := after.pop(place, None)) != sums:
                self._change(place, sums, now)
        for place, sums in after.items():
            self._change(place, None, sums)

    def _change(self, place: Place, before: Mapping[str, int] | None, after: Mapping[str, int] | None) -> None:
        """One cell added `before` to a line, and adds `after`; None: it is none of the line's cells."""
        total = self._sums.setdefault(place, {})
        self._cells[place] = self._cells.get(place, 0) + (after is not None) - (before is not None)
        if before is not None:
            self._had.setdefault(place, set()).update(before)
            for name, value in before.items():
                total[name] = total.get(name, 0) - value
        for name, value in (after or {}).items():
            total[name] = total.get(name, 0) + value

    def writes(self, tenant: str) -> list[UpdateOne]:
        """The updates of lines that are to be made, in one transaction with those of the cells."""
        return [
            UpdateOne({"_id": line_id(tenant, place)}, self._update(tenant, place), upsert=True)
            for place in sorted(self._sums) if self._cells[place] or any(self._sums[place].values())
        ]

    def _update(self, tenant: str, place: Place) -> dict[str, Any]:
        label, scope, bucket, dims = place
        # What stays as it is, is left out; but a sum of nothing that is new is told, so that the line has its name.
        had = self._had.get(place, ())
        sums = {f"sums.{name}": value for name, value in self._sums[place].items() if value or name not in had}
        where = {"tenant": tenant, "label": label, "scope": scope, "bucket": bucket, "dims": dict(dims)}
        return {"$inc": {"cells": self._cells[place], **sums}, "$setOnInsert": where}

    def dying(self, tenant: str) -> list[str]:
        """The `_id`s of lines that may have no cell left."""
        return [line_id(tenant, place) for place, cells in self._cells.items() if cells < 0]


def _by_place(label: str, rows: bytes) -> dict[Place, dict[str, int]]:
    """What `rows_of` gave, by line."""
    if not rows:
        return {}
    return {(label, scope, bucket, tuple(dims.items())): sums for scope, bucket, dims, sums in _READ.decode(rows)}


def line_id(tenant: str, place: Place) -> str:
    """The `_id` of a line: "<tenant>/<label>/<digest of the rest>"."""
    return f"{tenant}/{place[0]}/{_digest(place[1:])}"


@lru_cache(4_096)
def _digest(place: tuple[Any, ...]) -> str:
    return blake2b(_JSON.encode(place), digest_size=16).hexdigest()


class Lines:
    """Writing and reading of lines."""

    def __init__(self, database: Database) -> None:
        self._lines = database["lines"]
        # A cell's change touches several lines: all of it is seen, or nothing.
        self._at_one_moment = database.at_one_moment("lines")

    async def apply(self, tenant: str, changes: Changes, session: Any) -> int:
        """Within a transaction, let lines change; how many there were to write."""
        writes = changes.writes(tenant)
        if writes:
            await self._lines.bulk_write(writes, ordered=False, session=session)
        if dying := changes.dying(tenant):
            await self._lines.delete_many({"_id": {"$in": dying}, "cells": {"$lte": 0}}, session=session)
        return len(writes)

    async def read(
        self, tenant: str, label: str, scope: str | Sequence[str], *, since: str | None = None, until: str | None = None,
        by: Sequence[str] = (), sums: Sequence[str] = (), where: Mapping[str, str | Sequence[str]] | None = None,
        distinct: str | None = None, limit: int | None = None, beyond: Sequence[str] = (), groups: int | None = None,
    ) -> list[Line]:
        """Lines added up by group, in the order of the groups, all as they were at one moment. See `Summaries.rows`."""
        query: dict[str, Any] = {"tenant": tenant, "label": label, "scope": _one_of(scope)}
        bucket = {operator: value for operator, value in (("$gte", since), ("$lt", until)) if value is not None}
        if bucket:
            query["bucket"] = bucket
        query |= {f"dims.{_named(name)}": _one_of(values) for name, values in (where or {}).items()}
        group = {f"g{number}": _expression(name) for number, name in enumerate(by)}
        first = [] if limit is None else [{"$sort": {"bucket": 1}}, {"$limit": limit}]
        pipeline = [{"$match": query}, *first, *_added_up(group, [_named(name) for name in sums], distinct and f"$dims.{_named(distinct)}")]
        if groups is not None:
            pipeline += _some_of(group, beyond, groups)
        found = await self._at_a_moment(pipeline)
        return sorted(_lines(found, list(group), sums), key=lambda line: line.group)

    async def _at_a_moment(self, pipeline: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """What a pipeline gives. A busy server may have let go of the moment it had chosen: then it chooses another."""
        for left in reversed(range(MOMENTS)):
            try:
                return [each async for each in self._at_one_moment.aggregate(pipeline, allowDiskUse=True)]
            except OperationFailure as error:
                if error.code != SNAPSHOT_TOO_OLD or not left:
                    raise
        return []


def _added_up(group: Mapping[str, Any], sums: Sequence[str], distinct: str | None) -> list[dict[str, Any]]:
    """Stages that give {_id: {g…, k?}, s…, n}: a document a group, or, if all sums are wanted, one a group and name k of a sum."""
    keys: dict[str, Any] = dict(group)
    stages: list[dict[str, Any]] = []
    if sums:
        totals = {f"s{number}": f"$sums.{name}" for number, name in enumerate(sums)}
    else:
        # One pair more, so that a line without sums is there too.
        pairs = {"$concatArrays": [[{"k": "", "v": 0}], {"$objectToArray": {"$ifNull": ["$sums", {}]}}]}
        stages += [{"$set": {"pair": pairs}}, {"$unwind": "$pair"}]
        keys["k"] = "$pair.k"
        totals = {"s0": "$pair.v"}
    once: dict[str, Any] = {"_id": {**keys, "d": distinct} if distinct else keys}
    stages.append({"$group": once | {name: {"$sum": value} for name, value in totals.items()}})
    if distinct:
        again: dict[str, Any] = {"_id": {name: f"$_id.{name}" for name in keys}}
        again["n"] = {"$sum": {"$cond": [{"$ne": [{"$ifNull": ["$_id.d", None]}, None]}, 1, 0]}}
        stages.append({"$group": again | {name: {"$sum": f"${name}"} for name in totals}})
    return stages


def _some_of(group: Mapping[str, Any], beyond: Sequence[str], groups: int) -> list[dict[str, Any]]:
    """Stages that leave so many groups, the first ones after the group `beyond`. For given sums: then a document is a group."""
    after = [{"$match": {"_id": {"$gt": dict(zip(group, beyond, strict=True))}}}] if beyond else []
    return [*after, {"$sort": {"_id": 1}}, {"$limit": groups}]


def _lines(found: Iterable[Mapping[str, Any]], group: Sequence[str], sums: Sequence[str]) -> list[Line]:
    if sums:
        return [
            Line(tuple(each["_id"][name] for name in group), {name: each[f"s{at}"] for at, name in enumerate(sums)}, each.get("n", 0))
            for each in found
        ]
    totals: dict[tuple[str, ...], dict[str, int]] = {}
    counts: dict[tuple[str, ...], int] = {}
    for each in found:
        place = tuple(each["_id"][name] for name in group)
        if name := each["_id"]["k"]:
            totals.setdefault(place, {})[name] = each["s0"]
        else:
            counts[place] = each.get("n", 0)
    return [Line(place, dict(sorted(totals.get(place, {}).items())), count) for place, count in counts.items()]


def _expression(name: str) -> Any:
    if name in _RESERVED:
        return f"${name}"
    if name.startswith("bucket:"):
        return {"$substrCP": ["$bucket", 0, int(name.removeprefix("bucket:"))]}
    return {"$ifNull": [f"$dims.{_named(name)}", ""]}


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} names no dim or sum")
    return name


def _one_of(values: str | Sequence[str]) -> Any:
    return values if isinstance(values, str) else {"$in": list(values)}
