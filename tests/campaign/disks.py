"""Small disks: a tmpfs for each database, in a name space of our own, so that nothing of it is left whatever becomes of us."""

import ctypes
import os
from pathlib import Path

CLONE_NEWNS, MS_REC, MS_PRIVATE, MNT_DETACH = 0x00020000, 0x4000, 1 << 18, 2  # linux/sched.h, linux/mount.h
BALLAST = "ballast"
SMALLEST = 16 * 1024


def in_a_space_of_our_own() -> bool:
    """Take this process out of the machine's mounts; False where that is not allowed. To be called before any thread is begun."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return libc.unshare(CLONE_NEWNS) == 0 and libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0
    except (OSError, AttributeError):
        return False


def mount(folder: Path, size_mb: int) -> bool:
    """Put a disk of so many MB at a folder; False where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={size_mb}m,mode=700".encode()) == 0)


def unmount(folder: Path) -> None:
    """Take the disk at a folder away, with what is on it, if there is one."""
    ctypes.CDLL(None).umount2(os.fsencode(folder), MNT_DETACH)


def fill(folder: Path) -> int:
    """Use up the disk a folder is on; how many MB that took."""
    taken = 0
    with (folder / BALLAST).open("wb", buffering=0) as ballast:
        piece = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
        while piece >= SMALLEST:
            try:
                os.posix_fallocate(ballast.fileno(), taken, piece)
                taken += piece
            except OSError:  # somebody else took some of it meanwhile
                piece //= 2
    return taken >> 20


def empty(folder: Path) -> None:
    """Give the space back."""
    (folder / BALLAST).unlink(missing_ok=True)
