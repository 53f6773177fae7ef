"""What one statement tells of a learner on an activity of a pathway, whoever made it. Pure.

Activities and pathways are known by the end of their IRIs, which this adapter gives them. What comes before it is not compared:
folds know no settings, and history outlives a change of them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from unicodedata import normalize
from urllib.parse import unquote

import msgspec

from adapters.pathway.activity_types import kind_of
from adapters.pathway.spelling import number_of, text_of
from adapters.pathway.translate import ACTIVITIES, DESCRIBED, FULFILMENT, PROFILE, PROGRESS, SOURCE_TIMESTAMP, TIMESTAMP_INFERRED
from lrs.xapi import vocabulary
from lrs.xapi.agents import identity
from lrs.xapi.json_text import dump
from lrs.xapi.times import parse_timestamp
from lrs.xapi.types import Statement

ACTIVITY = re.compile(rf"(.+){ACTIVITIES}/activities/([^/?#]+)\Z")
PATHWAY = re.compile(rf".+{ACTIVITIES}/pathways/([^/?#]+)\Z")
BEGUN, ASSIGNED, PROGRESSED, COMPLETED = 0, 1, 2, 3
DONE = frozenset({vocabulary.COMPLETED, vocabulary.PASSED, vocabulary.MASTERED})
# Whoever does this has begun, but does not say how far it went: it counts where nothing else is known.
BEGINNINGS = frozenset({
    vocabulary.INITIALIZED, vocabulary.ATTEMPTED, vocabulary.LAUNCHED, vocabulary.EXPERIENCED, vocabulary.INTERACTED,
    vocabulary.ANSWERED, vocabulary.RESUMED, vocabulary.FAILED, vocabulary.ACCESSED,
})


class About(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An activity as a definition describes it: to be served where no document tells more."""

    name: str = ""
    type: str = ""
    fulfilment_type: str = ""
    required: bool = False
    level: int | float = 1


class Told(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A snapshot.

    `user` is the learner's e-mail address, else the account or identity; `agent` the identity key of the actor, `name` what the
    actor is called. `progress` is 0..100. `source` is the time as the source wrote it. `fulfilment` is JSON, as it was imported;
    None: it came from another system, and `score` is what that gave. `about` is what the statement says of the activity.
    """

    user: str
    agent: str
    at_us: int
    state: int
    progress: int | float
    id: str
    name: str = ""
    source: str = ""
    fulfilment: str | None = None
    score: int | float | None = None
    about: About = About()

    @property
    def rank(self) -> tuple[bool, int, int, float, str]:
        """Which of two snapshots counts: the later, of equal times the further. Equal only for the same statement."""
        return self.state > BEGUN, self.at_us, self.state, self.progress, self.id


class Subject(NamedTuple):
    """Whom and what a statement is about: the base of the IRIs, the activity's key, the learner, and how far that one is."""

    base: str
    activity: str
    user: str
    state: int


def subject_of(statement: Statement) -> Subject | None:
    """None if a statement is about no activity of a pathway, or tells nothing of how far somebody is."""
    target: Mapping[str, Any] = statement["object"]
    # Most statements of a tenant may be about other things.
    if (iri := target.get("id")) is None or ACTIVITIES not in iri or target.get("objectType", "Activity") != "Activity":
        return None
    match, user = ACTIVITY.fullmatch(iri), user_of(statement["actor"])
    if match is None or user is None:
        return None
    result: Mapping[str, Any] = statement.get("result") or {}
    state = _state(statement["verb"]["id"], result.get("completion"), result.get("extensions") or {}, match[1])
    return None if state is None else Subject(match[1], _unquoted(match[2]), user, state)


def told_in(statement: Statement, subject: Subject) -> Told:
    """What a statement tells of its subject."""
    base, state, actor = subject.base, subject.state, statement["actor"]
    result: Mapping[str, Any] = statement.get("result") or {}
    given: Mapping[str, Any] = result.get("extensions") or {}
    progress = _given_progress(base, given)
    if progress is None:
        progress = 100 if state == COMPLETED else 0
    own = base + FULFILMENT in given and any(each["id"] == base + PROFILE for each in _around(statement, "category"))
    definition: Mapping[str, Any] = statement["object"].get("definition") or {}
    return Told(
        subject.user, identity(actor) or "", parse_timestamp(statement["timestamp"]), state, progress, statement["id"],
        actor.get("name", ""), _source(statement, base), dump(given[base + FULFILMENT]).decode() if own else None,
        None if own else _score(result), _about(base, definition),
    )


def user_of(actor: Mapping[str, Any]) -> str | None:
    """The e-mail address of an Agent, be it the name of an account or a mailbox; else what it is identified by. None for a Group."""
    if actor.get("objectType", "Agent") != "Agent":
        return None
    account = actor.get("account")
    if account is None:
        return email_of(actor["mbox"].removeprefix("mailto:")) if "mbox" in actor else identity(actor)
    name: str = account["name"]
    return email_of(name) if "@" in name else f"{account['homePage']}|{name}"


def users_by(identity_key: str) -> frozenset[str]:
    """Whom a document about this identity may tell of: it as `user_of` calls it, or the name of its account."""
    kind, _, rest = identity_key.partition(":")
    if kind == "mailto":
        return frozenset({email_of(rest)})
    if kind != "account":
        return frozenset({identity_key})
    home_page, _, name = rest.partition("|")
    return frozenset({name, email_of(name) if "@" in name else f"{home_page}|{name}"})


def latest_by_user(logs: Mapping[str, Mapping[str, Told]]) -> dict[str, Told]:
    """The latest snapshot of each user, of those by activity and user."""
    found: dict[str, Told] = {}
    for by_user in logs.values():
        for user, told in by_user.items():
            if user not in found or found[user].rank < told.rank:
                found[user] = told
    return found


def email_of(text: str) -> str:
    """An e-mail address as people are told apart by it."""
    return normalize("NFC", text.strip()).lower()


def pathways_around(statement: Statement) -> list[tuple[str, str]]:
    """Key and name of each pathway that a statement names around its object."""
    found: dict[str, str] = {}
    for kind in ("parent", "grouping", "other"):
        for each in _around(statement, kind):
            if match := PATHWAY.fullmatch(each["id"]):
                found.setdefault(_unquoted(match[1]), _name(each.get("definition") or {}))
    return list(found.items())


def _unquoted(segment: str) -> str:
    return normalize("NFC", unquote(segment)) if "%" in segment or not segment.isascii() else segment


def _around(statement: Statement, kind: str) -> Iterable[Mapping[str, Any]]:
    context: Mapping[str, Any] = statement.get("context") or {}
    around = context.get("contextActivities", {}).get(kind, [])
    return [around] if isinstance(around, Mapping) else around


def _state(verb: str, completion: Any, given: Mapping[str, Any], base: str) -> int | None:
    if completion is True or (verb in DONE and completion is None):
        return COMPLETED
    if verb == vocabulary.ASSIGNED:
        return ASSIGNED
    if completion is False or verb in DONE or verb == vocabulary.PROGRESSED or _given_progress(base, given) is not None:
        return PROGRESSED
    return BEGUN if verb in BEGINNINGS else None


def _given_progress(base: str, given: Mapping[str, Any]) -> int | float | None:
    for iri, whole in ((base + PROGRESS, 100), (vocabulary.CMI5_PROGRESS, 100), (vocabulary.VIDEO_PROGRESS, 1)):
        told = given.get(iri)
        if isinstance(told, int | float) and not isinstance(told, bool) and 0 <= told <= whole:
            return _plain(told) if whole == 100 else float(told) * 100
    return None


def _score(result: Mapping[str, Any]) -> int | float | None:
    """A percentage if it can be told, else as it came."""
    score: Mapping[str, Any] = result.get("score") or {}
    raw, scaled = number_of(score.get("raw")), number_of(score.get("scaled"))
    if scaled is None or (raw is not None and score.get("min", 0) == 0 and score.get("max") == 100):
        return None if raw is None else _plain(raw)
    return round(float(scaled) * 100, 9)


def _source(statement: Statement, base: str) -> str:
    context: Mapping[str, Any] = statement.get("context") or {}
    given: Mapping[str, Any] = context.get("extensions") or {}
    if given.get(base + TIMESTAMP_INFERRED) is True:
        return ""
    return text_of(given.get(base + SOURCE_TIMESTAMP)) or statement["timestamp"]


def _about(base: str, definition: Mapping[str, Any]) -> About:
    described = (definition.get("extensions") or {}).get(base + DESCRIBED)
    name = _name(definition)
    if not isinstance(described, Mapping):
        return About(name, kind_of(definition.get("type", "")))
    level = number_of(described.get("level"))
    return About(
        name, text_of(described.get("type")), text_of(described.get("fulfilmentType")), described.get("required") is True,
        1 if level is None else _plain(level),
    )


def _plain(number: int | float) -> int | float:
    """The nearest double of a number that is written with more digits."""
    return float(number) if isinstance(number, float) else number


def _name(definition: Mapping[str, Any]) -> str:
    return next(iter((definition.get("name") or {}).values()), "")
