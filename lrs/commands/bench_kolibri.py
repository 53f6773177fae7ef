"""What `lrs bench kolibri` sends and measures: a school of learners at an exercise, as a Kolibri front end sends it."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import aiohttp

from lrs.commands.management import Endpoint, Refused, tenant_path

FEW_ATTEMPTS = 1_000
LEARNERS = 1_000
# Interactions of one update while the store is filled.
FILL = 50
# Calls to delete the tenant: what there is of a hundred thousand attempts is a lot for a slow disk.
DELETED_IN = 20
CONTENT, ROOM, FACILITY, COACH = "b" * 32, "d" * 32, "f" * 32, "c" * 32
START = {
    "node_id": "a" * 32, "content_id": CONTENT, "channel_id": "e" * 32, "kind": "exercise",
    "mastery_model": {"type": "m_of_n", "m": 8, "n": 10},
}
Row = tuple[object, ...]
Send = Callable[[], Awaitable[None]]


@dataclass
class Load:
    """What to send, and where. `tell` hears what is being done; `stored` counts attempts."""

    api: Endpoint
    attempts: int
    requests: int
    clients: int
    tell: Callable[[str], None]
    tenant: str = field(default_factory=lambda: f"bench-{secrets.token_hex(4)}")
    key: str = field(default_factory=lambda: f"bench-{secrets.token_hex(4)}")
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    stored: int = 0
    learners: int = LEARNERS


@dataclass
class Learner:
    """One learner and the session they are in."""

    id: str
    session: str = ""
    items: int = 0


async def measure(load: Load) -> list[Row]:
    """The rows of the report."""
    async with school(load) as desk:
        rows = await desk.rows(FEW_ATTEMPTS)
        if load.attempts > FEW_ATTEMPTS:
            rows += await desk.rows(load.attempts)
        return [*rows, *await desk.rates()]


@asynccontextmanager
async def school(load: Load) -> AsyncIterator["Desk"]:
    """A tenant with learners, each in a session. It is made before, and deleted whatever happens."""
    learners = [Learner(f"{number:032x}") for number in range(1, load.learners + 1)]
    load.tell("making a school")
    await asyncio.to_thread(_provision, load, learners)
    try:
        connector = aiohttp.TCPConnector(limit=load.clients)
        auth = {"Authorization": aiohttp.encode_basic_auth(load.key, load.secret)}
        async with aiohttp.ClientSession(connector=connector, headers=auth) as client:
            desk = Desk(load, client, learners)
            await all_of(load.clients, (desk.start(learner) for learner in learners))
            yield desk
    finally:
        load.tell("deleting the school")
        await asyncio.to_thread(delete_tenant, load.api, load.tenant, load.tell)


def _provision(load: Load, learners: Sequence[Learner]) -> None:
    person = {"facility": "school", "classrooms": ["room"]}
    coach = {"id": COACH, "username": "coach", "facility": "school", "kind": "class_coach", "coach_of": ["room"]}
    world = {
        "facilities": {"school": {"id": FACILITY}},
        "classrooms": {"room": {"id": ROOM, "facility": "school"}},
        "users": {"coach": coach, **{each.id: {"id": each.id, "username": each.id, **person} for each in learners}},
    }
    load.api.call("PUT", tenant_path(load.tenant))
    credential = {"kind": "basic", "key": load.key, "secret": load.secret, "scopes": ["all"]}
    load.api.call("POST", tenant_path(load.tenant, "credentials"), credential)
    load.api.call("PUT", tenant_path(load.tenant, "adapters", "kolibri", "reference", "world"), world)


async def leave(api: Endpoint, tenant: str, tell: Callable[[str], None], *, keep: bool = False) -> None:
    """Delete a tenant of ours, unless it is to be kept: a large one takes its time."""
    if keep:
        tell(f"the tenant {tenant} is kept")
    else:
        tell("deleting what was stored")
        await asyncio.to_thread(delete_tenant, api, tenant, tell)


def delete_tenant(api: Endpoint, tenant: str, tell: Callable[[str], None]) -> None:
    """Delete a tenant of ours. What a busy database does not manage in one call goes on in the next."""
    for _ in range(DELETED_IN):
        try:
            api.call("DELETE", tenant_path(tenant))
            return
        except Refused as refusal:
            if refusal.status == 404:  # the call before was finished after its answer
                return
            if refusal.status != 503:
                raise
            time.sleep(1)
    tell(f"the tenant {tenant} is still there: `lrs tenants delete {tenant}`")


class Desk:
    """Sends the requests of all learners, and times them."""

    def __init__(self, load: Load, client: aiohttp.ClientSession, learners: Sequence[Learner]) -> None:
        self._load, self._client, self._learners = load, client, learners
        self._next = cycle(learners)
        self.tenant = load.tenant

    async def rows(self, attempts: int) -> list[Row]:
        """Latencies, one request at a time, with so many attempts in the store."""
        self._load.tell(f"filling up to {attempts} attempts")
        missing = range(self._load.stored, attempts, FILL)
        await all_of(self._load.clients, (self._answer(next(self._next), FILL) for _ in missing))
        await asyncio.to_thread(self._load.api.call, "POST", tenant_path(self._load.tenant, "settle"))
        self._load.tell(f"measuring with {self._load.stored} attempts")
        stored, rows = self._load.stored, list[Row]()
        for name, send in (
            ("start", lambda: self.start(next(self._next))),
            ("update with one interaction", lambda: self._answer(next(self._next), 1)),
            ("mastery logs, by the coach", lambda: self._list(next(self._next))),
        ):
            rows.append((name, stored, 1, *await timed(1, self._load.requests, send)))
        return rows

    async def rates(self) -> list[Row]:
        """Rates with many clients, of updates and of single statements."""
        self._load.tell("measuring rates")
        count, clients, rows = 5 * self._load.requests, self._load.clients, list[Row]()
        for name, send in (
            ("update with one interaction", lambda: self._answer(next(self._next), 1)),
            ("POST of one statement", self._post),
        ):
            rows.append((name, self._load.stored, clients, *await timed(clients, count, send)))
        return rows

    async def start(self, learner: Learner) -> None:
        """Open a session, and go on in it from now on."""
        answer = await self._send(learner.id, "POST", "/api/logger/trackprogress/", json=START)
        learner.session = answer["session_id"]

    async def update_one(self) -> int:
        """The next learner answers one question."""
        await self._answer(next(self._next), 1)
        return 1

    async def list_one(self) -> None:
        """The coach looks at the mastery logs of the next learner."""
        await self._list(next(self._next))

    async def _answer(self, learner: Learner, count: int) -> None:
        first, learner.items = learner.items, learner.items + count
        interactions = [
            {"item": f"q{number}", "correct": 1, "complete": True, "time_spent": 12.5,
             "answer": {"value": "4"}, "simple_answer": "4"}
            for number in range(first, first + count)
        ]
        body = {"progress_delta": 0.001, "time_spent_delta": 12.5, "interactions": interactions}
        await self._send(learner.id, "PUT", f"/api/logger/trackprogress/{learner.session}/", json=body)
        self._load.stored += count

    async def _list(self, learner: Learner) -> None:
        params = {"user": learner.id, "content": CONTENT}
        await self._send(COACH, "GET", "/api/logger/masterylog/", params=params)

    async def _post(self) -> None:
        statement = {
            "actor": {"account": {"homePage": "https://bench.example.org", "name": next(self._next).id}},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/answered", "display": {"en": "answered"}},
            "object": {"id": "https://bench.example.org/activities/question"},
            "result": {"score": {"scaled": 1}, "success": True, "duration": "PT12.5S", "response": "4"},
        }
        headers = {"X-Experience-API-Version": "1.0.3"}
        async with self._client.post(f"{self._load.api.url}/xapi/statements", json=statement, headers=headers) as answer:
            answer.raise_for_status()
            await answer.read()

    async def _send(self, user: str, method: str, path: str, **more: Any) -> Any:
        url, headers = self._load.api.url + path, {"X-LRS-On-Behalf-Of": user}
        async with self._client.request(method, url, headers=headers, **more) as answer:
            answer.raise_for_status()
            return await answer.json()


async def timed(clients: int, count: int, send: Send) -> tuple[str, str, str]:
    """Milliseconds at the median and the 95th percentile, and requests a second."""
    took: list[float] = []

    async def one() -> None:
        began = time.perf_counter()
        await send()
        took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await all_of(clients, (one() for _ in range(count)))
    whole = time.perf_counter() - began
    took.sort()
    return f"{took[count // 2] * 1000:.2f}", f"{took[count * 95 // 100] * 1000:.2f}", f"{count / whole:.0f}"


async def all_of(at_once: int, work: Iterable[Awaitable[None]]) -> None:
    """Do all of it, so much at a time."""
    waiting = iter(work)

    async def go_on() -> None:
        for each in waiting:
            await each

    await asyncio.gather(*(go_on() for _ in range(at_once)))
