"""A folder in memory for the data of a test's mongod: every database it makes is a hundred files, each of which a disk would sync."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

IN_MEMORY = Path("/dev/shm")
PREFIX = "lrs-tests-"
# What a run keeps there stays far below: a log of operations of 512 MB at most, and the databases of a few tests.
ENOUGH = 4 * 1024**3


@contextmanager
def memory_folder(where: Path = IN_MEMORY, enough: int = ENOUGH) -> Iterator[Path | None]:
    """An empty folder in memory, gone with the block; None where there is no such place, or fewer bytes than `enough` are free in it."""
    if not _has_room(where, enough):
        yield None
        return
    _sweep(where)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=where))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _has_room(where: Path, enough: int) -> bool:
    if not os.access(where, os.W_OK | os.X_OK):
        return False
    free = os.statvfs(where)
    return free.f_bavail * free.f_frsize >= enough


def _sweep(where: Path) -> None:
    """Remove what was left by runs that were killed: memory is not given back by itself."""
    for folder in where.glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdecimal() and not _runs(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    with suppress(ProcessLookupError):
        with suppress(PermissionError):  # somebody else's, and there
            os.kill(pid, 0)
        return True
    return False
