"""`lrs tenants`."""

from pathlib import Path

import click

from lrs.commands.management import endpoint, talks_to_the_api, tenant_path


@click.group()
def tenants() -> None:
    """List, add and delete tenants."""


@tenants.command("list")
@talks_to_the_api
def list_tenants(url: str | None, data: Path | None) -> None:
    """One name a line."""
    for name in endpoint(url, data).call("GET", "/manage/tenants")["tenants"]:
        click.echo(name)


@tenants.command("add")
@click.argument("tenant")
@click.option("--host", "hosts", multiple=True, help="A host name that leads to it; repeat for several. They replace those there were.")
@talks_to_the_api
def add_tenant(tenant: str, hosts: tuple[str, ...], url: str | None, data: Path | None) -> None:
    """Make a tenant; harmless if it is there."""
    endpoint(url, data).call("PUT", tenant_path(tenant), {"hosts": list(hosts)} if hosts else None)
    click.echo(f"tenant {tenant} is there")


@tenants.command("delete")
@click.argument("tenant")
@click.option("--yes", is_flag=True, help="Do not ask.")
@talks_to_the_api
def delete_tenant(tenant: str, yes: bool, url: str | None, data: Path | None) -> None:
    """Delete a tenant and everything of it."""
    if not yes:
        click.confirm(f"Delete {tenant} with all its statements, summaries and credentials?", abort=True)
    endpoint(url, data).call("DELETE", tenant_path(tenant))
    click.echo(f"tenant {tenant} is gone")
