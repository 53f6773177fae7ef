"""Tries at assessments: which one goes on, when a new one begins, what a coach's quiz allows. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import md5, sha256
from typing import Any
from uuid import UUID, uuid5

from adapters.kolibri.attempts import Attempt, Attempts
from adapters.kolibri.summaries import ContentSummary, MasteryLog, Quiz
from lrs.errors import Forbidden
from lrs.xapi.build import uuid5_of

# Statement and log ids do not depend on settings: while `base_iri` changes, two calls could else take one number.
NAMESPACE = UUID("3f49419d-4582-5b90-966d-e590cf184ab4")
# Content ids of unit tests are made as Kolibri makes them, so that clients which know them find the logs.
TESTS = UUID("7c9e4b1a-3d5f-4a8e-9c2b-6d0e1f2a3b4c")
QUIZ_TYPES = frozenset({"quiz", "pre_post_test"})
COACHES_QUIZ: Mapping[str, Any] = {"type": "quiz", "coach_assigned": True}
FEW_ATTEMPTS = 10


class Closed(Forbidden):
    """The try at a coach's quiz is handed in or ended: it takes nothing more."""

    def __init__(self) -> None:
        super().__init__("this quiz is handed in")


@dataclass(frozen=True)
class Try:
    """The mastery log a start belongs to: its identity and criterion, and whether it begins now."""

    id: str
    level: int
    criterion: Mapping[str, Any]
    is_new: bool


def is_coaches_quiz(criterion: Mapping[str, Any]) -> bool:
    """Whether a criterion is that of a quiz which a coach gave."""
    return criterion.get("type") in QUIZ_TYPES and bool(criterion.get("coach_assigned"))


def as_coaches_left_it(summary: ContentSummary, quiz: Quiz) -> ContentSummary:
    """The summary with what coaches did to the quiz.

    Archiving completes the tries begun by then and leaves their completion time alone; deactivating gives those that
    have no completion time its own, and completes nothing.
    """
    if not quiz.changes or not summary.logs:
        return summary
    return replace(summary, logs=tuple(
        _as_coaches_left_it(log, quiz) if is_coaches_quiz(log.criterion) else log for log in summary.logs
    ))


def _as_coaches_left_it(log: MasteryLog, quiz: Quiz) -> MasteryLog:
    since = [(moment_us, change) for moment_us, change in quiz.changes if moment_us >= log.start_us]
    ended = any(change == "archived" for _, change in since)
    closed_us = next((moment_us for moment_us, change in since if change == "deactivated"), None)
    return replace(
        log, complete=log.complete or ended,
        completion_us=closed_us if log.completion_us is None else log.completion_us,
    )


def is_active(provisioned: bool, quiz: Quiz) -> bool:
    """Whether a quiz is open: the last word of a coach goes before what was provisioned."""
    last = next((change for _, change in reversed(quiz.changes) if change != "archived"), None)
    return provisioned if last is None else last == "activated"


def try_for(summary: ContentSummary, user: str, content: str, criterion: Mapping[str, Any], *, again: bool) -> Try:
    """The try a start goes on with, or the new one it begins. Raises Closed for one that is handed in.

    Only tries of the same sort count, incomplete ones before others, then those with the latest end.
    """
    is_quiz = criterion.get("type") in QUIZ_TYPES
    same_sort = [log for log in summary.logs if log.is_quiz == is_quiz]
    current = min(same_sort, key=lambda log: (log.complete, -log.end_us), default=None)
    if current is None or (current.complete and again):
        level = _quiz_level(summary, user, content) if is_quiz else 1 if current is None else current.level + 1
        return Try(masterylog_id(user, content, level), level, criterion, True)
    if current.complete and is_coaches_quiz(current.criterion):
        raise Closed
    return Try(current.id, current.level, current.criterion, False)


def refuse_if_handed_in(summary: ContentSummary, log_id: str | None) -> None:
    """Raise Closed if an update would go to a coach's quiz that is complete already."""
    log = summary.log(log_id)
    if log is not None and log.complete and is_coaches_quiz(log.criterion):
        raise Closed


def masterylog_id(user: str, content: str, level: int) -> str:
    """The id of a try, which is the registration of its statements, too."""
    return UUID(uuid5_of(NAMESPACE, ["masterylog", user, content, level])).hex


def _quiz_level(summary: ContentSummary, user: str, content: str) -> int:
    """A negative 32-bit integer, a digest of the user, the content and the number of the try."""
    taken = {log.level for log in summary.logs}
    number = 1 + sum(log.is_quiz for log in summary.logs)
    while True:
        digest = sha256(f"{user}/{content}/{number}".encode()).digest()
        level = -1 - (int.from_bytes(digest[:4], "big") >> 1)
        if level not in taken:
            return level
        number += 1


def version_of_test(user: str, course_session: str, unit: str, test_type: str) -> str:
    """"A" or "B": the pre test's by the parity of a digest, the post test's is the other one."""
    digest = md5(f"{user}:{course_session}:{unit}".encode(), usedforsecurity=False).hexdigest()
    is_even = int(digest[-1], 16) % 2 == 0
    return "A" if is_even == (test_type == "pre") else "B"


def content_of_test(course_session: str, unit: str, test_type: str) -> str:
    """The content id of a unit's pre or post test."""
    return uuid5(TESTS, f"{course_session}:{unit}:{test_type}").hex


def past_attempts(attempts: Attempts, criterion: Mapping[str, Any]) -> Sequence[Attempt]:
    """The attempts a start reports, latest start first; how many depends on the stored criterion."""
    by_start = sorted(attempts.entries, key=lambda entry: entry.start_us)
    return by_start[::-1][:_reported(criterion)]


def _reported(criterion: Mapping[str, Any]) -> int | None:
    kind = str(criterion.get("type"))
    if kind in QUIZ_TYPES:
        return None
    if kind == "m_of_n":
        n = criterion.get("n")
        return n if isinstance(n, int) and n >= 0 else FEW_ATTEMPTS
    in_a_row = kind.removeprefix("num_correct_in_a_row_")
    return int(in_a_row) if in_a_row != kind and in_a_row.isdecimal() else FEW_ATTEMPTS


def latest_first(logs: Iterable[MasteryLog]) -> list[MasteryLog]:
    """Mastery logs in the order of lists and of diff: latest end first, then latest start."""
    return sorted(logs, key=lambda log: (-log.end_us, -log.start_us))
