"""Summaries as Kolibri's answers. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from adapters.kolibri.attempts import Attempt, Attempts
from adapters.kolibri.mastery import latest_first, past_attempts
from adapters.kolibri.sessions import Started, Updated
from adapters.kolibri.summaries import ContentSummary, MasteryLog
from lrs.xapi.times import format_stored


def start_answer(started: Started, attempts: Attempts) -> dict[str, Any]:
    """What a start answers. `attempts` are those of the try, none for a new one."""
    summary = started.summary
    answer: dict[str, Any] = {
        "session_id": started.place.session,
        "context": dict(started.place.context),
        "progress": summary.progress,
        "extra_fields": summary.extra_fields,
        "time_spent": summary.time_spent,
        "complete": summary.progress >= 1,
    }
    if started.criterion is None:
        return answer
    answer |= {
        "mastery_criterion": dict(started.criterion),
        "pastattempts": [attempt_entry(attempt) for attempt in past_attempts(attempts, started.criterion)],
        "totalattempts": len(attempts.entries),
    }
    log = summary.log(started.place.masterylog)
    if log is not None:
        answer |= {"time_spent": log.time_spent, "complete": log.complete}
    return answer


def update_answer(updated: Updated, *, with_attempts: bool) -> dict[str, Any]:
    """What an update answers; `attempts` only if interactions were sent, even an empty list of them."""
    answer: dict[str, Any] = {"complete": updated.complete}
    if with_attempts:
        answer["attempts"] = [attempt_entry(attempt) for attempt in updated.attempts]
    return answer


def attempt_entry(attempt: Attempt) -> dict[str, Any]:
    """An attempt as tracking calls report it."""
    return {
        "id": attempt.id, "correct": attempt.correct, "complete": attempt.complete, "hinted": attempt.hinted,
        "error": attempt.error, "item": attempt.item, "answer": attempt.answer, "time_spent": attempt.time_spent,
    }


def attempt_log(attempt: Attempt, attempts: Attempts) -> dict[str, Any]:
    """An attempt as the attempt logs list it."""
    return attempt_entry(attempt) | {
        "start_timestamp": format_stored(attempt.start_us),
        "end_timestamp": format_stored(attempt.end_us),
        "completion_timestamp": _moment(attempt.completion_us),
        "simple_answer": attempt.simple_answer,
        "interaction_history": list(attempt.history),
        "user": attempts.user,
        "masterylog": attempts.masterylog,
        "sessionlog": attempt.session,
    }


def mastery_log(log: MasteryLog) -> dict[str, Any]:
    """A mastery log; `correct` is cut to an integer."""
    return {
        "id": log.id,
        "mastery_criterion": log.criterion,
        "start_timestamp": format_stored(log.start_us),
        "end_timestamp": format_stored(log.end_us),
        "completion_timestamp": _moment(log.completion_us),
        "complete": log.complete,
        "correct": int(log.correct),
        "time_spent": log.time_spent,
    }


def mastery_logs(
    summary: ContentSummary, *, complete: bool | None = None, quiz: bool | None = None
) -> Sequence[MasteryLog]:
    """The tries at a content that pass the filters, in the order of lists and of diff."""
    return latest_first(
        log for log in summary.logs
        if complete in (None, log.complete) and quiz in (None, log.is_quiz)
    )


def diff_answer(
    log: MasteryLog, attempts: Attempts, previous: MasteryLog | None, previous_attempts: Attempts
) -> dict[str, Any]:
    """A try beside the one before it (None: there is none)."""
    difference = None
    if previous is not None:
        difference = {
            "correct": int(log.correct) - int(previous.correct), "time_spent": log.time_spent - previous.time_spent,
        }
    latest = {attempt.item: attempt for attempt in sorted(previous_attempts.entries, key=lambda each: each.end_us)}
    return mastery_log(log) | {
        "diff": difference,
        "attemptlogs": [
            attempt_log(attempt, attempts) | {"diff": {"correct": _growth(attempt, latest.get(attempt.item))}}
            for attempt in attempts.entries
        ],
    }


def total_progress(summaries: Iterable[ContentSummary]) -> int:
    """How much is completed: every complete try counts; content without tries counts while its progress is 1."""
    return sum(
        sum(log.complete for log in summary.logs) if summary.logs else int(summary.progress >= 1)
        for summary in summaries
    )


def _growth(attempt: Attempt, before: Attempt | None) -> int | None:
    """Cut towards zero: partly better is no better."""
    return None if before is None else int(attempt.correct - before.correct)


def _moment(moment_us: int | None) -> str | None:
    return None if moment_us is None else format_stored(moment_us)
