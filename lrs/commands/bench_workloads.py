"""The requests that `lrs bench` sends."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from lrs import samples

PATH = "/xapi/statements"
BATCH, PAGE = 50, 100
OURS, NOOP, BARE = "ours", "noop", "motor-ix"

# A request: method, path with query, body, and how many statements it stores or asks for.
Job = tuple[str, str, bytes | None, int]


@dataclass(frozen=True)
class Workload:
    """One kind of request, how many clients send it, how many there are at most, and which targets take part."""

    name: str
    clients: int
    most: int
    jobs: Callable[["Store", int], Iterator[Job]]
    targets: tuple[str, ...] = (OURS, NOOP, BARE)
    size: int = 1


@dataclass
class Store:
    """`next` is the statement to be made next, the first `filled` are there for sure; `base` is part of every statement's making."""

    base: int
    next: int = 0
    filled: int = 0
    dice: random.Random = field(default_factory=lambda: random.Random(7))

    def take(self, count: int) -> list[dict[str, Any]]:
        """The next statements."""
        first, self.next = self.next, self.next + count
        return [samples.sample(number, self.base) for number in range(first, self.next)]


def _posts(store: Store, count: int) -> Iterator[Job]:
    return (("POST", PATH, _json(each), 1) for each in store.take(count))


def _puts(store: Store, count: int) -> Iterator[Job]:
    return (("PUT", f"{PATH}?statementId={each['id']}", _json(each), 1) for each in store.take(count))


def _batches(store: Store, count: int) -> Iterator[Job]:
    return (("POST", PATH, _json(store.take(BATCH)), BATCH) for _ in range(count))


def _by_id(store: Store, count: int) -> Iterator[Job]:
    for _ in range(count):
        statement = samples.sample(store.dice.randrange(store.filled), store.base)
        yield _get(1, statementId=statement["id"])


def _by_agent(store: Store, count: int) -> Iterator[Job]:
    for _ in range(count):
        yield _get(1, agent=samples.agent_parameter(samples.sample(store.dice.randrange(store.filled), store.base)["actor"]), limit=50)


def _by_activity(store: Store, count: int) -> Iterator[Job]:
    for _ in range(count):
        one = samples.sample(store.dice.randrange(store.filled), store.base)
        yield _get(1, activity=one["object"]["id"], verb=one["verb"]["id"], since="2026-01-01T00:00:00Z", limit=PAGE)


WORKLOADS = (
    Workload("POST one", 32, 4000, _posts),
    Workload("PUT one", 32, 4000, _puts, (OURS, NOOP)),
    Workload("POST of 50", 8, 200, _batches, size=BATCH),
    Workload("GET by id", 16, 4000, _by_id, (OURS, NOOP)),
    Workload("GET agent, limit 50", 8, 600, _by_agent, (OURS,)),
    Workload("GET activity, verb, since", 8, 600, _by_activity, (OURS,)),
)


def query_path(**query: Any) -> str:
    """The path that asks for a page."""
    return f"{PATH}?{urlencode(query)}"


def _get(count: int, **query: Any) -> Job:
    return "GET", query_path(**query), None, count


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
