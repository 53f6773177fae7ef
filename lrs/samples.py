"""Statements of a made-up academy, about 1.2 kB each, for benchmarks. Pure: a statement is a function of its number.

A few learners and lessons are busy and most are quiet, as in any course, so that filters of every selectivity can be asked for.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

ACADEMY = "https://academy.example.net"
LEARNERS, LESSONS, MODULES, TUTORS = 500, 240, 24, 7
ADL = "http://adlnet.gov/expapi/verbs"
VERBS = ("experienced", "attempted", "answered", "completed", "passed", "failed")
WEIGHTS = (30, 20, 30, 10, 7, 3)
BEGIN = datetime(2026, 1, 12, 8, tzinfo=UTC)


def learner(number: int) -> dict[str, Any]:
    """A learner, known by an account or, every third one, by a mailbox."""
    name = f"Learner No. {number}"
    if number % 3 == 0:
        return {"objectType": "Agent", "name": name, "mbox": f"mailto:learner.{number}@academy.example.net"}
    return {"objectType": "Agent", "name": name, "account": {"homePage": f"{ACADEMY}/people", "name": f"l{number:05d}"}}


def agent_parameter(agent: Mapping[str, Any]) -> str:
    """An agent as the parameter of a query: by what it is known by."""
    return json.dumps({name: part for name, part in agent.items() if name in ("mbox", "account")})


def lesson(number: int) -> str:
    """The IRI of a lesson."""
    return f"{ACADEMY}/modules/{number % MODULES}/lessons/{number}"


def registration(who: int, what: int) -> UUID:
    """A learner's registration for the module of a lesson."""
    return UUID(int=(who << 32) + what % MODULES, version=4)


def verb(number: int) -> str:
    """The IRI of a verb."""
    return f"{ADL}/{VERBS[number]}"


def sample(number: int, seed: int = 0) -> dict[str, Any]:
    """Statement `number`: always the same for a seed, with an id of its own."""
    dice = Random(seed * 1_000_003 + number)
    who, what = _skewed(dice, LEARNERS), _skewed(dice, LESSONS)
    (did,) = dice.choices(range(len(VERBS)), WEIGHTS)
    module, tries = f"{ACADEMY}/modules/{what % MODULES}", dice.randrange(1, 9)
    return {
        "id": str(UUID(int=dice.getrandbits(128), version=4)),
        "actor": learner(who),
        "verb": {"id": verb(did), "display": {"en": VERBS[did], "de": f"{VERBS[did]} (de)"}},
        "object": {
            "objectType": "Activity",
            "id": lesson(what),
            "definition": {
                "type": "http://adlnet.gov/expapi/activities/lesson",
                "name": {"en": f"Lesson {what}", "de": f"Lektion {what}"},
                "description": {"en": f"Lesson {what} of the module {what % MODULES}, with exercises."},
            },
        },
        "result": {
            "score": {"scaled": dice.randrange(101) / 100, "raw": dice.randrange(51), "min": 0, "max": 50},
            "success": dice.random() < 0.7,
            "completion": did >= 3,
            "duration": f"PT{dice.randrange(40)}M{dice.randrange(60)}S",
            "extensions": {f"{ACADEMY}/tries": tries, f"{ACADEMY}/hints": [dice.random(), dice.random()]},
        },
        "context": {
            "registration": str(registration(who, what)),
            "instructor": {"objectType": "Agent", "mbox": f"mailto:tutor.{what % TUTORS}@academy.example.net"},
            "contextActivities": {"parent": [{"id": module}], "grouping": [{"id": f"{ACADEMY}/programme"}]},
            "platform": "Academy 7.1",
            "language": "en-GB",
        },
        "timestamp": (BEGIN + timedelta(milliseconds=250 * number)).isoformat(timespec="milliseconds"),
    }


def lines(numbers: Iterable[int], seed: int = 0) -> bytes:
    """Statements as NDJSON, as an import takes them."""
    return b"".join(json.dumps(sample(number, seed), separators=(",", ":")).encode() + b"\n" for number in numbers)


def _skewed(dice: Random, count: int) -> int:
    """A number below `count`, the small ones much more often."""
    return int(dice.random() ** 2.5 * count)
