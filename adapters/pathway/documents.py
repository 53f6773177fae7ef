"""Whole response documents, taken apart into events: one for each log row. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.pathway.spelling import trimmed
from lrs.errors import InvalidEvent

# What tells one thing from an object that holds several under numbers, which is how PHP writes a list with gaps.
OF_PATHWAY = frozenset({"pathway", "activities"})
OF_ACTIVITY = frozenset({"ID", "name", "type", "logs"})
OF_LOG = frozenset({"firstname", "lastname", "email", "status", "fulfilment"})


def split(body: Any) -> Iterator[Mapping[str, Any]]:
    """The events of a body: of a response, one of its `data`, a single event, or an array of any of these.

        {"pathway": {…}, "activity": {… without logs}, "log": {…}}

    The rows come first, in their order; then, without "log", each activity, and without "activity" each pathway, so that
    those without rows are known, too. Raises InvalidEvent if there is nothing to import, or the document tells of an error.
    """
    items = list(_items(body))
    for item in items:
        yield from _rows(item)
    for item in items:
        yield from _structure(item)


def _items(body: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(body, dict) and body.keys() == {"events"}:
        body = body["events"]
    for number, document in enumerate(body if isinstance(body, list) else [body]):
        place = f"{number}" if isinstance(body, list) else ""
        if not isinstance(document, dict):
            raise InvalidEvent(place, "must be a response of logs/pathway-logs, an object", reason="shape")
        if "data" in document or "pathway" not in document:
            yield from _data(document, f"{place}." if place else "")
        else:
            yield document


def _data(document: Mapping[str, Any], place: str) -> Iterator[Mapping[str, Any]]:
    if str(document.get("status", "success")).strip().lower() == "error":
        raise InvalidEvent(f"{place}status", f"the document tells of an error: {document.get('message', '')}", reason="value")
    if "data" not in document:
        raise InvalidEvent(f"{place}data", "must be an array of pathways with their activities", reason="shape")
    for number, item in enumerate(_listed(document["data"], OF_PATHWAY)):
        if not isinstance(item, dict):
            raise InvalidEvent(f"{place}data.{number}", "must be an object with pathway and activities", reason="shape")
        yield item


def _rows(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    pathway = item.get("pathway")
    if "log" in item:  # it is an event already
        yield {"pathway": pathway, "activity": item.get("activity"), "log": item["log"]}
    for activity in _activities(item):
        if isinstance(activity, dict):
            about = _without_logs(activity)
            for log in _listed(activity.get("logs"), OF_LOG):
                yield {"pathway": pathway, "activity": about, "log": log}


def _structure(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What has no name cannot be known; its rows say so, if it has any."""
    pathway, activities = item.get("pathway"), _activities(item)
    rows = {number: _has_rows(activity) for number, activity in enumerate(activities)}
    named = _is_named(pathway)
    if named or not ("log" in item or any(rows.values())):
        yield {"pathway": pathway}
    for number, activity in enumerate(activities):
        if named and (_is_named(activity) or not ("log" in item or rows[number])):
            yield {"pathway": pathway, "activity": _without_logs(activity)}


def _has_rows(activity: Any) -> bool:
    return isinstance(activity, dict) and bool(_listed(activity.get("logs"), OF_LOG))


def _is_named(thing: Any) -> bool:
    return isinstance(thing, dict) and bool(trimmed(thing.get("ID")) or trimmed(thing.get("name")))


def _activities(item: Mapping[str, Any]) -> list[Any]:
    alone = [item["activity"]] if "activity" in item else []
    return alone + _listed(item.get("activities"), OF_ACTIVITY)


def _without_logs(activity: Any) -> Any:
    return {name: value for name, value in activity.items() if name != "logs"} if isinstance(activity, dict) else activity


def _listed(value: Any, own: frozenset[str]) -> list[Any]:
    """The items of an array; nothing for null; one thing alone as it is, several under numbers in their order."""
    if value is None:
        return []
    if isinstance(value, dict) and not own & value.keys():
        return list(value.values())
    return value if isinstance(value, list) else [value]
