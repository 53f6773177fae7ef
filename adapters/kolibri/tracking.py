"""The two calls that track, and a coach's word on a quiz.

A call reads, decides, and stores its statements under the next number of its stream; if somebody else has taken the
number, it reads and decides again. So every decision rests on all calls before it, whatever process they came to.
"""

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

from aiohttp import web
from marshmallow import ValidationError

from adapters.kolibri.answers import start_answer, update_answer
from adapters.kolibri.attempts import Attempts
from adapters.kolibri.facts import QuizChange, QuizWord
from adapters.kolibri.fields import Fault, hex_of, load
from adapters.kolibri.kept import ASKER, BODY, TOLD, kept_first
from adapters.kolibri.login import ADAPTER, Asker, known_to
from adapters.kolibri.mastery import as_coaches_left_it, is_active
from adapters.kolibri.refusals import Busy, NotAssigned, json_answer, native
from adapters.kolibri.repeats import REPEAT, Repeat, digest_of, remembering, repeat_key
from adapters.kolibri.schema import UpdateEvent, quiz_change_schema, start_event, update_event
from adapters.kolibri.sessions import Started, needs_attempts, opening, started, updated
from adapters.kolibri.summaries import (
    ATTEMPTS,
    CONTENT_SUMMARY,
    QUIZ,
    SESSION,
    ContentSummary,
    Quiz,
    Session,
    content_key,
)
from adapters.kolibri.translate import Call, authority, quiz_statement
from lrs.errors import Forbidden, NotFound, StatementConflict
from lrs.http.keys import ADAPTERS, CLOCK, DIRECTORY, INTAKE, STATEMENTS, SUMMARIES
from lrs.materialize import fold
from lrs.xapi.times import parse_timestamp
from lrs.xapi.types import Statement

IDEMPOTENCY_KEY = "Idempotency-Key"
MOST_TRIES = 20
LONGEST_PAUSE_S = 0.02


class Outcome(Protocol):
    """What a call decided: the statements to store."""

    @property
    def statements(self) -> Sequence[Statement]:
        """In the order they are to be folded."""


@dataclass(frozen=True)
class Answered:
    """The outcome of an update; one that came before with the same key stores nothing and has the answer of then."""

    statements: Sequence[Statement]
    answer: Mapping[str, Any]


@dataclass(frozen=True)
class Changed:
    """The outcome of a coach's word."""

    statements: Sequence[Statement]


Decided = TypeVar("Decided", bound=Outcome)
Decide: TypeAlias = Callable[[int], Awaitable[Decided]]


@native("Progress Tracking List")
@kept_first
async def post_start(request: web.Request) -> web.StreamResponse:
    """Open a session."""
    asker, event = request[ASKER], start_event(request[BODY])
    if event.quiz_id is not None:
        await _require_quiz(request, asker, event.quiz_id)
    _require_given(asker, "lesson", event.lesson_id)
    _require_given(asker, "course_session", event.course_session_id)
    # Its number becomes the session's id, which is all a visitor needs to go on: it must not be guessed.
    call = await _call(request, asker, uuid.uuid4().hex)
    content = opening(event, asker.user).content

    async def decide(skipped: int) -> Started:
        summary = ContentSummary()
        if asker.user is not None:
            summary = await _summary(request, asker.tenant, asker.user, content, event.quiz_id)
        return started(call, event, asker.user, summary, skipped=skipped)

    outcome = await _stored(request, asker, call, content_key(asker.user or call.request, content), decide)
    session = fold(SESSION, outcome.statements)
    known_to(request).sessions.put((asker.tenant, asker.user, session.id), session, request.config_dict[CLOCK]())
    return json_answer(await _start_answer(request, asker.tenant, outcome))


@native("Progress Tracking Instance")
@kept_first
async def put_update(request: web.Request) -> web.StreamResponse:
    """Go on with a session."""
    asker, event = request[ASKER], update_event(request[BODY])
    session = await _known_session(request, asker)
    quiz_id = session.context.get("quiz_id")
    if isinstance(quiz_id, str):
        await _require_quiz(request, asker, quiz_id)
    call = await _call(request, asker, f"{random.getrandbits(128):032x}")

    async def decide(skipped: int) -> Answered:
        now, summary = session, ContentSummary()
        if session.user is not None:
            summary = await _summary(request, asker.tenant, session.user, session.content, quiz_id)
        # Whatever numbers the calls is read before all else, and again for each try; for a visitor, the session.
        if session.id not in summary.sessions:
            now = await _session(request, asker)
        repeat = await _repeat(request, asker.tenant, session)
        if repeat is not None and repeat.answer is not None:
            return _again(event, repeat)
        attempts = await _attempts(request, asker.tenant, event, session)
        outcome = updated(call, event, now, summary, attempts, skipped=skipped)
        answer = update_answer(outcome, with_attempts=event.interactions is not None)
        if repeat is None:
            return Answered(outcome.statements, answer)
        key = _repeat_key(request, session)
        return Answered(remembering(outcome.statements, call.base, key, digest_of(event), answer), answer)

    outcome = await _stored(request, asker, call, content_key(session.user or session.id, session.content), decide)
    return json_answer(outcome.answer)


@native("Exam Instance")
@kept_first
async def patch_quiz(request: web.Request) -> web.StreamResponse:
    """A coach ends ("archive") a quiz, or opens or closes it ("active"). Kolibri's own path and names."""
    asker, quiz_id = request[ASKER], hex_of(request.match_info["quiz_id"])
    wanted = load(quiz_change_schema(), request[BODY])
    provisioned = asker.world.quiz(quiz_id) if quiz_id is not None else None
    if provisioned is None or quiz_id is None:
        raise NotFound("no such quiz")
    if asker.user is None or not asker.world.may_lead(asker.user, provisioned):
        raise Forbidden("not a coach of this quiz")
    call, user = await _call(request, asker, uuid.uuid4().hex), asker.user
    changes: list[QuizWord] = [] if "active" not in wanted else ["activated" if wanted["active"] else "deactivated"]
    if wanted.get("archive"):
        changes.append("archived")

    async def decide(skipped: int) -> Changed:
        quiz = await request.config_dict[SUMMARIES].current(asker.tenant, QUIZ, quiz_id)
        first = quiz.sequence + 1 + skipped
        return Changed([
            quiz_statement(call, QuizChange(quiz_id, first + number, call.request, user, change))
            for number, change in enumerate(changes)
        ])

    await _stored(request, asker, call, quiz_id, decide)
    return json_answer({"id": quiz_id, "title": provisioned["title"]} | wanted)


# By the application's Intake: whose turn it is in a stream, as long as somebody waits for it.
TURNS: WeakKeyDictionary[Any, WeakValueDictionary[str, asyncio.Lock]] = WeakKeyDictionary()


async def _stored(request: web.Request, asker: Asker, call: Call, stream: str, decide: Decide[Decided]) -> Decided:
    """Decide and store. Raises Busy if others are first again and again.

    Calls of one stream that meet in this process take turns, which only spares tries: the database decides.
    """
    turns = TURNS.setdefault(request.config_dict[INTAKE], WeakValueDictionary())
    turn = turns.setdefault(f"{asker.tenant}/{stream}", asyncio.Lock())
    async with turn:
        return await _decided_and_stored(request, asker.tenant, call, decide)


async def _decided_and_stored(request: web.Request, tenant: str, call: Call, decide: Decide[Decided]) -> Decided:
    """Decide and store, until nobody else was first.

    `decide` is told how many numbers of its stream to pass over: a voided statement keeps its id for ever, though it
    counts no more.
    """
    tries = skipped = 0
    while tries < MOST_TRIES:
        outcome = await decide(skipped)
        try:
            await request.config_dict[INTAKE].accept(
                outcome.statements, tenant=tenant, authority=authority(call.settings)
            )
            request[TOLD] = outcome.statements
            return outcome
        except StatementConflict as conflict:
            if await _is_voided(request, tenant, conflict.ids):
                skipped += 1
                continue
        tries, skipped = tries + 1, 0
        await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_S))
    raise Busy("too many calls for the same learner and content at once")


async def _is_voided(request: web.Request, tenant: str, ids: Sequence[str]) -> bool:
    statements = request.config_dict[STATEMENTS]
    for statement_id in ids:
        if await statements.get(tenant, statement_id, voided=True) is not None:
            return True
    return False


async def _call(request: web.Request, asker: Asker, number: str) -> Call:
    """The call: one moment and one number for all that it stores."""
    settings = await request.config_dict[DIRECTORY].settings(asker.tenant, request.config_dict[ADAPTERS][ADAPTER])
    moment = request.config_dict[CLOCK]()
    return Call(settings, parse_timestamp(moment.isoformat()), number)


async def _known_session(request: web.Request, asker: Asker) -> Session:
    """The session of the path as it began. What is remembered of it never changes; but it may be voided by now."""
    known, now = known_to(request).sessions, request.config_dict[CLOCK]()
    key = asker.tenant, asker.user, hex_of(request.match_info["session_id"])
    session: Session | None = known.get(key, now)
    if session is None:
        session = await _session(request, asker)
        known.put(key, session, now)
    return session


async def _session(request: web.Request, asker: Asker) -> Session:
    """The session of the path; NotFound unless it is the asker's own, or a visitor's and the asker is one."""
    session_id = hex_of(request.match_info["session_id"])
    if session_id is not None:
        session = await request.config_dict[SUMMARIES].current(asker.tenant, SESSION, session_id)
        if session.id and session.user == asker.user:
            return session
    raise NotFound("no such session")


async def _summary(
    request: web.Request, tenant: str, user: str, content: str, quiz_id: str | int | None
) -> ContentSummary:
    """The summary of a user and a content; of a coach's quiz, as coaches left it."""
    summaries = request.config_dict[SUMMARIES]
    reading = summaries.current(tenant, CONTENT_SUMMARY, content_key(user, content))
    if quiz_id is None:
        return await reading
    summary, quiz = await asyncio.gather(reading, summaries.current(tenant, QUIZ, content))
    return as_coaches_left_it(summary, quiz)


async def _attempts(request: web.Request, tenant: str, event: UpdateEvent, session: Session) -> Attempts:
    if not needs_attempts(event):
        return Attempts()
    return await request.config_dict[SUMMARIES].current(tenant, ATTEMPTS, session.masterylog or session.id)


def _repeat_key(request: web.Request, session: Session) -> str:
    return repeat_key(session.id, request.headers[IDEMPOTENCY_KEY].strip())


async def _repeat(request: web.Request, tenant: str, session: Session) -> Repeat | None:
    """What was answered to an update with the key of this one; None if it has no key."""
    if not request.headers.get(IDEMPOTENCY_KEY, "").strip():
        return None
    return await request.config_dict[SUMMARIES].current(tenant, REPEAT, _repeat_key(request, session))


def _again(event: UpdateEvent, repeat: Repeat) -> Answered:
    """The answer of then. ValidationError if the key was used for something else."""
    if repeat.body != digest_of(event):
        raise ValidationError({IDEMPOTENCY_KEY: [Fault("INVALID", "This key came with another update before.")]})
    return Answered((), repeat.answer or {})


async def _start_answer(request: web.Request, tenant: str, outcome: Started) -> object:
    log = outcome.summary.log(outcome.place.masterylog)
    attempts = Attempts()
    if log is not None and log.attempts:
        attempts = await request.config_dict[SUMMARIES].current(tenant, ATTEMPTS, log.id)
    return start_answer(outcome, attempts)


async def _require_quiz(request: web.Request, asker: Asker, quiz_id: str) -> None:
    """Forbidden unless the quiz is open and given to the asker."""
    quiz = asker.world.quiz(quiz_id)
    if quiz is None or asker.user is None or not asker.world.is_given("quiz", quiz_id, asker.user):
        raise Forbidden("this quiz is not given to you")
    left: Quiz = await request.config_dict[SUMMARIES].current(asker.tenant, QUIZ, quiz_id)
    if not is_active(quiz["active"], left):
        raise Forbidden("this quiz is not active")


def _require_given(asker: Asker, kind: str, thing_id: str | None) -> None:
    """Forbidden to visitors, NotAssigned unless the lesson or course session is given to the asker."""
    if thing_id is None:
        return
    if asker.user is None:
        raise Forbidden("for members only")
    if not asker.world.is_given(kind, thing_id, asker.user):
        raise NotAssigned(f"this {kind.replace('_', ' ')} is not assigned to you")
