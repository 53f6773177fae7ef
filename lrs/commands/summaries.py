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
@click.option("--remove", metavar="EDITION", help="Remove this one. A process of that version that still runs makes it anew.")
@talks_to_the_api
def leftovers(tenant: str, remove: str | None, url: str | None, data: Path | None) -> None:
    """List the summaries that other versions of this installation have left, or remove some."""
    api = endpoint(url, data)
    if remove:
        click.echo(f"{api.call('DELETE', tenant_path(tenant, 'leftovers', remove))['removed']} summaries removed")
        return
    for each in api.call("GET", tenant_path(tenant, "leftovers"))["leftovers"]:
        click.echo(f"{each['edition']}\t{each['summaries']} summaries\t{each['lines']} lines")


@click.command()
@click.argument("tenant")
@click.option("--materializer", help="Only the summaries of this one.")
@click.option("--sample", type=click.FloatRange(0, min_open=True), help="A part of them (0.01), or a number (500); else all.")
@PER_SECOND
@talks_to_the_api
def verify(
    tenant: str, materializer: str | None, sample: float | None, per_second: float | None, url: str | None, data: Path | None
) -> None:
    """Compare saved summaries with a recount from the statements. Exit code 1 if any differs. A worker does it."""
    given = {"materializer": materializer, "sample": sample, "per_second": per_second}
    body = {name: value for name, value in given.items() if value is not None}
    outcome = carry_out(endpoint(url, data), tenant, "verify", body)
    for difference in outcome["different"]:
        click.echo(difference)
    differ = len(outcome["different"]) + outcome["more"]
    click.echo(f"{outcome['checked']} summaries and {outcome['lines']} lines of roll-ups checked, {differ} differ from a recount")
    sys.exit(1 if differ else 0)
