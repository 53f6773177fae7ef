"""Statements for tests, with only what a test is about; and materializers simple enough to check by eye."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from lrs.materialize import Materializer

ANSWERED = "http://adlnet.gov/expapi/verbs/answered"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://lrs.example.org", "name": "test"}}


def learner(name: str = "ada") -> dict[str, Any]:
    """An agent known by a mailbox."""
    return {"objectType": "Agent", "mbox": f"mailto:{name}@school.example.org"}


def a_statement(**parts: Any) -> dict[str, Any]:
    """A valid statement with a random id; whatever is given replaces a part."""
    return {
        "id": str(uuid.uuid4()),
        "actor": learner(),
        "verb": {"id": ANSWERED},
        "object": {"id": "https://school.example.org/activities/sums"},
        "timestamp": "2026-03-02T09:14:07.250Z",
        **parts,
    }


def a_void_of(statement_id: str, **parts: Any) -> dict[str, Any]:
    """A statement that voids another."""
    return a_statement(verb={"id": VOIDED}, object={"objectType": "StatementRef", "id": statement_id}, **parts)


@dataclass(frozen=True)
class Tally:
    """What the test materializer folds: how many, which ones in their order, and a sum in floating point (order matters there)."""

    count: int = 0
    ids: tuple[str, ...] = ()
    total: float = 0.0


def _keys(statement: dict[str, Any]) -> Iterable[str]:
    if "mbox" in statement["actor"]:
        yield statement["actor"]["mbox"]
    if statement["object"].get("objectType", "Activity") == "Activity":
        yield statement["object"]["id"]


def _step(tally: Tally, statement: dict[str, Any]) -> Tally:
    scaled = statement.get("result", {}).get("score", {}).get("scaled", 0.1)
    return replace(tally, count=tally.count + 1, ids=(*tally.ids, statement["id"]), total=tally.total * 0.99 + scaled)


TALLY: Materializer[Tally] = Materializer(
    name="test.tally", version=1, shape=Tally, keys=_keys, empty=Tally, step=_step,
    facets=lambda tally: {"size": ["many" if tally.count > 5 else "few"]},
)
