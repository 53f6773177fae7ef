"""What readers of the API's description need to know of the doors of native events, and of what became of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from lrs.http.dead_letters import KINDS, ReplaySchema, RetranslateSchema, RetrySchema
from lrs.http.native import DOOR, IMPORT
from lrs.http.told import ANYTHING, COUNT, MANAGE, TEXT, TIME, Json, Told, listed, record
from lrs.plugins import Adapter

REASON = record(kind={"type": "string", "enum": list(KINDS)}, place=TEXT, rule=TEXT, code=TEXT)
DEAD_LETTER = record(
    id=TEXT, adapter=TEXT, by=TEXT, received=TIME, request_id=TEXT, credential=TEXT, index=COUNT, tries=COUNT, outcome=TEXT, reason=REASON,
    body=TEXT,
)
REJECTED = record(index=COUNT, error=TEXT, place=TEXT, message=TEXT)
NOW: Json = {
    "type": "object", "required": ["outcome"],
    "properties": {"outcome": TEXT, "statements": listed(ANYTHING), "reason": REASON, "error": TEXT},
}
EVENTS: Json = {"type": "object", "additionalProperties": COUNT, "description": "how many events came to each end"}
REPLAYED = record(counts=EVENTS, changes=listed(ANYTHING))
LETTERS = f"{MANAGE}/dead-letters"
LETTER = f"{LETTERS}/{{adapter}}/{{received}}"


def events_of(adapters: Iterable[Adapter]) -> Mapping[str, Any]:
    """The events of whichever adapter it is."""
    return {"anyOf": [adapter.event for adapter in adapters if adapter.event is not None] or [ANYTHING]}


NATIVE_TOLD: Mapping[tuple[str, str], Told] = {
    ("POST", DOOR): Told(
        body=events_of, body_kinds=("application/json", "application/x-ndjson"),
        answers={200: record(stored=COUNT, duplicates=COUNT, rejected=listed(REJECTED)), 202: ANYTHING},
    ),
    ("GET", IMPORT): Told(answers={200: {"type": "object", "properties": {
        "import": TEXT, "state": TEXT, "done": COUNT, "total": COUNT, "events": EVENTS, "error": {"type": ["string", "null"]},
    }}}),
    ("POST", f"{LETTERS}/replay"): Told(body=ReplaySchema, body_needed=False, answers={200: REPLAYED, 202: ANYTHING}),
    ("POST", f"{MANAGE}/adapters/{{adapter}}/retranslate"): Told(
        body=RetranslateSchema, body_needed=False, answers={200: REPLAYED, 202: ANYTHING},
    ),
    ("GET", LETTERS): Told(
        query={"adapter": TEXT, "kind": {"type": "string", "enum": list(KINDS)}, "more": TEXT},
        answers={200: record(
            dead_letters=listed(DEAD_LETTER), counts=listed(record(adapter=TEXT, kind=TEXT, count=COUNT)),
            more={"type": ["string", "null"]},
        )},
    ),
    ("GET", f"{MANAGE}/native-events/{{statement}}"): Told(answers={200: record(native_events=listed(ANYTHING))}),
    ("GET", LETTER): Told(answers={200: DEAD_LETTER}),
    ("POST", f"{LETTER}/retry"): Told(body=RetrySchema, body_needed=False, answers={200: NOW}),
}
