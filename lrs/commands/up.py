"""`lrs up`: everything on this machine, in one command."""

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lrs.commands.demo import show_demo
from lrs.commands.management import Endpoint
from lrs.commands.provision import Credential, first_lines, see_to_tenant
from lrs.commands.report import Report
from lrs.embedded.home import Home, default_home, write_privately
from lrs.embedded.ports import free_port, is_free
from lrs.embedded.stack import Stack, end_leftovers_of
from lrs.errors import ConfigurationError

# Of our own calls to an API that has just said it is ready, in seconds.
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Wish:
    """What the command was asked for. `port` 0: any free one."""

    port: int
    tenant: str
    demo: bool
    ready_file: Path | None


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Where all is kept. [~/.local/share/lrs]")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, envvar="LRS_PORT", help="[LRS_PORT, else 8080]")
@click.option("--tenant", default="demo", show_default=True, help="The tenant to make and to print credentials of.")
@click.option("--demo", is_flag=True, help="Post some real-shaped traffic, once, and show where to look.")
@click.option("--ready-file", type=click.Path(path_type=Path), help="Gets addresses and credentials once ready.")
def up(data: Path | None, **wish: Any) -> None:
    """Start MongoDB, Redis, the API and a worker on loopback; Ctrl-C stops them all.

    A MongoDB or Redis given by LRS_MONGO_URL or LRS_REDIS_URL is used instead of an own one.
    """
    home = Home(data or default_home(os.environ))
    home.create()
    with home.held():
        asyncio.run(_up(home, Wish(**wish), Report()))


async def _up(home: Home, wish: Wish, report: Report) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    began = time.monotonic()
    forget_ready_file(wish.ready_file)
    for name in end_leftovers_of(home):
        report.tell(f"ended a {name} that an earlier `lrs up` left behind")
    stack = Stack(home, environment_of(home), port=chosen_port(home, wish.port), tell=report.tell)
    begin = asyncio.create_task(_begin(home, wish, stack, report, began))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({begin, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if begin.done():
            begin.result()
            await stopping
    finally:
        begin.cancel()
        stopping.cancel()
        await asyncio.wait({begin})
        report.step("stopping")
        # Nothing is ready any more, and someone may wait for the next start by this file.
        with contextlib.suppress(ConfigurationError):
            forget_ready_file(wish.ready_file)
        await stack.stop()
        report.close()


async def _begin(home: Home, wish: Wish, stack: Stack, report: Report, began: float) -> None:
    report.step("starting MongoDB and Redis")
    await stack.start_databases()
    report.step("starting the API and a worker")
    await stack.start_servers()
    operator = operator_of(environment_of(home))
    api = Endpoint(stack.addresses.base_url, operator, PATIENCE_S)
    credentials = await asyncio.to_thread(see_to_tenant, home, api, wish.tenant)
    report.line(f"ready in {time.monotonic() - began:.1f} s: {api.url}  (data and logs in {home.root})")
    show_credentials(report, api.url, wish.tenant, credentials)
    if wish.demo:
        await asyncio.to_thread(show_demo, home, api, wish.tenant, credentials, report)
    if wish.ready_file:
        _write_ready_file(wish, stack, operator, credentials)
    report.line("Ctrl-C stops everything.")


def environment_of(home: Home) -> dict[str, str]:
    """What the children get: our environment, with the secrets of this directory where it has none."""
    known = home.secrets()
    operator = f"{known['operator']['key']}:{known['operator']['secret']}"
    return {"LRS_SECRET": known["secret"], "LRS_OPERATOR": operator, **os.environ}


def operator_of(environment: dict[str, str]) -> tuple[str, str]:
    """Key and secret of the operator. ConfigurationError if LRS_OPERATOR is not key:secret."""
    key, colon, secret = environment["LRS_OPERATOR"].partition(":")
    if not (key and colon and secret):
        raise ConfigurationError("LRS_OPERATOR: must be key:secret")
    return key, secret


def chosen_port(home: Home, wished: int) -> int:
    """The port of the API, remembered for the other commands. ConfigurationError if it is in use."""
    if not is_free(wished):
        raise ConfigurationError(f"port {wished} is in use: end what listens there, or choose another with --port")
    port = wished or free_port()
    home.write("ports", {**home.read("ports"), "api": port})
    return port


def show_credentials(report: Report, base_url: str, tenant: str, credentials: list[Credential]) -> None:
    """The tenant's credentials, and what to try first with them."""
    for credential in credentials:
        scopes = " ".join(credential["scopes"])
        report.line(f"tenant {tenant}: key {credential['key']}, secret {credential['secret']}, scopes {scopes}")
    if credentials:
        report.lines_to_paste(first_lines(base_url, credentials[0]))
    else:
        report.line(f"tenant {tenant}: its first credential was deleted; `lrs credentials add {tenant}` makes another")


def forget_ready_file(path: Path | None) -> None:
    """Nobody shall take an earlier run's file for this one's. ConfigurationError if it cannot be had away."""
    if path is None:
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"cannot write the ready file {path}: {error.strerror}") from None


def _write_ready_file(wish: Wish, stack: Stack, operator: tuple[str, str], credentials: list[Credential]) -> None:
    assert wish.ready_file is not None
    where = stack.addresses
    ready = {
        "base_url": where.base_url, "pid": os.getpid(), "tenant": wish.tenant,
        "operator": {"key": operator[0], "secret": operator[1]},
        "credentials": credentials, "mongo_url": where.mongo_url, "redis_url": where.redis_url,
    }
    try:
        write_privately(wish.ready_file, ready)
    except OSError as error:
        raise ConfigurationError(f"cannot write the ready file {wish.ready_file}: {error.strerror}") from None
