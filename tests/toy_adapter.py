"""A small foreign system for tests: a gate that reports who went through. Nothing of the product knows it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from marshmallow import Schema, fields

from lrs.errors import InvalidEvent
from lrs.plugins import Adapter, Profile
from lrs.xapi.build import account_actor, activity, uuid5_of, verb
from lrs.xapi.types import Statement

BASE = "https://gate.example.org/xapi"
NAMESPACE = uuid5(NAMESPACE_URL, f"{BASE}/adapters/gate")


class GateSettings(Schema):
    """How the gate is named."""

    home_page = fields.String(load_default="https://gate.example.org")


def translate(event: Any, settings: Mapping[str, Any], received_us: int) -> Sequence[Statement]:
    """{"id", "who", "gate", "crash"?, "bend"?} -> one statement; "crash" and "bend" make the translator fail in two ways."""
    if not isinstance(event, dict):
        raise InvalidEvent("", "must be an object", reason="shape")
    if not isinstance(event.get("who"), str) or not event["who"]:
        raise InvalidEvent("who", "must be who went through", code="NOBODY")
    if event.get("crash"):
        return [event["nothing"]]
    if event.get("silent"):
        return []
    statement: Statement = {
        "id": uuid5_of(NAMESPACE, ["event", event["id"]]),
        "actor": account_actor(settings["home_page"], event["who"]),
        "verb": verb("http://activitystrea.ms/attend"),
        "object": activity("not an IRI" if event.get("bend") else f"{BASE}/gates/{event.get('gate', 1)}"),
    }
    return [statement]


def teaches(event: Any, settings: Mapping[str, Any]) -> Sequence[Profile]:
    """A name, if the event has one."""
    if "name" not in event:
        return ()
    return (Profile("agents", account_actor(settings["home_page"], event["who"]), f"{BASE}/profile", {"name": event["name"]}),)


GATE = Adapter("gate", "1", GateSettings, translate=translate, teaches=teaches)
