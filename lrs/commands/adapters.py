"""`lrs adapters`: what is installed, a new one to begin with, and trying one on an event."""

import sys
from pathlib import Path
from typing import Any

import click

from lrs.commands.dead_letters import show_replayed
from lrs.commands.jobs import carry_out
from lrs.commands.management import endpoint, talks_to_the_api
from lrs.errors import InvalidBody, InvalidEvent, InvalidStatements


@click.group()
def adapters() -> None:
    """Show the installed adapters, begin a new one, try one on an event."""


@adapters.command("list")
@talks_to_the_api
def list_adapters(url: str | None, data: Path | None) -> None:
    """One adapter a line, as the server has it: name, version, where it comes from, and the reference data it takes."""
    for adapter in endpoint(url, data).call("GET", "/manage/adapters")["adapters"]:
        references = " ".join(adapter.get("references", ()))
        click.echo("\t".join((adapter["name"], adapter["version"], adapter["from"], references)))


@adapters.command("new")
@click.argument("name")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="The folder to make; by default NAME-adapter here.")
def new_adapter(name: str, into: Path | None) -> None:
    """Write a package of an adapter's own: schema, translator, summaries, routes, cases and tests, green at once."""
    from lrs.commands.adapter_scaffold import scaffold

    folder = scaffold(name, into or Path(f"{name}-adapter"))
    click.echo(f"{folder} is ready. Next:\n\n  cd {folder}\n  pip install -e '.[test]'\n  pytest\n  lrs adapters try {name} event.json")


@adapters.command("try")
@click.argument("name")
@click.argument("event", type=click.File("rb"))
@click.option("--settings", type=click.File("rb"), help="The adapter's settings, as JSON; by default as they are without any.")
def try_adapter(name: str, event: Any, settings: Any) -> None:
    """Show what would become of an event, without storing anything: its statements or its error, and the summaries it would touch.

    EVENT is a file (- for standard input) with anything that the adapter takes. Exit code 1 if an event would be a dead letter.
    """
    from lrs.trial import trial

    try:
        found = trial(name, event.read(), settings.read() if settings else b"{}")
    except (InvalidBody, InvalidEvent, InvalidStatements) as error:
        raise click.ClickException(error.message) from error
    for line in found.lines():
        click.echo(line)
    sys.exit(1 if found.failed else 0)


@adapters.command()
@click.argument("tenant")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Store nothing: only tell what would change.")
@click.option("--per-second", type=click.FloatRange(0, min_open=True), help="No more events a second than this.")
@talks_to_the_api
def retranslate(tenant: str, name: str, dry_run: bool, per_second: float | None, url: str | None, data: Path | None) -> None:
    """Translate TENANT's history again with the version of adapter NAME that is installed now, as a job.

    A statement that comes out differently is voided, and another one takes its place. Prints the first hundred differences, and how
    many events came out the same, changed, or failed.
    """
    given = {"dry_run": dry_run, "per_second": per_second}
    body = {option: value for option, value in given.items() if value}
    show_replayed(carry_out(endpoint(url, data), tenant, f"adapters/{name}/retranslate", body))
