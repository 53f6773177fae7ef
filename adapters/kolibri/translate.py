"""Native calls to statements. Pure.

Every statement of a call carries the native facts that summaries are folded from; what is said beside them (score,
duration, verbs such as completed) is for other readers. Ids come from the stream a call belongs to and its number
there, so that of two calls that want to be the same number the database takes one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import orjson

from adapters.kolibri.facts import EXTENSION, Answer, Fact, QuizChange, Start, Update, extension_of
from adapters.kolibri.mastery import NAMESPACE
from adapters.kolibri.summaries import ContentSummary, MasteryLog
from lrs.xapi import build, vocabulary
from lrs.xapi.times import format_stored
from lrs.xapi.types import Activity, Agent, Result, Statement

KIND_TYPES = {
    "video": vocabulary.VIDEO, "audio": vocabulary.AUDIO, "document": vocabulary.FILE, "slideshow": vocabulary.MEDIA,
    "exercise": vocabulary.ASSESSMENT, "quiz": vocabulary.ASSESSMENT, "topic": vocabulary.MODULE,
    "html5": vocabulary.INTERACTION, "h5p": vocabulary.INTERACTION, "zim": vocabulary.WEBPAGE,
}
CHANNEL_TYPE = "http://activitystrea.ms/collection"
SUBMITTED = "http://activitystrea.ms/submit"
CHANGE_VERBS = {
    "archived": "http://activitystrea.ms/archive", "deactivated": vocabulary.SUSPENDED, "activated": vocabulary.RESUMED,
}
DISPLAYS = {SUBMITTED: {"en": "submitted"}}
LONGEST_RESPONSE = 10_000
# The part of a call that all calls have: whoever stores it first has the number.
CALL = "call"


@dataclass(frozen=True)
class Call:
    """What all statements of one native call share.

    `settings` are those of the tenant, `moment_us` is when it came (µs since the epoch), `request` 32 hex digits of its
    own.
    """

    settings: Mapping[str, str]
    moment_us: int
    request: str

    @property
    def base(self) -> str:
        """What all minted IRIs begin with."""
        return self.settings["base_iri"]


@dataclass(frozen=True)
class Place:
    """Where in the tenant's data a call belongs: the session's identity, as its statements name it."""

    session: str
    user: str | None
    content: str
    kind: str
    channel: str | None
    context: Mapping[str, str | int]
    masterylog: str | None
    level: int | None

    @property
    def stream(self) -> Sequence[str]:
        """What the calls are numbered by: a learner's on a content, a visitor's in the session."""
        return ["session", self.session] if self.user is None else [self.user, self.content]

    @property
    def registration(self) -> str:
        """One for each try at an assessment, else for each user and content; a visitor's is the session."""
        if self.user is None:
            return str(UUID(self.session))
        if self.masterylog is not None:
            return str(UUID(self.masterylog))
        return build.uuid5_of(NAMESPACE, ["registration", self.user, self.content])

    def attempt_id(self, sequence: int, number: int) -> str:
        """The id of an attempt that begins with the run of this number in the call of this number."""
        return UUID(build.uuid5_of(NAMESPACE, [*self.stream, sequence, "attempt", number])).hex


def authority(settings: Mapping[str, str]) -> Agent:
    """Who vouches for the statements of this adapter: itself, on the tenant's Kolibri."""
    return build.account_actor(settings["home_page"], "kolibri")


def start_statements(call: Call, place: Place, fact: Start) -> list[Statement]:
    """A session began."""
    return [_statement(call, place, fact.sequence, CALL, vocabulary.INITIALIZED, fact)]


def update_statements(
    call: Call, place: Place, fact: Update, answers: Sequence[Answer], progress: float
) -> list[Statement]:
    """A session went on, to `progress` (0..1) after it: the update itself, then each of its interactions."""
    extensions: dict[str, Any] = {vocabulary.CMI5_PROGRESS: round(progress * 1000) // 10}
    if fact.progress_delta is not None:
        extensions[f"{call.base}/extensions/progress-delta"] = fact.progress_delta
    result: Result = {"extensions": extensions}
    if fact.time_spent_delta:
        result["duration"] = duration(fact.time_spent_delta)
    update = _statement(call, place, fact.sequence, CALL, vocabulary.PROGRESSED, fact, result=result)
    return [update, *(_answered(call, place, fact.sequence, number, answer) for number, answer in enumerate(answers))]


def milestone_statements(
    call: Call, place: Place, sequence: int, before: ContentSummary, after: ContentSummary
) -> list[Statement]:
    """What an update brought about: content completed, a level mastered, a quiz handed in. They count in no summary."""
    statements = []
    if after.progress >= 1 > before.progress:
        result: Result = {"completion": True, "duration": duration(after.time_spent)}
        statements.append(_statement(call, place, sequence, "completed", vocabulary.COMPLETED, None, result=result))
    log, log_before = after.log(place.masterylog), before.log(place.masterylog)
    if log is not None and log.complete and not (log_before and log_before.complete):
        statements.append(_ended(call, place, sequence, log))
    return statements


def quiz_statement(call: Call, fact: QuizChange) -> Statement:
    """A coach ended, closed or opened a quiz."""
    verb_iri = CHANGE_VERBS[fact.change]
    return {
        "id": build.uuid5_of(NAMESPACE, ["quiz", fact.quiz, fact.sequence]),
        "actor": build.account_actor(call.settings["home_page"], fact.user),
        "verb": build.verb(verb_iri, {"en": fact.change}),
        "object": build.activity(f"{call.base}/activities/kolibri/content/{fact.quiz}", KIND_TYPES["quiz"]),
        "context": {
            "platform": call.settings["platform"], "contextActivities": {"category": [_profile(call)]},
            "extensions": {call.base + EXTENSION: extension_of(fact)},
        },
        "timestamp": format_stored(call.moment_us),
    }


def duration(seconds: float) -> str:
    """Seconds as an ISO 8601 duration, to a hundredth: 12.5 -> "PT12.5S"."""
    text = f"{seconds:.2f}".rstrip("0").rstrip(".")
    return f"PT{text}S"


def actor_of(call: Call, place: Place) -> Agent:
    """The learner's account. A visitor has one for each session, on a home page that no user is on."""
    if place.user is None:
        return build.account_actor(f"{call.base}/anonymous", f"kolibri-{place.session}")
    return build.account_actor(call.settings["home_page"], place.user)


def _answered(call: Call, place: Place, sequence: int, number: int, fact: Answer) -> Statement:
    result: Result = {"duration": duration(fact.time_spent), "completion": fact.complete}
    if not fact.error and not fact.hinted:
        result["score"] = {"scaled": fact.correct}
        result["success"] = fact.correct >= 1
    response = _response(fact)
    if response is not None:
        result["response"] = response
    item_iri = f"{_content_iri(call, place)}/items/{quote(fact.item, safe='')}"
    question = build.activity(item_iri, vocabulary.QUESTION)
    return _statement(
        call, place, sequence, f"answered/{number}", vocabulary.ANSWERED, fact, result=result, question=question
    )


def _response(fact: Answer) -> str | None:
    """The answer as text: the simple one, else its JSON; the whole one is among the native facts."""
    if fact.simple_answer is not None:
        return fact.simple_answer[:LONGEST_RESPONSE]
    if fact.answer is None:
        return None
    return orjson.dumps(fact.answer, default=str).decode()[:LONGEST_RESPONSE]


def _ended(call: Call, place: Place, sequence: int, log: MasteryLog) -> Statement:
    """An exercise's level is mastered; a quiz is handed in, well or badly."""
    result: Result = {"completion": True, "duration": duration(log.time_spent)}
    if log.is_quiz:
        return _statement(call, place, sequence, "submitted", SUBMITTED, None, result=result)
    return _statement(call, place, sequence, "mastered", vocabulary.MASTERED, None, result={**result, "success": True})


def _statement(
    call: Call, place: Place, sequence: int, part: str, verb_iri: str, fact: Fact | None,
    *, result: Result | None = None, question: Activity | None = None,
) -> Statement:
    around: dict[str, Any] = {"category": [_profile(call)], "grouping": _grouping(call, place)}
    if question is not None:
        around["parent"] = [_content(call, place)]
    extensions: dict[str, Any] = {f"{call.base}/extensions/session": place.session}
    if fact is not None:
        extensions[call.base + EXTENSION] = extension_of(fact)
    statement: Statement = {
        "id": build.uuid5_of(NAMESPACE, [*place.stream, sequence, part]),
        "actor": actor_of(call, place),
        "verb": build.verb(verb_iri, DISPLAYS.get(verb_iri)),
        "object": question or _content(call, place),
        "context": {
            "registration": place.registration, "platform": call.settings["platform"],
            "language": call.settings["language"],
            "contextActivities": {name: each for name, each in around.items() if each},  # type: ignore[typeddict-item]
            "extensions": extensions,
        },
        "timestamp": format_stored(call.moment_us),
    }
    if result is not None:
        statement["result"] = result
    return statement


def _content_iri(call: Call, place: Place) -> str:
    return f"{call.base}/activities/kolibri/content/{place.content}"


def _content(call: Call, place: Place) -> Activity:
    return build.activity(_content_iri(call, place), KIND_TYPES.get(place.kind, vocabulary.RESOURCE))


def _profile(call: Call) -> Activity:
    return build.activity(f"{call.base}/profiles/kolibri", vocabulary.PROFILE)


def _grouping(call: Call, place: Place) -> list[Activity]:
    """The channel, and the lesson or course session in which the content is used: things one may want to query by."""
    named = (
        ("channels", place.channel, CHANNEL_TYPE),
        ("lessons", place.context.get("lesson_id"), vocabulary.LESSON),
        ("course-sessions", place.context.get("course_session_id"), vocabulary.COURSE),
    )
    return [
        build.activity(f"{call.base}/activities/kolibri/{path}/{name}", type_iri)
        for path, name, type_iri in named if name
    ]
