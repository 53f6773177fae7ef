"""`lrs jobs`; and what every command does that starts one: show how far it is, and wait for its end."""

import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lrs.commands.management import Endpoint, Refused, endpoint, talks_to_the_api, tenant_path
from lrs.commands.report import Report
from lrs.errors import ConfigurationError
from lrs.xapi.json_text import again, indented

OVER = ("done", "failed", "cancelled")
LOOK_EVERY_S = 0.5
# An API that is started anew meanwhile is no reason to give up; this long, in seconds.
PATIENCE_S = 60.0


@click.group()
def jobs() -> None:
    """List, show, cancel and retry a tenant's jobs."""


@jobs.command("list")
@click.argument("tenant")
@click.option("--state", type=click.Choice(["waiting", "running", *OVER]), help="Only those.")
@click.option("--all", "everything", is_flag=True, help="Not only the latest hundred.")
@talks_to_the_api
def list_jobs(tenant: str, state: str | None, everything: bool, url: str | None, data: Path | None) -> None:
    """A table of jobs, latest first."""
    api, rows = endpoint(url, data), []
    path = tenant_path(tenant, "jobs") + (f"?state={state}" if state else "")
    while path:
        page = api.call("GET", path)
        rows += [_row(job) for job in page["jobs"]]
        # `more` has the prefix under which the API is, and the endpoint adds it.
        path = tenant_path(tenant, "jobs") + "?" + page["more"].partition("?")[2] if page["more"] and everything else ""
    Report().table(f"Jobs of {tenant}", ("id", "kind", "state", "done", "tries", "created", "error"), rows)


@jobs.command()
@click.argument("tenant")
@click.argument("job")
@talks_to_the_api
def show(tenant: str, job: str, url: str | None, data: Path | None) -> None:
    """All that is known of JOB, as JSON: how far it is, its result, or why it failed."""
    click.echo(indented(endpoint(url, data).call("GET", tenant_path(tenant, "jobs", job))))


@jobs.command()
@click.argument("tenant")
@click.argument("job")
@talks_to_the_api
def cancel(tenant: str, job: str, url: str | None, data: Path | None) -> None:
    """End JOB. What it did so far stays done; events of an import that are left are interpreted in the background."""
    told = endpoint(url, data).call("POST", tenant_path(tenant, "jobs", job, "cancel"))
    goes_on = "; events that are left are interpreted in the background" if told["kind"] == "interpret" else ""
    click.echo(f"job {job} is cancelled{goes_on}")


@jobs.command()
@click.argument("tenant")
@click.argument("job")
@talks_to_the_api
def retry(tenant: str, job: str, url: str | None, data: Path | None) -> None:
    """Let JOB, which failed or was cancelled, go on from where it stopped, and wait for its end."""
    api = endpoint(url, data)
    click.echo(indented(wait_for(api, tenant, api.call("POST", tenant_path(tenant, "jobs", job, "retry")))))


def carry_out(api: Endpoint, tenant: str, what: str, body: Any = None) -> Any:
    """Start a job by a POST to a path of the tenant, and wait for its end: its result. ClickException if it has none."""
    with api.answer("POST", tenant_path(tenant, *what.split("/")), body) as response:
        answer = again(response.read())
        return answer if response.status == 200 else wait_for(api, tenant, answer)


def wait_for(api: Endpoint, tenant: str, job: Any) -> Any:
    """The result of a job, once there is one. In a terminal a bar shows how far it is. ClickException if it does not succeed."""
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task(f"{job['kind']} of {tenant}", total=job["total"])
        try:
            while job["state"] not in OVER:
                time.sleep(LOOK_EVERY_S)
                job = _patiently(api, tenant_path(tenant, "jobs", job["id"]))
                waits = " (waits for a worker)" if job["state"] == "waiting" else ""
                told = f"{job['kind']} of {tenant}{waits}"
                progress.update(bar, total=job["total"], completed=job["done"], description=told)
        except KeyboardInterrupt:
            raise click.ClickException(f"the job goes on without you: `lrs jobs show {tenant} {job['id']}`, or `cancel`") from None
    if job["state"] != "done":
        said = f": {job['error']['type']}: {job['error']['message']}" if job["error"] else ""
        raise click.ClickException(f"job {job['id']} is {job['state']}{said}; `lrs jobs retry {tenant} {job['id']}` goes on with it")
    return job["result"]


def _patiently(api: Endpoint, path: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return api.call("GET", path)
        except (Refused, ConfigurationError) as error:
            if (isinstance(error, Refused) and error.status != 503) or time.monotonic() > deadline:
                raise
            time.sleep(LOOK_EVERY_S)


def _row(job: Any) -> tuple[object, ...]:
    of = "" if job["total"] is None else f"/{job['total']}"
    error = f"{job['error']['type']}: {job['error']['message']}" if job["error"] else ""
    return job["id"], job["kind"], job["state"], f"{job['done']}{of}", job["tries"], job["created"][:19], error
