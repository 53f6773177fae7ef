"""Sessions at a Kolibri school, for tests: what is sent in them, and what is read afterwards."""

from typing import Any

from kolibri_school import START, Pupil

LOGS, ATTEMPTS = "/api/logger/masterylog/", "/api/logger/attemptlog/"
NODE = {"node_id": "1" * 32, "content_id": "2" * 32, "channel_id": "3" * 32}
EXERCISE = {**NODE, "kind": "exercise", "mastery_model": {"type": "m_of_n", "m": 3, "n": 5}}


def answer_to(item: str, correct: float = 1, **more: Any) -> dict[str, Any]:
    return {"item": item, "correct": correct, "time_spent": 2, "answer": {"value": "4"}, **more}


class Session:
    """A session of u01, or of whoever is named."""

    def __init__(self, pupil: Pupil, begun: dict[str, Any], user: str | None = "u01") -> None:
        self.pupil, self.begun, self.user = pupil, begun, user

    @classmethod
    async def of(cls, pupil: Pupil, body: dict[str, Any], user: str | None = "u01") -> "Session":
        status, begun = await pupil.send("POST", START, body, user=user)
        assert status == 200, begun
        return cls(pupil, begun, user)

    async def update(self, **body: Any) -> tuple[int, Any]:
        return await self.pupil.send("PUT", f"{START}{self.begun['session_id']}/", body, user=self.user)

    async def answer(self, *interactions: dict[str, Any]) -> list[Any]:
        status, body = await self.update(interactions=list(interactions))
        assert status == 200, body
        attempts: list[Any] = body["attempts"]
        return attempts


async def logs_of(pupil: Pupil, content: str = NODE["content_id"], **params: str) -> Any:
    query = {"user": pupil.id("users.u01"), "content": content, **params}
    status, body = await pupil.send("GET", LOGS, params=query)
    assert status == 200, body
    return body
