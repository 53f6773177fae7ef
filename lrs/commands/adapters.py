"""`lrs adapters`."""

from pathlib import Path

import click

from lrs.commands.management import endpoint, talks_to_the_api


@click.group()
def adapters() -> None:
    """Show the installed adapters."""


@adapters.command("list")
@talks_to_the_api
def list_adapters(url: str | None, data: Path | None) -> None:
    """One adapter a line: name, version, and the reference data it takes."""
    for adapter in endpoint(url, data).call("GET", "/manage/adapters")["adapters"]:
        click.echo("\t".join((adapter["name"], adapter["version"], " ".join(adapter.get("references", ())))))
