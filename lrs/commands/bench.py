"""`lrs bench`: how fast this installation is, measured from outside on this machine."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from lrs.commands import progress
from lrs.commands.bench_adapters import PARTS, POSTS, READS, Adapters
from lrs.commands.bench_freshness import Freshness
from lrs.commands.bench_growth import IMPORTS, Growth
from lrs.commands.bench_kolibri import LEARNERS, Load, measure
from lrs.commands.bench_results import write_rows
from lrs.commands.bench_rollups import HEADINGS, measure_costs, measure_rollups
from lrs.commands.bench_xapi import Bench, as_json, table_of
from lrs.commands.management import Endpoint, endpoint, talks_to_the_api
from lrs.commands.report import Report
from lrs.embedded.home import Home, default_home
from lrs.embedded.mongod import mongod_url
from lrs.errors import ConfigurationError
from lrs.intake_bench import steps
from lrs.plugins import load_materializers

HERE = frozenset({"127.0.0.1", "::1", "localhost"})


@click.group()
def bench() -> None:
    """Measure the API beside you. Makes a tenant of its own, and deletes it afterwards."""


@bench.command("kolibri")
@click.option("--operator", help="The operator's credential, key:secret. [LRS_OPERATOR, else that of `lrs up`]")
@click.option("--attempts", default=100_000, show_default=True, type=click.IntRange(1_000, 1_000_000), help="In the end.")
@click.option("--learners", default=LEARNERS, show_default=True, type=click.IntRange(1, 100_000), help="Each in a session.")
@click.option("--requests", default=400, show_default=True, type=click.IntRange(20, 20_000), help="Of each kind, each time.")
@click.option("--clients", default=32, show_default=True, type=click.IntRange(1, 256), help="At once, for rates.")
@talks_to_the_api
def kolibri(
    operator: str | None, attempts: int, learners: int, requests: int, clients: int, url: str | None, data: Path | None
) -> None:
    """Latencies of start, update and mastery logs at 1,000 attempts and at --attempts; rates beside single statements."""
    api, report = _here(operator, url, data), Report()
    load = Load(api, attempts=attempts, requests=requests, clients=clients, tell=report.step, learners=learners)
    rows = asyncio.run(measure(load))
    report.table("Kolibri", ("call", "attempts stored", "at once", "p50 ms", "p95 ms", "a second"), rows)


@bench.command("xapi")
@click.option("--operator", help="The operator's credential, key:secret. [LRS_OPERATOR, else that of `lrs up`]")
@click.option("--mongo-url", help="Where bare inserts go. [the mongod of `lrs up`]")
@click.option("--preload", default=20_000, show_default=True, type=click.IntRange(100, 10_000_000), help="Imported before.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 100), help="Of all workloads, target by target.")
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(0.2), help="At most, for each workload and target.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write every sample there.")
@talks_to_the_api
def xapi(
    operator: str | None, mongo_url: str | None, preload: int, rounds: int, seconds: float, file: Path | None,
    url: str | None, data: Path | None,
) -> None:
    """Posts and queries beside a server that stores nothing (noop) and bare inserts into the same MongoDB (motor-ix), in turn."""
    report = Report()
    bench = _bench(operator, url, data, report)
    bench.preload, bench.rounds, bench.seconds = preload, rounds, seconds
    bench.mongo_url = mongo_url or bench.mongo_url
    taken = asyncio.run(bench.run())
    columns = ("workload", "target", "a second", "p50 ms", "p95 ms", "x noop", "x motor-ix", "API us", "mongod us", "worker us")
    report.table("Medians; statements or answers a second; processor time for each request", columns, table_of(taken))
    if file is not None:
        file.write_text(json.dumps(as_json(bench, taken), indent=1))


@bench.command("growth")
@click.option("--operator", help="The operator's credential, key:secret. [LRS_OPERATOR, else that of `lrs up`]")
@click.option("--mongo-url", help="Where keys and bytes are looked at. [the mongod of `lrs up`]")
@click.option("--sizes", default="10000,100000", show_default=True, help="Statements in the store, smaller first.")
@click.option("--requests", default=200, show_default=True, type=click.IntRange(20, 20_000), help="Of each kind, each time.")
@click.option("--keep", is_flag=True, help="Leave the statements there: to delete a million takes minutes.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows there, too.")
@talks_to_the_api
def growth(
    operator: str | None, mongo_url: str | None, sizes: str, requests: int, keep: bool, file: Path | None,
    url: str | None, data: Path | None,
) -> None:
    """What each query, and a page however deep, takes in a large store and in a small one; the rate and the bytes of an import."""
    report = Report()
    bench = _bench(operator, url, data, report)
    bench.mongo_url, bench.keep = mongo_url or bench.mongo_url, keep
    run = Growth(bench, _sizes("--sizes", sizes, 2), requests)
    asyncio.run(_told(run.run(), report))
    columns, rows = run.table()
    report.table("Imports; for one statement", IMPORTS, run.imports)
    report.table("Pages of 50", columns, rows)
    tables = {"imports": (IMPORTS, run.imports), "pages": (columns, rows)}
    write_rows(file, "lrs bench growth", {"sizes": sizes, "requests": requests}, tables)


@bench.command("adapters")
@click.option("--operator", help="The operator's credential, key:secret. [LRS_OPERATOR, else that of `lrs up`]")
@click.option("--events", default="1000,10000", show_default=True, help="Events of StudyFetch and OfCourseMe in the store, fewer first.")
@click.option("--learners", default="1000,10000", show_default=True, help="Learners of a pathway and of Kolibri, fewer first.")
@click.option("--requests", default=60, show_default=True, type=click.IntRange(5, 20_000), help="Of each read, each time.")
@click.option("--rounds", default=2, show_default=True, type=click.IntRange(1, 100), help="Of all posts, one kind after the other.")
@click.option("--seconds", default=3.0, show_default=True, type=click.FloatRange(0.2), help="For each kind of post, each time.")
@click.option("--only", "parts", multiple=True, type=click.Choice(PARTS), help="Posts, or an adapter's reads; may be given often. [all]")
@click.option("--keep", is_flag=True, help="Leave the events there: to delete a million takes minutes.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows there, too.")
@talks_to_the_api
def adapters(
    operator: str | None, events: str, learners: str, requests: int, rounds: int, seconds: float, parts: Sequence[str],
    keep: bool, file: Path | None, url: str | None, data: Path | None,
) -> None:
    """Native events beside statements, batch by batch, and the vendors' own reads in a small store and in a large one."""
    report, sizes = Report(), (_sizes("--events", events), _sizes("--learners", learners))
    api, home = _here(operator, url, data), Home(data or default_home(os.environ))
    run = Adapters(api, home, *sizes, requests, rounds, seconds, report.step, partial(progress.bar, report), keep, parts or PARTS)
    posts, reads = asyncio.run(_native(run, report))
    report.table("Posts, medians", POSTS, posts)
    report.table("Reads, one at a time", READS, reads)
    options = {"events": events, "learners": learners, "requests": requests, "rounds": rounds, "seconds": seconds}
    write_rows(file, "lrs bench adapters", options, {"posts": (POSTS, posts), "reads": (READS, reads)})


@bench.command("freshness")
@click.option("--operator", help="The operator's credential, key:secret. [LRS_OPERATOR, else that of `lrs up`]")
@click.option("--rate", default=500, show_default=True, type=click.IntRange(10, 100_000), help="Statements a second.")
@click.option("--seconds", default=300.0, show_default=True, type=click.FloatRange(1, 3_600), help="For so long.")
@talks_to_the_api
def freshness(operator: str | None, rate: int, seconds: float, url: str | None, data: Path | None) -> None:
    """How soon an acknowledged statement is in a report, while others come in at a steady rate; memory of the processes of `lrs up`."""
    report = Report()
    api, home = _here(operator, url, data), Home(data or default_home(os.environ))
    asyncio.run(Freshness(api, home, rate, seconds, report.step, lambda rows: report.table("Freshness", ("what", "figure"), rows)).run())


@bench.command("rollups")
@click.option("--mongo", envvar="LRS_MONGO_URL", help="An idle MongoDB on this machine. [LRS_MONGO_URL, else one of its own]")
@click.option("--statements", default=100_000, show_default=True, type=click.IntRange(1_000, 1_000_000), help="In the end.")
@click.option("--probes", default=50, show_default=True, type=click.IntRange(5, 1_000), help="Single statements, each time.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows there, too.")
def rollups(mongo: str | None, statements: int, probes: int, file: Path | None) -> None:
    """What one more statement under a group costs that holds 1,000, 100,000 (and 1,000,000); and the rate of a rebuild."""
    report = Report()
    rows = asyncio.run(_told(measure_rollups(mongo, statements, probes, report.step, partial(progress.bar, report)), report, HEADINGS))
    report.table("One more statement under one group", HEADINGS, rows)
    write_rows(file, "lrs bench rollups", {"statements": statements, "probes": probes}, {"rows": (HEADINGS, rows)})


@bench.command("store")
@click.option("--mongo", envvar="LRS_MONGO_URL", help="An idle MongoDB on this machine. [LRS_MONGO_URL, else one of its own]")
@click.option("--statements", default=20_000, show_default=True, type=click.IntRange(1_000, 1_000_000), help="Written each time.")
def store(mongo: str | None, statements: int) -> None:
    """What a statement costs step by step, each index in time and bytes, and what records of other shapes would."""
    report = Report()
    report.table("Before it is written, for one statement in a batch of 50", ("step", "us of our processor"), steps(load_materializers()))
    indexes, shapes = asyncio.run(measure_costs(mongo, statements, report.step))
    report.table("For one statement", ("index", "mongod us", "bytes", "a second, by one core"), indexes)
    columns = ("record", "bytes", "on disk, snappy", "on disk, zstd", "mongod us to write", "us to write", "us to read a page of 100")
    report.table("Shapes of a record", columns, shapes)


async def _told(coming: AsyncIterator[Any], report: Report, columns: Sequence[str] = ()) -> list[Any]:
    """All that comes, rows or text, each told at once: a run that is stopped has told something."""
    taken = []
    async for each in coming:
        report.tell(each if isinstance(each, str) else _line(columns, each))
        taken.append(each)
    return taken


def _line(columns: Sequence[str], row: Sequence[object]) -> str:
    return ", ".join(f"{column} {value}" for column, value in zip(columns, row, strict=True) if value != "")


async def _native(run: Adapters, report: Report) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    posts = await run.posts()
    for row in posts:
        report.tell(_line(POSTS, row))
    return posts, await _told(run.reads(), report, READS)


def _sizes(option: str, text: str, least: int = 1) -> list[int]:
    """Numbers out of "1000,10000". BadParameter unless there are so many, in rising order."""
    counts = [int(size) for size in text.split(",") if size.strip().isdecimal()]
    if len(counts) < least or len(counts) != text.count(",") + 1 or sorted(set(counts)) != counts or counts[0] < 1:
        raise click.BadParameter(f"numbers with commas, {least} or more, smaller ones first", param_hint=option)
    return counts


def _bench(operator: str | None, url: str | None, data: Path | None, report: Report) -> Bench:
    home = Home(data or default_home(os.environ))
    port = home.read("ports").get("mongod")
    here = mongod_url(port) if port else None
    return Bench(_here(operator, url, data), home, here, 0, 1, 1.0, report.step, partial(progress.bar, report))


def _here(operator: str | None, url: str | None, data: Path | None) -> Endpoint:
    """The API to measure; ConfigurationError if it is not on this machine."""
    if operator:
        os.environ["LRS_OPERATOR"] = operator
    api = endpoint(url, data)
    if urlsplit(api.url).hostname not in HERE:
        raise ConfigurationError(f"{api.url} is not on this machine: a benchmark is a load, and no measure of a network")
    return api
