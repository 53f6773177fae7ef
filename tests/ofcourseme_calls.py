"""Calls of the OfCourseMe cases as the native events that the product keeps of them."""

from collections.abc import Mapping
from typing import Any

from adapters.ofcourseme.calls import event_in, posted_event


def event_of(call: Mapping[str, Any]) -> Any:
    """The event of a call {"method", "url", "headers", "raw_body"?}."""
    query = call["url"].partition("?")[2]
    if call["method"] != "POST":
        return event_in(query)
    return posted_event(query, call["headers"].get("Content-Type", ""), call.get("raw_body", "").encode())
