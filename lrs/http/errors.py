"""Errors as answers: one table of status codes, one shape.

    {"error": "invalid_statements", "message": "…", "problems": [{"index": 0, "place": "actor.mbox", "rule": "…"}],
     "request_id": "…"}
"""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from traceback import format_exc
from typing import Any

import orjson
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from marshmallow import ValidationError

from lrs import errors
from lrs.errors import LRSError, Problem
from lrs.events import code_of
from lrs.http.answers import JSON, bytes_answer
from lrs.http.auth import BEARER_CHALLENGE, CHALLENGE
from lrs.http.keys import TOKENS
from lrs.http.logs import REQUEST_ID, new_request_id, route_of
from lrs.http.native import DOOR
from lrs.store.mongo import DriverError, unavailable

logger = structlog.get_logger(__name__)

# What is not here is our fault: 500. An error serves its subclasses, unless they have a row.
STATUS: Mapping[type[LRSError], int] = {
    errors.InvalidBody: 400,
    errors.InvalidValue: 400,
    errors.InvalidStatement: 400,
    errors.InvalidStatements: 400,
    errors.InvalidParameter: 400,
    errors.InvalidEvent: 400,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.TooSlow: 408,
    errors.StatementConflict: 409,
    errors.DocumentConflict: 409,
    errors.CredentialTaken: 409,
    errors.HostTaken: 409,
    errors.TenantLeaving: 409,
    errors.JobNotInState: 409,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.RateLimited: 429,
    errors.IssuerUnavailable: 503,
    errors.StoreUnavailable: 503,
}
HEADERS: Mapping[int, Mapping[str, str]] = {
    # What is left of the body must not be taken for the next request.
    408: {"Connection": "close"},
    401: {"WWW-Authenticate": CHALLENGE},
    # Seconds. An election of a new primary takes some ten; what is only a moment's trouble is over after one.
    503: {"Retry-After": "1"},
}
UNEXPECTED = "something went wrong here, not with the request; the log says more under this request_id"


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever a handler raises becomes an answer in our shape."""
    try:
        return await handler(request)
    except LRSError as error:
        return _answer(request, error)
    except DriverError as error:
        told = unavailable(error)
        return _answer(request, told) if told else _unexpected(request)
    except ValidationError as error:
        return _shaped(request, 400, "invalid_body", "the body is not as it must be", list(_problems(error.messages)))
    except web.HTTPException as error:
        _reshape(request, error)
        raise
    except ConnectionError:
        if request.transport is None:
            raise  # the client has left: there is nobody to answer, and aiohttp ends it
        return _unexpected(request)
    # The one place where everything is caught: aiohttp's own answer would have another shape, and no id to look for.
    except Exception:  # noqa: BLE001
        return _unexpected(request)


def status_of(error: LRSError) -> int:
    """The status code of an error; 500 if its class has no row."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def _answer(request: web.Request, error: LRSError) -> web.Response:
    status = status_of(error)
    if status == 500:
        return _unexpected(request)
    code, more = _code(request, error), _own_headers(request, error)
    return _shaped(request, status, code, error.message, error.problems, more)


def _own_headers(request: web.Request, error: LRSError) -> Mapping[str, str]:
    """Headers that a status alone does not tell."""
    if isinstance(error, errors.RateLimited):
        return {"Retry-After": str(max(1, ceil(error.retry_after_s)))}
    if isinstance(error, errors.Unauthorized) and TOKENS in request.config_dict:
        return {"WWW-Authenticate": f"{CHALLENGE}, {BEARER_CHALLENGE}"}
    return {}


def _unexpected(request: web.Request) -> web.Response:
    # The traceback as text: a host's own set-up of logs may show the local variables of frames, secrets among them.
    logger.error(
        "unexpected_error", request_id=request.get(REQUEST_ID), method=request.method, route=route_of(request),
        exception=format_exc(),
    )
    return _shaped(request, 500, "internal_error", UNEXPECTED)


def _reshape(request: web.Request, error: web.HTTPException) -> None:
    """aiohttp's own errors keep their headers, such as Allow; what is JSON already (an adapter's) stays as it is."""
    if error.status >= 400 and error.content_type != JSON:
        code = "too_large" if error.status == 413 else error.reason.lower().replace(" ", "_")
        error.text = _body(request, code, error.reason).decode()
        error.content_type = JSON


async def shape_expectation(request: web.Request, response: web.StreamResponse) -> None:
    """aiohttp refuses an Expect it does not know before any middleware runs. For `on_response_prepare`."""
    if isinstance(response, web.HTTPExpectationFailed):
        request.setdefault(REQUEST_ID, new_request_id())
        _reshape(request, response)
        response.headers["Content-Length"] = str(len(response.body))  # type: ignore[arg-type]


def _shaped(
    request: web.Request, status: int, code: str, message: str, problems: Sequence[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    body = _body(request, code, message, problems)
    return bytes_answer(body, JSON, status=status, headers={**HEADERS.get(status, {}), **(headers or {})})


def _body(request: web.Request, code: str, message: str, problems: Sequence[Problem] = ()) -> bytes:
    return orjson.dumps({
        "error": code,
        "message": _sendable(message),
        "problems": [
            {"index": each.index, "place": _sendable(each.place), "rule": _sendable(each.rule)} for each in problems
        ],
        "request_id": request.get(REQUEST_ID),
    })


def _sendable(text: str) -> str:
    """Text that quotes what was sent may hold lone surrogates, which UTF-8 has no bytes for."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _code(request: web.Request, error: LRSError) -> str:
    """Native systems write their codes in capitals; we in their place do, too."""
    resource = request.match_info.route.resource
    native = resource is not None and resource.canonical.endswith(DOOR)
    return code_of(error) if native else _snake_case(type(error).__name__)


def _snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _problems(messages: Any, place: str = "") -> Iterator[Problem]:
    """marshmallow's nested messages as problems: {"scopes": {0: ["…"]}} is a rule at "scopes.0"."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            own = "" if name == "_schema" else str(name)
            yield from _problems(inner, ".".join(part for part in (place, own) if part))
    else:
        for rule in messages if isinstance(messages, list) else [messages]:
            yield Problem(None, place, str(rule))
