"""An OfCourseMe tenant without a database: the product's application over memory, and a client that speaks to it."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from yarl import URL

from adapters.contract.cases import config_of
from adapters.contract.memory import MemoryStore
from adapters.ofcourseme.routes import adapter
from adapters.ofcourseme.summaries import MATERIALIZERS

FOLDER = Path(__file__).parent.parent / "fixtures" / "ofcourseme"
CONFIG = json.loads((FOLDER / "config.json").read_text())
SETTINGS = {name: value for name, value in CONFIG.items() if name not in ("source", "received_at", "api_key")}
KEY = {"x-api-key": CONFIG["api_key"]}
EVENTS = "/v2.0/events"
DENIED = {"message": "User is not authorized to access this resource with an explicit deny"}


def a_store() -> MemoryStore:
    """A store in memory where nothing has happened yet."""
    config = config_of(FOLDER)
    return MemoryStore.of(adapter, MATERIALIZERS, config.directory, config.received_at)


class Platform:
    """A learning platform that reports to OfCourseMe."""

    def __init__(self, client: TestClient[Any, Any], store: MemoryStore) -> None:
        self.client, self.store = client, store

    async def ask(
        self, method: str, target: str, *, headers: Mapping[str, str] = KEY, data: Any = None
    ) -> tuple[int, Any]:
        """Status and JSON of an answer (None: there is none). The target goes out as it is spelt."""
        answer = await self.answer(method, target, headers=headers, data=data)
        return answer.status, (await answer.json() if answer.content_type == "application/json" else None)

    async def answer(self, method: str, target: str, *, headers: Mapping[str, str] = KEY, data: Any = None) -> ClientResponse:
        """The answer itself, read."""
        url = self.client.make_url("/").join(URL(target, encoded=True))
        async with self.client.session.request(method, url, headers=headers, data=data) as answer:
            await answer.read()
            return answer

    async def say(self, line: bytes) -> bytes:
        """The answer to a request of exactly this line, which need not be a proper one."""
        url = self.client.make_url("/")
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(line + b" HTTP/1.1\r\nHost: lrs\r\nConnection: close\r\nx-api-key: " + KEY["x-api-key"].encode() + b"\r\n\r\n")
        said = await reader.read()
        writer.close()
        return said

    async def report(self, name: str, query: str = "") -> Any:
        """A report that must be there."""
        status, body = await self.ask("GET", f"/v2.0/reports/{name}?{query}")
        assert status == 200, body
        return body

    @property
    def statements(self) -> list[Any]:
        """All that is stored."""
        return self.store.statements.log
