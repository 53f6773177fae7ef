"""Connections: what cannot even be read as HTTP is answered in our shape, and nobody holds one by saying nothing."""

import asyncio
from typing import Any

import orjson
import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from lrs.http.answers import JSON, bytes_answer
from lrs.http.logs import new_request_id

logger = structlog.get_logger(__name__)

CODES = {400: "bad_request", 417: "expectation_failed", 431: "request_header_fields_too_large", 500: "internal_error"}
MESSAGE = "this is not a request that can be understood"


class Connection(web.RequestHandler):
    """One connection. aiohttp's own would answer broken HTTP in plain text, and write a traceback into the log for each."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The answer to what never became a request; the connection is closed after it."""
        if isinstance(exc, ConnectionError):
            raise exc  # the client has left: aiohttp ends it, and there is nothing to say
        request_id, status = new_request_id(), _status(request, status, exc)
        failure = exc if status >= 500 else None
        logger.info("broken_request", request_id=request_id, status=status, reason=type(exc).__name__, exc_info=failure)
        body = {"error": CODES.get(status, CODES[500]), "message": message or MESSAGE, "problems": [], "request_id": request_id}
        answer = bytes_answer(orjson.dumps(body), JSON, status=status, headers={"X-Request-ID": request_id})
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, **more: Any) -> None:
        """A body that is not in the encoding it claims is the client's affair, and it has been told."""
        if not isinstance(more.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **more)


def _status(request: web.BaseRequest, status: int, error: BaseException | None) -> int:
    if isinstance(error, LineTooLong):
        return 431
    # aiohttp cannot even say what it was that was expected.
    return 417 if isinstance(error, UnicodeEncodeError) and "Expect" in request.headers else status


class Runner(web.AppRunner):
    """Runs an application on such connections.

    `request_timeout` (seconds) is how long the head of a request may take, from the opening of its connection or the answer
    before it: aiohttp closes a connection that has no whole head by then, however busy it is.
    """

    def __init__(self, app: web.Application, *, request_timeout: float, shutdown_timeout: float) -> None:
        super().__init__(app, shutdown_timeout=shutdown_timeout)
        self._request_timeout = request_timeout

    @property
    def server(self) -> Any:
        """Makes a connection; None while it is not set up."""
        server, loop = super().server, asyncio.get_running_loop()
        if server is None:
            return None
        return lambda: Connection(server, loop=loop, access_log=None, keepalive_timeout=self._request_timeout)
