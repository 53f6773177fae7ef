"""What a store knows of an activity: the definitions in its statements, merged. xAPI 1.0.3, Data 2.4.4.1 and Communication 2.5."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lrs.xapi.types import Statement

CATEGORY = "category"
LANGUAGE_MAPS = ("name", "description")
COMPONENTS = ("choices", "scale", "source", "target", "steps")
# What is said about one type of interaction says nothing about another.
OF_AN_INTERACTION = (*COMPONENTS, "correctResponsesPattern")


def defined_in(statement: Statement) -> list[str]:
    """The ids of the activities that a checked statement defines, wherever they stand in it, each once.

    A category of which nothing is said but its type is none: see `category_type`.
    """
    found = [activity_id for activity_id, _ in _definitions(statement)]
    return list(dict.fromkeys(found)) if len(found) > 1 else found


def mentioned_in(statement: Statement) -> list[str]:
    """The ids of all activities in a checked statement, defined there or not, each once."""
    return list(dict.fromkeys(activity["id"] for activity in _activities(statement)))


def definitions_in(statement: Statement, activity_id: str) -> list[Mapping[str, Any]]:
    """What a checked statement says about one activity, in the order it stands there."""
    return [said for defined_id, said in _definitions(statement) if defined_id == activity_id]


def category_type(statements: Iterable[Statement], activity_id: str) -> str | None:
    """The type of an activity that is a category, in the first of these statements that says it.

    A category is a profile that statements follow, and every statement of a system has the same one. To fold what they all say again
    would make one summary of everything: the type is read from the last ones instead.
    """
    for statement in statements:
        for name, activity in _around(statement):
            if name == CATEGORY and activity["id"] == activity_id and (found := activity.get("definition", {}).get("type")) is not None:
                return str(found)
    return None


def merged_definition(known: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """A definition with what a later one says set in it, property by property.

    Languages, extensions and the descriptions of components are kept where the later one does not have them. If the type of
    interaction changes, its components and correct responses go.
    """
    kept = dict(known)
    if said.get("interactionType", known.get("interactionType")) != known.get("interactionType"):
        kept = {name: part for name, part in known.items() if name not in OF_AN_INTERACTION}
    result = {**kept, **said}
    for name in (*LANGUAGE_MAPS, "extensions"):
        if name in kept and name in said:
            result[name] = {**kept[name], **said[name]}
    for name in COMPONENTS:
        if name in kept and name in said:
            result[name] = _components(kept[name], said[name])
    return result


def activity_object(activity_id: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    """The Activity object of an id and its merged definition, which may be empty: nothing is known. Communication 2.5."""
    activity = {"objectType": "Activity", "id": activity_id}
    return {**activity, "definition": definition} if definition else activity


def _components(known: Sequence[Mapping[str, Any]], said: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The later list, with the languages that only the earlier one has."""
    descriptions = {component["id"]: component.get("description", {}) for component in known}
    return [
        {**component, "description": {**descriptions[component["id"]], **component.get("description", {})}}
        if descriptions.get(component["id"]) else component
        for component in said
    ]


def _says_a_type_only(activity: Mapping[str, Any]) -> bool:
    return bool(activity["definition"].keys() <= {"type"})


def _definitions(statement: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The ids of activities, each with what is said of it that counts as its definition, in the order they stand there."""
    # Asked of every statement, to be stored and to be folded, so the usual shapes are looked at without a generator.
    target, context = statement["object"], statement.get("context")
    found = [(target["id"], target["definition"])] if "definition" in target else []
    if target.get("objectType") == "SubStatement":
        found += _definitions(target)
    if context is not None and "contextActivities" in context:
        for name, group in context["contextActivities"].items():
            for activity in _listed(group):
                if "definition" in activity and not (name == CATEGORY and _says_a_type_only(activity)):
                    found.append((activity["id"], activity["definition"]))
    return found


def _activities(statement: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (activity for _, activity in _around(statement))


def _around(statement: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All activities in a statement, each with the place where it stands: "object", "parent" and so on."""
    target = statement["object"]
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        yield "object", target
    elif kind == "SubStatement":
        yield from _around(target)
    context = statement.get("context")
    if context is not None and "contextActivities" in context:
        for name, group in context["contextActivities"].items():
            # 1.0.x lets a single activity stand for a list of one. Data 2.4.6.2.
            yield from ((name, activity) for activity in _listed(group))


def _listed(group: Any) -> Iterable[Mapping[str, Any]]:
    return [group] if isinstance(group, Mapping) else group
