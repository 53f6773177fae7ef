"""How slowly a body may come: a connection that is held open and fed byte by byte costs its sender, not us."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler

from lrs.errors import TooSlow
from lrs.http.keys import CONFIG

# Bytes a second that earn a sender more time: a second each. Slower than any line on which people work.
SLOWEST = 16 * 1024


class SlowSender(TimeoutError):
    """No more of a body is waited for. A TimeoutError, as aiohttp forgives that when it clears away the rest of a body."""


@web.middleware
async def keep_pace(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whoever waits for more of a body that comes too slowly is told so, however it is read. Raises TooSlow."""
    if request.content.is_eof():  # there is none, or it came with the head
        return await handler(request)
    watch = _Watch(request, request.app[CONFIG].request_timeout)
    try:
        return await handler(request)
    except SlowSender:
        raise TooSlow("the body came too slowly") from None
    finally:
        watch.stop()
        if "Content-Encoding" in request.headers and not request.content.is_eof():
            # aiohttp reads on for a while what nobody wanted. Of a small body that expands without end that is hard work.
            request.content.set_exception(SlowSender())


class _Watch:
    """Ends the reading of a body once it has come more slowly than it may."""

    def __init__(self, request: web.Request, timeout_s: float) -> None:
        self._content, self._timeout_s = request.content, timeout_s
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._timer = self._loop.call_at(self._began + timeout_s, self._look)

    def _look(self) -> None:
        if self._content.is_eof():
            return
        until = self._began + self._timeout_s + self._content.total_bytes / SLOWEST
        if self._loop.time() < until:
            self._timer = self._loop.call_at(until, self._look)
        else:
            self._content.set_exception(SlowSender())

    def stop(self) -> None:
        self._timer.cancel()
