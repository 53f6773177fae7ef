"""Traffic for crash tests: clients that go on whatever happens, and remember what was promised to them."""

import asyncio
import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from builders import a_statement, learner

VERSION = {"X-Experience-API-Version": "1.0.3"}
LEARNERS = ("ada", "bob", "cyd")
CONTENT = uuid.UUID(int=7).hex


def login(name: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"Authorization": aiohttp.encode_basic_auth(name, password)}


@dataclass
class Promises:
    """What was sent, and what of it the server acknowledged. A batch is the ids of one request."""

    sent: list[list[str]] = field(default_factory=list)
    acknowledged: list[list[str]] = field(default_factory=list)
    updates_sent: dict[str, int] = field(default_factory=dict)
    updates_acknowledged: dict[str, int] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)


class Load:
    """Concurrent clients against one base URL, for a bounded time, through whatever is killed meanwhile."""

    def __init__(self, base_url: str, *, seed: int) -> None:
        self.base_url = base_url
        self.promises = Promises()
        self._random = random.Random(seed)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Let every client finish its request and end."""
        self._stopped.set()

    async def run(self, headers: Mapping[str, str], *, clients: int, at_most_s: float) -> None:
        """Post until stopped or until the time is over."""
        deadline = time.monotonic() + at_most_s
        async with aiohttp.ClientSession(base_url=self.base_url, timeout=aiohttp.ClientTimeout(total=30)) as session:
            posting = [self._post(session, headers, deadline) for _ in range(clients)]
            learning = [self._learn(session, name, deadline) for name in LEARNERS]
            await asyncio.gather(*posting, *learning)

    def _going(self, deadline: float) -> bool:
        return not self._stopped.is_set() and time.monotonic() < deadline

    async def _post(self, session: aiohttp.ClientSession, headers: Mapping[str, str], deadline: float) -> None:
        while self._going(deadline):
            size = self._random.choice((1, 1, 1, 5, 30))
            batch = [a_statement(actor=learner(self._random.choice(LEARNERS))) for _ in range(size)]
            ids = [each["id"] for each in batch]
            self.promises.sent.append(ids)
            status, body = await self._call(session, "POST", "/xapi/statements", json=batch, headers={**headers, **VERSION})
            if status == 200:
                assert body == ids
                self.promises.acknowledged.append(ids)

    async def _learn(self, session: aiohttp.ClientSession, name: str, deadline: float) -> None:
        """One learner's sessions: each update adds a second and answers a question."""
        headers = login(name, f"pw-{name}")
        start = {
            "node_id": uuid.UUID(int=1).hex, "content_id": CONTENT, "channel_id": uuid.UUID(int=2).hex, "kind": "exercise",
            "mastery_model": {"type": "m_of_n", "m": 3, "n": 5},
        }
        session_id = None
        while self._going(deadline):
            if session_id is None:
                status, body = await self._call(session, "POST", "/api/logger/trackprogress/", headers=headers, json=start)
                session_id = body["session_id"] if status == 200 else None
                continue
            self._count(self.promises.updates_sent, name)
            status, _ = await self._call(
                session, "PUT", f"/api/logger/trackprogress/{session_id}/", headers=headers,
                json={"time_spent_delta": 1, "interactions": [{"item": "q", "correct": 1, "time_spent": 1, "answer": {}}]},
            )
            if status == 200:
                self._count(self.promises.updates_acknowledged, name)

    @staticmethod
    def _count(counts: dict[str, int], name: str) -> None:
        counts[name] = counts.get(name, 0) + 1

    async def _call(self, session: aiohttp.ClientSession, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Status and body; status 0 if there was no answer. A refusal that a crash does not explain is remembered."""
        try:
            async with session.request(method, path, **options) as response:
                body = await response.json(content_type=None) if response.status < 300 else await response.text()
                if response.status not in (200, 503):
                    self.promises.refusals.append(f"{method} {path}: {response.status} {body}")
                if response.status == 503:
                    await asyncio.sleep(0.1)
                return response.status, body
        except (aiohttp.ClientError, OSError, TimeoutError):
            await asyncio.sleep(0.05)
            return 0, None
