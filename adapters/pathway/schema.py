"""What an event holds: a pathway, one of its activities, and one log row; and this adapter's settings. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import INCLUDE, Schema, fields

from adapters.pathway.spelling import folded, number_of, squeezed, text_of, trimmed
from lrs.adapter_settings import AdapterSettings, absolute_iri, platform_name, time_zone
from lrs.errors import InvalidEvent

TRUE = frozenset({"true", "yes", "1"})
# What takes the place of an ID where there is none.
NAMED = "name:"
EXACT = 1 << 53


@dataclass(frozen=True)
class Pathway:
    """A pathway; `id` is "" if only its name is known."""

    id: str
    name: str
    type: str

    @property
    def key(self) -> str:
        """What tells it from others, in IRIs and statement ids."""
        return self.id or NAMED + self.name


@dataclass(frozen=True)
class PathwayActivity:
    """An activity of a pathway; `id` is "" if only its name is known. `level` is 1–4, or whatever came."""

    id: str
    name: str
    type: str
    fulfilment_type: str
    required: bool
    level: int | float

    @property
    def key(self) -> str:
        """What tells it from others, in IRIs and statement ids."""
        return self.id or NAMED + self.name


@dataclass(frozen=True)
class Learner:
    """The person of a log row, every text as it came."""

    firstname: str
    lastname: str
    email: str
    telephone: str
    country: str
    city: str
    groups: tuple[str, ...]

    @property
    def name(self) -> str:
        """First and last name; "" if there is none."""
        return squeezed(f"{self.firstname} {self.lastname}")

    @property
    def account(self) -> str | None:
        """The name of the account: the e-mail address, else the full name; None if nobody can be told from this."""
        email = trimmed(self.email).lower()
        if email:
            return email
        return NAMED + squeezed(trimmed(self.name)).casefold() if self.name else None


@dataclass(frozen=True)
class Row:
    """A log row of an activity of a pathway. `status` and `fulfilment` are as they came; a missing `status` is the fulfilment's."""

    pathway: Pathway
    activity: PathwayActivity
    learner: Learner
    status: Mapping[str, Any]
    fulfilment: Any


def row_of(event: Any) -> Row | None:
    """The row of an event; None if it has none and only says what a pathway is made of. Raises InvalidEvent."""
    parts = part_of(event, "", "must be an object with pathway, activity and log")
    pathway = pathway_of(parts)
    activity = activity_of(parts) if "activity" in parts or "log" in parts else None
    if activity is None or "log" not in parts:
        return None
    log = part_of(parts["log"], "log", "must be an object with a person, status and fulfilment")
    fulfilment = log.get("fulfilment") or []
    return Row(pathway, activity, learner_of(log), _status(log, fulfilment), fulfilment)


def part_of(value: Any, place: str, rule: str) -> Mapping[str, Any]:
    """The value, which must be an object. Raises InvalidEvent."""
    if not isinstance(value, dict):
        raise InvalidEvent(place, rule, reason="shape")
    return value


def pathway_of(parts: Mapping[str, Any]) -> Pathway:
    """The pathway of an event. Raises InvalidEvent."""
    given = part_of(parts.get("pathway"), "pathway", "must be an object with an ID or a name")
    pathway = Pathway(trimmed(given.get("ID")), trimmed(given.get("name")), text_of(given.get("type")) or "pathway")
    if not pathway.id and not pathway.name:
        raise InvalidEvent("pathway.ID", "a pathway needs an ID or a name", reason="shape")
    return pathway


def activity_of(parts: Mapping[str, Any]) -> PathwayActivity:
    """The activity of an event. Raises InvalidEvent."""
    given = part_of(parts.get("activity"), "activity", "must be an object with an ID or a name")
    activity = PathwayActivity(
        trimmed(given.get("ID")), trimmed(given.get("name")), text_of(given.get("type")), text_of(given.get("fulfilmentType")),
        _truth(given.get("required")), _level(given.get("level")),
    )
    if not activity.id and not activity.name:
        raise InvalidEvent("activity.ID", "an activity needs an ID or a name", reason="shape")
    return activity


def learner_of(log: Mapping[str, Any]) -> Learner:
    """The person of a row; what is not there is ""."""
    return Learner(
        text_of(log.get("firstname")), text_of(log.get("lastname")), text_of(log.get("email")), text_of(log.get("telephone")),
        text_of(log.get("country")), text_of(log.get("city")), _groups(log.get("groups")),
    )


def _status(log: Mapping[str, Any], fulfilment: Any) -> Mapping[str, Any]:
    status = log.get("status")
    if isinstance(status, dict) and status:
        return status
    if status is None or status in ("", [], {}):
        return fulfilment if isinstance(fulfilment, dict) else {}
    raise InvalidEvent("log.status", "must be an object with complete, progress, state and timestamp", reason="shape")


def _groups(given: Any) -> tuple[str, ...]:
    """The names of groups, each once, in their order; one alone need not be in an array."""
    listed = list(given.values()) if isinstance(given, dict) else given if isinstance(given, list) else [given]
    names = {trimmed(each): text_of(each) for each in reversed(listed)}
    return tuple(names[name] for name in dict.fromkeys(map(trimmed, listed)) if name)


def _truth(given: Any) -> bool:
    return given if isinstance(given, bool) else folded(text_of(given)) in TRUE


def _level(given: Any) -> int | float:
    level = number_of(given)
    if level is None:
        return 1
    return int(level) if abs(level) < EXACT and level == int(level) else float(level)


class SettingsSchema(AdapterSettings):
    """Settings of a tenant. `source_timezone` is for times that come without offset."""

    home_page = absolute_iri("https://pathways.example.com")
    platform = platform_name("Pathways")
    source_timezone = time_zone()


class EventSchema(Schema):
    """A response document of `logs/pathway-logs`, or one of its `data`."""

    class Meta:
        unknown = INCLUDE

    status = fields.String(metadata={"description": "success"})
    data = fields.List(fields.Dict(), metadata={"description": "[{pathway: {ID, name, type}, activities: [{ID, name, …, logs: […]}]}]"})
