"""Bodies of tracking calls: JSON, or a form with Kolibri's names for what is nested."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from lrs.errors import InvalidBody, UnsupportedMediaType
from lrs.http.body import read_bytes
from lrs.xapi.json_text import parse

MOST_FIELDS = 10_000
# A field of an object in a list, "interactions[0]item", with or without a dot before the name.
LISTED = re.compile(r"(\w+)\[(\d{1,4})\]\.?(.+)", re.DOTALL)
# A field of an object, "mastery_model.type".
INNER = re.compile(r"(\w+)\.(.+)", re.DOTALL)


async def read_body(request: web.Request) -> Any:
    """The body as JSON values; an empty one is an empty object.

    Raises InvalidBody, UnsupportedMediaType, TooLarge. A form over the limit is aiohttp's own error.
    """
    kind = request.content_type
    try:
        if kind == "multipart/form-data":
            posted = await request.post()
            return nested((name, value) for name, value in posted.items() if isinstance(value, str))
        body = await read_bytes(request)
        if kind == "application/x-www-form-urlencoded":
            return nested(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS))
    # aiohttp has its own idea, and its own class, of what is wrong with a part's encoding (RuntimeError, LookupError).
    except (web.RequestPayloadError, HttpProcessingError, ValueError, RuntimeError, LookupError) as error:
        raise InvalidBody(f"cannot be read as its headers say: {error}") from error
    if not body:
        return {}
    if kind != "application/json":
        raise UnsupportedMediaType(f'Unsupported media type "{kind}" in request.')
    return parse(body)


def nested(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A form as JSON: dots lead into objects, numbers in brackets into lists. A field left empty was not sent."""
    flat: dict[str, Any] = {}
    objects: dict[str, list[tuple[str, str]]] = {}
    lists: dict[str, dict[int, list[tuple[str, str]]]] = {}
    for name, value in fields:
        if (listed := LISTED.fullmatch(name)) is not None:
            lists.setdefault(listed[1], {}).setdefault(int(listed[2]), []).append((listed[3], value))
        elif (inner := INNER.fullmatch(name)) is not None:
            objects.setdefault(inner[1], []).append((inner[2], value))
        elif value or name == "simple_answer":
            flat[name] = value
    return (
        flat | {name: nested(inside) for name, inside in objects.items()}
        | {name: [nested(entries[index]) for index in sorted(entries)] for name, entries in lists.items()}
    )
