"""What is known of a pathway as an answer of `logs/pathway-logs`. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

import orjson

from adapters.pathway.activity_types import canonical
from adapters.pathway.people import Person, learner_told
from adapters.pathway.profiles import learner_in
from adapters.pathway.queries import Query
from adapters.pathway.schema import Pathway, PathwayActivity
from adapters.pathway.spelling import folded
from adapters.pathway.told import ASSIGNED, COMPLETED, Told, latest_by_user
from lrs.xapi.json_text import Verbatim, dump, parse

# Whoever has only begun is in progress.
STATES = {ASSIGNED: "not started", COMPLETED: "completed"}
NONE = "[]"


@dataclass(frozen=True)
class Listing:
    """All that is known of a pathway: its activities as they were first seen, by key, who stands where, and the documents about users."""

    pathway: Pathway
    activities: Mapping[str, PathwayActivity]
    logs: Mapping[str, Mapping[str, Told]]
    profiles: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many logs there are."""
        return sum(map(len, self.logs.values()))


def data_of(listing: Listing, query: Query) -> list[Any]:
    """The `data` of an answer: one pathway, the activities that fit, and of their logs those that do."""
    people = {user: person for user, person in _people(listing) if person.fits(query)}
    ranks = {user: rank for rank, user in enumerate(sorted(people, key=lambda user: (people[user].order, user)))}
    return [{
        "pathway": {"name": listing.pathway.name, "type": listing.pathway.type, "ID": listing.pathway.id},
        "activities": [
            _item(activity, people, ranks, listing.logs.get(key, {})) for key, activity in _fitting(listing, query)
        ],
    }]


def _people(listing: Listing) -> Iterator[tuple[str, Person]]:
    """Everybody in the logs: as the last import that named them did, else as their latest snapshot calls them."""
    for user, each in latest_by_user(listing.logs).items():
        content = listing.profiles.get(user)
        yield user, Person.of((content and learner_in(content)) or learner_told(user, each))


def _fitting(listing: Listing, query: Query) -> Sequence[tuple[str, PathwayActivity]]:
    """By level, then as they were first seen. An ID wins over an equal name."""
    chosen = listing.activities.items()
    wanted = None if query.activities is None else {
        key for name in query.activities for key in _called(name, listing.activities)
    }
    return sorted((
        (key, activity) for key, activity in chosen
        if (wanted is None or key in wanted) and (query.types is None or canonical(activity.type) in query.types)
    ), key=lambda each: each[1].level)


def _called(name: str, activities: Mapping[str, PathwayActivity]) -> Iterable[str]:
    by_id = [key for key, activity in activities.items() if activity.id and folded(activity.id) == name]
    return by_id or [key for key, activity in activities.items() if folded(activity.name) == name]


def _item(
    activity: PathwayActivity, people: Mapping[str, Person], ranks: Mapping[str, int], told: Mapping[str, Told]
) -> Mapping[str, Any]:
    shown = [(ranks[user], user, each) for user, each in told.items() if user in ranks]
    shown.sort()
    return {
        "ID": activity.id, "name": activity.name, "type": activity.type, "fulfilmentType": activity.fulfilment_type,
        "required": activity.required, "level": activity.level,
        "stats": {"total": len(shown), "completed": sum(each.state == COMPLETED for _, _, each in shown)},
        "logs": [_log(people[user], each, activity) for _, user, each in shown],
    }


def _log(person: Person, told: Told, activity: PathwayActivity) -> Mapping[str, Any]:
    state = STATES.get(told.state, "in progress")
    status = {"complete": told.state == COMPLETED, "progress": told.progress, "state": state, "timestamp": told.source}
    return {**person.shown, "status": status, "fulfilment": _fulfilment(told, activity, state)}


def _fulfilment(told: Told, activity: PathwayActivity, state: str) -> Any:
    """As it was imported; of what other systems said, as much as can be told."""
    if told.fulfilment is not None:
        return _as_imported(told.fulfilment)
    if told.state == ASSIGNED:
        return []
    kind = canonical(activity.type)
    score = {} if told.score is None else {"story": {"score": told.score}}
    return {"type": kind, "state": state, "progress": told.progress, **score, "timestamp": told.source}


def _as_imported(text: str) -> Any:
    if text == NONE:
        return []
    value = orjson.loads(text)
    # Numbers that no double holds come back as others.
    return value if orjson.dumps(value) == text.encode() else parse(text)


def success(listing: Listing, query: Query, seconds: Callable[[], float]) -> bytes:
    """A successful answer; `seconds` tells how long it took."""
    data = data_of(listing, query)
    return dump({"status": "success", "data": data, "hash": hash_of(data), "response_time": seconds()})


def hash_of(data: Any) -> str:
    """32 hexadecimal digits that are the same for the same data: the MD5 of its canonical JSON."""
    text = orjson.dumps(data, default=_as_written, option=orjson.OPT_SORT_KEYS)
    return md5(text, usedforsecurity=False).hexdigest()


def _as_written(value: Any) -> orjson.Fragment:
    if isinstance(value, Verbatim):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} is not JSON")
