"""Errors in Kolibri's own shapes.

    400, 403, 404   [{"id": "MAX_VALUE", "metadata": {"field": "progress", "message": "…"}}]
    405, 412, 415, 503, and JSON that is broken   {"detail": "…"}
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import wraps
from typing import Any, TypeAlias

from aiohttp import web
from marshmallow import ValidationError

from adapters.kolibri.fields import Fault
from adapters.kolibri.sessions import NoSuchAttempt
from lrs.errors import Forbidden, InvalidBody, LRSError, NotFound, StoreUnavailable, UnsupportedMediaType
from lrs.xapi.json_text import dump

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

RETRY_AFTER = {"Retry-After": "10"}


class NotAssigned(LRSError):
    """A lesson or course session is not open to the user."""


class NoSuchIndex(LRSError):
    """A diff is asked of a try that is not in the list."""


class MissingParameter(LRSError):
    """A query parameter that is required did not come."""


class MethodNotAllowed(LRSError):
    """The resource is there, but not for this method."""


class Busy(LRSError):
    """Too many others were first; nothing was stored."""


class Explained(Forbidden):
    """A refusal whose reason the caller needs, such as a user name that several tenants have."""


# What is not here keeps the shape of the rest of the server. An error serves its subclasses.
STATUS: Mapping[type[LRSError], int] = {
    InvalidBody: 400, NotAssigned: 400, NoSuchAttempt: 400,
    Forbidden: 403, NotFound: 404, NoSuchIndex: 404, MethodNotAllowed: 405, MissingParameter: 412,
    UnsupportedMediaType: 415, Busy: 503, StoreUnavailable: 503,
}


def native(view: str) -> Callable[[Handler], Handler]:
    """Let a handler answer its errors as the view of that name does in Kolibri."""
    def wrap(handler: Handler) -> Handler:
        @wraps(handler)
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except ValidationError as error:
                return json_answer(validation_body(error), status=400)
            except LRSError as error:
                status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
                if status is None:
                    raise
                headers = RETRY_AFTER if status == 503 else None
                return json_answer(_body(error, status, view), status=status, headers=headers)
        return answer
    return wrap


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=dump(value), status=status, headers=headers, content_type="application/json")


def validation_body(error: ValidationError) -> Any:
    """Kolibri's list of faults. Faults inside `mastery_model`, and an `interactions` that is no list, stay nested."""
    messages: Mapping[str, Any] = error.messages  # type: ignore[assignment]
    nested = messages.get("mastery_model"), messages.get("interactions")
    if any(isinstance(each, dict) and not all(isinstance(key, int) for key in each) for each in nested):
        return _texts(messages)
    return [
        {"id": each.id, "metadata": {"field": field, "message": each.message}} for field, each in _faults(messages)
    ]


def _faults(messages: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Fault]]:
    for name, inner in messages.items():
        field = prefix + ("non_field_errors" if name == "_schema" else name)
        if isinstance(inner, dict):
            for entry in inner.values():
                yield from _faults(entry, f"{field}.")
        else:
            for each in inner:
                yield field, each


def _texts(messages: Any) -> Any:
    if isinstance(messages, Mapping):
        return {
            "non_field_errors" if name == "_schema" else str(name): _texts(inner) for name, inner in messages.items()
        }
    return [each.message if isinstance(each, Fault) else each for each in messages]


def _body(error: LRSError, status: int, view: str) -> Any:
    if status == 400 and not isinstance(error, InvalidBody):
        return [error.message]
    if isinstance(error, NoSuchIndex):
        return error.message
    if status in (403, 404):
        error_id = "PERMISSION_DENIED" if status == 403 else "NOT_FOUND"
        metadata = {"view": view, "message": error.message} if isinstance(error, Explained) else {"view": view}
        return [{"id": error_id, "metadata": metadata}]
    return {"detail": error.message}
