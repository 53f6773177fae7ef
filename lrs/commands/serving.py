"""Several `lrs serve` on one port, supervised: restarted when they die, stopped together."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

import click

from lrs.embedded.process import Program
from lrs.embedded.service import Service
from lrs.errors import ConfigurationError

# The same patience as for one that `lrs up` starts.
LISTENING_WITHIN_S = 60.0


async def supervise(options: Sequence[str], *, count: int, stop_within: float) -> None:
    """Run `lrs serve <options>` `count` times until SIGTERM or SIGINT, each given up to `stop_within` seconds then.

    ConfigurationError if one cannot start at first; later it is tried again until it can.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    members = [_Member(options, number, stop_within, stop) for number in range(1, count + 1)]
    try:
        starts = [asyncio.create_task(member.start()) for member in members]
        try:
            await asyncio.gather(*starts)
        finally:
            for start in starts:
                start.cancel()
            await asyncio.wait(starts)
        if not stop.is_set():
            click.echo(f"{count} processes are listening")
        await stop.wait()
    finally:
        await asyncio.gather(*(member.stop() for member in members))


class _Member:
    """One of the processes, and the pipe on which it says that it listens."""

    def __init__(self, options: Sequence[str], number: int, stop_within: float, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self._said, self._say = os.pipe()
        os.set_blocking(self._said, False)
        argv = (sys.executable, "-P", "-m", "lrs", "serve", *options, "--announce-on", str(self._say))
        program = Program(f"API process {number}", argv, stop_within, pass_fds=(self._say,))
        self._service = Service(program, tell=lambda line: click.echo(f"lrs: {line}", err=True))

    async def start(self) -> None:
        try:
            await self._service.start(self._listens, within=LISTENING_WITHIN_S)
        except ConfigurationError as error:
            raise ConfigurationError(f"{error.message}: the reason stands above") from None

    async def stop(self) -> None:
        await self._service.stop()
        os.close(self._said)
        os.close(self._say)

    async def _listens(self) -> bool:
        if self._stopping.is_set():
            return True
        try:
            return bool(os.read(self._said, 1))
        except BlockingIOError:
            return False
