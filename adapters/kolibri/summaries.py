"""The logs of Kolibri as folds of statements. Pure.

Moments are µs since the epoch, times spent are seconds, progress is 0..1.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal
from typing import Any

from adapters.kolibri.attempts import Attempts, attempts_facets, attempts_keys, attempts_step
from adapters.kolibri.elsewhere import CONTENT_PATH, Elsewhere, told_elsewhere
from adapters.kolibri.facts import EXTENSION, LARGEST, Answer, QuizChange, Start, Update, facts_of, moment_of, plain
from adapters.kolibri.repeats import REPEAT
from lrs.materialize import Materializer
from lrs.xapi.types import Statement

# Wide enough for any sum of doubles of 0..1, so that `int` of it is right: ten times 0.1 is 1.
EXACT = Context(prec=1100)
LATEST_SESSIONS = 4


@dataclass(frozen=True)
class Session:
    """One visit. `id` is "" where there is none; `sequence` counts the calls of a visitor's session."""

    id: str = ""
    user: str | None = None
    content: str = ""
    channel: str | None = None
    kind: str = ""
    context: dict[str, str | int] = field(default_factory=dict)
    masterylog: str | None = None
    level: int | None = None
    start_us: int = 0
    end_us: int = 0
    progress: float = 0.0
    time_spent: float = 0.0
    sequence: int = 0


@dataclass(frozen=True)
class MasteryLog:
    """One try at an assessment. `correct` is the exact sum over its attempts, as decimals."""

    id: str
    level: int
    criterion: dict[str, Any]
    start_us: int
    end_us: int
    completion_us: int | None = None
    complete: bool = False
    time_spent: float = 0.0
    correct: Decimal = Decimal(0)
    attempts: int = 0

    @property
    def is_quiz(self) -> bool:
        """Quizzes and tests have negative levels, exercises positive ones."""
        return self.level < 0


@dataclass(frozen=True)
class ContentSummary:
    """A user and a content, with all tries at it. `sequence` is that of the last call folded; 0: no call yet.

    `sessions` are the latest few: an update of one of them need not be told by another summary that it is there. None:
    the content was never started here, though other systems may have told of it.
    """

    user: str = ""
    content: str = ""
    channel: str | None = None
    kind: str = ""
    start_us: int = 0
    end_us: int = 0
    completion_us: int | None = None
    progress: float = 0.0
    time_spent: float = 0.0
    extra_fields: dict[str, Any] = field(default_factory=dict)
    sequence: int = 0
    sessions: tuple[str, ...] = ()
    logs: tuple[MasteryLog, ...] = ()

    def log(self, log_id: str | None) -> MasteryLog | None:
        """The mastery log with this id."""
        return next((log for log in self.logs if log.id == log_id), None)


@dataclass(frozen=True)
class Quiz:
    """What coaches did to a quiz after it was provisioned: moment and change, in order."""

    changes: tuple[tuple[int, str], ...] = ()
    sequence: int = 0


def content_key(user: str, content: str) -> str:
    """The key of a content summary."""
    return f"{user}/{content}"


def advanced(old: float, fact: Update) -> float:
    """Progress after an update: rounded up to three decimals in IEEE doubles, as Kolibri does it, then cut to 0..1."""
    new = fact.progress if fact.progress is not None else old + (fact.progress_delta or 0.0)
    return max(0.0, min(1.0, math.ceil(new * 1000) / 1000))


def added_s(spent: float, more: float) -> float:
    """Seconds spent, kept finite."""
    return min(spent + more, LARGEST)


def session_keys(statement: Statement) -> Iterable[str]:
    """The session that a start or an update names."""
    fact = facts_of(statement, "start", "update")
    return [fact.session] if isinstance(fact, Start | Update) else []


def session_step(session: Session, statement: Statement) -> Session:
    """The session begins, or goes on with its own progress and time. What came before its start does not count."""
    match facts_of(statement):
        case Start() as fact if not session.id:
            moment_us = moment_of(statement)
            return Session(
                id=fact.session, user=fact.user, content=fact.content, channel=fact.channel, kind=fact.kind,
                context=fact.context, masterylog=fact.masterylog, level=fact.level,
                start_us=moment_us, end_us=moment_us, sequence=fact.sequence,
            )
        case Update() as fact if session.id:
            return replace(
                session, end_us=moment_of(statement), progress=advanced(session.progress, fact),
                time_spent=added_s(session.time_spent, fact.time_spent_delta),
                sequence=max(session.sequence, fact.sequence),
            )
    return session


def content_keys(statement: Statement) -> Iterable[str]:
    """The user and the content, of all that a learner who is logged in does, here or elsewhere."""
    fact = facts_of(statement, "start", "update", "interaction")
    if isinstance(fact, Start | Update | Answer):
        return [] if fact.user is None else [content_key(fact.user, fact.content)]
    told = told_elsewhere(statement)
    return [] if told is None else [content_key(told.user, told.content)]


def content_step(summary: ContentSummary, statement: Statement) -> ContentSummary:
    """One call more (a start or an update), or one of the interactions of an update."""
    match facts_of(statement):
        case Start() as fact:
            return _started(summary, fact, moment_of(statement))
        case Update() as fact if summary.sessions:
            return _updated(summary, fact, moment_of(statement))
        case Update() as fact:
            # Its start is voided. The number is taken all the same, or the next call would be stopped by it for ever.
            return replace(summary, sequence=max(summary.sequence, fact.sequence))
        case Answer() as fact:
            return _with_log(summary, _answered(summary.log(fact.masterylog), fact))
    told = told_elsewhere(statement)
    return summary if told is None else _told(summary, told, moment_of(statement))


def _told(summary: ContentSummary, told: Elsewhere, moment_us: int) -> ContentSummary:
    """Another system can only raise progress, and knows nothing of the tries: what completes those is a session here."""
    if not summary.content:
        summary = replace(summary, user=told.user, content=told.content, start_us=moment_us, end_us=moment_us)
    reached = told.progress >= 1 > summary.progress
    return replace(
        summary, progress=max(summary.progress, told.progress), end_us=max(summary.end_us, moment_us),
        completion_us=moment_us if reached else summary.completion_us,
        time_spent=added_s(summary.time_spent, told.time_spent),
    )


def _started(summary: ContentSummary, fact: Start, moment_us: int) -> ContentSummary:
    if not summary.content:
        summary = replace(summary, user=fact.user or "", content=fact.content, start_us=moment_us)
    logs = summary.logs
    if fact.masterylog is not None and fact.level is not None and summary.log(fact.masterylog) is None:
        logs = (*logs, MasteryLog(fact.masterylog, fact.level, plain(fact.criterion or {}), moment_us, moment_us))
    return replace(
        summary, channel=fact.channel, kind=summary.kind or fact.kind, end_us=moment_us, logs=logs,
        sequence=max(summary.sequence, fact.sequence), progress=0.0 if fact.repeat else summary.progress,
        sessions=(fact.session, *summary.sessions)[:LATEST_SESSIONS],
    )


def _updated(summary: ContentSummary, fact: Update, moment_us: int) -> ContentSummary:
    progress = advanced(summary.progress, fact)
    reached = progress >= 1 > summary.progress
    after = replace(
        summary, progress=progress, end_us=moment_us,
        completion_us=moment_us if reached else summary.completion_us,
        time_spent=added_s(summary.time_spent, fact.time_spent_delta),
        extra_fields=summary.extra_fields if fact.extra_fields is None else plain(fact.extra_fields),
        sequence=max(summary.sequence, fact.sequence),
    )
    log = summary.log(fact.masterylog)
    if log is None:
        return after
    if fact.time_spent_delta:
        log = replace(log, time_spent=added_s(log.time_spent, fact.time_spent_delta), end_us=moment_us)
    if progress >= 1 and not log.complete:
        log = replace(log, complete=True, completion_us=moment_us, end_us=moment_us)
    return _with_log(after, log)


def _answered(log: MasteryLog | None, fact: Answer) -> MasteryLog | None:
    if log is None:
        return None
    if fact.correct_before is None:
        return replace(log, attempts=log.attempts + 1, correct=EXACT.add(log.correct, _decimal(fact.correct)))
    if fact.replace:
        growth = EXACT.subtract(_decimal(fact.correct), _decimal(fact.correct_before))
        return replace(log, correct=EXACT.add(log.correct, growth))
    return log


def _decimal(number: float) -> Decimal:
    return Decimal(repr(float(number)))


def _with_log(summary: ContentSummary, changed: MasteryLog | None) -> ContentSummary:
    if changed is None:
        return summary
    return replace(summary, logs=tuple(changed if log.id == changed.id else log for log in summary.logs))


def content_facets(summary: ContentSummary) -> Mapping[str, Iterable[str]]:
    """What content summaries are listed by."""
    return {"user": [summary.user], "content": [summary.content], "kind": [summary.kind]}


def quiz_keys(statement: Statement) -> Iterable[str]:
    """The quiz a coach changed."""
    fact = facts_of(statement, "quiz")
    return [fact.quiz] if isinstance(fact, QuizChange) else []


def quiz_step(quiz: Quiz, statement: Statement) -> Quiz:
    """One change more."""
    fact = facts_of(statement)
    if not isinstance(fact, QuizChange):
        return quiz
    changes = (*quiz.changes, (moment_of(statement), fact.change))
    return Quiz(changes=changes, sequence=max(quiz.sequence, fact.sequence))


SESSION = Materializer("kolibri.session", 1, Session, session_keys, Session, session_step, marks=(EXTENSION,))
CONTENT_SUMMARY = Materializer(
    "kolibri.content_summary", 1, ContentSummary, content_keys, ContentSummary, content_step, content_facets,
    marks=(EXTENSION, CONTENT_PATH),
)
ATTEMPTS = Materializer(
    "kolibri.attempts", 1, Attempts, attempts_keys, Attempts, attempts_step, attempts_facets, marks=(EXTENSION,)
)
QUIZ = Materializer("kolibri.quiz", 1, Quiz, quiz_keys, Quiz, quiz_step, marks=(EXTENSION,))

MATERIALIZERS = (SESSION, CONTENT_SUMMARY, ATTEMPTS, QUIZ, REPEAT)
