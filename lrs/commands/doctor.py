"""`lrs doctor`: whether an installation is as it should be."""

import sys
from pathlib import Path

import click

from lrs.commands.management import endpoint, talks_to_the_api
from lrs.commands.report import Report


@click.command()
@click.option("--strict", is_flag=True, help="Exit code 1 for warnings, too.")
@talks_to_the_api
def doctor(strict: bool, url: str | None, data: Path | None) -> None:
    """Look at databases, indexes, clocks, workers, lag and jobs. Exit code 1 if something is bad."""
    told = endpoint(url, data).call("GET", "/manage/doctor")
    Report().table("", ("", "", ""), [(each["state"], each["name"], each["told"]) for each in told["checks"]])
    sys.exit(1 if any(each["state"] == "bad" or (strict and each["state"] != "ok") for each in told["checks"]) else 0)
