"""The processor time of the processes that `lrs up` has started: the figure that says most on a busy machine."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from lrs.embedded.home import Home

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def pids_of(home: Home) -> dict[str, int]:
    """The processes, by name."""
    return {name: int(child["pid"]) for name, child in home.read("children").items()}


def seconds_of(home: Home) -> dict[str, float]:
    """Seconds of processor time so far, by the name of the process, its children included; {} where that cannot be told."""
    return {name: _seconds(pid) for name, pid in pids_of(home).items()} if Path("/proc/self/stat").exists() else {}


def spent(before: Mapping[str, float], after: Mapping[str, float], requests: int) -> dict[str, float]:
    """Microseconds of processor time for each request, by the name of the process."""
    return {name: (after[name] - before[name]) * 1e6 / max(1, requests) for name in before if name in after}


def _seconds(pid: int) -> float:
    total = 0.0
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total = (int(fields[11]) + int(fields[12])) / TICKS
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(_seconds(int(child)) for child in (task / "children").read_text().split())
    return total
