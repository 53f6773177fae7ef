"""How checkers are put together. A checker takes a value, returns nothing or raises Fault, and never changes it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import orjson

Check: TypeAlias = Callable[[Any], None]
MISSING = "is required"
NOT_ALLOWED = "is not allowed here"
# A part is remembered if its JSON is no longer than so many bytes, and no more than so many parts of a kind at a time.
LONGEST_REMEMBERED, MOST_REMEMBERED = 1_000, 8_192


class Fault(Exception):
    """What is wrong, and the way to it, innermost part first."""

    def __init__(self, rule: str, *way: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.way = list(way)

    @property
    def place(self) -> str:
        """The dotted path: "actor.member.0.mbox"."""
        return ".".join(reversed(self.way))


def object_of(parts: Mapping[str, Check], required: Iterable[str] = (), *together: Check) -> Check:
    """A JSON object with these parts only. `together` judge the whole, once each part alone is right."""
    parts, needed = dict(parts), tuple(sorted(required))

    def check(value: Any) -> None:
        if not isinstance(value, dict):
            raise Fault(wrong_type(value, "an object"))
        name = ""
        try:
            for name, part in value.items():
                parts[name](part)
        except Fault as fault:
            fault.way.append(name)
            raise
        except KeyError:
            raise _unknown(name, parts) from None
        for name in needed:
            if name not in value:
                raise Fault(MISSING, name)
        for rule in together:
            rule(value)

    return check


def list_of(item: Check) -> Check:
    """A JSON array of any length."""

    def check(value: Any) -> None:
        if not isinstance(value, list):
            raise Fault(wrong_type(value, "an array"))
        index = -1
        try:
            for part in value:
                index += 1
                item(part)
        except Fault as fault:
            fault.way.append(str(index))
            raise

    return check


def map_of(key: Check, entry: Check | None) -> Check:
    """A JSON object with keys of one kind and values of another; no `entry` takes every value."""

    def check(value: Any) -> None:
        if not isinstance(value, dict):
            raise Fault(wrong_type(value, "an object"))
        name = ""
        try:
            for name, part in value.items():
                key(name)
                if entry is not None:
                    entry(part)
        except Fault as fault:
            fault.way.append(name)
            raise

    return check


def one_of(*allowed: str) -> Check:
    """One of a few texts, in exactly this case."""
    rule = f"must be {' or '.join(allowed)}"
    texts = frozenset(allowed)

    def check(value: Any) -> None:
        if not isinstance(value, str) or value not in texts:
            raise Fault(rule)

    return check


def remembered(part: Check) -> Check:
    """For JSON that comes again and again, such as verbs and activities: a value that was found right is known by its text.

    To write that and to look it up takes a third of judging the value.
    """
    right: set[bytes] = set()

    def check(value: Any) -> None:
        try:
            text = orjson.dumps(value)
        except orjson.JSONEncodeError:  # it has a Verbatim number
            part(value)
            return
        if text in right:
            return
        part(value)
        if len(text) <= LONGEST_REMEMBERED:
            if len(right) >= MOST_REMEMBERED:
                right.clear()
            right.add(text)

    return check


def wrong_type(value: Any, wanted: str) -> str:
    """The rule for a value of the wrong JSON type; null is named, as it is the usual mistake."""
    return f"must be {wanted}, not null" if value is None else f"must be {wanted}"


def _unknown(name: str, parts: Mapping[str, Check]) -> Fault:
    spelt = next((known for known in parts if known.lower() == name.lower()), None)
    return Fault(NOT_ALLOWED if spelt is None else f"{NOT_ALLOWED}; it is spelt {spelt}", name)
