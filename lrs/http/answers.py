"""Answers: JSON as bytes, written once."""

from collections.abc import Mapping, Sequence
from secrets import token_hex
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


def multipart_answer(
    first: bytes, parts: Sequence[tuple[Mapping[str, str], bytes]], *, headers: Mapping[str, str] | None = None
) -> web.Response:
    """multipart/mixed: JSON first, then each part with its own headers. xAPI 1.0.3, Communication 1.5.2."""
    boundary = f"lrs-{token_hex(16)}"
    pieces = [_part(boundary, {"Content-Type": JSON}, first)]
    pieces.extend(_part(boundary, own, content) for own, content in parts)
    body = b"".join([*pieces, f"--{boundary}--\r\n".encode()])
    return bytes_answer(body, f"multipart/mixed; boundary={boundary}", headers=headers)


def _part(boundary: str, headers: Mapping[str, str], content: bytes) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"--{boundary}\r\n{lines}\r\n".encode() + content + b"\r\n"
