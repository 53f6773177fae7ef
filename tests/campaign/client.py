"""How clients ask: through the proxies, at one API process or the other, with little patience; every answer is judged and counted."""

import asyncio
import json
import random
from collections.abc import Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from campaign.findings import Findings

VERSION = {"X-Experience-API-Version": "1.0.3"}
PATIENCE_S = (2.0, 5.0, 12.0)
UNKNOWN = 0  # the status of no answer


@dataclass(frozen=True)
class Answer:
    """What came back. `status` is UNKNOWN if nothing did; 503 says as little about what was done."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    url: str = ""

    @property
    def json(self) -> Any:
        """The body's value; None if there is none."""
        return json.loads(self.body) if self.body else None

    @property
    def definite(self) -> bool:
        """Whether it says what became of the request."""
        return self.status not in (UNKNOWN, 503)


class Client:
    """Somebody with a credential. What is drawn by chance comes from the seed."""

    def __init__(
        self, urls: list[str], headers: Mapping[str, str], findings: Findings, chance: random.Random,
        session: aiohttp.ClientSession, patience_s: tuple[float, ...] = PATIENCE_S,
    ) -> None:
        self.urls, self.headers, self.findings, self.chance = urls, dict(headers), findings, chance
        self._session = session
        self._patience_s = patience_s

    async def ask(
        self, what: str, method: str, path: str, *, allowed: Collection[int], value: Any = None, body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request. An answer that is neither allowed nor 503 is a finding; `what` names the kind of request."""
        url = self.chance.choice(self.urls)
        patience = aiohttp.ClientTimeout(total=self.chance.choice(self._patience_s))
        if value is not None:
            body, headers = json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})}
        try:
            async with self._session.request(
                method, url + path, data=body, headers={**self.headers, **(headers or {})}, timeout=patience
            ) as response:
                answer = Answer(response.status, dict(response.headers), await response.read(), url)
        except (aiohttp.ClientError, OSError, TimeoutError):
            answer = Answer(UNKNOWN, url=url)
        self.findings.count(f"{what} {answer.status or 'no answer'}")
        if answer.definite and answer.status not in allowed:
            kind = "unexpected_5xx" if answer.status >= 500 else "unexpected_answer"
            self.findings.add(kind, f"{what}: {method} {path} at {url}: {answer.status} {answer.body[:400]!r}")
        if not answer.definite:
            await asyncio.sleep(self.chance.uniform(0.02, 0.3))
        return answer


def login(key: str, secret: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"Authorization": aiohttp.encode_basic_auth(key, secret)}


def a_session() -> aiohttp.ClientSession:
    """Each request has a connection of its own, and is sent once: what becomes of it is for us to say."""
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True, limit=0))
    session._retry_connection = False  # aiohttp would send a PUT again by itself; its own TestClient sees to it in this way, too
    return session


async def insist(client: Client, what: str, method: str, path: str, *, within_s: float, **options: Any) -> Answer:
    """Ask until the answer is definite, or the time is over; then the last one."""
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        answer = await client.ask(what, method, path, **options)
        if answer.definite or asyncio.get_running_loop().time() > deadline:
            return answer
        await asyncio.sleep(0.2)


async def side_by_side(work: Iterable[Coroutine[Any, Any, None]], at_once: int = 8) -> None:
    """All of it, so many at a time."""
    free = asyncio.Semaphore(at_once)

    async def one(each: Coroutine[Any, Any, None]) -> None:
        async with free:
            await each

    await asyncio.gather(*(one(each) for each in work))
