"""Log rows to statements. Pure.

A row is a snapshot of where a learner stands, so each different snapshot is one statement: the same one again has the same
id. What a row leaves out, the statement leaves out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from adapters.pathway.activity_types import type_iri
from adapters.pathway.moments import MOST_AHEAD_US, moment_us, utc_text
from adapters.pathway.schema import Learner, Pathway, PathwayActivity, Row, row_of
from adapters.pathway.spelling import in_iri, number_of, text_of, trimmed
from lrs.xapi import build, vocabulary
from lrs.xapi.types import Activity, Agent, ContextActivities, Result, Score, Statement, Verb

ASSIGNED, PROGRESSED, COMPLETED = "assigned", "progressed", "completed"
VERBS: Mapping[str, Verb] = {
    ASSIGNED: build.verb(vocabulary.ASSIGNED, {"en-US": "was-assigned"}),
    PROGRESSED: build.verb(vocabulary.PROGRESSED, {"en-US": "progressed"}),
    COMPLETED: build.verb(vocabulary.COMPLETED, {"en-US": "completed"}),
}
# States as `plain_state` makes them, in the spellings of logs, webhooks and lists.
STATES = {"notstarted": ASSIGNED, "inprogress": PROGRESSED, "completed": COMPLETED, "complete": COMPLETED}
ACTIVITIES = "/activities/pathway"
PROFILE = "/profiles/pathway"
PROGRESS = "/extensions/progress"
FULFILMENT = "/extensions/fulfilment"
SOURCE_TIMESTAMP = "/extensions/source-timestamp"
TIMESTAMP_INFERRED = "/extensions/timestamp-inferred"
DESCRIBED = "/extensions/pathway-activity"


@dataclass(frozen=True)
class Moment:
    """When a row's status changed. `given_us` is None where the row does not say; `us` is what the statement says."""

    us: int
    given_us: int | None
    text: str


def translate(event: Any, settings: Mapping[str, Any], received_us: int) -> Sequence[Statement]:
    """The statement of an event with a row, none of one without. Raises InvalidEvent."""
    row = row_of(event)
    if row is None:
        return []
    base, moment = settings["base_iri"], moment_of(row, settings["source_timezone"], received_us)
    status, progress = status_of(row), progress_of(row)
    actor = actor_of(row.learner, settings)
    result: Result = {"extensions": {base + PROGRESS: progress, base + FULFILMENT: row.fulfilment}}
    if status != ASSIGNED:
        result["completion"] = status == COMPLETED
    if status == PROGRESSED:
        result["extensions"][vocabulary.CMI5_PROGRESS] = int(progress)  # type: ignore[index]
    if (score := score_of(row.fulfilment)) is not None:
        result["score"] = score
    when = {base + SOURCE_TIMESTAMP: moment.text} if moment.text else {base + TIMESTAMP_INFERRED: True}
    at, account = None if moment.given_us is None else utc_text(moment.given_us), actor["account"]["name"]
    return [{
        "id": build.uuid5_of(
            _namespace(base), ["log", row.pathway.key, row.activity.key, account, status, at, round(float(progress) * 1000)]
        ),
        "actor": actor,
        "verb": VERBS[status],
        "object": activity_of(row.activity, settings),
        "result": result,
        "context": {
            "registration": build.uuid5_of(_namespace(base), ["registration", row.pathway.key, account]),
            "platform": settings["platform"],
            "contextActivities": _around(row, settings),
            "extensions": when,
        },
        "timestamp": utc_text(moment.us),
    }]


def status_of(row: Row) -> str:
    """Whether a row says assigned, progressed or completed. `complete` counts if it is a boolean, and then before `state`."""
    complete = row.status.get("complete")
    if complete is True:
        return COMPLETED
    state = STATES.get("".join(letter for letter in text_of(row.status.get("state")).lower() if letter.isalnum()))
    if state is None:
        return PROGRESSED if _told_progress(row) > 0 else ASSIGNED
    return PROGRESSED if state == COMPLETED and complete is False else state


def progress_of(row: Row) -> int | float:
    """How much is done, 0..100. What is complete and says no more of it, is done."""
    if status_of(row) == COMPLETED and _given_progress(row) is None:
        return 100
    return _told_progress(row)


def _told_progress(row: Row) -> int | float:
    progress = _given_progress(row)
    return 0 if progress is None or progress <= 0 else min(progress, 100)


def _given_progress(row: Row) -> int | float | None:
    progress = number_of(row.status.get("progress"))
    if progress is None and isinstance(row.fulfilment, dict):
        return number_of(row.fulfilment.get("progress"))
    return progress


def moment_of(row: Row, zone: str, received_us: int) -> Moment:
    """When: by the status, else by the fulfilment, else at receipt; never later than that. Raises InvalidEvent."""
    parts = [("status", row.status)] + ([("fulfilment", row.fulfilment)] if isinstance(row.fulfilment, dict) else [])
    for name, part in parts:
        given = part.get("timestamp")
        text = text_of(given)
        if text.strip() or (given and not isinstance(given, str)):
            given_us = moment_us(text, zone, f"log.{name}.timestamp")
            return Moment(received_us if given_us > received_us + MOST_AHEAD_US else given_us, given_us, text)
    return Moment(received_us, None, "")


def score_of(fulfilment: Any) -> Score | None:
    """The score of a story, a percentage; outside 0..100 only as it came. A figure of `data` is no score."""
    raw = number_of(_story(fulfilment).get("score"))
    if raw is None:
        return None
    return {"raw": raw, "min": 0, "max": 100, "scaled": raw / 100} if 0 <= raw <= 100 else {"raw": raw}


def actor_of(learner: Learner, settings: Mapping[str, Any]) -> Agent:
    """The account of a learner; one for all that nobody can be told of."""
    if learner.account is None:
        return build.account_actor(f"{settings['base_iri']}/anonymous", "pathway")
    return build.account_actor(settings["home_page"], learner.account, display_name=learner.name or None)


def pathway_iri(base: str, pathway: Pathway) -> str:
    """The activity that a pathway is."""
    return f"{base}{ACTIVITIES}/pathways/{in_iri(pathway.key)}"


def activity_iri(base: str, activity: PathwayActivity) -> str:
    """The activity that an activity of a pathway is, whatever pathway it is in."""
    return f"{base}{ACTIVITIES}/activities/{in_iri(activity.key)}"


def activity_of(activity: PathwayActivity, settings: Mapping[str, Any]) -> Activity:
    """An activity of a pathway, with what the document says of it."""
    base, named = settings["base_iri"], {"type": activity.type, "fulfilmentType": activity.fulfilment_type}
    described = {name: text for name, text in named.items() if text}
    return build.activity(
        activity_iri(base, activity), type_iri(base, activity.type), name=_named(activity.name, settings),
        extensions={base + DESCRIBED: {**described, "required": activity.required, "level": activity.level}},
    )


def _around(row: Row, settings: Mapping[str, Any]) -> ContextActivities:
    base = settings["base_iri"]
    parent = build.activity(pathway_iri(base, row.pathway), vocabulary.LEARNING_PLAN, name=_named(row.pathway.name, settings))
    groups = [
        build.activity(f"{base}{ACTIVITIES}/groups/{in_iri(name)}", vocabulary.GROUP, name=_named(name, settings))
        for name in map(trimmed, row.learner.groups)
    ]
    around: ContextActivities = {"parent": [parent], "category": [build.activity(base + PROFILE, vocabulary.PROFILE)]}
    if groups:
        around["grouping"] = groups
    story = _story(row.fulfilment)
    if story_id := trimmed(story.get("ID")):
        name = _named(trimmed(story.get("name")), settings)
        around["other"] = [build.activity(f"{base}{ACTIVITIES}/stories/{in_iri(story_id)}", vocabulary.LESSON, name=name)]
    return around


def _story(fulfilment: Any) -> Mapping[str, Any]:
    story = fulfilment.get("story") if isinstance(fulfilment, dict) else None
    return story if isinstance(story, dict) else {}


def _named(name: str, settings: Mapping[str, Any]) -> Mapping[str, str] | None:
    return {settings["language"]: name} if name else None


@lru_cache(maxsize=256)
def _namespace(base: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"{base}/adapters/pathway")
