"""A school whose statements are posted and whose reports are read, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from builders import a_statement, learner
from http_fakes import basic

from lrs.app import create_app
from lrs.config import Config
from lrs.store.mongo import Database

OPERATOR = {"Authorization": basic("operator:operator-secret")}
SITE = "https://school.example.org/"
COURSE, SUMS, QUESTION = f"{SITE}course", f"{SITE}sums", f"{SITE}sums/1"
ADA = "mailto:ada@school.example.org"
IN_COURSE = {"contextActivities": {"grouping": [{"id": COURSE, "definition": {"type": "http://adlnet.gov/expapi/activities/course"}}]}}
RULES = "/manage/tenants/school/mastery-rules"


def verb(name: str) -> dict[str, str]:
    """A verb of ADL."""
    return {"id": f"http://adlnet.gov/expapi/verbs/{name}"}


def done(actor: str = "ada", about: str = SUMS, **more: Any) -> dict[str, Any]:
    """Somebody completed something in the course, with a score and a time."""
    result = {"completion": True, "success": True, "score": {"scaled": 0.75}, "duration": "PT1M30.5S"}
    return a_statement(**{
        "actor": {**learner(actor), "name": actor.title()}, "verb": verb("completed"), "object": {"id": about}, "result": result,
        "context": IN_COURSE, "timestamp": "2026-01-15T10:00:00Z",
    } | more)


class Office:
    """Posts statements of the school, and reads its reports."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.headers = {"Authorization": ""}

    async def post(self, *statements: dict[str, Any]) -> None:
        answer = await self.client.post(
            "/xapi/statements", json=statements, headers={**self.headers, "X-Experience-API-Version": "1.0.3"}
        )
        assert answer.status == 200, await answer.text()

    async def ask(self, path: str, headers: dict[str, str] | None = None, **params: str) -> tuple[int, Any]:
        url = f"/reports/{path}" if not path.startswith("/") else path
        answer = await self.client.get(url, params=params or None, headers={**self.headers, **(headers or {})})
        is_json = answer.content_type == "application/json"
        return answer.status, await answer.json() if is_json else await answer.text()

    async def rows(self, path: str, **params: str) -> list[dict[str, Any]]:
        """All rows of a report, page by page."""
        if path == "daily" and not params:
            params = {"since": "2026-01-01", "until": "2026-03-01"}
        found, where, rest = [], path, params
        while where:
            status, answer = await self.ask(where, **rest)
            assert status == 200, answer
            found += next(each for name, each in answer.items() if name not in ("consistent_through", "more"))
            where, rest = answer["more"], {}
        return found

    async def put_rules(self, rules: Any) -> int:
        return (await self.client.put(RULES, json=rules, headers=OPERATOR)).status


@asynccontextmanager
async def an_office(config: Config) -> AsyncIterator[Office]:
    """An office with a credential that may post and read; nothing is left in the end."""
    async with TestClient(TestServer(create_app(config))) as client:
        office = Office(client)
        await client.put("/manage/tenants/school", headers=OPERATOR)
        wanted = {"kind": "basic", "scopes": ["statements/write", "reports/read"]}
        made = await (await client.post("/manage/tenants/school/credentials", json=wanted, headers=OPERATOR)).json()
        office.headers = {"Authorization": basic(f"{made['key']}:{made['secret']}")}
        yield office
    database = Database.connect(config)
    await database.drop()
    database.close()
