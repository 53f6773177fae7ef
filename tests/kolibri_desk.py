"""Tracking calls without routes and without a store: each is decided on the fold of the statements before it."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from adapters.kolibri.attempts import Attempts
from adapters.kolibri.schema import SettingsSchema, start_event, update_event
from adapters.kolibri.sessions import Started, Updated, opening, started, updated
from adapters.kolibri.summaries import ATTEMPTS, CONTENT_SUMMARY, SESSION, ContentSummary, content_key
from adapters.kolibri.translate import Call
from lrs.materialize import Materializer, fold
from lrs.xapi.times import parse_timestamp

# The user, the content and the node of those who don't care.
USER, CONTENT, NODE, CHANNEL = (digit * 32 for digit in "abcd")
A_VIDEO = {"node_id": NODE, "content_id": CONTENT, "channel_id": CHANNEL, "kind": "video"}
AN_EXERCISE = {**A_VIDEO, "kind": "exercise", "mastery_model": {"type": "m_of_n", "m": 3, "n": 5}}
A_QUIZ = {**AN_EXERCISE, "mastery_model": {"type": "quiz"}}


class Desk:
    """Takes calls one after another. The number of a call is its request id, and so a session's is its start's."""

    def __init__(
        self, settings: Mapping[str, Any] | None = None, *, start: str = "2026-03-02T09:14:07.250Z", step_s: float = 10
    ) -> None:
        self._settings = SettingsSchema().load(settings or {})
        self._now_us, self._step_us = parse_timestamp(start), round(step_s * 1_000_000)
        self.statements: list[dict[str, Any]] = []
        self._calls = 0

    def start(self, body: Mapping[str, Any], user: str | None = USER) -> Started:
        """Open a session."""
        event = start_event(body)
        summary = ContentSummary()
        if user is not None:
            summary = self.summary(CONTENT_SUMMARY, content_key(user, opening(event, user).content))
        return self._taken(started(self._call(), event, user, summary))

    def update(self, session: str, body: Mapping[str, Any]) -> Updated:
        """Go on with a session."""
        known = self.summary(SESSION, session)
        summary = ContentSummary()
        if known.user is not None:
            summary = self.summary(CONTENT_SUMMARY, content_key(known.user, known.content))
        attempts: Attempts = self.summary(ATTEMPTS, known.masterylog or known.id)
        return self._taken(updated(self._call(), update_event(body), known, summary, attempts))

    def summary(self, materializer: Materializer[Any], key: str) -> Any:
        """A summary as it is now."""
        return folded(materializer, key, self.statements)

    def _call(self) -> Call:
        self._calls += 1
        self._now_us += self._step_us
        return Call(self._settings, self._now_us - self._step_us, f"{self._calls:032x}")

    def _taken(self, outcome: Any) -> Any:
        self.statements += deepcopy(outcome.statements)
        return outcome


def folded(materializer: Materializer[Any], key: str, statements: Sequence[Any]) -> Any:
    """The fold of all statements with a key."""
    return fold(materializer, [each for each in statements if key in materializer.keys(each)])
