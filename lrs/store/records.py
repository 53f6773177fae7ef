"""What MongoDB holds for a statement: its JSON text, and beside it all that it can be found by. And the statement back out of it.

The text is kept as it will be given back, but for `stored`, which the position says. Pages are joined from these texts without looking into
them. docs/decisions/0013-statements-are-kept-as-text.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

import bson
import msgspec
import orjson
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument

from lrs.errors import InvalidStatement, TooLarge
from lrs.materialize import Remembering
from lrs.store.couples import couples_of
from lrs.store.positions import stored_us_of
from lrs.xapi.json_text import dump, parse
from lrs.xapi.lookups import LookUps
from lrs.xapi.times import format_stored
from lrs.xapi.types import Statement

# MongoDB refuses documents over 16 MiB; some of that is the look-up fields'.
LARGEST = 15 * 1024 * 1024
# Those that a statement shares with whatever refers to it. xAPI 1.0.3, Communication 2.1.3.
CHAINED_FIELDS = ("verb", "activity", "agents", "related_agents", "related_activities", "registration")
# All of its own, and what is worth reporting on.
LOOKED_UP = (*CHAINED_FIELDS, "refs", "voids", "authority")
FACTS = ("scaled", "success", "completion", "duration_s")
# What a date of the driver's can hold: the years 1 to 9999.
FIRST_DATE_US, LAST_DATE_US = -62_135_596_800_000_000, 253_402_300_799_999_999
# A BSON document is its length, its elements and a zero; an int64 element is 0x12, its name, a zero and the number.
LENGTH, POSITION = Struct("<i"), Struct("<q")
POSITION_IS = b"\x12position\x00"


def record_id(tenant: str, statement_id: str) -> str:
    """The `_id` of a statement's record: unique over all tenants, and random, so that no shard takes all writes."""
    return f"{tenant}/{statement_id.lower()}"


@dataclass
class Prepared:
    """A statement ready to be stored: checked, completed but for `stored`, with all that its record says beside it.

    `sent` is the statement as it came: what is stored already is compared with that. `attachments` are the
    hashes of the data that came with it. `keyed` is the fingerprint of the materializers whose keys `keys` are, all there are of theirs.
    `more_keys` are summaries that a void touches through its target, `voided_at` is the position of the void of this statement, where that
    was stored before it or comes with it. `inherited` are the look-up values of what it refers to, `awaits` is where that chain ends in
    nothing (`chains.py`).
    """

    tenant: str
    sent: Statement
    statement: Statement
    look_ups: LookUps
    keys: Sequence[str] = ()
    attachments: Sequence[str] = ()
    keyed: str | None = None
    more_keys: list[str] = field(default_factory=list)
    voided_at: int | None = None
    inherited: Mapping[str, Sequence[str]] = field(default_factory=dict)
    awaits: str | None = None
    # The record's `_id`, and the statement as `text_of` writes it.
    id: str = field(init=False)
    text: str | bytes = field(init=False)
    _made: bytes | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.id = record_id(self.tenant, self.statement["id"])
        self.text = text_of(self.statement)

    @property
    def elements(self) -> bytes:
        """The record without its position, as BSON elements, if the log adds nothing to it. Raises TooLarge, InvalidStatement.

        Made before the write, so that nothing is encoded while others wait for a transaction.
        """
        if self._made is None:
            self._made = _elements(self)
        return self._made

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
    """The record at a position of the log. Raises TooLarge, InvalidStatement."""
    from_the_log = prepared.more_keys or prepared.voided_at is not None or prepared.inherited or prepared.awaits is not None
    elements = _elements(prepared) if from_the_log else prepared.elements
    size = LENGTH.size + len(elements) + len(POSITION_IS) + POSITION.size + 1
    return RawBSONDocument(b"".join((LENGTH.pack(size), elements, POSITION_IS, POSITION.pack(position), b"\x00")))


def _elements(prepared: Prepared) -> bytes:
    elements = bson.encode({"_id": prepared.id, "tenant": prepared.tenant, **_beside(prepared), "text": prepared.text})[LENGTH.size:-1]
    if len(elements) > LARGEST:
        raise TooLarge(f"statement {prepared.statement['id']} takes {len(elements)} bytes, more than {LARGEST}")
    return elements


def _beside(prepared: Prepared) -> dict[str, Any]:
    """What stands beside the text: nothing that is empty."""
    own = prepared.look_ups
    beside: dict[str, Any] = {name: value for name in LOOKED_UP if (value := getattr(own, name))}
    if own.refs:
        # Lists, as more may come in when what it refers to is stored later.
        beside |= prepared.chained()
    of_the_log: dict[str, Any] = {
        "keys": [*prepared.keys, *prepared.more_keys], "keyed": prepared.keyed, "couples": couples_of(beside),
        "attachments": prepared.attachments, "voided": prepared.voided_at, "awaits": prepared.awaits, "facts": _facts(own),
    }
    return beside | {name: value for name, value in of_the_log.items() if value}


def _facts(own: LookUps) -> dict[str, Any]:
    facts = {name: value for name in FACTS if (value := getattr(own, name)) is not None}
    # "9999-12-31T23:59:59-10:00" is a timestamp, but in no year that a date can hold.
    if own.timestamp_us is not None and FIRST_DATE_US <= own.timestamp_us <= LAST_DATE_US:
        facts["timestamp"] = DatetimeMS(own.timestamp_us // 1000)
    return facts


class Stored(msgspec.Struct, frozen=True):
    """What the log holds: a statement's text, without `stored`, and its position, which says that."""

    body: str | bytes
    position: int

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Stored":
        """What a record holds; it needs `text` and `position`."""
        # A plain int: what the driver gives is a subclass that encoders do not know.
        return cls(record["text"], int(record["position"]))

    @property
    def stored(self) -> str:
        """The time it was stored, as text."""
        return format_stored(stored_us_of(self.position))

    @property
    def text(self) -> bytes:
        """The statement as it is given back, as JSON."""
        body, stored = self.body, self.stored
        if isinstance(body, str):
            return f'{body[:-1]},"stored":"{stored}"}}'.encode()
        return b'%b,"stored":"%b"}' % (body[:-1], stored.encode())

    @property
    def statement(self) -> Statement:
        """The same as a value, equal to what came in."""
        statement: Statement = orjson.loads(self.body) if isinstance(self.body, str) else parse(self.body)
        statement["stored"] = self.stored
        return statement


def statement_of(record: Mapping[str, Any]) -> Statement:
    """The statement a record was made from, as JSON equal to what came in."""
    return Stored.of(record).statement


def statement_once(record: dict[str, Any]) -> Statement:
    """The same, remembered beside the record, which is only read: whoever folds asks for it once for each of its keys."""
    if "parsed" not in record:
        record["parsed"] = Remembering(statement_of(record))
    return record["parsed"]  # type: ignore[no-any-return]


def text_of(statement: Mapping[str, Any]) -> str | bytes:
    """The JSON of a statement: a string, or bytes if it has numbers that only text keeps, so that readers know where to take care.

    Raises InvalidStatement.
    """
    try:
        return orjson.dumps(statement).decode()
    except orjson.JSONEncodeError:
        pass
    try:
        return dump(statement)
    except (TypeError, ValueError, RecursionError) as error:  # it was never JSON, but made by code
        raise InvalidStatement("", f"cannot be written as JSON: {error}") from error
