"""The rules of documents: where one is, what may be in it, how two become one, and what must hold before it is changed.

xAPI 1.0.3, Communication 2.2, 2.3, 2.6, 2.7 and 3.1; IEEE 9274.1.1, 4.1.4 and 4.1.6. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, TypeAlias

from lrs.errors import InvalidBody, InvalidParameter
from lrs.xapi.agents import identity
from lrs.xapi.json_text import dump, parse
from lrs.xapi.query import agent_parameter, iri_parameter, timestamp_parameter, uuid_parameter

JSON = "application/json"
# One entity tag with its quotes. Some clients leave the quotes out, and mean the same.
TAG = re.compile(r'(W/)?"([^"]*)"|([^\s",]+)')
ANY = "*"
# What If-Match or If-None-Match says: nothing (None), "*", or some tags.
Tags: TypeAlias = frozenset[str] | str | None


@dataclass(frozen=True)
class Resource:
    """One kind of documents: the parameters that name a context, and the one that names a document in it."""

    name: str
    id_parameter: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    deletes_several: bool = False

    def replaced_blindly(self, version: str) -> bool:
        """Whether a PUT may replace a document without a precondition: a state under 1.0.x only. Communication 3.1."""
        return self is STATE and version.startswith("1.")

    def put_blindly(self, version: str) -> bool:
        """Whether a PUT may do without a precondition where nothing is: not a profile's under 1.0.x. Communication 3.1."""
        return self is STATE or version.startswith("2.")


STATE = Resource("state", "stateId", ("activityId", "agent"), ("registration",), deletes_several=True)
ACTIVITY_PROFILE = Resource("activity_profile", "profileId", ("activityId",))
AGENT_PROFILE = Resource("agent_profile", "profileId", ("agent",))


@dataclass(frozen=True)
class Place:
    """Where a document is; without `document_id`, where several are. `agent` is an identity key, so spelling plays no part."""

    resource: str
    activity: str | None = None
    agent: str | None = None
    registration: str | None = None
    document_id: str | None = None


def place_of(resource: Resource, params: Mapping[str, str], version: str, *, several: bool = False) -> Place:
    """The place that parameters name; without a document's id only if `several` may be meant. Raises InvalidParameter."""
    known = (*resource.required, *resource.optional, resource.id_parameter)
    for name in params:
        if name not in known:
            raise InvalidParameter(name, _unknown(name, known))
    needed = resource.required if several else (*resource.required, resource.id_parameter)
    for name in needed:
        if name not in params:
            raise InvalidParameter(name, "is required")
    values = {READ[name][0]: READ[name][1](name, text, version) for name, text in params.items() if name in READ}
    return Place(resource.name, document_id=params.get(resource.id_parameter), **values)


def listed_of(resource: Resource, params: Mapping[str, str], version: str) -> tuple[Place, int | None]:
    """The place that a GET names, of one document or of several, and `since` in µs since the epoch (several only)."""
    since = params.get("since")
    if since is None or resource.id_parameter in params:
        return place_of(resource, params, version, several=True), None
    rest = {name: text for name, text in params.items() if name != "since"}
    return place_of(resource, rest, version, several=True), timestamp_parameter("since", since, version)


def person_parameter(name: str, text: str, version: str) -> Mapping[str, Any]:
    """An Agent, and not a Group: its identifier may be given as an Agent's. Communication 2.4 and 2.6."""
    agent = agent_parameter(name, text, version)
    if agent.get("objectType", "Agent") != "Agent":
        raise InvalidParameter(f"{name}.objectType", "must be Agent, also to name what belongs to a group")
    return agent


def _agent_identity(name: str, text: str, version: str) -> str | None:
    return identity(person_parameter(name, text, version))


def _unknown(name: str, known: tuple[str, ...]) -> str:
    spelt = next((each for each in known if each.lower() == name.lower()), None)
    return f"is not a parameter; it is spelt {spelt}" if spelt else "is not a parameter of this request"


# Parameter -> field of Place, and how its text is read.
READ: Mapping[str, tuple[str, Any]] = {
    "activityId": ("activity", iri_parameter),
    "agent": ("agent", _agent_identity),
    "registration": ("registration", uuid_parameter),
}


@dataclass(frozen=True)
class Preconditions:
    """What must hold of the document that is there, or is not, for a request to be done. RFC 2616, 14.24 and 14.26."""

    match: Tags = None
    none_match: Tags = None

    def __bool__(self) -> bool:
        return self.match is not None or self.none_match is not None

    @classmethod
    def of(cls, if_match: str | None, if_none_match: str | None) -> "Preconditions":
        """Out of two headers. InvalidParameter for one that is there and has neither a tag nor "*"."""
        return cls(
            _tags("If-Match", if_match, weak=False), _tags("If-None-Match", if_none_match, weak=True)
        )

    def hold(self, tag: str | None) -> bool:
        """Whether they do for a document with this tag (None: there is none)."""
        if tag is None:
            return self.match is None
        matches = self.match in (None, ANY) or tag in (self.match or ())
        return matches and self.none_match != ANY and tag not in (self.none_match or ())


def _tags(header: str, text: str | None, *, weak: bool) -> Tags:
    """The tags of a header. Where only strong ones count, a weak one is the same as none there could be."""
    if text is None:
        return None
    if text.strip() == ANY:
        return ANY
    found = [(prefix, quoted or bare) for prefix, quoted, bare in TAG.findall(text)]
    if not found:
        raise InvalidParameter(header, 'must be "*" or entity tags as an ETag header has them')
    return frozenset(tag for prefix, tag in found if weak or not prefix)


def etag_of(content: bytes) -> str:
    """The entity tag of a content, without its quotes: its SHA-1. Communication 3.1."""
    return sha1(content, usedforsecurity=False).hexdigest()


def is_json(content_type: str) -> bool:
    """Whether a content type says JSON, with whatever parameters."""
    return content_type.partition(";")[0].strip().lower() == JSON


def check_content(content_type: str, content: bytes) -> None:
    """Any content of any type is a document, but what is called JSON must be. Raises InvalidBody."""
    if is_json(content_type):
        parse(content)


def merged(old_type: str, old: bytes, new_type: str, new: bytes) -> bytes:
    """A JSON object with the properties of another set in it, numbers as they were written.

    Raises InvalidBody unless both are application/json and objects. Communication 2.2, "JSON Procedure".
    """
    return dump({**_object("the document that is there", old_type, old), **_object("the posted document", new_type, new)})


def _object(which: str, content_type: str, content: bytes) -> dict[str, Any]:
    if not is_json(content_type):
        raise InvalidBody(f"{which} is {content_type}: only {JSON} can be merged; PUT replaces it")
    value = parse(content)
    if not isinstance(value, dict):
        raise InvalidBody(f"{which} is not a JSON object: only objects can be merged; PUT replaces it")
    return value
