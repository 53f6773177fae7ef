"""What a statement of this adapter says about usage: one flat fact, out of the statement alone. Pure.

Statements are known by their profile and the extension with the event type. Extensions are found by the end of their IRI, so a later
change of `base_iri` loses nothing. What is not shaped as ours is not ours.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote

import msgspec

from adapters.studyfetch import vocabulary as names
from adapters.studyfetch.translate import component_word
from adapters.studyfetch.values import id_text, name_text, number_of
from lrs.errors import InvalidValue
from lrs.xapi.json_text import dump
from lrs.xapi.times import duration_s, parse_timestamp
from lrs.xapi.types import Statement
from lrs.xapi.vocabulary import ATTEMPT_ID

# Longer than this, in ms, counts as this: three years, so that no sum grows over 64 bits.
LONGEST_MS = 100_000_000_000
BEGINNINGS = frozenset({"test_started", "test_retaken"})
# Characters of metadata that a fact keeps; what is longer is looked up in the statement when it is to be shown.
LONGEST_METADATA = 4_000
LONGEST_NAME = 1_000


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event. `user` is "" for an anonymous one, `at_us` is when it happened.

    `kind` and `thing` are what it is about ("tests", "test-5"; a question is about its test, a message about its component), `resource`
    what the event itself called its resource. `attempt` is the attempt that begins, `metadata` JSON text (None: too long to keep here).
    """

    id: str
    at_us: int
    type: str
    user: str = ""
    groups: tuple[str, ...] = ()
    event: str | None = None
    resource: str | None = None
    kind: str = ""
    thing: str | None = None
    name: str | None = None
    duration_ms: int = 0
    scaled: float | None = None
    success: bool | None = None
    attempt: str | None = None
    progress: float | None = None
    feature: str = ""
    model: str = ""
    endpoint: str = ""
    metadata: str | None = "{}"

    @property
    def order(self) -> tuple[int, str]:
        """Facts in the order in which things happened; of those at one moment, by id."""
        return self.at_us, self.id

    @property
    def resources(self) -> tuple[str, ...]:
        """The ids it can be found by: its own resource, and what it is about."""
        return tuple(sorted({each for each in (self.resource, self.thing) if each is not None}))


class LastFact:
    """`fact_of`: whoever asks for the same statement again, as one materializer after the other does, is told without looking again."""

    def __init__(self) -> None:
        self._last: tuple[Statement | None, Fact | None] = None, None

    def __call__(self, statement: Statement) -> Fact | None:
        """The fact in a statement; None if it is not one of this adapter's."""
        of, fact = self._last
        if of is not statement:
            fact = _read(statement)
            self._last = statement, fact
        return fact


fact_of = LastFact()


def _read(statement: Statement) -> Fact | None:
    context: Mapping[str, Any] = statement.get("context") or {}
    extensions: Mapping[str, Any] = context.get("extensions") or {}
    base = _base(extensions)
    if base is None or not any(each["id"] == base + names.PROFILE for each in _around(context, "category")):
        return None
    native, metadata = _mapping(extensions.get(base + names.NATIVE)), _metadata(extensions, base)
    kind, thing, name = _thing(statement, context, base)
    result: Mapping[str, Any] = statement.get("result") or {}
    statement_id, event_type, event_id = statement["id"].lower(), extensions[base + names.EVENT_TYPE], id_text(native.get("id"))
    return Fact(
        id=statement_id, at_us=parse_timestamp(statement.get("timestamp") or statement["stored"]), type=str(event_type),
        user=_user(statement, base), groups=tuple(_groups(context, base)), event=event_id,
        resource=name_text(native.get("resourceId")) or thing, kind=kind, thing=thing, name=name,
        duration_ms=_duration_ms(result), scaled=_scaled(result), success=_success(result),
        attempt=_attempt(str(event_type), extensions, event_id or statement_id),
        progress=_float(_mapping(result.get("extensions")).get(base + names.PROGRESS)),
        feature=component_word(metadata), model=name_text(metadata.get("modelKey")) or "",
        endpoint=name_text(metadata.get("endpoint")) or "", metadata=_kept(dump(metadata).decode()),
    )


def metadata_of(statement: Statement) -> Mapping[str, Any]:
    """The metadata of the event that a statement was made of; empty if it is not one of ours."""
    extensions: Mapping[str, Any] = (statement.get("context") or {}).get("extensions") or {}
    base = _base(extensions)
    return {} if base is None else _metadata(extensions, base)


def _metadata(extensions: Mapping[str, Any], base: str) -> dict[str, Any]:
    native = _mapping(extensions.get(base + names.NATIVE))
    return {**_mapping(native.get("metadata")), **_mapping(extensions.get(base + names.METADATA))}


def _kept(metadata: str) -> str | None:
    return metadata if len(metadata) <= LONGEST_METADATA else None


def _base(extensions: Mapping[str, Any]) -> str | None:
    """What the IRIs of a statement begin with; None if it has no event type."""
    for iri, value in extensions.items():
        if iri.endswith(names.EVENT_TYPE) and isinstance(value, str) and value:
            return iri.removesuffix(names.EVENT_TYPE)
    return None


def _user(statement: Statement, base: str) -> str:
    account: Mapping[str, Any] = statement["actor"].get("account") or {}
    if account.get("homePage") == base + names.ANONYMOUS:
        return ""
    return name_text(account.get("name")) or ""


def _groups(context: Mapping[str, Any], base: str) -> Iterator[str]:
    prefix = f"{base}{names.ACTIVITIES}{names.GROUPS}/"
    seen = set()
    for each in _around(context, "grouping"):
        group = name_text(unquote(each["id"].removeprefix(prefix))) if each["id"].startswith(prefix) else None
        if group is not None and group not in seen:
            seen.add(group)
            yield group


def _thing(statement: Statement, context: Mapping[str, Any], base: str) -> tuple[str, str | None, str | None]:
    """Kind, id and name of what a statement is about: its object, or what that is part of, whose name is not told."""
    kind, *ids = _path(statement["object"], base)
    if kind in (names.MESSAGES, names.EVENT_TYPES):
        kind, *ids = next((_path(each, base) for each in _around(context, "parent")), [""])
        return (kind, ids[0], None) if ids else ("", None, None)
    # A question is part of its test, so its IRI goes on after the test's.
    name = _name(statement["object"]) if len(ids) == 1 else None
    return (kind, ids[0], name) if ids else ("", None, None)


def _path(activity: Mapping[str, Any], base: str) -> list[str]:
    """What the IRI of an activity has after the base: kind, id, and what is below it; [""] if it is none of ours."""
    iri = activity.get("id", "")
    if activity.get("objectType", "Activity") != "Activity" or not iri.startswith(base + names.ACTIVITIES):
        return [""]
    kind, *ids = iri.removeprefix(base + names.ACTIVITIES).split("/")
    return [kind, *(name_text(unquote(each)) or "" for each in ids)]


def _name(activity: Mapping[str, Any]) -> str | None:
    texts: Mapping[str, str] = _mapping(activity.get("definition")).get("name") or {}
    return next((str(text)[:LONGEST_NAME] for text in texts.values()), None)


def _attempt(event_type: str, extensions: Mapping[str, Any], event_id: str) -> str | None:
    """The key of an attempt that begins: of its id, else the event's."""
    if event_type not in BEGINNINGS:
        return None
    own = id_text(extensions.get(ATTEMPT_ID))
    return digest(["event", event_id] if own is None else ["attempt", own])


def _duration_ms(result: Mapping[str, Any]) -> int:
    try:
        return min(LONGEST_MS, round(duration_s(result["duration"]) * 1000)) if "duration" in result else 0
    except (InvalidValue, OverflowError):  # months have no length; more digits than a double has
        return 0


def _scaled(result: Mapping[str, Any]) -> float | None:
    return _float(_mapping(result.get("score")).get("scaled"))


def _success(result: Mapping[str, Any]) -> bool | None:
    success = result.get("success")
    return success if isinstance(success, bool) else None


def _float(value: Any) -> float | None:
    number = number_of(value)
    return None if number is None else float(number)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _around(context: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    around = (context.get("contextActivities") or {}).get(kind, [])
    return [around] if isinstance(around, Mapping) else list(around)


def digest(parts: Sequence[object]) -> str:
    """22 characters that stand for the parts, in keys of summaries and names of lines."""
    octets = blake2b(dump(list(parts)), digest_size=16).digest()
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
