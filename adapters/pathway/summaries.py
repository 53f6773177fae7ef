"""Where each learner stands on each activity of a pathway, as a fold of statements. Pure.

The latest snapshot counts, by the time of its statement: what arrives late overwrites nothing. Statements of other systems
about an activity of a pathway count, too.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec

from adapters.pathway.people import learner_told, terms_of
from adapters.pathway.spelling import digest, folded
from adapters.pathway.told import COMPLETED, Told, pathways_around, subject_of, told_in
from adapters.pathway.translate import ACTIVITIES
from lrs.materialize import Materializer, Row
from lrs.xapi.types import Statement


class Standing(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Where a learner stands: the latest snapshot, and what all of them tell.

    `pathway` and `activity` are keys ("" for a pathway that no statement names), moments µs since the epoch. `first_stored`
    is when the store first heard of it.
    """

    pathway: str = ""
    pathway_name: str = ""
    activity: str = ""
    told: Told | None = None
    first_stored: str = ""
    first_completed_us: int | None = None
    snapshots: int = 0

    @property
    def ever_completed(self) -> bool:
        """Whether any snapshot was complete, though a later one may not be."""
        return self.first_completed_us is not None


class Part(NamedTuple):
    """What a statement says for one summary."""

    pathway: str
    pathway_name: str
    activity: str
    told: Told
    stored: str


def standing_keys(statement: Statement) -> Iterable[str]:
    """A learner on an activity, in each of the pathways that the statement names."""
    subject = subject_of(statement)
    return [] if subject is None else [key_of(name, subject.activity, subject.user) for name, _ in _pathways(statement)]


def standing_part(statement: Statement, key: str) -> Part | None:
    """What the statement says for a key; None for a key that it has no more."""
    subject = subject_of(statement)
    if subject is None:
        return None
    pathways = _pathways(statement)
    for pathway, name in pathways:
        if len(pathways) == 1 or key_of(pathway, subject.activity, subject.user) == key:
            return Part(pathway, name, subject.activity, told_in(statement, subject), statement.get("stored", ""))
    return None


def key_of(pathway: str, activity: str, user: str) -> str:
    """The key of a standing."""
    return digest(pathway, activity, user)


def _pathways(statement: Statement) -> list[tuple[str, str]]:
    return pathways_around(statement) or [("", "")]


def standing_step(standing: Standing, part: Part | None) -> Standing:
    """One snapshot more, whenever it was."""
    if part is None:
        return standing
    latest, told = standing.told, part.told
    first_completed_us = standing.first_completed_us
    if told.state == COMPLETED and (first_completed_us is None or told.at_us < first_completed_us):
        first_completed_us = told.at_us
    newer = latest is None or told.rank > latest.rank
    first = part.stored if not standing.first_stored else min(standing.first_stored, part.stored)
    return Standing(
        part.pathway, part.pathway_name if newer else standing.pathway_name, part.activity, told if newer else latest,
        first, first_completed_us, standing.snapshots + 1,
    )


def standing_facets(standing: Standing) -> Mapping[str, Iterable[str]]:
    """What standings are listed by: the ID or the name of the pathway, without any the activity; and there, what finds the learner.

    The latter is for those of whom no document tells: what the latest statement calls them.
    """
    [place, *names] = places_of(standing)
    told = standing.told
    terms = [] if told is None else terms_of(learner_told(told.user, told))
    return {"place": [place, *names], "who": [who(place, term) for term in terms]}


def standing_rows(_key: str, standing: Standing) -> Iterable[Row]:
    """Which pathways and activities there are under an ID or name, and how many standings."""
    if standing.pathway and standing.told is not None:
        where = {"pathway": standing.pathway, "activity": standing.activity}
        yield from (Row(place, "", where, {"standings": 1}) for place in places_of(standing))


def places_of(standing: Standing) -> list[str]:
    """The values of its facet `place`."""
    if not standing.pathway:
        return [place_of("activity", standing.activity)]
    names = [place_of("name", standing.pathway_name)] if standing.pathway_name else []
    return [place_of("id", standing.pathway), *names]


@lru_cache(4_096)
def place_of(kind: str, text: str) -> str:
    """A value of the facet `place`; texts that differ in case only have the same."""
    return digest(kind, folded(text))


def who(place: str, term: str) -> str:
    """A value of the facet `who`: somebody at a place, by a term of `terms_of`."""
    return digest(place, term)


STANDING: Materializer[Standing] = Materializer(
    "pathway.standing", 2, Standing, standing_keys, Standing, standing_step, standing_facets, standing_part, rows=standing_rows,
    marks=(ACTIVITIES,),
)
MATERIALIZERS = (STANDING,)
