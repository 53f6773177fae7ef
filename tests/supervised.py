"""Commands under test: started as a user would start them, ended by process id, and what they leave behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

READY_WITHIN_S = 60.0
GONE_WITHIN_S = 30.0


def lrs(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one command of ours to its end."""
    return subprocess.run(
        [sys.executable, "-m", "lrs", *arguments], env=_environment(environment), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False,
    )


@contextlib.contextmanager
def running(*command: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on; ended with its whole family when the block is left."""
    process = subprocess.Popen(
        [sys.executable, *command], env=_environment(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.communicate(timeout=GONE_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextlib.contextmanager
def lrs_up(data: Path, *options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """`lrs up` on a folder and a port of its own: the process, and what its ready file says."""
    ready_file = data.with_suffix(".ready.json")
    ready_file.unlink(missing_ok=True)  # of one that was killed
    command = ("-m", "lrs", "up", "--data", str(data), "--port", "0", "--ready-file", str(ready_file), *options)
    with running(*command, **environment) as process:
        until(lambda: ready_file.exists() or process.poll() is not None, READY_WITHIN_S)
        assert process.poll() is None, process.communicate()[0]
        yield process, json.loads(ready_file.read_text())


def children_of(pid: int) -> list[int]:
    """The process ids of all its descendants."""
    direct = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return direct + [below for child in direct for below in children_of(child)]


def alive(pid: int) -> bool:
    """Whether there is such a process, other than one that has ended and waits to be asked how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def none_left(pids: list[int], within: float = GONE_WITHIN_S) -> bool:
    """Whether all of them end within so many seconds."""
    return until(lambda: not any(alive(pid) for pid in pids), within)


def until(condition: Callable[[], bool], within: float) -> bool:
    """Wait for a condition; whether it came true in time."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def lines_until(process: subprocess.Popen[str], last: str) -> list[str]:
    """The lines it prints, up to and with this one; all of them if it never comes."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if lines[-1] == last:
            break
    return lines


def interrupt(process: subprocess.Popen[str]) -> tuple[int, str]:
    """What Ctrl-C does; the exit code, and all it printed."""
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=GONE_WITHIN_S)[0]
    return process.returncode, output


def _environment(more: dict[str, str]) -> dict[str, str]:
    """Ours without what would point the command at servers of somebody else."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LRS_")}
    return {**ours, **more}
