"""What `lrs bench adapters` sends and asks for: native events of a made-up academy, and the vendors' own reads. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
LEARNERS, CLASSES, THINGS, ENTITIES = 1_000, 40, 200, 8
# Events a day: a larger store is a longer time, not busier days.
A_DAY = 10_000
PATHWAY, ACTIVITIES = "Become A Store Owner", ("first-aid", "tills")

# Method, path and query, and body.
Call = tuple[str, str, bytes | None]


@dataclass(frozen=True)
class Source:
    """An adapter: what is sent of some numbers (the same for a seed), and what is read of so many of them, by name."""

    adapter: str
    sent: Callable[[Sequence[int], int], Iterable[Mapping[str, Any]]]
    reads: Callable[[int], Mapping[str, Callable[[Random], Call]]]
    # How many statements come of a number.
    statements: int = 1

    def lines(self, numbers: Sequence[int], seed: int) -> bytes:
        """What is sent, as NDJSON."""
        return b"".join(json.dumps(each, separators=(",", ":")).encode() + b"\n" for each in self.sent(numbers, seed))


def _at(number: int) -> datetime:
    return BEGIN + timedelta(days=1) / A_DAY * number


def _days(count: int) -> tuple[datetime, datetime]:
    """The last whole day with events of so many, and its end."""
    last = BEGIN + timedelta(days=max(0, count // A_DAY - 1))
    return last, last + timedelta(days=1)


def _usage(number: int, seed: int) -> dict[str, Any]:
    dice = Random(f"usage {seed} {number}")
    user, thing = dice.randrange(LEARNERS), dice.randrange(THINGS)
    event: dict[str, Any] = {
        "id": f"{seed}-{number}", "timestamp": _at(number).isoformat(timespec="milliseconds"), "userId": f"user-{user}",
        "groupIds": [f"class-{user % CLASSES}", "academy"], "resourceId": f"thing-{thing}",
    }
    if number % 4 == 0:
        metadata = {
            "attemptId": f"{seed}-{number}", "score": dice.randrange(21), "maxScore": 20, "passed": dice.random() < 0.7,
            "durationSeconds": dice.randrange(60, 1200),
        }
        return {**event, "eventType": "test_completed", "metadata": metadata}
    if number % 4 == 1:
        return {**event, "eventType": "chat_message", "metadata": {"sessionId": f"{user}", "model": "tutor-2", "promptLength": 80}}
    metadata = {"componentType": "flashcards", "name": f"Cards {thing}", "durationSeconds": dice.randrange(20, 600)}
    return {**event, "eventType": "component_accessed", "metadata": metadata}


def _usage_reads(count: int) -> Mapping[str, Callable[[Random], Call]]:
    first, end = _days(count)
    day, month = first.date().isoformat(), max(BEGIN, end - timedelta(days=28)).date().isoformat()
    morning = {"since": f"{day}T00:07:00Z", "until": f"{day}T09:24:00Z"}

    def summary(period: str, since: str, until: str = day, **more: str) -> Callable[[Random], Call]:
        query = urlencode({"period": period, "startDate": since, "endDate": until, **more})
        return lambda _dice: ("GET", f"/api/v1/usage/summary?{query}", None)

    def user(what: str) -> Callable[[Random], Call]:
        return lambda dice: ("GET", f"/api/v1/usage/users/user-{dice.randrange(LEARNERS)}/{what}", None)

    return {
        "summary of a day by hour": summary("hourly", day),
        "summary of parts of hours": summary("hourly", **morning),
        "summary of a day by group": summary("daily", day, groupBy="group"),
        "summary of four weeks by day": summary("daily", month),
        "summary of a user": user("summary"),
        "progress of a user": user("progress"),
        "summary of a class": lambda dice: ("GET", f"/api/v1/usage/groups/class-{dice.randrange(CLASSES)}/summary", None),
        "events, newest 50": lambda _dice: ("GET", "/api/v1/usage/events?limit=50", None),
        "events of a user, newest 50": lambda dice: (
            "GET", f"/api/v1/usage/events?limit=50&userId=user-{dice.randrange(LEARNERS)}", None
        ),
    }


def _course_event(number: int, seed: int) -> dict[str, Any]:
    dice = Random(f"course {seed} {number}")
    user = dice.randrange(LEARNERS)
    event = {
        "event_id": f"{seed}-{number}", "timestamp": _at(number).isoformat(timespec="milliseconds"), "user_id": f"user-{user}",
        "entity_id": f"entity-{user % ENTITIES}",
    }
    if number % 4 == 0:
        return {**event, "type": "search", "query": f"lesson {dice.randrange(THINGS)}"}
    did = ("course-click", "course-save", "course-complete")[number % 4 - 1]
    lasted = {"duration": str(dice.randrange(600, 7200))} if did == "course-complete" else {}
    return {**event, "type": did, "course_id": f"course-{dice.randrange(THINGS)}", **lasted}


def _course_reads(count: int) -> Mapping[str, Callable[[Random], Call]]:
    first, end = _days(count)
    month = {"from": max(BEGIN, end - timedelta(days=28)).date().isoformat(), "to": first.date().isoformat()}
    parts = {"from": (first + timedelta(minutes=7)).isoformat()[:19] + "Z", "to": (first + timedelta(hours=9.4)).isoformat()[:19] + "Z"}

    def report(name: str, **window: str) -> Callable[[Random], Call]:
        query = urlencode(window)
        return lambda _dice: ("GET", f"/v2.0/reports/{name}?{query}", None)

    def of_an_entity(dice: Random) -> Call:
        query = urlencode({**month, "entity_id": f"entity-{dice.randrange(ENTITIES)}"})
        return "GET", f"/v2.0/reports/completions?{query}", None

    return {
        "completions, ever": report("completions"),
        "completions, four weeks": report("completions", **month),
        "completions, four weeks of an entity": of_an_entity,
        "completions, parts of hours": report("completions", **parts),
        "search conversion, four weeks": report("search-conversion", **month),
        "training hours, ever": report("training-hours"),
    }


def _snapshots(numbers: Sequence[int], seed: int) -> Iterable[Mapping[str, Any]]:
    """One document with a row of each learner on each activity, as the platform reports it."""
    dice = Random(f"pathway {seed} {numbers[0]}")
    yield {"status": "success", "data": [{
        "pathway": {"name": PATHWAY, "type": "pathway", "ID": f"EV67-{seed}"},
        "activities": [
            {"ID": f"{name}-{seed}", "name": name, "type": "story", "fulfilmentType": "complete", "required": True, "level": 1,
             "logs": [_log(number, dice) for number in numbers]}
            for name in ACTIVITIES
        ],
    }]}


def _log(number: int, dice: Random) -> dict[str, Any]:
    progress = dice.choice((0, 20, 60, 100))
    state = "completed" if progress == 100 else "in progress" if progress else "not started"
    at = (BEGIN + timedelta(seconds=number + dice.randrange(3600))).isoformat(timespec="seconds")
    return {
        "firstname": "Learner", "lastname": str(number), "email": f"learner.{number}@shop.example", "telephone": "",
        "country": "South Africa", "city": "Durban", "groups": [f"Group {number % CLASSES}"],
        "status": {"complete": progress == 100, "progress": progress, "state": state, "timestamp": at},
        "fulfilment": {"type": "story", "state": state, "progress": progress, "timestamp": at} if progress else [],
    }


def _pathway_reads(count: int) -> Mapping[str, Callable[[Random], Call]]:
    def asked(**filters: Any) -> Call:
        return "POST", "/v1/logs/pathway-logs", json.dumps({"pathway": PATHWAY, **filters}).encode()

    return {
        "the whole pathway": lambda _dice: asked(),
        "one group of it": lambda dice: asked(groups=[f"Group {dice.randrange(CLASSES)}"]),
        "one learner of it": lambda dice: asked(users=[f"learner.{dice.randrange(count)}@shop.example"]),
    }


STUDYFETCH = Source("studyfetch", lambda numbers, seed: (_usage(number, seed) for number in numbers), _usage_reads)
OFCOURSEME = Source("ofcourseme", lambda numbers, seed: (_course_event(number, seed) for number in numbers), _course_reads)
PATHWAYS = Source("pathway", _snapshots, _pathway_reads, len(ACTIVITIES))
