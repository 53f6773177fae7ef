"""`lrs settle`, `lrs rebuild`, `lrs verify`: a tenant's summaries against its statements."""

import json
import sys
from pathlib import Path

import click

from lrs.commands.management import endpoint, talks_to_the_api, tenant_path


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
@talks_to_the_api
def rebuild(tenant: str, materializer: str | None, url: str | None, data: Path | None) -> None:
    """Make the summaries anew, each from nothing; prints how many of each materializer."""
    body = {"materializer": materializer} if materializer else None
    rebuilt = endpoint(url, data).call("POST", tenant_path(tenant, "rebuild"), body)["rebuilt"]
    for name, count in sorted(rebuilt.items()):
        click.echo(f"{name}\t{count}")


@click.command()
@click.argument("tenant")
@talks_to_the_api
def verify(tenant: str, url: str | None, data: Path | None) -> None:
    """Compare every saved summary with a recount from the statements. Exit code 1 if any differs."""
    outcome = endpoint(url, data).call("POST", tenant_path(tenant, "verify"))
    for difference in outcome["different"]:
        click.echo(difference if isinstance(difference, str) else json.dumps(difference))
    click.echo(f"{outcome['checked']} summaries checked, {len(outcome['different'])} differ from a recount")
    sys.exit(1 if outcome["different"] else 0)
