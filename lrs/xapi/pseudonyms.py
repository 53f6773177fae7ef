"""A person in statements: which are theirs, and what the others say once a pseudonym stands in their place. Pure."""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from lrs.xapi.agents import identity
from lrs.xapi.attachments import declared

# Where an agent or a group may stand in a statement, but for its object. xAPI 1.0.3, Data 2.4; IEEE 9274.1.1, 4.2.2.5.
PLACES, CONTEXT_PLACES = ("actor", "authority"), ("instructor", "team")
NOBODY: Mapping[str, Any] = {"account": {}}
CONTEXT_LISTS = {"contextAgents": "agent", "contextGroups": "group"}


def identities_of(agent: Mapping[str, Any]) -> tuple[str, ...]:
    """Every identity key that tells of this agent: its own, and for a mailbox its SHA-1 too. None if it is anonymous."""
    own = identity(agent)
    if own is None:
        return ()
    if "mbox" not in agent:
        return (own,)
    # The sum is over the IRI as it is written, so the mailbox as it was given and as we keep it may have two.
    return tuple(dict.fromkeys([own, *(f"sha1sum:{hashlib.sha1(text.encode()).hexdigest()}" for text in (own, agent["mbox"]))]))


def is_theirs(statement: Mapping[str, Any], identities: Collection[str]) -> bool:
    """Whether a statement is by this person alone, or about them and nobody else: its actor, or its object."""
    target = statement["object"]
    return identity(statement["actor"]) in identities or (
        target.get("objectType") in ("Agent", "Group") and identity(target) in identities
    )


def mentions(statement: Mapping[str, Any], identities: Collection[str]) -> bool:
    """Whether a statement names this person anywhere that an agent can stand."""
    return without(statement, identities, NOBODY) != statement


def is_signed(statement: Mapping[str, Any]) -> bool:
    """Whether its signature holds all of it once more."""
    return any(each.is_signature for each in declared([statement]))


def without(statement: Mapping[str, Any], identities: Collection[str], pseudonym: Mapping[str, Any]) -> dict[str, Any]:
    """The statement with the pseudonym (an Agent) in each place where this person stands; equal to it if they are nowhere.

    Names, answers and extensions are not looked into.
    """
    changed = dict(statement)
    for place in PLACES:
        if place in changed:
            changed[place] = _instead(changed[place], identities, pseudonym)
    if "context" in changed:
        changed["context"] = _context(changed["context"], identities, pseudonym)
    target = changed["object"]
    if target.get("objectType") in ("Agent", "Group"):
        changed["object"] = _instead(target, identities, pseudonym)
    elif target.get("objectType") == "SubStatement":
        changed["object"] = without(target, identities, pseudonym)
    return changed


def _context(context: Mapping[str, Any], identities: Collection[str], pseudonym: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(context)
    for place in CONTEXT_PLACES:
        if place in changed:
            changed[place] = _instead(changed[place], identities, pseudonym)
    for place, name in CONTEXT_LISTS.items():
        if place in changed:
            changed[place] = [{**entry, name: _instead(entry[name], identities, pseudonym)} for entry in changed[place]]
    return changed


def _instead(agent: Mapping[str, Any], identities: Collection[str], pseudonym: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(agent)
    if identity(agent) in identities:
        kept = {name: value for name, value in agent.items() if name in ("objectType", "member")}
        changed = {**kept, "account": pseudonym["account"]}
    if "member" in changed:
        changed["member"] = [_instead(member, identities, pseudonym) for member in changed["member"]]
    return changed


def names_of_person(agent: Mapping[str, Any]) -> frozenset[str]:
    """What other systems may call an identified agent: its address with and without "mailto:", account name, sum or OpenID."""
    mbox = agent.get("mbox", "")
    names = {mbox, mbox.removeprefix("mailto:"), agent.get("mbox_sha1sum", ""), agent.get("openid", "")}
    return frozenset(names | {agent.get("account", {}).get("name", "")}) - {""}


def tells_of(value: Any, names: Collection[str], identities: Collection[str], place: str = "") -> bool:
    """Whether some JSON value tells of a person: a text in it is one of their names, or holds one of their identity keys.

    A number is a name only where the key says so ("user_id": 12): elsewhere it may be anything.
    """
    if isinstance(value, Mapping):
        return any(tells_of(key, names, identities) or tells_of(each, names, identities, str(key)) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return any(tells_of(each, names, identities, place) for each in value)
    if isinstance(value, str):
        return value in names or any(each in value for each in identities)
    return place.lower().endswith("id") and str(value) in names
