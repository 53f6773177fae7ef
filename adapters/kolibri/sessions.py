"""What a tracking call does, decided on the summaries it finds. Pure: statements and the native answer come out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from adapters.kolibri.attempts import Attempt, Attempts, answered
from adapters.kolibri.facts import Answer, Start, Update
from adapters.kolibri.mastery import COACHES_QUIZ, Try, content_of_test, refuse_if_handed_in, try_for, version_of_test
from adapters.kolibri.schema import Interaction, StartEvent, UpdateEvent
from adapters.kolibri.summaries import CONTENT_SUMMARY, ContentSummary, Session, advanced
from adapters.kolibri.translate import Call, Place, milestone_statements, start_statements, update_statements
from lrs.errors import LRSError
from lrs.materialize import fold
from lrs.xapi.types import Statement

CONTEXT = ("node_id", "quiz_id", "lesson_id", "course_session_id", "unit_id")


class NoSuchAttempt(LRSError):
    """An interaction names an attempt that is not in this try."""


@dataclass(frozen=True)
class Opening:
    """What a start opens: the content, and the criterion if it is an assessment."""

    content: str
    kind: str
    channel: str | None = None
    criterion: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Started:
    """The outcome of a start. `masterylog` is None for a visitor and for what is no assessment."""

    statements: Sequence[Statement]
    place: Place
    summary: ContentSummary
    criterion: Mapping[str, Any] | None


@dataclass(frozen=True)
class Updated:
    """The outcome of an update: whether the content is complete now, and the attempts touched, one for each run."""

    statements: Sequence[Statement]
    complete: bool
    attempts: Sequence[Attempt]


def opening(event: StartEvent, user: str | None) -> Opening:
    """What the event opens. A quiz or a test brings content id, kind and criterion with it, whatever else was sent."""
    if event.quiz_id is not None:
        return Opening(event.quiz_id, "quiz", criterion=COACHES_QUIZ)
    if event.unit_id is not None and event.course_session_id is not None and event.test_type is not None:
        parts = (event.course_session_id, event.unit_id, event.test_type)
        version = version_of_test(user or "", *parts)
        criterion = {"type": "pre_post_test", "version": version, "test_type": event.test_type}
        return Opening(content_of_test(*parts), "quiz", criterion=criterion)
    return Opening(event.content_id or "", event.kind or "", event.channel_id, event.criterion)


def started(
    call: Call, event: StartEvent, user: str | None, summary: ContentSummary, *, skipped: int = 0
) -> Started:
    """A start on the summary as it is now (that of a visitor is empty). Raises Closed.

    `skipped` are numbers of the stream that voided statements hold for ever.
    """
    opened = opening(event, user)
    attempt = _try(event, user, opened, summary)
    context: dict[str, str | int] = {
        name: value for name in CONTEXT if (value := getattr(event, name)) is not None
    }
    if attempt is not None:
        context["mastery_level"] = attempt.level
    place = Place(
        session=call.request, user=user, content=opened.content, kind=opened.kind, channel=opened.channel,
        context=context, masterylog=attempt.id if attempt else None, level=attempt.level if attempt else None,
    )
    criterion = attempt.criterion if attempt is not None else opened.criterion
    fact = Start(
        session=place.session, sequence=summary.sequence + 1 + skipped, request=call.request, content=place.content,
        kind=place.kind, user=user, channel=place.channel, context=context, masterylog=place.masterylog,
        level=place.level, criterion=dict(criterion) if criterion is not None else None, repeat=event.repeat,
    )
    statements = start_statements(call, place, fact)
    after = summary if user is None else fold(CONTENT_SUMMARY, statements, summary)
    return Started(statements, place, after, criterion)


def _try(event: StartEvent, user: str | None, opened: Opening, summary: ContentSummary) -> Try | None:
    if user is None or opened.criterion is None:
        return None
    return try_for(summary, user, opened.content, opened.criterion, again=event.repeat)


def updated(
    call: Call, event: UpdateEvent, session: Session, summary: ContentSummary, attempts: Attempts, *, skipped: int = 0
) -> Updated:
    """An update of a session, on its content's summary and (where they matter) its attempts as they are now.

    Raises Closed, NoSuchAttempt. Nothing is left behind if it does.
    """
    place = Place(
        session=session.id, user=session.user, content=session.content, kind=session.kind, channel=session.channel,
        context=session.context, masterylog=session.masterylog, level=session.level,
    )
    refuse_if_handed_in(summary, session.masterylog)
    sequence = (session.sequence if session.user is None else summary.sequence) + 1 + skipped
    fact = Update(
        session=session.id, sequence=sequence, request=call.request, content=session.content, user=session.user,
        masterylog=session.masterylog, progress_delta=event.progress_delta, progress=event.progress,
        time_spent_delta=event.time_spent_delta,
        extra_fields=dict(event.extra_fields) if event.extra_fields is not None else None,
    )
    answers, touched = interactions_answered(call, place, sequence, event.interactions or (), attempts)
    progress = advanced(session.progress if session.user is None else summary.progress, fact)
    statements = update_statements(call, place, fact, answers, progress)
    if session.user is not None and progress >= 1:
        # The verdict is the fold's: the same step that will make the summary says what this brought about.
        after = fold(CONTENT_SUMMARY, statements, summary)
        statements += milestone_statements(call, place, sequence, summary, after)
    return Updated(statements, progress >= 1, touched)


def interactions_answered(
    call: Call, place: Place, sequence: int, interactions: Iterable[Interaction], attempts: Attempts
) -> tuple[list[Answer], list[Attempt]]:
    """The facts of the interactions, and the attempt of each run of neighbours with one item, as the run leaves it.

    The first of a run decides which attempt it is: the one with its id, with `replace` the one on its item, else a new
    one.
    """
    facts: list[Answer] = []
    touched: list[Attempt] = []
    for number, (_, run) in enumerate(groupby(interactions, key=lambda each: each.item)):
        attempt_id = ""
        for interaction in run:
            attempt_id = attempt_id or _attempt_id(place, sequence, number, interaction, attempts)
            known = attempts.by_id(attempt_id)
            fact = _answer(place, interaction, attempt_id, known.correct if known else None)
            facts.append(fact)
            attempts = answered(attempts, fact, call.moment_us)
        changed = attempts.by_id(attempt_id)
        if changed is not None:
            touched.append(changed)
    return facts, touched


def needs_attempts(event: UpdateEvent) -> bool:
    """Whether it takes the earlier attempts to know where the interactions belong."""
    return any(each.id is not None or each.replace for each in event.interactions or ())


def _attempt_id(place: Place, sequence: int, number: int, first: Interaction, attempts: Attempts) -> str:
    if first.id is not None:
        if attempts.by_id(first.id) is None:
            raise NoSuchAttempt("Could not find the attempt to update")
        return first.id
    existing = attempts.latest_on(first.item) if first.replace else None
    return existing.id if existing is not None else place.attempt_id(sequence, number)


def _answer(place: Place, interaction: Interaction, attempt_id: str, correct_before: float | None) -> Answer:
    return Answer(
        session=place.session, content=place.content, attempt=attempt_id, user=place.user, masterylog=place.masterylog,
        level=place.level, item=interaction.item, correct=interaction.correct, time_spent=interaction.time_spent,
        complete=interaction.complete, answer=dict(interaction.answer) if interaction.answer is not None else None,
        simple_answer=interaction.simple_answer, error=interaction.error, hinted=interaction.hinted,
        replace=interaction.replace, correct_before=correct_before,
    )
