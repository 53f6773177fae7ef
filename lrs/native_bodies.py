"""A body of native events into the texts of single ones."""

from collections.abc import Iterable, Iterator

from lrs.errors import BrokenTranslation, InvalidBody, InvalidEvent, TooLarge
from lrs.materialize import MISHAPS
from lrs.plugins import Adapter
from lrs.xapi.json_text import dump, parse

# What one body may become: a small one may hold very many events, or share a large part among all of them.
MOST_EVENTS = 200_000
MOST_OCTETS = 128 * 1024 * 1024


def texts_of(adapter: Adapter, body: bytes, by_line: bool) -> list[bytes]:
    """The events of a body as JSON texts. One that cannot be read stays as it is: it becomes a dead letter by itself.

    Raises InvalidEvent if the body is JSON, but none that the adapter takes events from; TooLarge if there are too many of them, or
    they are much larger than the body; BrokenTranslation if the adapter fails to split it.
    """
    try:
        return _bounded(_texts(adapter, body, by_line), len(body))
    except MISHAPS as error:
        raise BrokenTranslation(f"{adapter.label} failed to split a body: {type(error).__name__}: {error}") from error


def _bounded(texts: Iterable[bytes], sent: int) -> list[bytes]:
    kept: list[bytes] = []
    room = MOST_OCTETS + 4 * sent
    for text in texts:
        kept.append(text)
        room -= len(text)
        if len(kept) > MOST_EVENTS or room < 0:
            raise TooLarge(f"the body has over {MOST_EVENTS} events, or they repeat too much of it: send them in several bodies")
    return kept


def _texts(adapter: Adapter, body: bytes, by_line: bool) -> Iterator[bytes]:
    if by_line:
        for line in _lines(body):
            yield from _split(adapter, line)
        return
    try:
        value = parse(body)
    except InvalidBody:
        lines = list(_lines(body))
        # Whoever sends lines may not say so. A single broken text is one event.
        if len(lines) > 1 and _is_json(lines[0]):
            for line in lines:
                yield from _split(adapter, line)
        else:
            yield body
    else:
        yield from (dump(event) for event in adapter.split(value))


def _lines(body: bytes) -> Iterator[bytes]:
    return (line.strip() for line in body.splitlines() if line.strip())


def _split(adapter: Adapter, line: bytes) -> Iterator[bytes]:
    """The events of a line: what is wrong with one line does not stop the others."""
    try:
        events = list(adapter.split(parse(line)))
    except (InvalidBody, InvalidEvent):
        yield line
    else:
        yield from (dump(event) for event in events)


def _is_json(line: bytes) -> bool:
    try:
        parse(line)
    except InvalidBody:
        return False
    return True
