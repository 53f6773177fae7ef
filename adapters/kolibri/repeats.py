"""Updates that come twice: a device sends one again, with the same `Idempotency-Key`, when it heard no answer. Pure.

The first such update carries the key, a digest of its body and its answer in its own statement. Whoever comes again is
answered out of it, whatever process they meet and however much later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from adapters.kolibri.facts import EXTENSION, Update, facts_of, plain
from lrs.materialize import Materializer
from lrs.xapi.types import Statement


@dataclass(frozen=True)
class Repeat:
    """What was answered to an update with a key, and a digest of what it said. None: there was no such update."""

    body: str = ""
    answer: dict[str, Any] | None = None


def repeat_key(session: str, idempotency_key: str) -> str:
    """32 hex digits for the key that a device chose, which counts within a session."""
    return sha256(f"{session}/{idempotency_key}".encode(errors="replace")).hexdigest()[:32]


def digest_of(event: object) -> str:
    """32 hex digits of a loaded event, equal for events that say the same."""
    return sha256(msgspec.json.encode(event, order="sorted")).hexdigest()[:32]


def remembering(
    statements: Sequence[Statement], base: str, key: str, body: str, answer: Mapping[str, Any]
) -> list[Statement]:
    """The statements of an update, of which the first now carries its key, digest and answer."""
    first = statements[0]
    context = first["context"]
    extensions = context["extensions"]
    fact = {**extensions[base + EXTENSION], "key": key, "body": body, "answer": dict(answer)}
    told: Statement = {**first, "context": {**context, "extensions": {**extensions, base + EXTENSION: fact}}}
    return [told, *statements[1:]]


def repeat_keys(statement: Statement) -> Iterable[str]:
    """The key an update came with."""
    fact = facts_of(statement, "update")
    return [fact.key] if isinstance(fact, Update) and fact.key is not None else []


def repeat_step(repeat: Repeat, statement: Statement) -> Repeat:
    """The first answer stands."""
    fact = facts_of(statement, "update")
    if repeat.answer is None and isinstance(fact, Update) and fact.answer is not None:
        return Repeat(fact.body or "", plain(fact.answer))
    return repeat


REPEAT = Materializer("kolibri.repeat", 1, Repeat, repeat_keys, Repeat, repeat_step, marks=(EXTENSION,))
