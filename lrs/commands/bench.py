"""`lrs bench`: how fast this installation is, measured from outside on this machine."""

import asyncio
import os
from pathlib import Path
from urllib.parse import urlsplit

import click

from lrs.commands.bench_kolibri import Load, measure
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
