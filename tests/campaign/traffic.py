"""Clients of the statement resource: what they send, and send again, in every order that can go wrong."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

from campaign.client import VERSION, Answer, Client
from campaign.ledger import Ledger, Request, Statement, as_sent
from campaign.statements import REFERRED, VERBS, Author

STATEMENTS = "/xapi/statements"
STORED = (200, 204, 409)
# What a client does next, and how often.
HABITS = {
    "single": 6, "batch": 6, "put": 3, "again": 4, "conflict": 2, "race": 2, "void": 3, "void_first": 2, "void_beside": 1,
    "void_within": 1, "refer": 2, "refer_first": 1, "look_up": 5, "list": 2, "report": 2, "large": 1,
}


class Poster:
    """One client; it goes on until it is told to stop."""

    def __init__(self, client: Client, ledger: Ledger, author: Author, chance: random.Random) -> None:
        self.client, self.ledger, self.author, self.chance = client, ledger, author, chance

    async def run(self, stopped: asyncio.Event) -> None:
        """One habit after the other."""
        habits, weights = list(HABITS), list(HABITS.values())
        while not stopped.is_set():
            await getattr(self, f"_{self.chance.choices(habits, weights)[0]}")()
            await asyncio.sleep(self.chance.uniform(0, 0.06))

    async def send(self, statements: Sequence[Statement], *, put: bool = False) -> Request:
        """Send them; if there is no answer, perhaps once more. The rest is left to the end."""
        request = self.ledger.begin(statements, put=put)
        for _ in range(self.chance.choice((1, 1, 2, 4))):
            await try_to_store(self.client, self.ledger, request)
            if not request.unknown:
                break
        return request

    def _some(self) -> list[Statement]:
        return [self.author.statement() for _ in range(self.chance.choice((1, 2, 5, 20)))]

    def _known(self) -> Statement | None:
        known = self.ledger.plain()
        return self.chance.choice(known[-200:]) if known else None

    async def _single(self) -> None:
        await self.send([self.author.statement()])

    async def _batch(self) -> None:
        await self.send(self._some())

    async def _large(self) -> None:
        await self.send([self.author.statement() for _ in range(120)])

    async def _put(self) -> None:
        await self.send([self.author.statement()], put=True)

    async def _again(self) -> None:
        """What was sent before, alone or among others, whether or not there was an answer."""
        if self.ledger.requests:
            earlier = self.chance.choice(self.ledger.requests[-100:])
            chosen = self.chance.sample(list(earlier.statements), min(3, len(earlier.statements)))
            await self.send([*chosen, *self._some()] if self.chance.random() < 0.5 else chosen)

    async def _conflict(self) -> None:
        if (known := self._known()) is not None:
            batch = [*self._some(), self.author.another_under(known["id"]), self.author.statement()]
            await self.send(batch[-2:-1] if self.chance.random() < 0.4 else batch)

    async def _race(self) -> None:
        """Two different statements under one id at the same moment, and one of them twice: one may win."""
        statement_id = self.author.an_id()
        one, other = self.author.another_under(statement_id), self.author.another_under(statement_id)
        await asyncio.gather(self.send([one, *self._some()]), self.send([other]), self.send([one]))

    async def _void(self) -> None:
        if (known := self._known()) is not None:
            await self.send([self.author.void_of(known["id"])])

    async def _void_first(self) -> None:
        target = self.author.statement()
        await self.send([self.author.void_of(target["id"])])
        await asyncio.sleep(self.chance.uniform(0, 0.4))
        await self.send([target, *self._some()])

    async def _void_beside(self) -> None:
        target = self.author.statement()
        await asyncio.gather(self.send([target]), self.send([self.author.void_of(target["id"])]))

    async def _void_within(self) -> None:
        target = self.author.statement()
        batch = [target, self.author.void_of(target["id"]), *self._some()]
        self.chance.shuffle(batch)
        await self.send(batch)

    async def _refer(self) -> None:
        if self.ledger.acknowledged:
            await self.send([self.author.reference_to(self.chance.choice(list(self.ledger.acknowledged)[-100:]))])

    async def _refer_first(self) -> None:
        """A chain whose end comes last, or at the same moment."""
        end = self.author.statement(context={"registration": self.chance.choice(self.author.registrations)})
        first = self.author.reference_to(end["id"])
        second = self.author.reference_to(first["id"])
        links = [[second], [first], [end]]
        if self.chance.random() < 0.5:
            await asyncio.gather(*(self.send(each) for each in links))
        else:
            for each in links:
                await self.send(each)

    async def _look_up(self) -> None:
        """Who was told that a statement is stored finds it."""
        if (known := self._known()) is None:
            return
        answer = await self.client.ask(
            "read one", "GET", f"{STATEMENTS}?statementId={known['id']}", headers=VERSION, allowed=(200, 404)
        )
        if known["id"] in self.ledger.to_be_voided:  # meanwhile
            return
        if answer.status == 404:
            through = answer.headers.get("X-Experience-API-Consistent-Through")
            self.client.findings.add("acknowledged_not_found", f"{known['id']} was stored, and is not found (header: {through})")
        elif answer.status == 200 and not as_sent(answer.json, [known]):
            self.client.findings.add("not_as_sent", f"sent {known}, got {answer.json}")

    async def _list(self) -> None:
        filters = self.chance.choice((
            "", f"&verb={self.chance.choice((*VERBS, REFERRED))}", f"&registration={self.chance.choice(self.author.registrations)}",
            "&ascending=true", "&format=canonical",
        ))
        answer = await self.client.ask(
            "read a page", "GET", f"{STATEMENTS}?limit={self.chance.choice((1, 20, 100))}{filters}", headers=VERSION, allowed=(200,)
        )
        if answer.status == 200:
            ids = [each["id"] for each in answer.json["statements"]]
            if len(ids) != len(set(ids)):
                self.client.findings.add("doubled", f"a page has a statement twice: {ids}")

    async def _report(self) -> None:
        path = self.chance.choice(("progress", "progress/courses", "mastery", "activities", "courses", "daily", "daily?by=verb"))
        await self.client.ask("read a report", "GET", f"/reports/{path}", allowed=(200,))


async def try_to_store(client: Client, ledger: Ledger, request: Request) -> Answer:
    """One try of a request; what it is answered goes into the ledger."""
    sent: Any = request.statements[0] if request.put or len(request.statements) == 1 else request.statements
    path = f"{STATEMENTS}?statementId={request.ids[0]}" if request.put else STATEMENTS
    what, method = ("put a statement", "PUT") if request.put else ("post statements", "POST")
    answer = await client.ask(what, method, path, value=sent, headers=VERSION, allowed=STORED)
    before = request.acknowledged
    ledger.note(request, answer.status)
    if answer.status == 200 and answer.json != request.ids:
        client.findings.add("wrong_ids", f"{request.ids} were posted, {answer.json} answered")
    if before and answer.status == 409:
        client.findings.add("false_conflict", f"{request.ids} were stored, and the same again is a conflict: {answer.body!r}")
    client.findings.count("statements sent", len(request.statements))
    return answer
