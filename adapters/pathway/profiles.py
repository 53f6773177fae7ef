"""What documents say beside what happened: persons, and what pathways are made of. Kept as xAPI profile documents. Pure.

Such facts change without any learning event, so they are not in statements. The last import counts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from adapters.pathway.people import terms_of
from adapters.pathway.schema import Learner, Pathway, PathwayActivity, activity_of, pathway_of, row_of
from adapters.pathway.spelling import in_iri
from adapters.pathway.translate import activity_iri, actor_of, pathway_iri
from lrs.errors import InvalidBody, InvalidEvent
from lrs.plugins import Profile
from lrs.xapi.json_text import parse

T = TypeVar("T")


def user_profile(base: str) -> str:
    """The id of the document about a person."""
    return f"{base}/profiles/pathway-user"


def pathway_profile(base: str) -> str:
    """The id of the document about a pathway."""
    return f"{base}/profiles/pathway-structure"


def activity_profile(base: str, pathway: str) -> str:
    """The id of the document about an activity as it stands in the pathway with this key."""
    return f"{base}/profiles/pathway-structure/{in_iri(pathway)}"


def teaches(event: Any, settings: Mapping[str, Any]) -> Iterable[Profile]:
    """A row tells of its person, an event without row of an activity or a pathway. Raises InvalidEvent as `translate` does."""
    row = row_of(event)
    if row is not None:
        return () if row.learner.account is None else (_person(row.learner, settings),)
    base, pathway = settings["base_iri"], pathway_of(event)
    if "activity" not in event:
        content: Mapping[str, Any] = {"ID": pathway.id, "name": pathway.name, "type": pathway.type}
        return (Profile("activities", pathway_iri(base, pathway), pathway_profile(base), content),)
    activity = activity_of(event)
    owner, profile_id = activity_iri(base, activity), activity_profile(base, pathway.key)
    return (Profile("activities", owner, profile_id, _about(activity)),)


def _person(learner: Learner, settings: Mapping[str, Any]) -> Profile:
    content = {
        "firstname": learner.firstname, "lastname": learner.lastname, "email": learner.email, "telephone": learner.telephone,
        "country": learner.country, "city": learner.city, "groups": list(learner.groups),
    }
    return Profile("agents", actor_of(learner, settings), user_profile(settings["base_iri"]), content, terms_of(learner))


def _about(activity: PathwayActivity) -> Mapping[str, Any]:
    return {
        "ID": activity.id, "name": activity.name, "type": activity.type, "fulfilmentType": activity.fulfilment_type,
        "required": activity.required, "level": activity.level,
    }


_learners = msgspec.json.Decoder(Learner)


def learner_in(content: bytes) -> Learner | None:
    """The person in a document; None if somebody put something else there."""
    try:
        return _learners.decode(content)
    except msgspec.MsgspecError:
        return None


def pathways_in(contents: Iterable[bytes]) -> list[Pathway]:
    """The pathways in documents, in their order; what is none is left out."""
    return list(_read(pathway_of, "pathway", contents))


def activities_in(contents: Iterable[bytes]) -> list[PathwayActivity]:
    """The activities in documents, in their order; what is none is left out."""
    return list(_read(activity_of, "activity", contents))


def _read(loader: Callable[[Mapping[str, Any]], T], name: str, contents: Iterable[bytes]) -> Iterator[T]:
    for content in contents:
        try:
            yield loader({name: parse(content)})
        except (InvalidBody, InvalidEvent):
            continue
