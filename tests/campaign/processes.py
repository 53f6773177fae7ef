"""Processes of the cluster: started, killed, paused, and started again by a supervisor of their own when they end."""

import asyncio
import contextlib
import itertools
import os
import random
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from lrs.embedded.ports import is_free
from lrs.embedded.process import tied_to_parent

POLL_S = 0.05
READY_WITHIN_S = 60.0
# Between two tries of a process that cannot start because what it needs is away, in seconds.
AGAIN_AFTER_S = 0.5
# What a process may end with: what it needs does not answer when it starts. `lrs up` or any supervisor tries again.
MAY_NOT_START = ("MongoDB does not answer", "is_not_reachable", "Address already in use")
# Below the ports the system gives to outgoing connections: else somebody may have the port of a process that is down.
PORTS = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """So many loopback ports that are free now, and that nobody gets by chance while their processes are down."""
    return list(itertools.islice(filter(is_free, random.SystemRandom().sample(PORTS, len(PORTS))), count))


class Process:
    """One process. `fell` collects the ways in which it ended without being told to."""

    def __init__(
        self, name: str, argv: tuple[str, ...], log: Path, ready: Callable[[], Awaitable[bool]],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.argv, self.log, self.ready = name, argv, log, ready
        self.environment = dict(environment or os.environ)
        self.fell: list[str] = []
        self.lives = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False

    @property
    def pid(self) -> int:
        """Of its present life, or of the last."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it lives (a paused one does)."""
        return self._process is not None and self._process.poll() is None

    @property
    def paused(self) -> bool:
        """Whether it is stopped by SIGSTOP."""
        return self._paused and self.running

    async def start(self, *, may_fall: bool = False) -> None:
        """Run it and return when it is ready. `may_fall`: if it ends before, it is tried again: what it needs may be away."""
        deadline = time.monotonic() + READY_WITHIN_S
        self._spawn()
        while not await self.ready():
            if not self.running:
                if not may_fall:
                    raise RuntimeError(f"{self.name} ended while starting:\n{self.last_words()}")
                await asyncio.sleep(AGAIN_AFTER_S)
                self._spawn()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} was not ready within {READY_WITHIN_S:.0f} s:\n{self.last_words()}")
            await asyncio.sleep(POLL_S)

    def _spawn(self) -> None:
        # From the main thread, which lives as long as we do: the kernel ends the child with the thread that began it.
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment, start_new_session=True,
                preexec_fn=tied_to_parent(),
            )
        self._paused = False
        self.lives += 1

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        await self._end(signal.SIGKILL)

    async def end(self, within_s: float = 30.0) -> None:
        """SIGTERM, and SIGKILL if it is still there after a while."""
        self.go_on()
        await self._end(signal.SIGTERM, within_s)
        if self.running:
            await self._end(signal.SIGKILL)

    async def _end(self, number: int, within_s: float = 30.0) -> None:
        if not self.running:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
        deadline = time.monotonic() + within_s
        while self.running and time.monotonic() < deadline:
            await asyncio.sleep(POLL_S)

    def pause(self) -> None:
        """SIGSTOP: it is there, and does nothing."""
        if self.running:
            os.kill(self.pid, signal.SIGSTOP)
            self._paused = True

    def go_on(self) -> None:
        """SIGCONT."""
        if self.running and self._paused:
            os.kill(self.pid, signal.SIGCONT)
        self._paused = False

    def note_a_fall(self) -> bool:
        """Whether it has ended by itself; how is remembered, unless it merely could not start."""
        if self._process is None or self.running:
            return False
        words = self.last_words()
        if not any(each in words for each in MAY_NOT_START):
            self.fell.append(f"{self.name} ended with {self._process.returncode}:\n{words}")
        return True

    def rss_mb(self) -> float:
        """Resident memory in MB; 0 if it is not there."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return 0.0
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024 if "VmRSS:" in status else 0.0

    def last_words(self, lines: int = 8) -> str:
        """The end of its log."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 8_000))
                return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""
