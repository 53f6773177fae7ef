"""`lrs serve`: the API, in one process or in several that share a port."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import click

from lrs.commands.serving import supervise
from lrs.config import Config
from lrs.errors import ConfigurationError

# Objects that may have come and stayed before Python looks for cycles among them. A batch is some thousands; requests leave no cycles
# behind, only connections do, a few objects each.
LOOK_FOR_CYCLES_AT = 50_000


@click.command()
@click.option("--host", help="Address to listen on. [LRS_HOST, else 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on. [LRS_PORT, else 8080]")
@click.option("--workers", type=click.IntRange(1), help="Processes that share the port. [LRS_WORKERS, else 1]")
@click.option("--insecure", is_flag=True, default=None, help="Listen beyond loopback without TLS.")
@click.option("--announce-on", type=int, hidden=True, help="A descriptor to say on that it listens; one of several.")
def serve(announce_on: int | None, **options: Any) -> None:
    """Run the API against LRS_MONGO_URL and LRS_REDIS_URL.

    SIGTERM or Ctrl-C: it stops listening, answers what it has begun, then ends.
    """
    given = {name: value for name, value in options.items() if value is not None}
    config = replace(Config.from_environment(os.environ), **given)
    config.refuse_unsafe()
    if config.workers > 1 and announce_on is None:
        _serve_with_many(config)
    else:
        run(_serve(config, announce_on))


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a server's coroutine on uvloop where it is there (it is not on Windows)."""
    gc.set_threshold(LOOK_FOR_CYCLES_AT)
    if sys.platform == "win32":
        asyncio.run(main)
        return
    import uvloop

    uvloop.run(main)


async def _serve(config: Config, announce_on: int | None) -> None:
    # Here, not above: the parent of several processes needs none of it.
    from aiohttp import web

    from lrs.app import create_app
    from lrs.http.connections import Runner
    from lrs.http.ops import drain
    from lrs.logs import configure

    configure(config.log_format)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    app = create_app(config)
    runner = Runner(app, request_timeout=config.request_timeout, shutdown_timeout=config.drain_timeout)
    try:
        await runner.setup()
        site = web.TCPSite(runner, config.host, config.port, reuse_port=announce_on is not None or None)
        try:
            await site.start()
        except OSError as error:
            raise _cannot_listen(config, error) from None
        gc.freeze()  # what is there by now stays: no need to look through it again and again
        if announce_on is None:
            click.echo(f"listening on {site.name}")
        else:
            os.write(announce_on, b"1")
        await stop.wait()
        await site.stop()
        await drain(app, config.drain_timeout)
    finally:
        await runner.cleanup()


def _serve_with_many(config: Config) -> None:
    holder = _reserve(config)
    host, port = holder.getsockname()[:2]
    options = ["--host", host, "--port", str(port), *(["--insecure"] if config.insecure else [])]
    with holder:
        asyncio.run(supervise(options, count=config.workers, stop_within=2 * config.drain_timeout + 5))


def _reserve(config: Config) -> socket.socket:
    """A bound socket that does not listen: it finds out once whether the port can be had, and keeps it ours."""
    holder = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)[0]
        holder = socket.socket(family, kind, protocol)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(address)
    except OSError as error:
        if holder:
            holder.close()
        raise _cannot_listen(config, error) from None
    return holder


def _cannot_listen(config: Config, error: OSError) -> ConfigurationError:
    why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return ConfigurationError(f"cannot listen on {config.host}:{config.port}: {why}; another --port may do")
