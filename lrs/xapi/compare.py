"""When two statements are the same statement. xAPI 1.0.3, Data 2.3.1; 2.0, 4.2.7 for durations."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

from lrs.errors import InvalidValue
from lrs.xapi.json_text import Verbatim
from lrs.xapi.times import parse_timestamp
from lrs.xapi.vocabulary import SIGNATURE

# Whatever the store sets itself says nothing about what was sent.
SET_BY_STORE = frozenset(("stored", "authority", "version"))
# The store sets these only where they were not sent: they differ only if both sides have them.
SET_IF_ABSENT = frozenset(("id", "timestamp"))
FINER_THAN_CENTISECONDS = re.compile(r"([.,]\d\d)\d+S\Z", re.ASCII)


def same_statement(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two checked statements differ only in what the specification lets a store change.

    That is: what it sets itself (id, timestamp, stored, authority, version), activity definitions and verb displays,
    how an instant is written, the order of group members, upper or lower case where it has no meaning, a single context
    activity or a list of one, a duration below 0.01 s. Of attachments, only what names their content counts, and a
    signature does not, as it signs the statement without it. Give the statement *as it was sent*, not prepared: a retry
    without timestamp is the same statement as the stored one, which got a timestamp.
    """
    ours, theirs = _statement(a), _statement(b)
    for name in SET_IF_ABSENT:
        if name not in ours or name not in theirs:
            ours.pop(name, None)
            theirs.pop(name, None)
    return same_json(ours, theirs)


def same_json(a: Any, b: Any) -> bool:
    """Whether two JSON values are equal: numbers by value (1 and 1.0), true never equal to 1, objects in any order."""
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and a.keys() == b.keys() and all(same_json(a[name], b[name]) for name in a)
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(same_json, a, b))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, Verbatim) or isinstance(b, Verbatim):
        return isinstance(a, (int, float)) and isinstance(b, (int, float)) and _exact(a) == _exact(b)
    return bool(a == b)


def _exact(number: float) -> Decimal:
    return Decimal(number.text if isinstance(number, Verbatim) else repr(number))


def _statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    """What counts of a statement or SubStatement, each part written in one way."""
    parts = {name: part for name, part in statement.items() if name not in SET_BY_STORE}
    attachments = statement.get("attachments", ())
    parts["attachments"] = [_attachment(each) for each in attachments if each["usageType"] != SIGNATURE]
    return _rewritten(parts, STATEMENT)


def _rewritten(parts: Mapping[str, Any], table: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    return {name: table[name](part) if name in table else part for name, part in parts.items()}


def _target(target: Mapping[str, Any]) -> Any:
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        return _activity(target)
    if kind == "StatementRef":
        return _reference(target)
    return _statement(target) if kind == "SubStatement" else _agent(target)


def _activity(activity: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in activity.items() if name != "definition"}


def _verb(verb: Mapping[str, Any]) -> str:
    iri: str = verb["id"]
    return iri


def _reference(reference: Mapping[str, Any]) -> dict[str, Any]:
    return {**reference, "id": reference["id"].lower()}


def _agent(agent: Mapping[str, Any]) -> dict[str, Any]:
    rewritten = dict(agent)
    if "mbox" in agent:
        local, at, domain = agent["mbox"].rpartition("@")
        rewritten["mbox"] = f"{local}{at}{domain.lower()}"
    if "mbox_sha1sum" in agent:
        rewritten["mbox_sha1sum"] = agent["mbox_sha1sum"].lower()
    if "member" in agent:
        # The order of members has no meaning, so each side is put in the same one.
        rewritten["member"] = sorted(map(_agent, agent["member"]), key=_text)
    return rewritten


def _text(agent: Mapping[str, Any]) -> bytes:
    return orjson.dumps(agent, option=orjson.OPT_SORT_KEYS)


def _lists(groups: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: [_activity(each) for each in ([group] if isinstance(group, Mapping) else group)]
        for name, group in groups.items()
    }


def _roles(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_rewritten(entry, {"agent": _agent, "group": _agent}) for entry in entries]


def _attachment(attachment: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(
        str.lower(attachment[name]) if name == "sha2" else attachment[name]
        for name in ("usageType", "contentType", "length", "sha2")
    )


def _instant(text: str) -> int | str:
    try:
        return parse_timestamp(text)
    except InvalidValue:
        return text


def _result(result: Mapping[str, Any]) -> dict[str, Any]:
    return _rewritten(result, {"duration": lambda text: FINER_THAN_CENTISECONDS.sub(r"\1S", text)})


def _context(context: Mapping[str, Any]) -> dict[str, Any]:
    return _rewritten(context, CONTEXT)


CONTEXT: Mapping[str, Callable[[Any], Any]] = {
    "registration": str.lower,
    "instructor": _agent,
    "team": _agent,
    "contextActivities": _lists,
    "contextAgents": _roles,
    "contextGroups": _roles,
    "language": str.lower,
    "statement": _reference,
}
STATEMENT: Mapping[str, Callable[[Any], Any]] = {
    "id": str.lower,
    "timestamp": _instant,
    "actor": _agent,
    "verb": _verb,
    "object": _target,
    "result": _result,
    "context": _context,
}
