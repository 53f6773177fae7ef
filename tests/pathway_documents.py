"""Response documents of pathway logs, built of what matters to a test; and a desk that takes them and answers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from adapters.contract.cases import config_of
from adapters.contract.directory import AUTHORITY, TENANT
from adapters.contract.memory import MemoryStore
from adapters.pathway.documents import split
from adapters.pathway.routes import PATH
from adapters.pathway.routes import adapter as pathway
from adapters.pathway.schema import SettingsSchema
from adapters.pathway.summaries import MATERIALIZERS
from adapters.pathway.translate import translate
from lrs.events import Outcome, Source
from lrs.store.native_events import Origin
from lrs.xapi import vocabulary
from lrs.xapi.json_text import dump, parse
from lrs.xapi.types import Statement

FIXTURES = Path(__file__).parent.parent / "fixtures" / "pathway"
BASE = "https://lrs.example.org/xapi"
HOME = "https://pathways.example.com"
NOON, LATER = "2026-01-10T12:00:00Z", "2026-01-11T12:00:00Z"
ACTIVITY = f"{BASE}/activities/pathway/activities"
NOW_US = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp()) * 1_000_000
BASIC = {"Authorization": "Basic cGF0aHdheTpzZWNyZXQ="}


def a_status(progress: Any = 0, at: Any = NOON, **more: Any) -> dict[str, Any]:
    """In progress, unless it says otherwise."""
    return {"complete": False, "progress": progress, "state": "in progress", "timestamp": at, **more}


def a_log(email: Any = "ada@example.com", *, progress: Any = 0, at: Any = NOON, **more: Any) -> dict[str, Any]:
    """A row of Ada Byron."""
    return {
        "firstname": "Ada", "lastname": "Byron", "email": email, "telephone": "", "country": "", "city": "", "groups": [],
        "status": a_status(progress, at), "fulfilment": [], **more,
    }


def completed(email: Any = "ada@example.com", *, at: Any = NOON, **more: Any) -> dict[str, Any]:
    """A row of somebody who is done."""
    return a_log(email, status={"complete": True, "progress": 100, "state": "completed", "timestamp": at}, **more)


def an_activity(*logs: Any, id: str = "S1", **more: Any) -> dict[str, Any]:
    """A story with these rows."""
    return {
        "ID": id, "name": f"Story {id}", "type": "story", "fulfilmentType": "complete", "required": True, "level": 1,
        "logs": list(logs), **more,
    }


def a_pathway(*activities: Any, id: str = "P1", **more: Any) -> dict[str, Any]:
    """An item of `data`."""
    return {"pathway": {"ID": id, "name": f"Pathway {id}", "type": "pathway"}, "activities": list(activities), **more}


def a_response(*pathways: Any) -> dict[str, Any]:
    """A whole document."""
    return {"status": "success", "data": list(pathways), "hash": "0" * 32, "response_time": 0.1}


def of(*logs: Any) -> dict[str, Any]:
    """A document with these rows of the one activity of the one pathway."""
    return a_response(a_pathway(an_activity(*logs)))


def elsewhere(
    verb: str = vocabulary.COMPLETED, number: int = 1, *, actor: Any = None, activity: str = "S1", pathway: str | None = "P1",
    at: str = LATER, definition: Any = None, **more: Any,
) -> dict[str, Any]:
    """A statement of another system about an activity, in a pathway if that is named."""
    context = {"contextActivities": {"parent": [{"id": f"{BASE}/activities/pathway/pathways/{pathway}"}]}} if pathway else {}
    return {
        "id": f"00000000-0000-4000-8000-{number:012}", "actor": actor or {"mbox": "mailto:ada@example.com", "name": "Ada Lovelace"},
        "verb": {"id": verb}, "object": {"id": f"{ACTIVITY}/{activity}", **({"definition": definition} if definition else {})},
        "context": context, "timestamp": at, **more,
    }


def settings(**given: Any) -> Any:
    """The settings of a tenant."""
    return SettingsSchema().load(given)


def statements_of(body: Any, received_us: int = NOW_US, **given: Any) -> list[Statement]:
    """What a document becomes."""
    loaded = settings(**given)
    return [each for event in split(body) for each in translate(parse(dump(event)), loaded, received_us)]


class Desk:
    """A store in memory that takes documents, and statements of other systems, and is asked for logs."""

    def __init__(self, store: MemoryStore, client: TestClient[Any, Any]) -> None:
        self.store, self.client = store, client

    async def take(self, *documents: Any) -> list[Outcome]:
        """Import them."""
        outcomes = []
        for document in documents:
            source = Source(pathway, TENANT, settings(), AUTHORITY)
            texts = [dump(each) for each in split(document)]
            outcomes += await self.store.taking().take(source, texts, Origin(pathway.label, "a-request", "a-key", AUTHORITY))
        return outcomes

    async def post(self, *statements: Any) -> None:
        """Statements as any system posts them."""
        await self.store.statements.accept(statements, tenant=TENANT, authority=AUTHORITY)

    async def ask(self, body: Any = None, headers: Any = BASIC, path: str = PATH, data: bytes | None = None) -> tuple[int, Any]:
        """Status and body of the answer."""
        async with self.client.post(path, data=dump(body) if data is None else data, headers=headers) as answer:
            return answer.status, await answer.json()

    async def item(self, **query: Any) -> Any:
        """The one pathway of an answer."""
        status, body = await self.ask({"pathway": "P1", **query})
        assert status == 200, body
        [item] = body["data"]
        return item

    async def logs(self, **query: Any) -> Any:
        """The logs of the first activity."""
        return (await self.item(**query))["activities"][0]["logs"]


@asynccontextmanager
async def pathway_desk() -> AsyncIterator[Desk]:
    """A desk where nothing has happened yet."""
    config = config_of(FIXTURES)
    store = MemoryStore.of(pathway, MATERIALIZERS, config.directory, config.received_at)
    async with TestClient(TestServer(store.app())) as client:
        yield Desk(store, client)


def emails(logs: Sequence[Any]) -> list[str]:
    """Whose logs they are."""
    return [each["email"] for each in logs]
