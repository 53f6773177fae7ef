"""Child processes: each in a session of its own, gone when its parent is; what is left the next start ends."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class Program:
    """What to run. `environment` and the descriptors `pass_fds` are all it gets.

    Its output goes to the end of `log` (None: to where ours goes). `stop_within` is how many seconds it may take to end
    after SIGTERM before it is killed.
    """

    name: str
    argv: tuple[str, ...]
    stop_within: float
    log: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    pass_fds: tuple[int, ...] = ()


def tied_to_parent() -> Callable[[], None] | None:
    """What a child runs first so that the kernel sends it SIGTERM when we end, even by kill -9. None beyond Linux.

    The kernel watches the *thread* that starts the child (prctl(2)), so children are started from the main thread only.
    """
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # we ended between fork and prctl
            os._exit(1)

    return tie


async def spawn(program: Program) -> asyncio.subprocess.Process:
    """Start it in its own session, so that Ctrl-C in the terminal reaches us alone. OSError if it cannot be run."""
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(program.log.open("ab")) if program.log else None
        return await asyncio.create_subprocess_exec(
            *program.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(program.environment),
            pass_fds=program.pass_fds,
            start_new_session=True,
            preexec_fn=tied_to_parent(),
        )


async def end(process: asyncio.subprocess.Process, within: float) -> None:
    """SIGTERM, and SIGKILL if it is still there after `within` seconds. Returns when it is gone."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), within)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def birth(pid: int) -> str | None:
    """What tells this process from a later one with the same number; None if it is gone or cannot be told.

    Boot id and start time in clock ticks (proc(5), field 22 of stat; the name in field 2 may hold spaces).
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else f"{boot}/{fields[19]}"


def end_leftovers(children: Mapping[str, Mapping[str, object]], within: float = 5.0) -> list[str]:
    """End what an earlier supervisor left behind; the names of those that were still there.

    `children`: name -> {"pid", "birth"}. A number that another process has by now is left alone.
    """
    left = {name: pid for name, child in children.items() if (pid := _alive(child)) is not None}
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in (pid for name, pid in left.items() if _alive(children[name]) is not None):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        deadline = time.monotonic() + within
        while any(_alive(children[name]) is not None for name in left) and time.monotonic() < deadline:
            time.sleep(0.02)
    return list(left)


def _alive(child: Mapping[str, object]) -> int | None:
    pid = child.get("pid")
    if not isinstance(pid, int) or pid <= 1 or child.get("birth") is None:
        return None
    return pid if birth(pid) == child["birth"] else None
