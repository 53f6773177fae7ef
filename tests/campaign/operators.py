"""The operator, who rebuilds, verifies and settles whenever it pleases, also while everything fails."""

import asyncio
import random
from typing import Any

from campaign.client import Client, insist

ENDED = ("done", "failed", "cancelled")
POLL_S = 0.2


class Operator:
    """Management of one tenant. `path` is /manage/tenants/{tenant}."""

    def __init__(self, client: Client, chance: random.Random, path: str) -> None:
        self._client, self._chance, self._path = client, chance, path

    async def run(self, stopped: asyncio.Event) -> None:
        """Now and then a rebuild, a verification or a settling, until told to stop."""
        while not stopped.is_set():
            await asyncio.sleep(self._chance.uniform(0.5, 3.0))
            what = self._chance.choice(("rebuild", "verify", "settle"))
            answer = await self._client.ask(what, "POST", f"{self._path}/{what}", allowed=(200, 202))
            if answer.definite and what == "verify":
                self._judge(await self.outcome(answer.json, answer.status, within_s=5.0) or {})

    async def settle(self, within_s: float) -> Any:
        """What settling is answered; None if it is not done in time."""
        answer = await insist(self._client, "settle", "POST", f"{self._path}/settle", allowed=(200,), within_s=within_s)
        return answer.json if answer.status == 200 else None

    async def verify(self, within_s: float) -> None:
        """Every summary equals its recount, and somebody has looked."""
        answer = await insist(self._client, "verify", "POST", f"{self._path}/verify", allowed=(200, 202), within_s=within_s)
        report = await self.outcome(answer.json, answer.status, within_s) if answer.definite else None
        if report is None:
            self._client.findings.add("not_verified", f"verify is answered {answer.status} {answer.body[:300]!r}, and nothing comes of it")
            return
        self._judge(report)
        self._client.findings.count("summaries verified", report["checked"])

    async def outcome(self, value: Any, status: int, within_s: float) -> Any:
        """The result of what is a job, if it takes longer than a moment; None if there is none in time."""
        if status == 200:
            return value
        path, deadline = f"{self._path}/jobs/{value['id']}", asyncio.get_running_loop().time() + within_s
        while value["state"] not in ENDED and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(POLL_S)
            answer = await self._client.ask("ask for a job", "GET", path, allowed=(200,))
            value = answer.json if answer.status == 200 else value
        if value["state"] == "failed":
            self._client.findings.add("job_failed", value)
        return value.get("result")

    def _judge(self, report: Any) -> None:
        if report.get("different"):
            self._client.findings.add("summaries_differ", report["different"])
