"""`lrs dead-letters`: native events that could not be translated."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlencode

import click

from lrs.commands.jobs import carry_out
from lrs.commands.management import Endpoint, endpoint, talks_to_the_api, tenant_path
from lrs.commands.report import Report
from lrs.xapi.json_text import dump, indented, parse

KINDS = click.Choice(["unreadable", "shape", "value", "unknown_type", "translation", "statement", "too_large", "refused"])
CHOSEN = (
    click.option("--adapter", help="Only those of this adapter."),
    click.option("--kind", type=KINDS, help="Only those of this kind of reason."),
)
WIDEST_BODY = 60


def chosen(command: Any) -> Any:
    """The options that choose among dead letters."""
    for option in reversed(CHOSEN):
        command = option(command)
    return command


@click.group("dead-letters")
def dead_letters() -> None:
    """List, show, edit and retry native events that could not be translated."""


@dead_letters.command("list")
@click.argument("tenant")
@chosen
@click.option("--all", "everything", is_flag=True, help="Not only the first hundred.")
@talks_to_the_api
def list_letters(tenant: str, adapter: str | None, kind: str | None, everything: bool, url: str | None, data: Path | None) -> None:
    """How many there are of each kind, and a table of them in the order of their receipt."""
    api = endpoint(url, data)
    counts, rows = None, []
    for page in _pages(api, tenant, adapter, kind):
        counts = counts or page["counts"]
        rows += [_row(each) for each in page["dead_letters"]]
        if not everything:
            break
    for each in counts or []:
        click.echo(f"{each['adapter']}\t{each['kind']}\t{each['count']}")
    Report().table(f"Dead letters of {tenant}", ("id", "kind", "place", "rule", "body"), rows)


def _pages(api: Endpoint, tenant: str, adapter: str | None, kind: str | None) -> Iterator[Any]:
    asked = {name: value for name, value in (("adapter", adapter), ("kind", kind)) if value}
    while True:
        page = api.call("GET", f"{tenant_path(tenant, 'dead-letters')}?{urlencode(asked)}")
        yield page
        if page["more"] is None:
            return
        asked["more"] = page["more"]


def _row(letter: Any) -> tuple[str, ...]:
    reason, body = letter["reason"], letter.get("edited", letter["body"])
    return letter["id"], reason["kind"], reason["place"], reason["rule"], body if len(body) <= WIDEST_BODY else f"{body[:WIDEST_BODY]}…"


@dead_letters.command()
@click.argument("tenant")
@click.argument("letter")
@talks_to_the_api
def show(tenant: str, letter: str, url: str | None, data: Path | None) -> None:
    """All that is known of LETTER ("adapter/received", as the list shows it), as JSON."""
    click.echo(indented(endpoint(url, data).call("GET", _place(tenant, letter))))


@dead_letters.command()
@click.argument("tenant")
@click.argument("letter")
@click.option("--event", type=click.File("rb"), help="A file with the edited event, as JSON, in its place (- for standard input).")
@talks_to_the_api
def retry(tenant: str, letter: str, event: BinaryIO | None, url: str | None, data: Path | None) -> None:
    """Translate LETTER again, as it came or edited. Exit code 1 if it stays a dead letter."""
    body = {"event": parse(event.read())} if event else None
    now = endpoint(url, data).call("POST", f"{_place(tenant, letter)}/retry", body)
    click.echo(indented(now))
    if now["outcome"] == "dead":
        raise SystemExit(1)


@dead_letters.command()
@click.argument("tenant")
@chosen
@click.option("--dry-run", is_flag=True, help="Store nothing: only tell what would become of them.")
@click.option("--per-second", type=click.FloatRange(0, min_open=True), help="No more a second than this.")
@talks_to_the_api
def replay(tenant: str, url: str | None, data: Path | None, **wanted: Any) -> None:
    """Translate all of them again, as a job. Prints how many came to which end, and the first hundred differences."""
    show_replayed(carry_out(endpoint(url, data), tenant, "dead-letters/replay", {name: value for name, value in wanted.items() if value}))


def show_replayed(told: Any) -> None:
    """What became of events that were translated again: the differences as JSON, one a line, then the counts."""
    for change in told["changes"]:
        click.echo(dump(change).decode())
    for outcome, count in sorted(told["counts"].items()):
        click.echo(f"{outcome}\t{count}")


def _place(tenant: str, letter: str) -> str:
    return tenant_path(tenant, "dead-letters", *letter.split("/"))
