"""The adversary: which faults, when, on whom, and for how long is drawn from the seed before a round begins."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from pymongo.errors import PyMongoError

from campaign import clocks, disks
from campaign.cluster import Cluster
from campaign.processes import Process
from campaign.proxy import Link

# How often each kind comes, against the others.
WEIGHTS = {
    "kill_api": 3, "kill_worker": 2, "kill_primary": 3, "kill_secondary": 2, "kill_redis": 2,
    "end_api": 1, "end_worker": 1,
    "pause_api": 3, "pause_worker": 2, "pause_primary": 4, "pause_secondary": 2, "pause_redis": 2,
    "step_down": 3, "flush_redis": 2, "fill_disk": 1, "skew_clock": 2,
    "cut_api": 3, "deafen_api": 3, "stall_api": 2, "delay_api": 2,
    "cut_mongod": 3, "deafen_primary": 2, "stall_primary": 2, "delay_mongod": 2, "refuse_primary": 2,
    "cut_redis": 1, "stall_redis": 1, "delay_redis": 1,
}
LASTS_S = (0.2, 4.5)
EVERY_S = 0.9  # the mean time from one fault to the next: they overlap
DELAYS_S = (0.005, 0.03, 0.15, 0.5)
SKEWS_MS = (-90_000, -2_000, -150, 150, 2_000, 90_000)
GIVEN_UP_AFTER_S = 20.0


@dataclass(frozen=True)
class Fault:
    """What is drawn from the seed. `which` chooses among those it can be done to; `much`, in [0, 1), says how bad it is."""

    kind: str
    at_s: float
    lasts_s: float
    which: int
    much: float


def plan(chance: random.Random, duration_s: float, without: Collection[str] = ()) -> list[Fault]:
    """The faults of a round, in the order in which they begin. The same seed gives the same ones."""
    kinds = [kind for kind in WEIGHTS if kind not in without]
    weights = [WEIGHTS[kind] for kind in kinds]
    faults, at_s = [], chance.uniform(0.2, 1.0)
    while kinds and at_s < duration_s:
        kind = chance.choices(kinds, weights)[0]
        faults.append(Fault(kind, at_s, chance.uniform(*LASTS_S), chance.randrange(6), chance.random()))
        at_s += chance.expovariate(1 / EVERY_S)
    return faults


class Adversary:
    """Carries a plan out. `log` says what came of it: seconds since the beginning, kind, target, and how long it lasted."""

    def __init__(self, cluster: Cluster, plan: list[Fault], duration_s: float) -> None:
        self._cluster = cluster
        self._plan = plan
        self._duration_s = duration_s
        self.log: list[str] = []
        self.done: dict[str, int] = {}

    async def run(self) -> None:
        """Return when the time is over, every fault has passed, and what it struck is up again."""
        began = time.monotonic()
        self.log.append(f"{0:6.2f} is {time.time():.2f}; clocks: {self._cluster.clocks()}")
        running = []
        for fault in self._plan:
            await asyncio.sleep(max(0.0, began + fault.at_s - time.monotonic()))
            running.append(asyncio.create_task(self._carry_out(fault, began)))
        await asyncio.sleep(max(0.0, began + self._duration_s - time.monotonic()))
        await asyncio.gather(*running)

    async def _carry_out(self, fault: Fault, began: float) -> None:
        verb, _, target = fault.kind.partition("_")
        act: Callable[[Fault, str], Awaitable[str]] = getattr(self, f"_{verb}")
        begun = time.monotonic() - began
        try:
            told = await asyncio.wait_for(act(fault, target), fault.lasts_s + GIVEN_UP_AFTER_S + 60)
        except (TimeoutError, RuntimeError, PyMongoError) as error:
            told = f"did not work: {type(error).__name__} {str(error)[:200]}"
        else:
            if not told.startswith("left out"):
                self.done[fault.kind] = self.done.get(fault.kind, 0) + 1
        self.log.append(f"{begun:6.2f}–{time.monotonic() - began:6.2f} {fault.kind}: {told}")

    async def _victim(self, target: str, which: int) -> Process | None:
        """Who it strikes, taken in hand; None if another fault has it."""
        cluster = self._cluster
        if target in ("primary", "secondary", "disk"):
            primary = await asyncio.wait_for(cluster.primary(), GIVEN_UP_AFTER_S)
            others = [each for each in cluster.mongods if each is not primary]
            chosen = {"primary": [primary], "secondary": others, "disk": cluster.mongods}[target]
        else:
            chosen = {"api": cluster.apis, "worker": cluster.workers, "redis": [cluster.redis]}[target]
        victim = chosen[which % len(chosen)]
        # A mongod finds itself in its set by asking for its own address: it must not be started behind a broken link.
        if victim.name in cluster.held or (victim in cluster.mongods and not cluster.links[victim.name].clear):
            return None
        cluster.held.add(victim.name)
        return victim

    async def _link(self, target: str, which: int) -> Link | None:
        cluster = self._cluster
        if target == "primary":
            name = (await asyncio.wait_for(cluster.primary(), GIVEN_UP_AFTER_S)).name
        else:
            names = {"api": ["api1", "api2"], "mongod": [each.name for each in cluster.mongods], "redis": ["redis"]}[target]
            name = names[which % len(names)]
        busy = not cluster.links[name].clear or (target in ("primary", "mongod") and name in cluster.held)
        return None if busy else cluster.links[name]

    async def _kill(self, fault: Fault, target: str) -> str:
        return await self._down(fault, target, Process.kill)

    async def _end(self, fault: Fault, target: str) -> str:
        return await self._down(fault, target, Process.end)

    async def _down(self, fault: Fault, target: str, ending: Callable[[Process], Awaitable[None]]) -> str:
        victim = await self._victim(target, fault.which)
        if victim is None:
            return "left out: another fault has it"
        try:
            await ending(victim)
            await asyncio.sleep(fault.lasts_s * 0.6)
            await victim.start(may_fall=True)
        finally:
            self._cluster.held.discard(victim.name)
        return victim.name

    async def _pause(self, fault: Fault, target: str) -> str:
        victim = await self._victim(target, fault.which)
        if victim is None:
            return "left out: another fault has it"
        try:
            victim.pause()
            await asyncio.sleep(fault.lasts_s * 1.5)
        finally:
            victim.go_on()
            self._cluster.held.discard(victim.name)
        return victim.name

    async def _step(self, _fault: Fault, _target: str) -> str:
        primary = await asyncio.wait_for(self._cluster.primary(), GIVEN_UP_AFTER_S)
        try:
            await self._cluster.ask(primary, {"replSetStepDown": 4, "secondaryCatchUpPeriodSecs": 2})
        except PyMongoError as error:  # it closes connections as it does so, or nobody has caught up
            return f"{primary.name} ({type(error).__name__})"
        return primary.name

    async def _flush(self, _fault: Fault, _target: str) -> str:
        return "redis" if await self._cluster.flush_redis() else "left out: redis does not answer"

    async def _skew(self, fault: Fault, _target: str) -> str:
        """An API process or a worker that comes back on another host, whose clock is wrong."""
        if self._cluster.skew is None:
            return "left out: there is no C compiler to make the clock with"
        target = "api" if fault.which % 2 else "worker"
        skew_ms = SKEWS_MS[int(fault.much * len(SKEWS_MS))]
        victim = await self._victim(target, fault.which // 2)
        if victim is None:
            return "left out: another fault has it"
        try:
            await victim.kill()
            for name in ("LD_PRELOAD", "CLOCK_SKEW_MS"):
                victim.environment.pop(name, None)
            victim.environment |= clocks.environment(self._cluster.skew, skew_ms)
            await victim.start(may_fall=True)
        finally:
            self._cluster.held.discard(victim.name)
        return f"{victim.name} {skew_ms / 1000:+} s"

    async def _fill(self, fault: Fault, target: str) -> str:
        if not self._cluster.small_disks:
            return "left out: no small disk can be mounted here"
        victim = await self._victim(target, fault.which)
        if victim is None:
            return "left out: another fault has it"
        folder = self._cluster.folder / victim.name
        try:
            size_mb = await asyncio.to_thread(disks.fill, folder)
            await asyncio.sleep(fault.lasts_s)
            ended = not victim.running
            disks.empty(folder)
            await self._up_again(victim)
        finally:
            disks.empty(folder)
            self._cluster.held.discard(victim.name)
        return f"{victim.name}, {size_mb} MB" + (", which ended it" if ended else "")

    @staticmethod
    async def _up_again(victim: Process) -> None:
        await asyncio.sleep(0.3)
        if not victim.running:
            await victim.start(may_fall=True)

    async def _cut(self, fault: Fault, target: str) -> str:
        link = await self._link(target, fault.which)
        if link is None:
            return "left out: another fault has it"
        link.cut()
        return link.name

    async def _refuse(self, fault: Fault, target: str) -> str:
        return await self._impair(fault, target, Link.refuse)

    async def _stall(self, fault: Fault, target: str) -> str:
        return await self._impair(fault, target, Link.stall)

    async def _deafen(self, fault: Fault, target: str) -> str:
        return await self._impair(fault, target, lambda link: setattr(link, "deaf", True), 0.4)

    async def _delay(self, fault: Fault, target: str) -> str:
        delay_s = DELAYS_S[int(fault.much * len(DELAYS_S))]
        return await self._impair(fault, target, lambda link: setattr(link, "delay_s", delay_s))

    async def _impair(self, fault: Fault, target: str, how: Callable[[Link], None], share: float = 1.0) -> str:
        link = await self._link(target, fault.which)
        if link is None:
            return "left out: another fault has it"
        how(link)
        try:
            await asyncio.sleep(fault.lasts_s * share)
        finally:
            link.heal()
        return link.name
