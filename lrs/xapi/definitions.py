"""Checkers of agents, groups, activities and their definitions, the same in both versions.

xAPI 1.0.3, Data 2.4.2 and 2.4.4.
"""

from collections.abc import Mapping
from typing import Any

from lrs.xapi.shapes import Check, Fault, list_of, object_of, one_of, remembered, wrong_type
from lrs.xapi.values import (
    check_extensions,
    check_iri,
    check_language_map,
    check_mbox,
    check_sha1,
    check_text,
)

IDENTIFIERS = frozenset(("mbox", "mbox_sha1sum", "openid", "account"))
ONE_IDENTIFIER = "must have exactly one of mbox, mbox_sha1sum, openid and account"
# Which lists of components each type of interaction may have. xAPI 1.0.3, Data 2.4.4.1, "Interaction Components".
COMPONENTS: Mapping[str, frozenset[str]] = {
    "true-false": frozenset(),
    "choice": frozenset(("choices",)),
    "fill-in": frozenset(),
    "long-fill-in": frozenset(),
    "matching": frozenset(("source", "target")),
    "performance": frozenset(("steps",)),
    "sequencing": frozenset(("choices",)),
    "likert": frozenset(("scale",)),
    "numeric": frozenset(),
    "other": frozenset(),
}
COMPONENT_LISTS = frozenset(("choices", "scale", "source", "target", "steps"))
INTERACTION_PARTS = COMPONENT_LISTS | {"correctResponsesPattern"}


def either(kinds: Mapping[str, Check], default: str) -> Check:
    """An object whose objectType says which checker judges it; without one it is a `default`."""
    rule = f"must be {' or '.join(kinds)}"

    def check(value: Any) -> None:
        if not isinstance(value, dict):
            raise Fault(wrong_type(value, "an object"))
        kind = value.get("objectType", default)
        # A list or an object as objectType is no key of any dict.
        part = kinds.get(kind) if isinstance(kind, str) else None
        if part is None:
            raise Fault(rule, "objectType")
        part(value)

    return check


def _one_identifier(agent: Mapping[str, Any]) -> None:
    # Asked of every agent, and much faster than an intersection.
    if ("mbox" in agent) + ("account" in agent) + ("mbox_sha1sum" in agent) + ("openid" in agent) != 1:
        raise Fault(ONE_IDENTIFIER)


def _identified_or_with_members(group: Mapping[str, Any]) -> None:
    identifiers = len(IDENTIFIERS & group.keys())
    if identifiers > 1:
        raise Fault(ONE_IDENTIFIER)
    if not identifiers and "member" not in group:
        raise Fault("is required, as the group has no identifier", "member")


def _two_of_them_anonymous(group: Mapping[str, Any]) -> None:
    if IDENTIFIERS & group.keys():
        raise Fault("must be an Agent or an anonymous Group")
    if len(group["member"]) != 2:
        raise Fault("must be two agents, an application and a user", "member")
    # The application is known by its OAuth consumer key. xAPI 1.0.3, Data 2.4.9.
    if not any("account" in member for member in group["member"]):
        raise Fault("must have an application, known by its account", "member")


def _interaction(definition: Mapping[str, Any]) -> None:
    """What an interaction may have depends on its type."""
    parts = INTERACTION_PARTS & definition.keys()
    if not parts:
        return
    kind = definition.get("interactionType")
    if kind is None:
        raise Fault(f"is required beside {min(parts)}", "interactionType")
    for name in parts & COMPONENT_LISTS:
        if name not in COMPONENTS[kind]:
            raise Fault(f"is not for interactions of type {kind}", name)
        seen = set()
        for index, component in enumerate(definition[name]):
            if component["id"] in seen:
                raise Fault("must be unique in its list", "id", str(index), name)
            seen.add(component["id"])


check_account = object_of({"homePage": check_iri, "name": check_text}, ("homePage", "name"))
IDENTITY: Mapping[str, Check] = {
    "name": check_text,
    "mbox": check_mbox,
    "mbox_sha1sum": check_sha1,
    "openid": check_iri,
    "account": check_account,
}
check_agent = object_of({"objectType": one_of("Agent"), **IDENTITY}, (), _one_identifier)
check_group = object_of(
    {"objectType": one_of("Group"), **IDENTITY, "member": list_of(check_agent)},
    ("objectType",),
    _identified_or_with_members,
)
check_agent_or_group = either({"Agent": check_agent, "Group": check_group}, "Agent")
check_authority = either(
    {
        "Agent": check_agent,
        "Group": object_of(
            {"objectType": one_of("Group"), **IDENTITY, "member": list_of(check_agent)},
            ("objectType", "member"),
            _two_of_them_anonymous,
        ),
    },
    "Agent",
)

check_component = object_of({"id": check_text, "description": check_language_map}, ("id",))
check_definition = object_of(
    {
        "name": check_language_map,
        "description": check_language_map,
        "type": check_iri,
        "moreInfo": check_iri,
        "extensions": check_extensions,
        "interactionType": one_of(*COMPONENTS),
        "correctResponsesPattern": list_of(check_text),
        **dict.fromkeys(COMPONENT_LISTS, list_of(check_component)),
    },
    (),
    _interaction,
)
check_activity = remembered(
    object_of({"objectType": one_of("Activity"), "id": check_iri, "definition": check_definition}, ("id",))
)
