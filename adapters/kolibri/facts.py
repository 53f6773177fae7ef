"""What a native call says, as its statements carry it: one object in the extension `{base}/extensions/kolibri`.

All summaries are folded from these facts and the statement's timestamp, and from nothing else. A statement that has no
such extension, or a malformed one, is simply not ours.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from lrs.xapi.times import parse_timestamp
from lrs.xapi.types import Statement

EXTENSION = "/extensions/kolibri"
LARGEST = 1.7976931348623157e308
INT64 = range(-(1 << 63), 1 << 63)

Id: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=LARGEST)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Sequence: TypeAlias = Annotated[int, Meta(ge=1, le=1 << 53)]
QuizWord: TypeAlias = Literal["archived", "deactivated", "activated"]
Level: TypeAlias = Annotated[int, Meta(ge=-(1 << 31), lt=1 << 31)]


class Start(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="event", tag="start"):
    """A session began. `user` is None for a visitor; `request` tells two calls apart that are otherwise equal.

    `sequence` counts the calls of a stream: of a user on a content, or of a visitor's session. `criterion` is that of
    the mastery log the session belongs to (for a visitor the one sent).
    """

    session: Id
    sequence: Sequence
    request: Id
    content: Id
    kind: str
    user: Id | None = None
    channel: Id | None = None
    context: dict[str, str | int] = {}
    masterylog: Id | None = None
    level: Level | None = None
    criterion: dict[str, Any] | None = None
    repeat: bool = False


class Update(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="event", tag="update"):
    """A session went on: progress by a delta or to a value (0..1), seconds to add, `extra_fields` as a whole.

    Only an update that may come again has `key`, with a digest of its body and the answer to repeat.
    """

    session: Id
    sequence: Sequence
    request: Id
    content: Id
    user: Id | None = None
    masterylog: Id | None = None
    progress_delta: Share | None = None
    progress: Share | None = None
    time_spent_delta: Seconds = 0.0
    extra_fields: dict[str, Any] | None = None
    key: Id | None = None
    body: Id | None = None
    answer: dict[str, Any] | None = None


class Answer(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="event", tag="interaction"):
    """One interaction with a question, as it was sent, and the attempt it belongs to.

    `correct_before` is what the attempt had until then (None: it begins here), so that the number of correct answers of
    a mastery log can be kept without its attempts.
    """

    session: Id
    content: Id
    attempt: Id
    item: str
    correct: Share
    time_spent: Seconds
    user: Id | None = None
    masterylog: Id | None = None
    level: Level | None = None
    complete: bool = False
    answer: dict[str, Any] | None = None
    simple_answer: str | None = None
    error: bool = False
    hinted: bool = False
    replace: bool = False
    correct_before: Share | None = None


class QuizChange(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="event", tag="quiz"):
    """A coach ended ("archived"), closed ("deactivated") or opened ("activated") a quiz for all learners."""

    quiz: Id
    sequence: Sequence
    request: Id
    user: Id
    change: QuizWord


Fact: TypeAlias = Start | Update | Answer | QuizChange


def facts_of(statement: Statement, *events: str) -> Fact | None:
    """The native facts of a statement; None if it carries none, whatever else it may be, or none of these events."""
    context = statement.get("context")
    extensions = context.get("extensions") if context is not None else None
    for iri, value in (extensions or {}).items():
        if iri.endswith(EXTENSION):
            # A look at the tag spares most of the reading: every statement is offered to every materializer.
            if events and isinstance(value, Mapping) and value.get("event") not in events:
                return None
            return _converted(value) or _converted(plain(value))
    return None


def _converted(value: Any) -> Fact | None:
    """The facts in an extension. What is open there, such as an answer, is as it came: who keeps it makes it plain."""
    try:
        fact: Fact = msgspec.convert(value, Fact)
    except msgspec.ValidationError:
        return None
    return fact


def extension_of(fact: Fact) -> dict[str, Any]:
    """The fact as it stands in the extension; what has its default is left out."""
    built: dict[str, Any] = msgspec.to_builtins(fact)
    return built


def moment_of(statement: Statement) -> int:
    """When the call came, in µs since the epoch."""
    return parse_timestamp(statement["timestamp"])


def plain(value: Any) -> Any:
    """The same JSON with plain numbers: integers over 64 bits become doubles, and all are finite."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int) and value in INT64:
        return int(value)
    return _finite(value)


def _finite(number: Any) -> float:
    try:
        as_double = float(number)
    except OverflowError:
        return LARGEST if number > 0 else -LARGEST
    # The order of the arguments turns what is no number into the lower bound.
    return min(LARGEST, max(-LARGEST, as_double))
