"""`lrs settle`, `lrs rebuild`, `lrs verify`: a tenant's summaries against its statements."""

import sys
from pathlib import Path

import click

from lrs.commands.jobs import carry_out
from lrs.commands.management import endpoint, talks_to_the_api, tenant_path

PER_SECOND = click.option("--per-second", type=click.FloatRange(0, min_open=True), help="No more statements a second than this.")


@click.command()
@click.argument("tenant")
@talks_to_the_api
def settle(tenant: str, url: str | None, data: Path | None) -> None:
    """Return once every summary reflects every statement accepted before."""
    endpoint(url, data).call("POST", tenant_path(tenant, "settle"))
    click.echo(f"the summaries of {tenant} reflect all its statements")


@click.command()
@click.argument("tenant")
@click.option("--materializer", help="Only the summaries of this one.")
@PER_SECOND
@talks_to_the_api
def rebuild(tenant: str, materializer: str | None, per_second: float | None, url: str | None, data: Path | None) -> None:
    """Make the summaries anew, each from nothing; prints how many of each materializer. A worker does it."""
    given = {"materializer": materializer, "per_second": per_second}
    body = {name: value for name, value in given.items() if value is not None}
    for name, count in sorted(carry_out(endpoint(url, data), tenant, "rebuild", body)["rebuilt"].items()):
        click.echo(f"{name}\t{count}")


@click.command()
@click.argument("tenant")
@click.option("--materializer", help="Only the summaries of this one.")
@click.option("--sample", type=click.FloatRange(0, min_open=True), help="Only a part of them (0.01), or so many of each kind (500).")
@talks_to_the_api
def verify(tenant: str, materializer: str | None, sample: float | None, url: str | None, data: Path | None) -> None:
    """Compare saved summaries with a recount from the statements. Exit code 1 if any differs. A worker does it."""
    given = {"materializer": materializer, "sample": sample}
    body = {name: value for name, value in given.items() if value is not None}
    outcome = carry_out(endpoint(url, data), tenant, "verify", body)
    for difference in outcome["different"]:
        click.echo(difference)
    if outcome["more"]:
        click.echo(f"... and {outcome['more']} more")
    count = len(outcome["different"]) + outcome["more"]
    click.echo(f"{outcome['checked']} summaries and {outcome['lines']} lines checked, {count} differ from a recount")
    sys.exit(1 if count else 0)
