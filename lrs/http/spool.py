"""Octets on their way in: a little of them in memory, all beyond in a nameless temporary file."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

# Of a whole request, however many attachments it has. Most requests stay below, and touch no disk.
IN_MEMORY = 512 * 1024


class Spool:
    """A temporary file that is written once, from the front to the back, and then read; it is gone when it is closed."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the file up. Safe to do twice."""
        self._file.close()

    async def append(self, chunk: bytes) -> None:
        """Add octets at the end; those beyond memory are written by a thread, as a disk may be slow."""
        if self.size + len(chunk) <= IN_MEMORY:
            self._file.write(chunk)
        else:
            await asyncio.to_thread(self._file.write, chunk)
        self.size += len(chunk)

    def cut(self, size: int) -> None:
        """Forget all beyond the first `size` octets."""
        self._file.seek(size)
        self._file.truncate()
        self.size = size

    async def read(self, offset: int, size: int) -> bytes:
        """`size` octets from an offset; fewer at the end."""
        return self._read(offset, size) if self.size <= IN_MEMORY else await asyncio.to_thread(self._read, offset, size)

    def _read(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)


@dataclass(frozen=True)
class Spooled:
    """One content in a spool."""

    spool: Spool
    offset: int
    length: int

    async def chunks(self, size: int) -> AsyncIterator[bytes]:
        """All of it, in pieces of `size` octets and a last one."""
        for start in range(0, self.length, size):
            yield await self.spool.read(self.offset + start, min(size, self.length - start))

    async def whole(self) -> bytes:
        """All of it at once: for what is known to be small."""
        return await self.spool.read(self.offset, self.length)
