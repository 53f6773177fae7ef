"""Learners as logs show them, and what finds them: names and groups. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from adapters.pathway.queries import Query
from adapters.pathway.schema import Learner
from adapters.pathway.spelling import digest, folded
from adapters.pathway.told import Told

# What finds a learner: a name or e-mail address, or a group.
NAME, GROUP = "name", "group"


class Person(NamedTuple):
    """A learner as logs show them: the fields about the person, where the logs come in order, and what finds them."""

    shown: Mapping[str, Any]
    order: tuple[str, str, str]
    name: str
    groups: tuple[str, ...]

    @classmethod
    def of(cls, learner: Learner) -> "Person":
        """A learner, folded."""
        shown = {
            "firstname": learner.firstname, "lastname": learner.lastname, "email": learner.email,
            "telephone": learner.telephone, "country": learner.country, "city": learner.city, "groups": learner.groups,
        }
        order = folded(learner.lastname), folded(learner.firstname), folded(learner.email)
        return cls(shown, order, f"{order[1]} {order[0]}".strip(), learner.groups)

    def fits(self, query: Query) -> bool:
        """Whether the filters of users and groups let the person through."""
        if query.groups is not None and query.groups.isdisjoint(map(folded, self.groups)):
            return False
        return query.users is None or not query.users.isdisjoint((*self.order, self.name))


def learner_told(user: str, told: Told) -> Learner:
    """Somebody of whom no document tells: by what the actor of a statement is called."""
    first, _, last = " ".join(told.name.split()).partition(" ")
    return Learner(first, last, user if "@" in user and "|" not in user else "", "", "", "", ())


def terms_of(learner: Learner) -> list[str]:
    """What finds a learner, as `terms_for` has it."""
    person = Person.of(learner)
    names = {term(NAME, name) for name in (*person.order, person.name) if name}
    return sorted(names | {term(GROUP, folded(group)) for group in learner.groups})


def terms_for(query: Query) -> list[list[str]]:
    """Whoever fits a query has one of the terms of each of these; not all who have fit."""
    wanted = ((NAME, query.users), (GROUP, query.groups))
    return [[term(kind, text) for text in texts] for kind, texts in wanted if texts is not None]


@lru_cache(4_096)
def term(kind: str, text: str) -> str:
    """A folded text as documents and standings are found by."""
    return digest(kind, text)
