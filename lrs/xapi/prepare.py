"""What the store adds to a checked statement. xAPI 1.0.3, Data 2.3.1 and 2.4."""

from typing import Any, cast

from lrs.xapi.types import Agent, Statement


def prepare(statement: Statement, *, authority: Agent, version: str, statement_id: str, received: str) -> Statement:
    """A new statement as it will be stored, but for `stored`; the one given is not touched.

    `authority` replaces what was sent. `statement_id`, `received` (the timestamp) and the version are put where none
    was sent. A single context activity becomes a list of one, as the specification wants it returned. All else stays as
    it came, in its order. `version` is the one of the request, "1.0.x" or "2.0.x".
    """
    prepared: dict[str, Any] = dict(statement)
    prepared.pop("stored", None)
    prepared.setdefault("id", statement_id)
    prepared.setdefault("timestamp", received)
    prepared["authority"] = authority
    prepared.setdefault("version", "2.0.0" if version.startswith("2.") else "1.0.0")
    _list_context_activities(prepared)
    if prepared["object"].get("objectType") == "SubStatement":
        inner = dict(prepared["object"])
        _list_context_activities(inner)
        prepared["object"] = inner
    return cast(Statement, prepared)


def with_stored(statement: Statement, stored: str) -> Statement:
    """The same dict with `stored` put in place: for the store, at the last moment, when it knows the position."""
    statement["stored"] = stored
    return statement


def _list_context_activities(statement: dict[str, Any]) -> None:
    context = statement.get("context")
    if context is None or "contextActivities" not in context:
        return
    groups = context["contextActivities"]
    if dict in map(type, groups.values()):
        listed = {name: [group] if isinstance(group, dict) else group for name, group in groups.items()}
        statement["context"] = {**context, "contextActivities": listed}
