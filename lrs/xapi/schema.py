"""The shape of a statement and the rules across its parts, for both versions. It judges and never changes.

xAPI 1.0.3, Data 2.4; IEEE 9274.1.1 (2.0), 4.2. Checkers are put together once a version; each value is visited once.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from lrs.errors import InvalidStatement
from lrs.xapi.definitions import (
    check_activity,
    check_agent,
    check_agent_or_group,
    check_authority,
    check_group,
    either,
)
from lrs.xapi.json_text import Verbatim
from lrs.xapi.shapes import Check, Fault, list_of, object_of, one_of, remembered
from lrs.xapi.values import (
    check_boolean,
    check_duration,
    check_extensions,
    check_iri,
    check_language,
    check_language_map,
    check_length,
    check_media_type,
    check_number,
    check_sha2,
    check_text,
    check_uuid,
    timestamp_of,
)
from lrs.xapi.vocabulary import VOIDED

SCORES = ("scaled", "raw", "min", "max")
# A 2.0 store also takes statements that were made for 1.0. IEEE 9274.1.1, 4.2.4.3.
VERSIONS = {
    "1.0": re.compile(r"1\.0(?:\.[\w.+-]+)?", re.ASCII),
    "2.0": re.compile(r"[12]\.0(?:\.[\w.+-]+)?", re.ASCII),
}


def check(statement: object, version: str) -> None:
    """Judge a statement under the rules of "1.0.x" or "2.0.x". Raises InvalidStatement with the first bad place."""
    _judge(_statement_check("2.0" if version.startswith("2.") else "1.0"), statement)


def check_actor(actor: object, _version: str = "1.0.3") -> None:
    """Judge an Agent or Group that stands alone, as in a parameter. Raises InvalidStatement."""
    _judge(check_agent_or_group, actor)


def _judge(part: Check, value: object) -> None:
    try:
        part(value)
    except Fault as fault:
        raise InvalidStatement(fault.place, fault.rule) from None


@cache
def _statement_check(rules: str) -> Check:
    timestamp, context = timestamp_of(rules), _context_check(rules)
    both: dict[str, Check] = {
        "actor": check_agent_or_group,
        "verb": remembered(object_of({"id": check_iri, "display": check_language_map}, ("id",))),
        "result": _result_check(),
        "context": context,
        "timestamp": timestamp,
        "attachments": list_of(_attachment_check()),
    }
    required, together = ("actor", "verb", "object"), (_voiding, _only_with_activity)
    targets: dict[str, Check] = {
        "Activity": check_activity, "Agent": check_agent, "Group": check_group, "StatementRef": _reference_check()
    }
    inner = {"objectType": one_of("SubStatement"), **both, "object": either(targets, "Activity")}
    outer_target = either({**targets, "SubStatement": object_of(inner, required, *together)}, "Activity")
    return object_of(
        {
            "id": check_uuid,
            **both,
            "object": outer_target,
            "stored": timestamp,
            "authority": check_authority,
            "version": _version_check(rules),
        },
        required,
        *together,
    )


def _context_check(rules: str) -> Check:
    parts: dict[str, Check] = {
        "registration": check_uuid,
        "instructor": check_agent_or_group,
        "team": check_group,
        "contextActivities": remembered(object_of(dict.fromkeys(("parent", "grouping", "category", "other"), _activity_or_list))),
        "revision": check_text,
        "platform": check_text,
        "language": check_language,
        "statement": _reference_check(),
        "extensions": check_extensions,
    }
    if rules == "2.0":
        roles: dict[str, Check] = {"relevantTypes": _some_iris}
        agent = {"objectType": one_of("contextAgent"), "agent": check_agent, **roles}
        group = {"objectType": one_of("contextGroup"), "group": check_group, **roles}
        parts["contextAgents"] = list_of(object_of(agent, ("objectType", "agent")))
        parts["contextGroups"] = list_of(object_of(group, ("objectType", "group")))
    return object_of(parts)


def _result_check() -> Check:
    score = object_of(dict.fromkeys(SCORES, check_number), (), _score)
    return object_of({
        "score": score,
        "success": check_boolean,
        "completion": check_boolean,
        "response": check_text,
        "duration": check_duration,
        "extensions": check_extensions,
    })


def _reference_check() -> Check:
    return object_of({"objectType": one_of("StatementRef"), "id": check_uuid}, ("objectType", "id"))


def _attachment_check() -> Check:
    parts: dict[str, Check] = {
        "usageType": check_iri,
        "display": check_language_map,
        "description": check_language_map,
        "contentType": check_media_type,
        "length": check_length,
        "sha2": check_sha2,
        "fileUrl": check_iri,
    }
    return object_of(parts, ("usageType", "display", "contentType", "length", "sha2"))


def _version_check(rules: str) -> Check:
    pattern = VERSIONS[rules]
    rule = "must be 1.0.x" if rules == "1.0" else "must be 1.0.x or 2.0.x"

    def check_version(value: Any) -> None:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise Fault(rule)

    return check_version


def _activity_or_list(value: Any) -> None:
    # A single activity stands for a list of one, kept from 0.95. xAPI 1.0.3, Data 2.4.6.2; 2.0 has the same.
    if isinstance(value, dict):
        check_activity(value)
    else:
        check_activities(value)


def _some_iris(value: Any) -> None:
    check_iris(value)
    if not value:
        raise Fault("must not be empty")


def _score(score: Mapping[str, Any]) -> None:
    """Where the numbers of a score have to lie. xAPI 1.0.3, Data 2.4.5.1."""
    scaled, raw, low, high = map(score.get, SCORES)
    if Verbatim in map(type, (scaled, raw, low, high)):
        scaled, raw, low, high = map(_exact, (scaled, raw, low, high))
    if scaled is not None and not -1 <= scaled <= 1:
        raise Fault("must be -1 to 1", "scaled")
    if low is not None and high is not None and low >= high:
        raise Fault("must be less than max", "min")
    if raw is not None and low is not None and raw < low:
        raise Fault("must not be less than min", "raw")
    if raw is not None and high is not None and raw > high:
        raise Fault("must not be more than max", "raw")


def _exact(number: Any) -> Any:
    return Decimal(number.text) if isinstance(number, Verbatim) else number


def _voiding(statement: Mapping[str, Any]) -> None:
    if statement["verb"]["id"] == VOIDED and statement["object"].get("objectType") != "StatementRef":
        raise Fault("must be StatementRef, as the verb is voided", "objectType", "object")


def _only_with_activity(statement: Mapping[str, Any]) -> None:
    context = statement.get("context")
    if context is not None and statement["object"].get("objectType", "Activity") != "Activity":
        for name in ("revision", "platform"):
            if name in context:
                raise Fault("is only for statements whose object is an Activity", name, "context")


check_activities = list_of(check_activity)
check_iris = list_of(check_iri)
