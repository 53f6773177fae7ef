"""Sums of usage as the answers that the reference documents. Pure.

Averages and shares are null where there is nothing to take them of. Whole hours of time are summed up in milliseconds, answered in seconds.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from math import fsum
from typing import Any

import orjson

from adapters.studyfetch.facts import Fact
from adapters.studyfetch.moments import format_ms
from adapters.studyfetch.summaries import COMPLETED, Progress
from adapters.studyfetch.vocabulary import ENDPOINTS, FAMILIES, family_of

Sums = Mapping[tuple[str, ...], Counter[str]]
# How many characters of an hour name a period, and what makes it the moment at which the period starts.
PERIODS = {"hourly": (13, ":00:00.000Z"), "daily": (10, "T00:00:00.000Z"), "monthly": (7, "-01T00:00:00.000Z")}
# What a summary may be broken down by.
KEYS = ("user", "group", "model", "endpoint")


def moment(micros: int | None) -> str | None:
    """A moment as answers have it, if there is one."""
    return None if micros is None else format_ms(micros)


def event_answer(fact: Fact, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """An event as the list has it: near to how it came. Without an id of its own it is known by its statement's."""
    return {
        "id": shown_id(fact), "eventType": fact.type, "userId": fact.user or None, "groupIds": list(fact.groups),
        "resourceId": fact.resource, "timestamp": format_ms(fact.at_us), "metadata": metadata,
    }


def shown_id(fact: Fact) -> str:
    """The id an event is known by."""
    return fact.id if fact.event is None else fact.event


def newest_first(facts: Iterable[Fact]) -> list[Fact]:
    """Events in the order of the list."""
    return sorted(facts, key=lambda fact: (-fact.at_us, shown_id(fact), fact.id))


def activity_answer(used: Sums, tests: Sums, attempts: Sums, seen: tuple[int | None, int | None]) -> dict[str, Any]:
    """What a user's and a group's summary have in common. `used` is by hour and type; `seen` are the first and the last moment of all."""
    by_type: dict[str, int] = {}
    for (_, event_type), sums in sorted(used.items(), key=lambda item: item[0][1]):
        by_type[event_type] = by_type.get(event_type, 0) + sums["events"]
    scores = Scores(tests)
    return {
        "firstSeen": moment(seen[0]),
        "lastSeen": moment(seen[1]),
        "activeDays": len({hour[:10] for hour, _ in used}),
        "totalEvents": sum(by_type.values()),
        "byEventType": by_type,
        "byFamily": by_family(by_type),
        "durationSeconds": seconds(sum(sums["ms"] for sums in used.values())),
        "tests": {
            "attempts": len(attempts), "completed": scores.completed, "averageScore": scores.average, "bestScore": scores.best,
        },
    }


def seconds(milliseconds: int) -> int | float:
    """Milliseconds in seconds, a whole number where it is one."""
    return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000


def by_family(by_type: Mapping[str, int]) -> dict[str, int]:
    """Events by family: each of the six, and "other" where there are events of types in none."""
    counts = dict.fromkeys(FAMILIES, 0)
    for event_type, count in by_type.items():
        family = family_of(event_type)
        counts[family] = counts.get(family, 0) + count
    return counts


class Scores:
    """The completed tests of somebody, by score (0..1) and by whether they were passed."""

    def __init__(self, tests: Sums) -> None:
        """`tests` are the lines by "score" and "passed"."""
        self.completed = sum(sums["events"] for sums in tests.values())
        self._scores: Counter[float] = Counter()
        self._passed: Counter[str] = Counter()
        for (score, passed), sums in tests.items():
            self._passed[passed] += sums["events"]
            if score:
                self._scores[float(score)] += sums["events"]

    @property
    def average(self) -> float | None:
        """The mean of the scores there are."""
        number = self._scores.total()
        return fsum(score * count for score, count in self._scores.items()) / number if number else None

    @property
    def best(self) -> float | None:
        """The highest score."""
        return max(self._scores, default=None)

    @property
    def median(self) -> float | None:
        """The score in the middle, or half-way between the two that are."""
        number = self._scores.total()
        if not number:
            return None
        low, high = self._at((number - 1) // 2), self._at(number // 2)
        return low if low == high else (low + high) / 2

    def _at(self, index: int) -> float:
        for score, count in sorted(self._scores.items()):
            if index < count:
                return score
            index -= count
        raise IndexError(index)

    @property
    def pass_rate(self) -> float | None:
        """The part of those that are known to be passed or not."""
        return ratio(self._passed["true"], self._passed["true"] + self._passed["false"])


def ratio(part: int, whole: int) -> float | None:
    """A part of a whole; None of nothing."""
    return part / whole if whole else None


def progress_answer(progress: Progress, attempts: int) -> dict[str, Any]:
    """How far a user is with a resource."""
    return {
        "resourceId": progress.thing, "kind": progress.kind, "name": progress.name,
        "firstSeen": moment(progress.first_us), "lastSeen": moment(progress.last_us),
        "interactions": sum(progress.types.values()), "attempts": attempts,
        "completed": progress.types.get(COMPLETED, 0), "bestScore": progress.best, "lastScore": progress.last,
        "progress": progress.progress,
    }


def progress_list(found: Iterable[Progress], attempts: Iterable[tuple[str, ...]]) -> list[dict[str, Any]]:
    """What somebody makes progress on, the latest first; an endpoint that is called is nothing to learn.

    `attempts` are the kind and the id of what each attempt is at, and its key.
    """
    numbers = Counter((kind, thing) for kind, thing, _ in attempts)
    learnt = sorted((each for each in found if each.kind != ENDPOINTS), key=lambda each: (-(each.last_us or 0), each.kind, each.thing))
    return [progress_answer(each, numbers[each.kind, each.thing]) for each in learnt]


class UsersOfResource:
    """Who used a resource how often. Somebody may have used several things by one id."""

    def __init__(self) -> None:
        self._types: dict[str, Counter[str]] = defaultdict(Counter)
        self._last_us: dict[str, int] = {}

    def add(self, progress: Progress) -> None:
        """What a user has to do with one thing."""
        self._types[progress.user].update(progress.types)
        last_us = progress.last_us or 0
        self._last_us[progress.user] = max(self._last_us.get(progress.user, last_us), last_us)

    def answer(self, resource: str, anonymous: int, part: slice) -> dict[str, Any]:
        """The resource with a part of its users, the most frequent first."""
        counts = {user: types.total() for user, types in self._types.items()}
        users = sorted(counts, key=lambda user: (-counts[user], user))[part]
        return {
            "resourceId": resource, "totalEvents": anonymous + sum(counts.values()), "anonymousEvents": anonymous,
            "users": [
                {
                    "userId": user, "count": counts[user], "lastSeen": format_ms(self._last_us[user]),
                    "byEventType": dict(sorted(self._types[user].items())),
                }
                for user in users
            ],
        }


def bucket_answers(counts: Sums, people: Mapping[tuple[str, ...], int], period: str) -> list[dict[str, Any]]:
    """The buckets of a summary, without empty ones: of events by start, type and key, and of people by start and key.

    A key of "" is none.
    """
    by_type: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for (start, event_type, key), sums in sorted(counts.items()):
        by_type[start, key][event_type] = sums["events"]
    return [
        {
            "start": start + PERIODS[period][1], "key": key or None, "events": sum(types.values()), "users": people.get((start, key), 0),
            "byEventType": types,
        }
        for (start, key), types in sorted(by_type.items())
    ]


def by_each_group(counts: Sums) -> dict[tuple[str, ...], Counter[str]]:
    """Events by start, type and one group, of those by start, type and all groups together: an event is under each of its groups."""
    found: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for (start, event_type, groups), sums in counts.items():
        for group in orjson.loads(groups) or [""]:
            found[start, event_type, group].update(sums)
    return found


def comparison_answer(group: str, users: int, events: int, scores: Scores) -> dict[str, Any]:
    """A group beside others."""
    return {
        "groupId": group, "users": users, "events": events, "eventsPerUser": ratio(events, users),
        "testsCompleted": scores.completed, "averageScore": scores.average, "medianScore": scores.median,
        "passRate": scores.pass_rate,
    }


def features_answer(group: str, by_type: Mapping[str, int], features: Mapping[str, int]) -> dict[str, Any]:
    """What a group uses: events by family and by component type, and the part that each family has."""
    families, total = by_family(by_type), sum(by_type.values())
    return {
        "groupId": group, "families": families, "features": dict(sorted(features.items())),
        "share": {family: count / total if total else 0 for family, count in families.items()},
    }
