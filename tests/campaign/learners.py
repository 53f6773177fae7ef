"""Learners at a Kolibri: every update is worth a second and one right answer, and is sent again under its key until it is answered."""

import asyncio
import random
import uuid
from collections.abc import Mapping
from typing import Any

from campaign.client import Answer, Client, insist

NAMES = ("ada", "bob", "cyd")
LOGGER = "/api/logger"
CONTENT = uuid.UUID(int=7).hex
SCHOOL: Mapping[str, Any] = {
    "facilities": {"harbour": {"id": f"{1:032x}", "name": "Harbour", "default": True}},
    "users": {
        name: {"id": f"{number:032x}", "username": name, "password": f"pw-{name}", "facility": "harbour", "kind": "learner"}
        for number, name in enumerate(NAMES, 10)
    },
}
START = {
    "node_id": uuid.UUID(int=1).hex, "content_id": CONTENT, "channel_id": uuid.UUID(int=2).hex, "kind": "exercise",
    "mastery_model": {"type": "m_of_n", "m": 3, "n": 5},
}


class Learner:
    """One learner at one exercise. `client` asks as this learner; `prefix` leads to the tenant."""

    def __init__(self, client: Client, chance: random.Random, name: str, prefix: str) -> None:
        self._client, self._chance, self._name, self._prefix = client, chance, name, prefix
        self._session: str | None = None
        self._sent = 0
        self._acknowledged = 0
        self._open: dict[str, tuple[str, Mapping[str, Any]]] = {}  # keys without an answer: session and body

    async def run(self, stopped: asyncio.Event) -> None:
        """Work until told to stop."""
        while not stopped.is_set():
            choice = self._chance.random()
            if self._session is None or choice < 0.03:
                await self._start()
            elif choice < 0.25:
                await self.look()
            elif self._open and choice < 0.5:
                await self._again(self._chance.choice(list(self._open)))
            else:
                await self._update()
            await asyncio.sleep(self._chance.uniform(0.01, 0.15))

    async def _start(self) -> None:
        answer = await self._client.ask(
            "start a session", "POST", f"{self._prefix}{LOGGER}/trackprogress/", value=START, allowed=(200,)
        )
        if answer.status == 200:
            self._session = answer.json["session_id"]

    async def _update(self) -> None:
        assert self._session is not None
        key, body = uuid.UUID(int=self._chance.getrandbits(128)).hex, self._a_second()
        self._open[key] = self._session, body
        self._sent += 1
        await self._again(key)

    def _a_second(self) -> Mapping[str, Any]:
        item = f"q{self._chance.randrange(30)}"
        return {"time_spent_delta": 1, "interactions": [{"item": item, "correct": 1, "time_spent": 1, "answer": {"is": "4"}}]}

    async def _again(self, key: str, within_s: float = 0.0) -> Answer:
        session, body = self._open[key]
        answer = await insist(
            self._client, "update a session", "PUT", f"{self._prefix}{LOGGER}/trackprogress/{session}/", value=body,
            headers={"Idempotency-Key": key}, allowed=(200,), within_s=within_s,
        )
        if answer.status == 200 and key in self._open:
            del self._open[key]
            self._acknowledged += 1
        return answer

    async def look(self, within_s: float = 0.0) -> None:
        """The learner's log reflects all that was acknowledged before, and nothing that was not sent."""
        least, user = self._acknowledged, SCHOOL["users"][self._name]["id"]
        answer = await insist(
            self._client, "read a mastery log", "GET", f"{self._prefix}{LOGGER}/masterylog/?content={CONTENT}&user={user}",
            allowed=(200,), within_s=within_s,
        )
        if answer.status != 200:
            return
        logs = answer.json
        spent, right = sum(each["time_spent"] for each in logs), sum(each["correct"] for each in logs)
        if not least <= spent <= self._sent or right != spent or len(logs) > 1:
            self._client.findings.add(
                "log_differs", f"{self._name}: {spent} s, {right} right in {len(logs)} logs; acknowledged {least}, sent {self._sent}"
            )

    async def close(self, within_s: float) -> None:
        """Send again what has no answer; then the log must be exact."""
        for key in list(self._open):
            answer = await self._again(key, within_s)
            if answer.status != 200:
                self._client.findings.add("not_taken_in_the_end", f"{self._name}: update {key} is answered {answer.status}")
        await self.look(within_s)
