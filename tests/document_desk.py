"""A client of the document resources, over an application whose documents are in memory; every request has its parameters."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from http_fakes import Fakes, xapi
from mocks import MockDatabase

from lrs.http import keys
from lrs.store.documents import Documents

ACTIVITY = "https://school.example.org/activities/sums"
AGENT = {"mbox": "mailto:ada@school.example.org"}
REGISTRATION = "9a3d3b8e-2b3c-4b69-8e4f-2f6a3c1f5a11"
JSON = {"Content-Type": "application/json"}
ANY = {"If-None-Match": "*"}


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 22, 6, 0, 0, 250_000, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Desk:
    """`path` and `params` say which document; `desk("PUT", b"…", stateId="x")` changes single ones, None leaves one out."""

    client: TestClient
    path: str
    params: dict[str, str]
    clock: Clock
    version: str = "1.0.3"
    pair: str = "all:secret"

    async def __call__(
        self, method: str, content: Any = None, *, headers: dict[str, str] | None = None, **params: str | None
    ) -> ClientResponse:
        chosen = {name: text for name, text in {**self.params, **params}.items() if text is not None}
        body = content if content is None or isinstance(content, bytes) else json.dumps(content).encode()
        typed = {} if body is None else JSON
        return await self.client.request(
            method, self.path, params=chosen, data=body, headers={**xapi(self.pair, self.version), **typed, **(headers or {})}
        )

    async def tag(self) -> str:
        """The ETag of the document as it is."""
        return (await self("GET")).headers["ETag"]


PARAMS = {
    "/xapi/activities/state": {"activityId": ACTIVITY, "agent": json.dumps(AGENT), "stateId": "bookmark"},
    "/xapi/activities/profile": {"activityId": ACTIVITY, "profileId": "settings"},
    "/xapi/agents/profile": {"agent": json.dumps(AGENT), "profileId": "settings"},
}
STATE, ACTIVITY_PROFILE, AGENT_PROFILE = PARAMS
PROFILES = (ACTIVITY_PROFILE, AGENT_PROFILE)
ID_OF = {path: "stateId" if path == STATE else "profileId" for path in PARAMS}


def desk_maker(make_client: Callable[..., Any]) -> Callable[..., Any]:
    """`await make(path, version)` gives a desk; all of them share one store."""
    fakes, clock = Fakes(), Clock()
    app = fakes.app()
    app[keys.DOCUMENTS] = Documents(MockDatabase(), clock)
    clients: list[TestClient] = []

    async def make(path: str, version: str = "1.0.3", pair: str = "all:secret") -> Desk:
        if not clients:
            clients.append(await make_client(app))
        return Desk(clients[0], path, PARAMS[path], clock, version, pair)

    return make
