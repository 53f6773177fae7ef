"""One round: a tenant of its own, traffic of all kinds, the adversary beside it, and the reckoning when all is well again."""

import asyncio
import random
import time
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from campaign.adversary import Adversary, plan
from campaign.attachers import Attacher
from campaign.client import Client, a_session, insist, login, side_by_side
from campaign.cluster import OPERATOR, Cluster
from campaign.documents import Merger, Register
from campaign.findings import Findings
from campaign.followers import Follower
from campaign.learners import NAMES, SCHOOL, Learner
from campaign.ledger import Ledger
from campaign.natives import SYSTEMS, Source
from campaign.operators import Operator
from campaign.reckoning import WITHIN_S, Reckoning
from campaign.statements import Author
from campaign.traffic import Poster
from lrs.xapi.times import parse_timestamp

POSTERS, ATTACHERS, REGISTERS, MERGERS, FOLLOWERS, SOURCES = 5, 1, 2, 2, 3, 2
CALM_S = 0.5
STOPPED_WITHIN_S = 15.0
# A process of the product that needs more has a leak, or a request without a bound.
MOST_RSS_MB = 600.0


@dataclass
class Told:
    """What is known of a round in the end."""

    seed: int
    faults: dict[str, int] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    seconds: dict[str, float] = field(default_factory=dict)


class Round:
    """Everything by chance comes from the seed; what the machine makes of it does not."""

    def __init__(self, cluster: Cluster, seed: int, duration_s: float, without: Collection[str] = ()) -> None:
        self._cluster = cluster
        self._chance = random.Random(seed)
        self.told = Told(seed)
        self._findings = self.told.findings
        self._tenant = f"r{seed}-{int(time.time() * 1000) % 10**8}"
        self._adversary = Adversary(cluster, plan(random.Random(f"faults {seed}"), duration_s, without), duration_s)
        self._ledger = Ledger()
        self._stopped = asyncio.Event()

    async def run(self) -> Told:
        """Do it all; the rest is in what is returned."""
        async with a_session() as self._session:
            self._operator = self._client(login(*OPERATOR), (30.0,))
            await self._stage("provisioning", self._provision())
            self._people()
            await self._stage("traffic", self._traffic())
            await self._stage("recovery", self._recover())
            await self._stage("reckoning", self._reckon())
            await self._stage("leaving", self._leave())
        self._look_at_processes()
        self.told.log, self.told.faults = self._adversary.log, self._adversary.done
        return self.told

    async def _stage(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        began = time.monotonic()
        await work
        self.told.seconds[name] = time.monotonic() - began

    def _client(self, headers: dict[str, str], patience_s: tuple[float, ...] | None = None) -> Client:
        chance = random.Random(self._chance.getrandbits(64))
        options = {"patience_s": patience_s} if patience_s else {}
        return Client(self._cluster.urls, headers, self._findings, chance, self._session, **options)

    async def _provision(self) -> None:
        tenant, credential = f"/manage/tenants/{self._tenant}", {"key": f"poster-{self._tenant}", "secret": "poster-secret"}
        for method, path, value in (
            ("PUT", tenant, {}),
            ("POST", f"{tenant}/credentials", {"kind": "basic", **credential, "scopes": ["all"]}),
            ("PUT", f"{tenant}/adapters/kolibri/reference/world", SCHOOL),
        ):
            answer = await insist(
                self._operator, "manage", method, path, value=value, allowed=(200, 201, 204, 409), within_s=WITHIN_S
            )
            if not 200 <= answer.status < 300 and answer.status != 409:
                raise RuntimeError(f"{method} {path}: {answer.status} {answer.body!r}")
        answer = await insist(self._operator, "manage", "GET", "/manage/adapters", allowed=(200,), within_s=WITHIN_S)
        self._systems = [each["name"] for each in answer.json["adapters"] if each["name"] in SYSTEMS]

    def _people(self) -> None:
        """All who ask, each with a chance of the own."""
        own = login(f"poster-{self._tenant}", "poster-secret")

        def chance() -> random.Random:
            return random.Random(self._chance.getrandbits(64))

        self._posters = [Poster(self._client(own), self._ledger, Author(chance()), chance()) for _ in range(POSTERS)]
        self._attachers = [Attacher(self._client(own), Author(chance()), chance()) for _ in range(ATTACHERS)]
        self._registers = [Register(self._client(own), chance(), number) for number in range(REGISTERS)]
        self._mergers = [Merger(self._client(own), chance(), number) for number in range(MERGERS)]
        self._followers = [Follower(self._client(own), chance()) for _ in range(FOLLOWERS)]
        self._sources = [Source(self._client(own), chance(), self._systems) for _ in range(SOURCES)]
        self._learners = [
            Learner(self._client(login(name, f"pw-{name}")), chance(), name, f"/t/{self._tenant}") for name in NAMES
        ]
        self._manager = Operator(self._operator, chance(), f"/manage/tenants/{self._tenant}")
        self._reckoning = Reckoning(self._operator, self._client(own, (30.0,)), self._ledger, self._tenant)

    async def _traffic(self) -> None:
        people: Sequence[Any] = [
            *self._posters, *self._attachers, *self._registers, *self._mergers, *self._followers, *self._sources, *self._learners,
            self._manager,
        ]
        running = [asyncio.create_task(self._busy(each.run(self._stopped))) for each in people]
        try:
            await self._adversary.run()
            await asyncio.sleep(CALM_S)
        finally:
            self._stopped.set()
            _, late = await asyncio.wait(running, timeout=STOPPED_WITHIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _busy(self, running: Coroutine[Any, Any, None]) -> None:
        """A client that cannot read an answer is a finding, and the end of this client."""
        try:
            await running
        except (KeyError, TypeError, ValueError) as error:
            self._findings.add("answer_not_understood", f"{type(error).__name__}: {error}")

    async def _recover(self) -> None:
        """Everything is healed: the set has a primary, and each API process says that it is ready."""
        for link in self._cluster.links.values():
            link.heal()
        await self._cluster.primary()
        for url in self._cluster.direct_urls:
            probe = Client([url], {}, self._findings, self._chance, self._session)
            answer = await insist(probe, "readyz", "GET", "/readyz", allowed=(200,), within_s=WITHIN_S)
            if answer.status != 200:
                self._findings.add("not_recovered", f"{url} is not ready after {WITHIN_S:.0f} s: {answer.status} {answer.body!r}")

    async def _reckon(self) -> None:
        reckoning = self._reckoning
        await reckoning.halves()
        await reckoning.again()
        senders: Sequence[Any] = (*self._learners, *self._sources, *self._attachers)
        await side_by_side(each.close(WITHIN_S) for each in senders)
        documents: Sequence[Any] = (*self._registers, *self._mergers)
        await side_by_side(each.look(WITHIN_S) for each in documents)
        before_us = await reckoning.latest()
        settled = await self._manager.settle(WITHIN_S)
        if settled is None or parse_timestamp(settled["through"]) < before_us:
            self._findings.add("not_settled", f"{settled}, and something was stored at {before_us} µs before that")
        await self._manager.verify(WITHIN_S)
        await reckoning.count_up()
        await reckoning.judge_followers(self._followers)
        self._findings.count("requests", sum(count for what, count in self._findings.counts.items() if what[-3:].isdigit()))

    async def _leave(self) -> None:
        """Delete the tenant, so that a campaign does not grow; unless there is something to look at."""
        if not self._findings.found:
            await insist(
                self._operator, "delete a tenant", "DELETE", f"/manage/tenants/{self._tenant}", allowed=(204, 404), within_s=WITHIN_S
            )

    def _look_at_processes(self) -> None:
        for process in self._cluster.processes:
            for fall in process.fell:
                # What a full disk ends is not the product's.
                if process not in self._cluster.mongods:
                    self._findings.add("ended_by_itself", fall)
            process.fell.clear()
        for process in (*self._cluster.apis, *self._cluster.workers):
            if self._cluster.most_rss_mb.get(process.name, 0.0) > MOST_RSS_MB:
                self._findings.add("memory", f"{process.name} has {self._cluster.most_rss_mb[process.name]:.0f} MB")
