"""One supervised program: started, waited for, started again when it dies, stopped."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from lrs.embedded.process import Program, end, spawn
from lrs.errors import ConfigurationError

POLL = 0.02
# Seconds before the next life; after a life of CALM seconds they begin with the first again.
FIRST_PAUSE, LONGEST_PAUSE, CALM = 0.2, 10.0, 30.0
LOG_LINES, LOG_WIDTH = 6, 300

Ready = Callable[[], Awaitable[bool]]
Tell = Callable[[str], None]
Started = Callable[[str, int], None]


class Service:
    """A program we answer for. `tell` hears of deaths; `started` hears the pid of each new life."""

    def __init__(self, program: Program, *, tell: Tell, started: Started = lambda name, pid: None) -> None:
        self.program = program
        self._tell = tell
        self._started = started
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The pid of its present life; None before the start and after the stop."""
        return self._process.pid if self._process else None

    async def start(self, ready: Ready, *, within: float) -> None:
        """Return once `ready()` is true, and keep it running from then on.

        ConfigurationError, with the last lines of its log, if it ends before or takes longer than `within` seconds.
        """
        if self.program.log and self.program.log.exists():
            self.program.log.replace(self.program.log.with_suffix(".log.1"))
        name, process = self.program.name, await self._spawn()
        ended = asyncio.ensure_future(process.wait())
        deadline = time.monotonic() + within
        while not await ready():
            if ended.done():
                raise ConfigurationError(f"{name} ended while starting ({_how(ended.result())}){self._last_words()}")
            if time.monotonic() > deadline:
                raise ConfigurationError(f"{name} was not ready within {within:.0f} s{self._last_words()}")
            await asyncio.wait([ended], timeout=POLL)
        self._keeper = asyncio.create_task(self._keep(process))

    async def stop(self) -> None:
        """End it for good; SIGTERM, then SIGKILL after its bound. Harmless when it never started."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self._process:
            await end(self._process, self.program.stop_within)
            self._process = None

    async def _spawn(self) -> asyncio.subprocess.Process:
        try:
            self._process = await spawn(self.program)
        except OSError as error:
            raise ConfigurationError(f"cannot run {self.program.argv[0]}: {error.strerror}") from None
        self._started(self.program.name, self._process.pid)
        return self._process

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        pause = FIRST_PAUSE
        while True:
            born = time.monotonic()
            how = _how(await process.wait())
            pause = FIRST_PAUSE if time.monotonic() - born > CALM else pause
            self._tell(f"{self.program.name} ended ({how}); starting it again{self._last_word()}")
            process, pause = await self._spawn_until_it_works(pause)

    async def _spawn_until_it_works(self, pause: float) -> tuple[asyncio.subprocess.Process, float]:
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                return await self._spawn(), pause
            except ConfigurationError as error:
                self._tell(error.message)

    def _last_words(self) -> str:
        lines = last_lines(self.program.log) if self.program.log else []
        return f"; the end of {self.program.log}:" + "".join(f"\n  {line}" for line in lines) if lines else ""

    def _last_word(self) -> str:
        lines = last_lines(self.program.log) if self.program.log else []
        return f" (its last words: {lines[-1]})" if lines else ""


def last_lines(log: Path) -> list[str]:
    """The last lines of a log, as a person reads them; mongod's JSON lines as message and attributes."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return []
    return [_readable(line)[:LOG_WIDTH] for line in lines if line.strip()][-LOG_LINES:]


def _readable(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    if not isinstance(entry, dict) or not isinstance(entry.get("msg"), str):
        return line
    return f"{entry.get('s', '')} {entry['msg']} {json.dumps(entry['attr']) if 'attr' in entry else ''}".strip()


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
