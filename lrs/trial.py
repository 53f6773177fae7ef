"""Trying an adapter on events, here and now: no server, no database, nothing stored."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from lrs.dead_letters import foreseen
from lrs.errors import ConfigurationError
from lrs.events import Outcome, Source, reason_of
from lrs.materialize import Materializer, fold
from lrs.native_bodies import texts_of
from lrs.plugins import Adapter, load_adapters, load_materializers
from lrs.store.native_events import Kept
from lrs.xapi.build import account_actor
from lrs.xapi.json_text import again, indented, parse
from lrs.xapi.prepare import prepare
from lrs.xapi.times import format_stored
from lrs.xapi.types import Statement

AUTHORITY = account_actor("https://learning-record-store.invalid/credentials", "trial")


@dataclass
class Trial:
    """What would become of events, and of the summaries that their statements belong to."""

    outcomes: Sequence[Outcome]
    summaries: dict[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether any event would be a dead letter."""
        return any(each.error is not None for each in self.outcomes)

    def lines(self) -> Iterator[str]:
        """For people to read: statements as JSON, errors with their place, summaries as they would be with these events alone."""
        for index, outcome in enumerate(self.outcomes):
            if outcome.error is not None:
                reason = reason_of(outcome.error)
                yield f"event {index}: {reason['kind']} at {reason['place'] or 'the whole'}: {reason['rule']} ({reason['code']})"
            for statement in outcome.statements:
                yield f"event {index}: statement {statement['id']}"
                yield indented(statement)
            for profile in outcome.profiles:
                yield f"event {index}: {profile.resource} profile {profile.profile_id}"
                yield indented(profile.content)
        for key, summary in sorted(self.summaries.items()):
            yield f"summary {key}"
            yield indented(again(summary))


def trial(name: str, body: bytes, settings: bytes) -> Trial:
    """Translate a body, as the generic door would take it, with an installed adapter. ConfigurationError, InvalidBody, InvalidEvent."""
    adapter = _adapter(name)
    try:
        loaded = adapter.settings().load(parse(settings))
    except ValidationError as error:
        raise ConfigurationError(f"settings: {error}") from error
    source = Source(adapter, "trial", loaded, AUTHORITY)
    now_us = time.time_ns() // 1000
    texts = texts_of(adapter, body, by_line=False)
    outcomes = [foreseen(source, Kept("trial", name, now_us + index, text)) for index, text in enumerate(texts)]
    statements = {each["id"]: _completed(each, now_us) for outcome in outcomes for each in outcome.statements}
    return Trial(outcomes, dict(_touched(load_materializers().values(), list(statements.values()))))


def _adapter(name: str) -> Adapter:
    installed = load_adapters()
    if name not in installed or installed[name].translate is None:
        able = ", ".join(sorted(each.name for each in installed.values() if each.translate is not None))
        raise ConfigurationError(f"no adapter {name} that translates events is installed; there are: {able}")
    return installed[name]


def _completed(statement: Statement, now_us: int) -> Statement:
    """The statement as the store would have it."""
    received = format_stored(now_us)
    complete = prepare(statement, authority=AUTHORITY, version="1.0.3", received=received, statement_id=statement["id"])
    complete["stored"] = received
    return complete


def _touched(materializers: Any, statements: Sequence[Statement]) -> Iterator[tuple[str, bytes]]:
    """Every summary the statements belong to, folded from them alone."""
    for materializer in materializers:
        by_key: dict[str, list[Any]] = {}
        for statement in statements:
            for key in materializer.keys(statement):
                by_key.setdefault(key, []).append(materializer.part(statement, key))
        for key, parts in by_key.items():
            yield materializer.record_key(key), _encoded(materializer, parts)


def _encoded(materializer: Materializer[Any], parts: Sequence[Any]) -> bytes:
    return materializer.encode(fold(materializer, parts))
