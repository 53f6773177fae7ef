"""A TCP proxy on loopback whose connections can be cut, stalled, delayed, and kept from answering."""

import asyncio
import contextlib

from lrs.embedded.ports import LOOPBACK

CHUNK = 64 * 1024


class Link:
    """The way to one server. Every fault is a state that `heal` ends.

    `delay_s`: how long each piece takes. `deaf`: what is asked arrives, what is answered is lost: nobody knows whether it was done.
    """

    def __init__(self, name: str, port: int, target: int) -> None:
        self.name, self.port, self.target = name, port, target
        self.delay_s = 0.0
        self.deaf = False
        self._refusing = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def clear(self) -> bool:
        """Whether everything passes at once."""
        return self._flows.is_set() and not (self.deaf or self._refusing or self.delay_s)

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._join, LOOPBACK, self.port, limit=CHUNK)

    async def close(self) -> None:
        """Stop listening, and cut what there is."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset all connections."""
        for writer in list(self._writers):
            writer.transport.abort()

    def refuse(self) -> None:
        """Reset all connections, and every new one."""
        self._refusing = True
        self.cut()

    def stall(self) -> None:
        """Let nothing through, in neither direction; connections stay."""
        self._flows.clear()

    def heal(self) -> None:
        """Let everything through again, at once. What was lost stays lost: deaf connections end."""
        if self.deaf:
            self.cut()
        self.delay_s, self.deaf, self._refusing = 0.0, False, False
        self._flows.set()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._flows.wait()
            if self._refusing:
                return
            server_reader, server_writer = await asyncio.open_connection(LOOPBACK, self.target, limit=CHUNK)
            self._writers.add(server_writer)
            await self._carry(reader, writer, server_reader, server_writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._forget(writer)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        server_reader: asyncio.StreamReader, server_writer: asyncio.StreamWriter,
    ) -> None:
        pumps = {
            asyncio.create_task(self._pump(reader, server_writer, answers=False)),
            asyncio.create_task(self._pump(server_reader, writer, answers=True)),
        }
        self._tasks |= pumps
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._tasks -= pumps
            self._forget(server_writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._flows.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if answers and self.deaf:
                    continue
                writer.write(data)
                await writer.drain()

    def _forget(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()
