"""`lrs erase` and `lrs retention`: what goes for good."""

import json
from pathlib import Path
from typing import Any

import click

from lrs.commands.credentials import JsonText
from lrs.commands.jobs import carry_out
from lrs.commands.management import endpoint, talks_to_the_api, tenant_path


@click.command()
@click.argument("tenant")
@click.option("--actor", type=JsonText(), help="An xAPI Agent, as JSON.")
@click.option("--mbox", help="A mailbox, with or without mailto:.")
@click.option("--account", nargs=2, metavar="HOME_PAGE NAME", help="The account another system knows them by.")
@click.option("--per-second", type=click.FloatRange(0, min_open=True), help="No more statements a second than this.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@talks_to_the_api
def erase(
    tenant: str, actor: Any, mbox: str | None, account: tuple[str, str] | None, per_second: float | None, yes: bool,
    url: str | None, data: Path | None,
) -> None:
    """Remove all of one learner, and print a receipt of how much of each kind, as JSON. A worker does it.

    It can be interrupted at any time; to run it again is harmless.
    """
    if sum(given is not None for given in (actor, mbox, account)) != 1:
        raise click.UsageError("give one of --actor, --mbox and --account")
    if mbox is not None:
        actor = {"mbox": mbox if mbox.startswith("mailto:") else f"mailto:{mbox}"}
    body: dict[str, Any] = {"actor": actor} if actor is not None else dict(zip(("home_page", "name"), account or (), strict=True))
    if not yes:
        click.confirm(f"Remove all of {json.dumps(body)} from {tenant}, for good?", abort=True)
    if per_second is not None:
        body["per_second"] = per_second
    click.echo(json.dumps(carry_out(endpoint(url, data), tenant, "erase", body), indent=2))


@click.command()
@click.argument("tenant")
@click.option("--days", type=click.IntRange(1), help="Keep statements for so many days.")
@click.option("--forever", is_flag=True, help="Keep statements for ever.")
@click.option("--now", is_flag=True, help="Remove what is older at once, and not in the night.")
@talks_to_the_api
def retention(tenant: str, days: int | None, forever: bool, now: bool, url: str | None, data: Path | None) -> None:
    """Show for how long statements of TENANT are kept, or say so."""
    api, path = endpoint(url, data), tenant_path(tenant, "retention")
    if days is not None and forever:
        raise click.UsageError("give one of --days and --forever")
    if days is not None or forever:
        api.call("PUT", path, {"days": days})
    kept = api.call("GET", path)["days"]
    click.echo(f"statements of {tenant} are kept " + ("for ever" if kept is None else f"for {kept} days"))
    if now:
        click.echo(json.dumps(carry_out(api, tenant, "retain")["removed"], indent=2))
