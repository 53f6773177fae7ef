"""A record: what MongoDB holds for one statement, and the statement back out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import bson
from bson.errors import InvalidDocument
from bson.raw_bson import RawBSONDocument

from lrs.errors import InvalidStatement, TooLarge
from lrs.store.positions import stored_us_of
from lrs.xapi.json_text import dump, is_plain, parse
from lrs.xapi.lookups import LookUps
from lrs.xapi.times import format_stored
from lrs.xapi.types import Statement

# MongoDB refuses documents over 16 MiB; some of that is the look-up fields'.
LARGEST = 15 * 1024 * 1024
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOOK_UP_FIELDS = ("verb", "activity", "agents", "related_agents", "related_activities", "registration", "refs", "voids", "authority")
# Those that a statement shares with whatever refers to it. xAPI 1.0.3, Communication 2.1.3.
CHAINED_FIELDS = ("verb", "activity", "agents", "related_agents", "related_activities", "registration")
FACTS = ("scaled", "success", "completion", "duration_s")


def record_id(tenant: str, statement_id: str) -> str:
    """The `_id` of a statement's record: unique over all tenants, and random, so that no shard takes all writes."""
    return f"{tenant}/{statement_id.lower()}"


@dataclass
class Prepared:
    """A statement ready to be stored: checked, completed but for `stored`, with all that its record says beside it.

    `sent` is the statement as it came: what is stored already is compared with that. `attachments` are the
    hashes of the data that came with it. `more_keys` are summaries that a void
    touches through its target, `voided_at` is the position of the void of this statement, where that was stored before it or
    comes with it. `inherited` are the look-up values of what it refers to, `awaits` is where that chain ends in nothing (`chains.py`).
    """

    tenant: str
    sent: Statement
    statement: Statement
    look_ups: LookUps
    keys: Sequence[str]
    attachments: Sequence[str] = ()
    more_keys: list[str] = field(default_factory=list)
    voided_at: int | None = None
    inherited: Mapping[str, Sequence[str]] = field(default_factory=dict)
    awaits: str | None = None

    @property
    def id(self) -> str:
        """The record's `_id`."""
        return record_id(self.tenant, self.statement["id"])

    def own(self) -> dict[str, list[str]]:
        """The look-up values it has by itself, each field as a list."""
        values = {name: getattr(self.look_ups, name) for name in CHAINED_FIELDS}
        return {name: [value] if isinstance(value, str) else list(value) for name, value in values.items() if value}

    def chained(self) -> dict[str, list[str]]:
        """The look-up values of itself and of what it refers to, its own first."""
        own = self.own()
        names = [name for name in CHAINED_FIELDS if name in own or name in self.inherited]
        return {name: list(dict.fromkeys([*own.get(name, ()), *self.inherited.get(name, ())])) for name in names}


def to_record(prepared: Prepared, position: int) -> RawBSONDocument:
    """The record at a position of the log, encoded once. Sets the statement's `stored`. Raises TooLarge, InvalidStatement.

    The statement is a native document, so that operators can read and aggregate it. What BSON cannot hold exactly (NUL in a key,
    integers over 64 bit, numbers finer than a double) is kept as JSON text instead.
    """
    prepared.statement["stored"] = format_stored(stored_us_of(position))
    document = {"_id": prepared.id, "tenant": prepared.tenant, "position": position, **_beside(prepared)}
    try:
        if not is_plain(prepared.statement):
            raise InvalidDocument("numbers that only text keeps")
        raw = bson.encode({**document, "statement": prepared.statement})
    except (InvalidDocument, OverflowError, UnicodeError):
        raw = bson.encode({**document, "text": _text(prepared.statement)})
    if len(raw) > LARGEST:
        raise TooLarge(f"statement {prepared.statement['id']} takes {len(raw)} bytes, more than {LARGEST}")
    return RawBSONDocument(raw)


def _text(statement: Statement) -> str:
    try:
        return dump(statement).decode()
    except (TypeError, ValueError, RecursionError) as error:  # it was never JSON, but made by code
        raise InvalidStatement("", f"cannot be written as JSON: {error}") from error


def _beside(prepared: Prepared) -> dict[str, Any]:
    fields = {name: _listed(getattr(prepared.look_ups, name)) for name in LOOK_UP_FIELDS}
    if prepared.look_ups.refs is not None:
        # Lists, as more may come in when what it refers to is stored later.
        fields |= prepared.chained()
    facts = {name: getattr(prepared.look_ups, name) for name in FACTS}
    facts["timestamp"] = _date(prepared.look_ups.timestamp_us)
    beside = {
        **fields,
        "keys": [*prepared.keys, *prepared.more_keys],
        "attachments": list(prepared.attachments),
        "voided": prepared.voided_at,
        "awaits": prepared.awaits,
        "facts": {name: value for name, value in facts.items() if value is not None},
    }
    return {name: value for name, value in beside.items() if value not in (None, [], {})}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, (tuple, frozenset, set)) else value


def _date(timestamp_us: int | None) -> datetime | None:
    try:
        return None if timestamp_us is None else EPOCH + timedelta(microseconds=timestamp_us)
    except OverflowError:  # "9999-12-31T23:59:59-10:00" is a timestamp, but in no year that a date can hold
        return None


def statement_of(record: Mapping[str, Any]) -> Statement:
    """The statement a record was made from, as JSON equal to what came in."""
    if "text" in record:
        return parse(record["text"])  # type: ignore[return-value]
    return record["statement"]  # type: ignore[no-any-return]


def statement_fields(statement: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields in which a record is to hold another statement, in the form in which it holds the one it has."""
    return {"text": _text(cast(Statement, statement))} if "text" in record else {"statement": statement}
