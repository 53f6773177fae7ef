"""Answers: JSON as bytes, written once."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from lrs.xapi.json_text import dump

JSON = "application/json"


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """The value as compact JSON; numbers and key order as they came."""
    return bytes_answer(dump(value), JSON, status=status, headers=headers)


def bytes_answer(
    body: bytes, content_type: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Bytes that are ready to go out; `content_type` may carry parameters."""
    return web.Response(body=body, status=status, headers={"Content-Type": content_type, **(headers or {})})
