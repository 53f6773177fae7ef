"""Clients that send statements with data: what was acknowledged comes back octet by octet; several share one content."""

import asyncio
import hashlib
import json
import random
from typing import Any

from campaign.client import VERSION, Answer, Client, insist, side_by_side
from campaign.statements import Author
from campaign.traffic import STATEMENTS

BOUNDARY = "of-the-campaign"
SIZES = (10, 3_000, 400_000)  # octets: within one piece of the store, and in several


class Attacher:
    """One client. Its contents are few, so that statements share them; each has its size."""

    def __init__(self, client: Client, author: Author, chance: random.Random) -> None:
        self._client, self._author, self._chance = client, author, chance
        self._contents = [chance.randbytes(size) for size in SIZES]
        self._sent: dict[str, tuple[Any, bytes]] = {}
        self._acknowledged: set[str] = set()

    async def run(self, stopped: asyncio.Event) -> None:
        """Send, send again, and look, until told to stop."""
        while not stopped.is_set():
            choice = self._chance.random()
            if self._sent and choice < 0.3:
                await self._send(self._chance.choice(list(self._sent)))
            elif self._acknowledged and choice < 0.5:
                await self._look(self._chance.choice(sorted(self._acknowledged)))
            else:
                content = self._chance.choice(self._contents)
                statement = self._author.statement(attachments=[_declared(content)])
                self._sent[statement["id"]] = statement, content
                await self._send(statement["id"])
            await asyncio.sleep(self._chance.uniform(0.05, 0.4))

    async def _send(self, statement_id: str, within_s: float = 0.0) -> Answer:
        statement, content = self._sent[statement_id]
        headers = {**VERSION, "Content-Type": f"multipart/mixed; boundary={BOUNDARY}"}
        answer = await insist(
            self._client, "post an attachment", "POST", STATEMENTS, body=_multipart(statement, content), headers=headers, allowed=(200,),
            within_s=within_s,
        )
        if answer.status == 200:
            self._acknowledged.add(statement_id)
        return answer

    async def _look(self, statement_id: str, within_s: float = 0.0) -> None:
        path = f"{STATEMENTS}?statementId={statement_id}&attachments=true"
        answer = await insist(self._client, "read an attachment", "GET", path, headers=VERSION, allowed=(200, 404), within_s=within_s)
        if answer.definite and (answer.status != 200 or self._sent[statement_id][1] not in answer.body):
            self._client.findings.add("attachment_lost", f"{statement_id}: {answer.status}, {len(answer.body)} bytes {answer.body[:300]!r}")

    async def close(self, within_s: float) -> None:
        """What had no answer is taken; all of it is there."""
        await side_by_side(self._close(each, within_s) for each in self._sent)

    async def _close(self, statement_id: str, within_s: float) -> None:
        if statement_id not in self._acknowledged and (await self._send(statement_id, within_s)).status != 200:
            self._client.findings.add("not_taken_in_the_end", f"the attachment of {statement_id}")
        else:
            await self._look(statement_id, within_s)


def _declared(content: bytes) -> dict[str, Any]:
    return {
        "usageType": "https://campaign.example.org/usage", "display": {"en": "a file"}, "contentType": "application/octet-stream",
        "length": len(content), "sha2": hashlib.sha256(content).hexdigest(),
    }


def _multipart(statement: Any, content: bytes) -> bytes:
    """The statement, then its data. xAPI 1.0.3, Communication 1.5.2."""
    sha2 = hashlib.sha256(content).hexdigest()
    first = f"--{BOUNDARY}\r\nContent-Type: application/json\r\n\r\n{json.dumps(statement)}\r\n"
    second = (
        f"--{BOUNDARY}\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
        f"X-Experience-API-Hash: {sha2}\r\n\r\n"
    )
    return first.encode() + second.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
