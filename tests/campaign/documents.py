"""Clients of the document resources: what was acknowledged last is there, and a condition that failed changed nothing."""

import asyncio
import hashlib
import json
import random
import time
from collections import deque
from urllib.parse import quote

from campaign.client import UNKNOWN, VERSION, Client, insist
from campaign.statements import HOME, LEARNERS

AGENT = quote(json.dumps(LEARNERS[0]))
STATE = f"/xapi/activities/state?activityId={quote(HOME + '/activities/1')}&agent={AGENT}&stateId=shared"
PROFILE = f"/xapi/activities/profile?activityId={quote(HOME + '/activities/1')}&profileId="


class Register:
    """A document that one client alone changes, each time on condition that it is as the client knows it.

    Of such a chain of changes it is always known what may be there: the last that was acknowledged, or one that was sent upon it and
    not answered. Nothing older ever comes back, in whatever order what was sent arrives.
    """

    def __init__(self, client: Client, chance: random.Random, number: int) -> None:
        self._client, self._chance = client, chance
        self._path = f"{PROFILE}register-{number}"
        self._known: str | None = None
        self._perhaps: set[str] = set()
        self._count = 0
        self._story: deque[str] = deque(maxlen=12)

    async def run(self, stopped: asyncio.Event) -> None:
        """Change it, and look at it, until told to stop."""
        while not stopped.is_set():
            await (self.look() if self._chance.random() < 0.4 else self._change())
            await asyncio.sleep(self._chance.uniform(0.01, 0.12))

    async def _change(self) -> None:
        self._count += 1
        content, condition = json.dumps({"count": self._count}), self._condition()
        answer = await self._client.ask(
            "change a document", "PUT", self._path, body=content.encode(), allowed=(204, 412),
            headers={**VERSION, **condition, "Content-Type": "application/json"},
        )
        self._note(f"put {self._count} on {self._known}: {answer.status}")
        if answer.status == 204:
            self._is(content)
        elif answer.status == 412:
            if not self._perhaps:
                self._client.findings.add("false_condition", self._told(f"it must be {self._known}"))
            await self.look()
        else:
            self._perhaps.add(content)

    def _condition(self) -> dict[str, str]:
        if self._known is None:
            return {"If-None-Match": "*"}
        return {"If-Match": f'"{hashlib.sha1(self._known.encode()).hexdigest()}"'}

    def _is(self, content: str | None) -> None:
        """It is there: whatever else was sent upon its forerunner fails from now on."""
        self._known = content
        self._perhaps.clear()

    def _note(self, what: str) -> None:
        self._story.append(f"{time.time() % 1000:.3f} {what}")

    def _told(self, what: str) -> str:
        return f"{self._path[-10:]}: {what}; {list(self._story)}"

    async def look(self, within_s: float = 0.0) -> None:
        """See what is there, and judge it."""
        answer = await insist(
            self._client, "read a document", "GET", self._path, within_s=within_s, headers=VERSION, allowed=(200, 404)
        )
        if not answer.definite:
            return
        content = answer.body.decode() if answer.status == 200 else None
        self._note(f"got {content}")
        if content == self._known:
            return
        if content not in self._perhaps:
            self._client.findings.add("document_lost", self._told(f"not {self._known} nor any of {sorted(self._perhaps)} is there"))
        self._is(content)


class Merger:
    """Many clients merge their own properties into one document: what was acknowledged is in it."""

    def __init__(self, client: Client, chance: random.Random, number: int) -> None:
        self._client, self._chance = client, chance
        self._name = f"client{number}"
        self._acknowledged: dict[str, int] = {}
        self._sent: dict[str, int] = {}

    async def run(self, stopped: asyncio.Event) -> None:
        """A number that rises."""
        while not stopped.is_set():
            name = self._name
            self._sent[name] = self._sent.get(name, 0) + 1
            answer = await self._client.ask(
                "merge a document", "POST", STATE, value={name: self._sent[name]}, headers=VERSION, allowed=(204,)
            )
            if answer.status == 204:
                self._acknowledged[name] = self._sent[name]
            elif answer.status == UNKNOWN:
                self._name += "'"  # it may still be on its way, and would overtake the next
            await asyncio.sleep(self._chance.uniform(0.05, 0.3))

    async def look(self, within_s: float) -> None:
        """Whether the document has what was acknowledged."""
        answer = await insist(self._client, "read a document", "GET", STATE, within_s=within_s, headers=VERSION, allowed=(200, 404))
        there = answer.json if answer.status == 200 else {}
        for name, sent in self._sent.items() if answer.definite else ():
            if not self._acknowledged.get(name, 0) <= there.get(name, 0) <= sent:
                self._client.findings.add(
                    "merge_lost", f"{name}: {there.get(name)}, acknowledged {self._acknowledged.get(name)}, sent {sent}"
                )
