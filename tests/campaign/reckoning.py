"""The reckoning: all is well again, and what is there is compared with what was promised."""

import asyncio
import json
from collections import Counter

from campaign.client import VERSION, Client, insist, side_by_side
from campaign.followers import Follower
from campaign.ledger import Ledger, Request, Statement, as_sent, is_void
from campaign.recount import judge_daily
from campaign.traffic import STATEMENTS, try_to_store
from lrs.xapi.times import parse_timestamp

WITHIN_S = 60.0
SEVERAL_TRIES = 3


class Reckoning:
    """Of one round. `operator` may manage, `client` is the tenant's."""

    def __init__(self, operator: Client, client: Client, ledger: Ledger, tenant: str) -> None:
        self._operator, self._client, self._ledger = operator, client, ledger
        self._findings = client.findings
        self._tenant = f"/manage/tenants/{tenant}"
        self.stored: dict[str, Statement] = {}

    async def halves(self) -> None:
        """Before anything is sent again: of what nobody acknowledged, all is there or nothing."""
        suspects: list[list[str]] = []
        for _ in range(SEVERAL_TRIES):  # what was under way may appear between two pages
            there = await self._export()
            suspects = [
                own for request in self._ledger.requests if not request.acknowledged
                for own in [self._ledger.alone_in(request)] if 0 < sum(each in there for each in own) < len(own)
            ]
            if not suspects:
                return
            await asyncio.sleep(1)
        for own in suspects:
            self._findings.add("half_visible", f"of a batch, {[each for each in own if each in there]} are there, the rest of {own} not")

    async def again(self) -> None:
        """What has no answer is sent once more, and must be taken, or be a true conflict."""
        await side_by_side(self._store(request) for request in self._ledger.requests if request.unknown)

    async def _store(self, request: Request) -> None:
        deadline = asyncio.get_running_loop().time() + WITHIN_S
        while request.unknown and asyncio.get_running_loop().time() < deadline:
            await try_to_store(self._client, self._ledger, request)
        if request.unknown:
            self._findings.add("not_taken_in_the_end", f"{request.ids}: {request.tries}")

    async def count_up(self) -> None:
        """What is there against what was sent: everything once, equal, voided if it is to be, and found by its references."""
        self.stored = await self._export()
        walked = await self._walk("")
        self._judge_statements()
        self._judge_refusals()
        await self._judge_voids(set(walked))
        registrations = {
            each["context"]["registration"] for each in self.stored.values() if "registration" in each.get("context", {})
        }
        for registration in sorted(registrations)[:6]:
            await self._judge_references(registration)
        await judge_daily(self._client, self.stored, WITHIN_S)

    def _judge_statements(self) -> None:
        ledger, findings = self._ledger, self._findings
        for statement_id, sent in ledger.acknowledged.items():
            if statement_id not in self.stored:
                findings.add("lost", f"{statement_id} was acknowledged and is not there")
            elif not as_sent(self.stored[statement_id], [sent]):
                findings.add("not_as_sent", f"acknowledged {sent}, stored {self.stored[statement_id]}")
        for statement_id, sent_ones in ledger.sent.items():
            if statement_id in self.stored and not as_sent(self.stored[statement_id], sent_ones):
                findings.add("not_as_sent", f"stored {self.stored[statement_id]}, sent {sent_ones}")
        findings.count("statements acknowledged", len(ledger.acknowledged))
        findings.count("statements stored", len(self.stored))

    def _judge_refusals(self) -> None:
        """A conflict was one: under some id of the request another statement is stored; and nothing else of it is."""
        for request in self._ledger.requests:
            if not request.refused or request.acknowledged:
                continue
            true = [
                each["id"] for each in request.statements
                if each["id"] in self.stored and not as_sent(self.stored[each["id"]], [each])
            ]
            if not true:
                self._findings.add("false_conflict", f"{request.ids} were refused: {[self._story(each) for each in request.ids]}")
            if there := [each for each in self._ledger.alone_in(request) if each in self.stored]:
                self._findings.add("half_visible", f"{there} are there although their request was refused: {request.tries}")

    def _story(self, statement_id: str) -> str:
        """All that was sent under an id, and what is stored."""
        sent = [
            f"{index} of {len(request.ids)} with verb {each['verb']['id'][-8:]}: {request.tries}"
            for request in self._ledger.requests for index, each in enumerate(request.statements) if each["id"] == statement_id
        ]
        there = self.stored.get(statement_id)
        return f"sent {sent}, stored {there['verb']['id'][-8:] if there else 'nothing'}"

    async def _judge_voids(self, walked: set[str]) -> None:
        voids = [each for each in self.stored.values() if is_void(each)]
        targets = {each["object"]["id"] for each in voids} & self.stored.keys()
        voided = {each for each in targets if not is_void(self.stored[each])}
        for each in self.stored.keys() - voided - walked:
            self._findings.add("not_listed", f"{each} is stored and not voided, and no page has it")
        for each in voided & walked:
            self._findings.add("void_without_effect", f"{each} is listed although it is voided")
        await side_by_side(self._read_voided(each) for each in sorted(voided)[:40])
        self._findings.count("statements voided", len(voided))

    async def _read_voided(self, statement_id: str) -> None:
        path = f"{STATEMENTS}?voidedStatementId={statement_id}"
        answer = await insist(self._client, "read a voided one", "GET", path, headers=VERSION, allowed=(200, 404), within_s=WITHIN_S)
        if answer.status != 200 or answer.json["id"] != statement_id:
            self._findings.add("void_without_effect", f"{statement_id} is not found as voided: {answer.status}")

    async def _judge_references(self, registration: str) -> None:
        """By a registration is found what has it, and what refers to that at any remove. Decision 9."""
        found = set(await self._walk(f"&registration={registration}"))
        voided = {each["object"]["id"] for each in self.stored.values() if is_void(each)}
        wanted = {
            each for each in self.stored if self._leads_to(each, registration)
            and (each not in voided or is_void(self.stored[each]))
        }
        if found != wanted:
            self._findings.add(
                "references_differ", f"by registration {registration}: {sorted(found - wanted)} too many, {sorted(wanted - found)} missing"
            )

    def _leads_to(self, statement_id: str, registration: str) -> bool:
        seen: set[str] = set()
        while statement_id in self.stored and statement_id not in seen:
            seen.add(statement_id)
            statement = self.stored[statement_id]
            if statement.get("context", {}).get("registration") == registration:
                return True
            if statement["object"].get("objectType") != "StatementRef":
                return False
            statement_id = statement["object"]["id"]
        return False

    async def latest(self) -> int:
        """When the last statement there is was stored, in µs."""
        return max((parse_timestamp(each["stored"]) for each in (await self._export()).values()), default=0)

    async def judge_followers(self, followers: list[Follower]) -> None:
        """Each has seen everything that can be read."""
        voided = {each["object"]["id"] for each in self.stored.values() if is_void(each)}
        stored = {key: each["stored"] for key, each in self.stored.items() if key not in voided or is_void(each)}
        latest_us = max(map(parse_timestamp, stored.values()), default=0)
        for follower in followers:
            if not await follower.reach(latest_us, WITHIN_S):
                self._findings.add("follower_stuck", f"at {follower.since}, and the last statement was stored at {latest_us} µs")
                continue
            for missed in follower.missed(stored):
                self._findings.add("follower_missed", missed)

    async def _export(self) -> dict[str, Statement]:
        """All statements, voided ones too, by id."""
        answer = await insist(
            self._operator, "export", "GET", f"{self._tenant}/export", allowed=(200,), within_s=WITHIN_S
        )
        if answer.status != 200:
            self._findings.add("not_exported", f"export is answered {answer.status}")
        statements = [json.loads(line) for line in answer.body.splitlines()] if answer.status == 200 else []
        self._once(Counter(each["id"] for each in statements))
        return {each["id"]: each for each in statements}

    async def _walk(self, filter_: str) -> list[str]:
        """The ids of all pages."""
        ids: list[str] = []
        path = f"{STATEMENTS}?limit=200{filter_}"
        while path:
            answer = await insist(self._client, "walk", "GET", path, headers=VERSION, allowed=(200,), within_s=WITHIN_S)
            if answer.status != 200:
                self._findings.add("not_walked", f"{path} is answered {answer.status}")
                break
            ids += [each["id"] for each in answer.json["statements"]]
            path = answer.json.get("more", "")
        self._once(Counter(ids))
        return ids

    def _once(self, times: Counter[str]) -> None:
        for each, count in times.items():
            if count > 1:
                self._findings.add("doubled", f"{each} comes {count} times")
