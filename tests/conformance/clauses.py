"""One clause of the specification, with an example that keeps it and one that breaks it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from statement_parts import full_statement

from lrs.errors import InvalidStatement
from lrs.xapi.schema import check

BOTH = ("1.0.3", "2.0.0")


@dataclass(frozen=True)
class Clause:
    """What the specification says, where it says so, and changes of a full statement (dotted place -> value) either side of it.

    A value of `...` removes the place. `kept` None: there is nothing new to accept; `broken` None: nothing to refuse.
    """

    says: str
    where: str
    kept: Mapping[str, Any] | None = None
    broken: Mapping[str, Any] | None = None
    versions: tuple[str, ...] = BOTH


def changed(changes: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The full statement with some places set or removed."""
    statement = full_statement()
    if version.startswith("2."):
        statement["version"] = "2.0.0"
    for place, value in changes.items():
        *way, last = place.split("/")
        part: Any = statement
        for step in way:
            part = part[int(step)] if isinstance(part, list) else part[step]
        if value is ...:
            part.pop(last, None)
        else:
            part[int(last) if isinstance(part, list) else last] = value
    return statement


def judge(clause: Clause) -> None:
    """Assert that the checker keeps to the clause in each of its versions."""
    assert clause.kept is not None or clause.broken is not None, "a clause without an example says nothing"
    for version in clause.versions:
        if clause.kept is not None:
            check(changed(clause.kept, version), version)
        if clause.broken is not None:
            with pytest.raises(InvalidStatement):
                check(changed(clause.broken, version), version)
