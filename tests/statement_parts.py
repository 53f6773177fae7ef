"""Statements with everything in them, and hypothesis strategies of statements, for the tests of the pure core."""

import copy
import json
from typing import Any

import pytest
from hypothesis import strategies as st

from lrs.errors import InvalidStatement
from lrs.xapi.schema import check

IRI = "https://school.example.org/x"
UUID = "8f87ccde-bb56-4c2e-ab83-44982ef22df0"
AGENT = {"objectType": "Agent", "name": "Ada", "mbox": "mailto:ada@school.example.org"}
ACCOUNT = {"homePage": "https://school.example.org", "name": "ada"}
GROUP = {"objectType": "Group", "name": "Class 1", "member": [AGENT, {"account": ACCOUNT}]}
ACTIVITY = {"objectType": "Activity", "id": f"{IRI}/sums"}
REFERENCE = {"objectType": "StatementRef", "id": UUID}
ATTACHMENT = {
    "usageType": f"{IRI}/certificate", "display": {"en": "Certificate"}, "contentType": "text/plain; charset=utf-8",
    "length": 27,
    "sha2": "ab" * 32,
}
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


def full_statement() -> dict[str, Any]:
    """A valid statement of 1.0.3 with every property there is; the caller may change all of it."""
    return json.loads(json.dumps({
        "id": "12345678-1234-5678-1234-567812345678",
        "actor": AGENT,
        "verb": {"id": f"{IRI}/verbs/answered", "display": {"en-US": "answered", "zh-Hant-TW": "回答"}},
        "object": {**ACTIVITY, "definition": {
            "name": {"en": "Sums"}, "description": {"en": "Adding up", "de": "Addieren"},
            "type": f"{IRI}/types/question",
            "moreInfo": f"{IRI}/more", "interactionType": "choice", "correctResponsesPattern": ["a[,]b"],
            "choices": [{"id": "a", "description": {"en": "One"}}, {"id": "b"}], "extensions": {f"{IRI}/ext": None},
        }},
        "result": {
            "score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10}, "success": True, "completion": False,
            "response": "a",
            "duration": "PT1M30.25S", "extensions": {f"{IRI}/ext": {"deep": [None, {"": True}]}},
        },
        "context": {
            "registration": UUID, "instructor": {"openid": f"{IRI}/openid"}, "team": GROUP,
            "contextActivities": {
                "parent": [ACTIVITY], "grouping": {"id": f"{IRI}/course"}, "category": [],
                "other": [{"id": "urn:uuid:" + UUID}]
            },
            "revision": "1", "platform": "LMS", "language": "en-GB", "statement": REFERENCE,
            "extensions": {f"{IRI}/ext": 1},
        },
        "timestamp": "2026-03-02T09:14:07.250Z",
        "stored": "2026-03-02T09:14:08Z",
        "authority": {"account": ACCOUNT},
        "version": "1.0.3",
        "attachments": [ATTACHMENT],
    }))


def with_part(place: str, value: Any, statement: dict[str, Any] | None = None) -> dict[str, Any]:
    """The full statement (or the given one) with another value at a dotted place; missing objects on the way are made."""
    changed = full_statement() if statement is None else statement
    *way, last = place.split(".")
    part: Any = changed
    for step in way:
        part = part[int(step)] if isinstance(part, list) else part.setdefault(step, {})
    part[int(last) if isinstance(part, list) else last] = value
    return changed


def without_part(place: str, statement: dict[str, Any] | None = None) -> dict[str, Any]:
    """The full statement (or the given one) without what is at a dotted place."""
    changed = full_statement() if statement is None else statement
    *way, last = place.split(".")
    part: Any = changed
    for step in way:
        part = part[int(step)] if isinstance(part, list) else part[step]
    del part[last]
    return changed


def refusal(statement: Any, version: str = "1.0.3") -> str:
    """The place at which a statement is refused."""
    before = copy.deepcopy(statement)
    with pytest.raises(InvalidStatement) as refused:
        check(statement, version)
    assert statement == before
    return refused.value.place


def substatement(**parts: Any) -> dict[str, Any]:
    """A valid SubStatement; whatever is given replaces a part."""
    return {"objectType": "SubStatement", "actor": AGENT, "verb": {"id": f"{IRI}/verbs/planned"}, "object": ACTIVITY, **parts}


def _some(required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


_iris = st.sampled_from([f"{IRI}/{letter}" for letter in "abc"])
_verbs = _some({"id": _iris}, display=st.dictionaries(st.sampled_from(["en", "de"]), st.text(max_size=3), max_size=2))
_activities = _some({"id": _iris}, objectType=st.just("Activity"), definition=_some({}, type=_iris))
_identities = st.one_of(
    st.sampled_from("abcd").map(lambda name: {"mbox": f"mailto:{name}@example.org"}),
    st.sampled_from("abcd").map(lambda name: {"account": {"homePage": IRI, "name": name}}),
    st.sampled_from("abcd").map(lambda digit: {"mbox_sha1sum": digit * 40}),
    st.sampled_from("abcd").map(lambda name: {"openid": f"{IRI}/{name}"}),
)
_agents = _identities.map(lambda identity: {"objectType": "Agent", **identity})
_groups = st.builds(
    lambda members, identity: {"objectType": "Group", "member": members, **identity},
    st.lists(_agents, max_size=3), st.just({}) | _identities,
)
_references = st.sampled_from("abc").map(lambda digit: {"objectType": "StatementRef", "id": f"{digit * 8}-0000-4000-8000-000000000000"})
_contexts = _some(
    {}, registration=st.uuids().map(str), instructor=_agents | _groups, team=_groups, statement=_references,
    language=st.just("en"),
    contextActivities=_some({}, parent=st.lists(_activities, max_size=2), grouping=_activities),
    contextAgents=st.lists(st.builds(lambda agent: {"objectType": "contextAgent", "agent": agent}, _agents), max_size=2),
    contextGroups=st.lists(st.builds(lambda group: {"objectType": "contextGroup", "group": group}, _groups), max_size=2),
)
_results = _some(
    {}, success=st.booleans(), completion=st.booleans(), duration=st.sampled_from(["PT1S", "PT2.5M", "P1Y"]),
    score=_some({}, scaled=st.floats(-1, 1)), extensions=st.dictionaries(_iris, st.none() | st.integers() | st.booleans(), max_size=2),
)
_targets = _activities | _agents | _groups | _references
_parts = {"actor": _agents | _groups, "verb": _verbs}
_more = {"result": _results, "context": _contexts}
_substatements = _some({**_parts, "objectType": st.just("SubStatement"), "object": _targets}, **_more)

# Valid statements of 2.0 over few values, so that queries and comparisons often hit.
statements = _some(
    {"id": st.uuids().map(str), **_parts, "object": _targets | _substatements}, **_more,
    timestamp=st.sampled_from(["2026-03-02T09:14:07.250Z", "2026-03-02T10:14:07.25+01:00"]), authority=_agents,
)
