"""A class at work: many learners at once, over two processes of the API on one database."""

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import encode_basic_auth
from aiohttp.test_utils import TestClient
from kolibri_served import kolibri_process

from adapters.kolibri.login import ON_BEHALF_OF
from adapters.kolibri.world import WorldSchema, entries
from lrs.config import Config
from lrs.http.keys import DIRECTORY
from lrs.store.mongo import Database

LEARNERS = [f"{number:032x}" for number in range(1, 41)]
COACH, FACILITY, ROOM = "c" * 32, "f" * 32, "d" * 32
BODY = {
    "node_id": "a" * 32, "content_id": "b" * 32, "channel_id": "e" * 32, "kind": "exercise",
    "mastery_model": {"type": "m_of_n", "m": 8, "n": 10},
}
WORLD = WorldSchema().load({
    "facilities": {"school": {"id": FACILITY, "default": True}},
    "classrooms": {"room": {"id": ROOM, "facility": "school"}},
    "users": {
        "coach": {"id": COACH, "username": "coach", "facility": "school", "kind": "class_coach", "coach_of": ["room"]},
        **{each: {"id": each, "username": each, "facility": "school", "classrooms": ["room"]} for each in LEARNERS},
    },
})
LOGGER = "/api/logger"


class Classroom:
    """Sends requests on behalf of anybody, to the processes in turn."""

    def __init__(self, clients: list[TestClient[Any, Any]]) -> None:
        self.clients, self.sent = clients, 0

    async def send(self, user: str, method: str, path: str, body: Any = None, **more: Any) -> Any:
        self.sent += 1
        headers = {"Authorization": encode_basic_auth("front-end", "secret"), ON_BEHALF_OF: user, **more.pop("headers", {})}
        client = self.clients[self.sent % len(self.clients)]
        async with client.request(method, LOGGER + path, json=body, headers=headers, **more) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def start(self, user: str) -> str:
        begun = await self.send(user, "POST", "/trackprogress/", BODY)
        return f"/trackprogress/{begun['session_id']}/"

    async def log(self, reader: str, learner: str) -> Any:
        """The only try of a learner."""
        (log,) = await self.send(reader, "GET", "/masterylog/", params={"user": learner, "content": BODY["content_id"]})
        return log


@pytest.fixture
async def classroom(config: Config, database: Database) -> AsyncIterator[Classroom]:
    known = list(entries(WORLD))
    async with kolibri_process(config, known, "school") as one, kolibri_process(config, known, "school") as other:
        await one.app[DIRECTORY].add_credential(
            "school", kind="basic", key="front-end", secret="secret", scopes=["events/write"]
        )
        yield Classroom([one, other])


def update(item: str, seconds: float = 2) -> dict[str, Any]:
    return {
        "progress_delta": 0.01, "time_spent_delta": seconds,
        "interactions": [{"item": item, "correct": 1, "complete": True, "time_spent": seconds, "answer": {"value": item}}],
    }


async def test_forty_learners_at_once_and_a_coach_who_looks_on(classroom: Classroom) -> None:
    rounds = 4

    async def learn(learner: str) -> None:
        path = await classroom.start(learner)
        for done in range(1, rounds + 1):
            answer = await classroom.send(learner, "PUT", path, update(f"q{done}"))
            assert [attempt["item"] for attempt in answer["attempts"]] == [f"q{done}"]
            # Read from the other process: what was acknowledged is there.
            log = await classroom.log(learner, learner)
            assert (log["correct"], log["time_spent"]) == (done, 2 * done)

    async def look_on() -> None:
        seen = dict.fromkeys(LEARNERS[:5], 0)
        while any(count < rounds for count in seen.values()):
            for learner in seen:
                logs = await classroom.send(
                    COACH, "GET", "/masterylog/", params={"user": learner, "content": BODY["content_id"]}
                )
                correct = logs[0]["correct"] if logs else 0
                assert correct >= seen[learner]
                seen[learner] = correct

    await asyncio.gather(look_on(), *(learn(learner) for learner in LEARNERS))
    attempts = await classroom.send(COACH, "GET", "/attemptlog/", params={"content": BODY["content_id"]})
    assert len(attempts) == len({each["id"] for each in attempts}) == rounds * len(LEARNERS)
    assert {(each["user"], each["item"]) for each in attempts} == {
        (learner, f"q{number}") for learner in LEARNERS for number in range(1, rounds + 1)
    }


async def test_two_tabs_of_one_learner_in_one_session(classroom: Classroom) -> None:
    learner = LEARNERS[0]
    path = await classroom.start(learner)
    answers = await asyncio.gather(*(classroom.send(learner, "PUT", path, update(f"q{number}")) for number in range(24)))
    assert len({answer["attempts"][0]["id"] for answer in answers}) == 24
    log = await classroom.log(COACH, learner)
    assert (log["correct"], log["time_spent"]) == (24, 48)
    begun = await classroom.send(learner, "POST", "/trackprogress/", BODY)
    progress = 0.0
    for _ in answers:  # rounded up each time, as Kolibri does
        progress = math.ceil((progress + 0.01) * 1000) / 1000
    assert (begun["progress"], begun["totalattempts"]) == (progress, 24)


async def test_updates_that_come_twice_and_out_of_order_after_a_break(classroom: Classroom) -> None:
    learner = LEARNERS[1]
    path = await classroom.start(learner)
    sent = [(update(f"q{number}", number), {"Idempotency-Key": f"key-{number}"}) for number in range(1, 9)]
    again = [*reversed(sent), *sent, *sent[::3]]
    answers = await asyncio.gather(*(
        classroom.send(learner, "PUT", path, body, headers=headers) for body, headers in again
    ))
    for (body, _), answer in zip(again, answers, strict=True):
        assert answer == next(other for (same, _), other in zip(again, answers, strict=True) if same is body)
    log = await classroom.log(learner, learner)
    assert (log["correct"], log["time_spent"]) == (8, sum(range(1, 9)))
    attempts = await classroom.send(learner, "GET", "/attemptlog/")
    assert sorted(each["item"] for each in attempts) == [f"q{number}" for number in range(1, 9)]
