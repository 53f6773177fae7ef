"""A call as the native event that is kept of it. Pure."""

from typing import Any

from adapters.ofcourseme.parameters import query_of
from lrs.xapi.json_text import parse

JSON = "application/json"
# Of a text that was bytes, those that are not UTF-8.
LONE_BYTES = range(0xDC80, 0xDD00)


def event_in(query: str) -> dict[str, str]:
    """The event of a call that has a query string only."""
    return {"query": query}


def posted_event(query: str, kind: str, body: bytes) -> Any:
    """The event of a POST: a form goes on where the query string ends; a JSON object is kept as it is.

    What begins with a brace is JSON, whatever its type: curl calls all that it sends a form. Raises InvalidBody, InvalidEvent.
    """
    body = body.strip()
    if kind != JSON and not body.startswith(b"{"):
        # In a form a hash begins no fragment.
        return event_in(joined(query, escaped(body).replace("#", "%23")))
    posted = parse(body) if body else {}
    # Without `type` beside it, `query` would be taken for a query string.
    if isinstance(posted, dict) and (query or posted.keys() == {"query"}):
        return event_in(joined(query, query_of(posted)))
    return posted


def joined(*queries: str) -> str:
    """Query strings as one."""
    return "&".join(query for query in queries if query)


def escaped(sent: bytes) -> str:
    """Bytes as text, those that are not UTF-8 as escapes: a kept event is JSON, and says the same."""
    text = sent.decode(errors="surrogateescape")
    return text if text.isascii() else "".join(f"%{ord(each) - 0xDC00:02X}" if ord(each) in LONE_BYTES else each for each in text)
