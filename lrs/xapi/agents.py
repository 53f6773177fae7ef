"""Who an agent is, as one string; and what is known of a person from many agents. xAPI 1.0.3, Data 2.4.2."""

from collections.abc import Iterable, Mapping
from typing import Any


def identity(agent: Mapping[str, Any]) -> str | None:
    """The identity key of an agent or identified group; None for an anonymous group.

    "mailto:learner@example.org" (domain in lower case, as it is case insensitive), "sha1sum:<hex>", "openid:<uri>" or
    "account:<homePage>|<name>": an IRI cannot hold "|", so no two accounts share a key.
    """
    mbox = agent.get("mbox")
    if mbox is not None:
        local, at, domain = mbox.rpartition("@")
        return f"{local}{at}{domain.lower()}"
    account = agent.get("account")
    if account is not None:
        return f"account:{account['homePage']}|{account['name']}"
    sha1sum = agent.get("mbox_sha1sum")
    if sha1sum is not None:
        return f"sha1sum:{sha1sum.lower()}"
    openid = agent.get("openid")
    return None if openid is None else f"openid:{openid}"


def identities_in(agent: Mapping[str, Any]) -> list[str]:
    """The identities of an agent, or of a group and its members, in order; possibly with repeats."""
    own = identity(agent)
    found = [] if own is None else [own]
    for member in agent.get("member", ()):
        found.extend(identities_in(member))
    return found


def names_of(agent: str | None, statements: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names an agent has as actor, object or member of a group in statements, each once, in their order."""
    names: dict[str, None] = {}
    for statement in statements:
        for group in (statement["actor"], statement["object"]):
            for each in (group, *group.get("member", ())):
                if "name" in each and each.get("objectType", "Agent") == "Agent" and identity(each) == agent:
                    names[each["name"]] = None
    return list(names)


def person(agents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The Person object of these agents: every name and identifier once, as lists. xAPI 1.0.3, Communication 2.4."""
    properties: dict[str, list[Any]] = {}
    for agent in agents:
        for name in ("name", "mbox", "mbox_sha1sum", "openid", "account"):
            if name in agent and agent[name] not in properties.setdefault(name, []):
                properties[name].append(agent[name])
    return {"objectType": "Person", **properties}
