"""Bodies of multipart/mixed, put together by hand, so that tests decide about every octet."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from aiohttp.test_utils import TestClient
from http_fakes import Fakes, a_statement, xapi

PATH = "/xapi/statements"
BOUNDARY = "abcABC0123'()+_,-./:=?"
TEXT = b"here is a simple attachment"


def sha2(content: bytes, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, content).hexdigest()


def an_attachment(content: bytes = TEXT, **more: Any) -> dict[str, Any]:
    """An attachment as a statement declares it."""
    return {
        "usageType": "https://example.org/usage", "display": {"en": "a file"}, "contentType": "text/plain; charset=ascii",
        "length": len(content), "sha2": sha2(content), **more,
    }


def a_part(content: bytes = TEXT, drop: str = "", **headers: str) -> tuple[dict[str, str], bytes]:
    """An attachment's part: its headers and its octets; underscores in names of headers stand for hyphens."""
    usual = {"Content-Type": "text/plain", "Content-Transfer-Encoding": "binary", "X-Experience-API-Hash": sha2(content)}
    said = usual | {name.replace("_", "-"): value for name, value in headers.items()}
    return {name: value for name, value in said.items() if name != drop}, content


def a_body(
    statements: Any, *parts: tuple[Mapping[str, str], bytes], boundary: str = BOUNDARY, preamble: bytes = b"",
    epilogue: bytes = b"\r\n", first: Mapping[str, str] | None = None, end: bytes = b"--",
) -> bytes:
    """A whole body: the statements, unless they are octets already, and the parts."""
    content = statements if isinstance(statements, bytes) else json.dumps(statements).encode()
    pieces = [preamble]
    headers = {"Content-Type": "application/json"} if first is None else first
    for said, octets in [(headers, content), *parts]:
        lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        pieces.append(f"--{boundary}\r\n{lines}\r\n".encode() + octets + b"\r\n")
    return b"".join([*pieces, f"--{boundary}".encode(), end, epilogue])


def sent_as(boundary: str = BOUNDARY, version: str = "1.0.3") -> dict[str, str]:
    """Headers of a request with such a body."""
    return xapi(version=version) | {"Content-Type": f'multipart/mixed; boundary="{boundary}"'}


def with_data(content: bytes = TEXT, **more: Any) -> tuple[dict[str, Any], tuple[dict[str, str], bytes]]:
    """A statement with an attachment, and the part that goes with it."""
    return a_statement(attachments=[an_attachment(content)], **more), a_part(content)


async def post(client: TestClient, body: Any, **headers: str) -> tuple[int, Any]:
    answer = await client.post(PATH, data=body, headers=sent_as() | headers)
    return answer.status, await answer.json()


async def refused(client: TestClient, fakes: Fakes, body: bytes, place: str | None = None, **headers: str) -> str:
    """The rule a body broke; nothing of it was stored."""
    status, answer = await post(client, body, **headers)
    assert (status, answer["request_id"] != "") == (400, True)
    assert not fakes.intake.calls and not fakes.attachments.contents
    if place is not None:
        assert answer["problems"][0]["place"] == place
    return str(answer["message"])
