"""Clients of the adapters' doors: native events of every system that is installed, each counted once however often it is sent."""

import asyncio
import json
import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from campaign.client import Answer, Client, insist, side_by_side

Chance = random.Random


def _id(chance: Chance) -> str:
    return uuid.UUID(int=chance.getrandbits(128)).hex


def _moment(chance: Chance) -> str:
    return (datetime.now(UTC) - timedelta(seconds=chance.randrange(86_400))).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def studyfetch(chance: Chance) -> Any:
    """Some events as StudyFetch sends them."""
    kinds: Sequence[tuple[str, dict[str, Any]]] = (
        ("material_created", {"name": "Tides"}),
        ("chat_message_sent", {"sessionId": f"s{chance.randrange(3)}", "messageId": _id(chance), "modelKey": "gpt-4o-mini"}),
        ("test_completed", {"attemptId": _id(chance), "score": chance.randrange(21), "maxScore": 20, "durationSeconds": 60}),
    )
    events = []
    for _ in range(chance.choice((1, 1, 4, 25))):
        kind, metadata = chance.choice(kinds)
        events.append({
            "id": f"evt-{_id(chance)}", "eventType": kind, "userId": f"student-{chance.randrange(4)}",
            "groupIds": [f"group-{chance.randrange(3)}"], "resourceId": f"res-{chance.randrange(5)}", "timestamp": _moment(chance),
            "metadata": metadata,
        })
    return events


def pathway(chance: Chance) -> Any:
    """An export of a pathway with rows that are new."""
    def row() -> dict[str, Any]:
        state, progress = chance.choice((("completed", 100), ("in-progress", 40)))
        person = chance.randrange(4)
        return {
            "firstname": "User", "lastname": str(person), "email": f"user.{person}@example.com", "groups": ["Reef"],
            "status": {"complete": state == "completed", "progress": progress, "state": state, "timestamp": _moment(chance)},
        }

    activities = [
        {"ID": f"EVPA-{number}", "name": f"No. {number}", "type": "data", "level": 1, "logs": [row() for _ in range(chance.choice((1, 3)))]}
        for number in range(2)
    ]
    return {"status": "success", "data": [{"pathway": {"name": "Reef", "type": "pathway", "ID": "EV-REEF"}, "activities": activities}]}


def ofcourseme(chance: Chance) -> Any:
    """Some events as OfCourseMe's calls bring them."""
    return [
        {"type": chance.choice(("menu-click", "search", "course-complete")), "courseId": str(chance.randrange(4)),
         "user_id": f"u{chance.randrange(4)}", "event_id": _id(chance)}
        for _ in range(chance.choice((1, 3)))
    ]


SYSTEMS: dict[str, Callable[[Chance], Any]] = {"studyfetch": studyfetch, "pathway": pathway, "ofcourseme": ofcourseme}


@dataclass
class Body:
    """What was posted to an adapter, and the status of every try."""

    adapter: str
    value: Any
    tries: list[int] = field(default_factory=list)


class Source:
    """A system that sends its events, and sends them again if it hears nothing; now and then although it did hear."""

    def __init__(self, client: Client, chance: Chance, systems: Sequence[str]) -> None:
        self._client, self._chance, self._systems = client, chance, systems
        self._bodies: list[Body] = []

    async def run(self, stopped: asyncio.Event) -> None:
        """Send until told to stop."""
        while self._systems and not stopped.is_set():
            if self._bodies and self._chance.random() < 0.3:
                await self._send(self._chance.choice(self._bodies[-20:]))
            else:
                adapter = self._chance.choice(self._systems)
                self._bodies.append(Body(adapter, SYSTEMS[adapter](self._chance)))
                await self._send(self._bodies[-1])
            await asyncio.sleep(self._chance.uniform(0.02, 0.25))

    async def _send(self, body: Body, within_s: float = 0.0) -> Answer:
        acknowledged = 200 in body.tries
        answer = await insist(
            self._client, f"post {body.adapter} events", "POST", f"/adapters/{body.adapter}/events", value=body.value, allowed=(200,),
            within_s=within_s,
        )
        body.tries.append(answer.status)
        if answer.status == 200:
            told = answer.json
            if told["rejected"]:
                self._client.findings.add("event_refused", f"{body.adapter}: {told['rejected']}")
            if acknowledged and told["stored"]:
                self._client.findings.add(
                    "event_lost", f"{body.adapter}: {told['stored']} were not there although acknowledged: {json.dumps(body.value)}"
                )
        return answer

    async def close(self, within_s: float) -> None:
        """Send everything once more: what had no answer is taken, what was acknowledged is there."""
        await side_by_side(self._close(body, within_s) for body in self._bodies)

    async def _close(self, body: Body, within_s: float) -> None:
        if 200 not in body.tries and (await self._send(body, within_s)).status != 200:
            self._client.findings.add("not_taken_in_the_end", f"{body.adapter}: {body.tries}")
        await self._send(body, within_s)
