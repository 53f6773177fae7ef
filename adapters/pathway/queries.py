"""What a request asks for: one pathway, and filters of its activities and logs. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema, fields

from adapters.pathway.activity_types import canonical
from adapters.pathway.relaxed_json import parse_relaxed
from adapters.pathway.spelling import folded, text_of
from lrs.errors import InvalidBody
from lrs.xapi.json_text import parse

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Each filter by the names it is called in examples; what several of them ask for counts together.
FILTERS: Mapping[str, tuple[str, ...]] = {
    "activities": ("activities", "activity"), "types": ("types", "type"), "groups": ("groups", "group"),
    "users": ("users", "user", "emails", "email"),
}


@dataclass(frozen=True)
class Query:
    """A request. `pathway` is as it was sent, the filters are folded; None: no filter."""

    pathway: str
    activities: frozenset[str] | None = None
    types: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    users: frozenset[str] | None = None

    @property
    def is_of_some(self) -> bool:
        """Whether it has a filter of learners."""
        return self.groups is not None or self.users is not None


class QuerySchema(Schema):
    """The body of a request, as the documentation has it."""

    class Meta:
        unknown = EXCLUDE

    pathway = fields.String(required=True, metadata={"description": "ID or name"})
    activities = fields.List(fields.String(), metadata={"description": "IDs or names"})
    types = fields.List(fields.String(), metadata={"description": "labels, such as Data Target, Certificates, Stories"})
    groups = fields.List(fields.String(), metadata={"description": "names of groups"})
    users = fields.List(fields.String(), metadata={"description": "e-mail addresses, first, last or full names"})


def query_of(body: bytes) -> Query:
    """The query in a body, whatever its content type. Raises InvalidBody."""
    asked = _read(body.removeprefix(BYTE_ORDER_MARK))
    if not isinstance(asked, dict):
        raise InvalidBody("must be an object that names a pathway")
    named = _texts(asked, "pathway")
    if not named:
        raise InvalidBody("must be the ID or name of a pathway", "pathway")
    if len(named) > 1:
        raise InvalidBody("must be one pathway: ask once for each", "pathway")
    filters = {name: [text for alias in aliases for text in _texts(asked, alias)] for name, aliases in FILTERS.items()}
    return Query(
        named[0], _folded(filters["activities"]),
        frozenset(map(canonical, filters["types"])) if filters["types"] else None,
        _folded(filters["groups"]), _folded(filters["users"]),
    )


def _read(body: bytes) -> Any:
    try:
        return parse(body)
    except InvalidBody as strict:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise strict from None
        return parse_relaxed(text)


def _texts(asked: Mapping[str, Any], name: str) -> list[str]:
    """The texts of a field that should be an array, and may be one of them; blank ones ask for nothing."""
    value = asked.get(name)
    listed = value if isinstance(value, list) else [] if value is None else [value]
    for number, each in enumerate(listed):
        if isinstance(each, bool) or not isinstance(each, str | int | float | None):
            raise InvalidBody("must be text", f"{name}.{number}" if isinstance(value, list) else name)
    return [text for text in map(text_of, listed) if text.strip()]


def _folded(texts: Iterable[str]) -> frozenset[str] | None:
    return frozenset(map(folded, texts)) or None
