"""`lrs bench`: how fast this installation is, measured from outside on this machine."""

import asyncio
import os
from pathlib import Path
from urllib.parse import urlsplit

import click

from lrs.commands.bench_kolibri import Load, measure
from lrs.commands.bench_rollups import HEADINGS, measure_rollups
from lrs.commands.management import endpoint, talks_to_the_api
from lrs.commands.report import Report
from lrs.errors import ConfigurationError

HERE = frozenset({"127.0.0.1", "::1", "localhost"})


@click.group()
def bench() -> None:
    """Measure the API beside you. Makes a tenant of its own, and deletes it afterwards."""


@bench.command("kolibri")
@click.option("--operator", help="The operator's credential, key:secret. [LRS_OPERATOR, else that of `lrs up`]")
@click.option("--attempts", default=100_000, show_default=True, type=click.IntRange(1_000, 1_000_000), help="In the end.")
@click.option("--requests", default=400, show_default=True, type=click.IntRange(20, 20_000), help="Of each kind, each time.")
@click.option("--clients", default=32, show_default=True, type=click.IntRange(1, 256), help="At once, for rates.")
@talks_to_the_api
def kolibri(
    operator: str | None, attempts: int, requests: int, clients: int, url: str | None, data: Path | None
) -> None:
    """Latencies of start, update and mastery logs at 1,000 attempts and at --attempts; rates beside single statements."""
    if operator:
        os.environ["LRS_OPERATOR"] = operator
    api = endpoint(url, data)
    if urlsplit(api.url).hostname not in HERE:
        raise ConfigurationError(f"{api.url} is not on this machine: a benchmark is a load, and no measure of a network")
    report = Report()
    load = Load(api, attempts=attempts, requests=requests, clients=clients, tell=report.step)
    rows = asyncio.run(measure(load))
    report.table("Kolibri", ("call", "attempts stored", "at once", "p50 ms", "p95 ms", "a second"), rows)


@bench.command("rollups")
@click.option("--mongo", envvar="LRS_MONGO_URL", help="An idle MongoDB on this machine. [LRS_MONGO_URL, else one of its own]")
@click.option("--statements", default=100_000, show_default=True, type=click.IntRange(1_000, 1_000_000), help="In the end.")
@click.option("--probes", default=50, show_default=True, type=click.IntRange(5, 1_000), help="Single statements, each time.")
def rollups(mongo: str | None, statements: int, probes: int) -> None:
    """What one more statement under a group costs that holds 1,000, 100,000 (and 1,000,000); and the rate of a rebuild."""
    report = Report()
    rows, wrong = asyncio.run(measure_rollups(mongo, statements, probes, report.step))
    report.table("One more statement under one group", HEADINGS, rows)
    if wrong:
        raise click.ClickException(f"{wrong} summaries or lines are not what a recount gives")
