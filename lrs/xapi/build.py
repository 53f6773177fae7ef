"""What all translators share: actors, verbs, activities and ids made out of the parts that name them."""

from collections.abc import Sequence
from uuid import UUID, uuid5

import orjson

from lrs.xapi.types import Activity, Agent, Definition, Extensions, LanguageMap, Verb


def account_actor(home_page: str, name: str, *, display_name: str | None = None) -> Agent:
    """An Agent known by its account `name` on the system at `home_page`. `display_name` is what people call it."""
    agent: Agent = {"objectType": "Agent", "account": {"homePage": home_page, "name": name}}
    if display_name is not None:
        agent["name"] = display_name
    return agent


def verb(iri: str, display: LanguageMap | None = None) -> Verb:
    """A Verb; without `display` the last word of its IRI is shown: "logged in" for ".../verbs/logged-in"."""
    if display is None:
        word = iri.rstrip("/").rpartition("/")[2].rpartition("#")[2]
        display = {"en": word.replace("-", " ")}
    return {"id": iri, "display": display}


def activity(
    iri: str,
    type_iri: str | None = None,
    *,
    name: LanguageMap | None = None,
    description: LanguageMap | None = None,
    extensions: Extensions | None = None,
) -> Activity:
    """An Activity; what is not given (or empty) is left out, and the definition if nothing is known of it."""
    definition: Definition = {}
    if type_iri:
        definition["type"] = type_iri
    if name:
        definition["name"] = name
    if description:
        definition["description"] = description
    if extensions:
        definition["extensions"] = extensions
    built: Activity = {"objectType": "Activity", "id": iri}
    if definition:
        built["definition"] = definition
    return built


def uuid5_of(namespace: UUID, parts: Sequence[object]) -> str:
    """The name-based UUID of `parts`: equal parts give equal ids, for ever.

    The name is the compact JSON of the list, so ["a", "bc"] and ["ab", "c"] differ, as do 1 and "1". Objects in it are
    sorted by key. Raises orjson.JSONEncodeError (a TypeError) for what JSON does not have.
    """
    return str(uuid5(namespace, orjson.dumps(list(parts), option=orjson.OPT_SORT_KEYS).decode()))
