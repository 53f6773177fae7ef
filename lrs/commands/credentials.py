"""`lrs credentials`."""

import json
from pathlib import Path
from typing import Any

import click

from lrs.commands.management import endpoint, talks_to_the_api, tenant_path


class JsonText(click.ParamType):
    """JSON on the command line."""

    name = "JSON"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return json.loads(value)
        except ValueError as error:
            self.fail(f"is not JSON: {error}", param, ctx)


@click.group()
def credentials() -> None:
    """List, add and delete a tenant's credentials."""


@credentials.command("list")
@click.argument("tenant")
@talks_to_the_api
def list_credentials(tenant: str, url: str | None, data: Path | None) -> None:
    """One credential a line: kind, key, scopes. Secrets are stored hashed and cannot be shown."""
    for credential in endpoint(url, data).call("GET", tenant_path(tenant, "credentials"))["credentials"]:
        click.echo("\t".join((credential["kind"], credential["key"], " ".join(credential["scopes"]))))


@credentials.command("add")
@click.argument("tenant")
@click.option("--kind", type=click.Choice(["basic", "api_key"]), default="basic", show_default=True)
@click.option("--scope", "scopes", multiple=True, default=["all"], show_default=True, help="Repeat for several.")
@click.option("--key", help="Key of a basic credential; made up if not given.")
@click.option("--secret", help="Secret of a basic credential; made up if not given.")
@click.option("--api-key", help="The key of an api_key credential; made up if not given.")
@click.option("--authority", type=JsonText(), help="An xAPI Agent, as JSON: the authority of its statements.")
@click.option("--rate-limit", type=click.FloatRange(0), help="Requests a second, instead of LRS_RATE_LIMIT; 0: no limit.")
@click.option("--rate-burst", type=click.IntRange(1), help="Requests at once after a pause; what --rate-limit allows a second.")
@talks_to_the_api
def add_credential(
    tenant: str, kind: str, scopes: tuple[str, ...], rate_limit: float | None, rate_burst: int | None,
    url: str | None, data: Path | None, **given: Any,
) -> None:
    """Make a credential and show it, this once, as JSON."""
    chosen = {name: value for name, value in given.items() if value is not None}
    if rate_limit is not None:
        chosen["rate_limit"] = {"per_second": rate_limit, **({"burst": rate_burst} if rate_burst else {})}
    elif rate_burst is not None:
        raise click.UsageError("--rate-burst needs --rate-limit")
    body = {"kind": kind, "scopes": list(scopes), **chosen}
    click.echo(json.dumps(endpoint(url, data).call("POST", tenant_path(tenant, "credentials"), body), indent=2))


@credentials.command("delete")
@click.argument("tenant")
@click.argument("key")
@talks_to_the_api
def delete_credential(tenant: str, key: str, url: str | None, data: Path | None) -> None:
    """Delete a credential; it is refused everywhere within a second."""
    endpoint(url, data).call("DELETE", tenant_path(tenant, "credentials", key))
    click.echo(f"credential {key} is gone")
