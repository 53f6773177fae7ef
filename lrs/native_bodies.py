"""A body of native events into the texts of single ones."""

from collections.abc import Iterator

from lrs.errors import InvalidBody
from lrs.plugins import Adapter
from lrs.xapi.json_text import dump, parse


def texts_of(adapter: Adapter, body: bytes, by_line: bool) -> list[bytes]:
    """The events of a body as JSON texts. One that cannot be read stays as it is: it becomes a dead letter by itself.

    Raises InvalidEvent if the body is JSON, but none that the adapter takes events from.
    """
    if by_line:
        return [text for line in body.splitlines() if line.strip() for text in _split(adapter, line.strip())]
    try:
        return [dump(event) for event in adapter.split(parse(body))]
    except InvalidBody:
        lines = [line.strip() for line in body.splitlines() if line.strip()]
        # Whoever sends lines may not say so. A single broken text is one event.
        if len(lines) > 1 and _is_json(lines[0]):
            return [text for line in lines for text in _split(adapter, line)]
        return [body]


def _split(adapter: Adapter, line: bytes) -> Iterator[bytes]:
    try:
        yield from (dump(event) for event in adapter.split(parse(line)))
    except InvalidBody:
        yield line


def _is_json(line: bytes) -> bool:
    try:
        parse(line)
    except InvalidBody:
        return False
    return True
