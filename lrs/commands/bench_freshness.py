"""How soon what was acknowledged is in a report, while statements come in at a steady rate; and what memory that takes."""

import asyncio
import secrets
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from lrs import samples
from lrs.commands.bench_kolibri import delete_tenant
from lrs.commands.bench_processes import pids_of
from lrs.commands.management import Endpoint, tenant_path
from lrs.embedded.home import Home

BATCH, PROBE_EVERY_S, LOOK_EVERY_S, MOST_LOOKS = 10, 0.5, 0.02, 3_000
VERSION = {"X-Experience-API-Version": "1.0.3"}


@dataclass
class Freshness:
    """A run: `rate` statements a second for `seconds`. Times in milliseconds from the acknowledgment, memory in MiB."""

    api: Endpoint
    home: Home
    rate: int
    seconds: float
    tell: Callable[[str], None]
    show: Callable[[Sequence[tuple[str, str]]], None]
    posted: int = 0
    took_s: float = 0.0
    late: int = 0
    visible_ms: list[float] = field(default_factory=list)
    missed: int = 0
    peak_mib: dict[str, float] = field(default_factory=dict)

    async def run(self) -> None:
        """Do it, in a tenant of its own. What came of it is shown before that is deleted, and also if it was cut off."""
        tenant = f"bench-{secrets.token_hex(4)}"
        self.api.call("PUT", tenant_path(tenant))
        made = self.api.call("POST", tenant_path(tenant, "credentials"), {"kind": "basic", "scopes": ["all"]})
        headers = {"Authorization": aiohttp.encode_basic_auth(made["key"], made["secret"]), **VERSION}
        try:
            connector = aiohttp.TCPConnector(limit=64)
            async with aiohttp.ClientSession(self.api.url, headers=headers, connector=connector) as client:
                await self._measure(client)
        finally:
            self.show(self.rows())
            await asyncio.to_thread(delete_tenant, self.api, tenant, self.tell)

    async def _measure(self, client: aiohttp.ClientSession) -> None:
        self.tell(f"{self.rate} statements a second for {self.seconds:.0f} s")
        end, probing, posting = time.monotonic() + self.seconds, set[asyncio.Task[None]](), set[asyncio.Task[None]]()
        began, load = time.monotonic(), asyncio.create_task(self._load(client, end, posting))
        while time.monotonic() < end:
            probing.add(asyncio.create_task(self._probe(client)))
            self._look_at_memory()
            await asyncio.sleep(PROBE_EVERY_S)
            self.took_s = time.monotonic() - began
        await load
        await asyncio.gather(*posting)
        self.took_s = time.monotonic() - began
        await asyncio.gather(*probing)
        self._look_at_memory()

    async def _load(self, client: aiohttp.ClientSession, end: float, posting: set[asyncio.Task[None]]) -> None:
        """A batch at each of its moments, whether or not those before are answered; `late` counts what could not be begun in time."""
        seed, number, due = secrets.randbits(40), 0, time.monotonic()
        while due < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.late += BATCH * (time.monotonic() - due > 1)
            batch = [samples.sample(number + offset, seed) for offset in range(BATCH)]
            number, due = number + BATCH, due + BATCH / self.rate
            task = asyncio.create_task(self._post(client, batch))
            posting.add(task)
            task.add_done_callback(posting.discard)

    async def _post(self, client: aiohttp.ClientSession, batch: Sequence[Any]) -> None:
        async with client.post("/xapi/statements", json=batch) as answer:
            answer.raise_for_status()
            await answer.read()
        self.posted += len(batch)

    async def _probe(self, client: aiohttp.ClientSession) -> None:
        """Somebody new does something new: how long is it after the acknowledgment until a report tells of it?"""
        activity = f"{samples.ACADEMY}/probes/{uuid.uuid4()}"
        statement = {**samples.sample(0), "id": str(uuid.uuid4()), "object": {"id": activity}}
        await self._post(client, [statement])
        acknowledged = time.perf_counter()
        for _ in range(MOST_LOOKS):
            async with client.get("/reports/progress", params={"activity": activity}) as answer:
                told = await answer.json()
                if answer.status == 200 and any(rows for rows in told.values() if isinstance(rows, list)):
                    self.visible_ms.append(1000 * (time.perf_counter() - acknowledged))
                    return
            await asyncio.sleep(LOOK_EVERY_S)
        self.missed += 1

    def _look_at_memory(self) -> None:
        for name, pid in pids_of(self.home).items():
            status = Path(f"/proc/{pid}/status")
            if status.exists():
                held = int(status.read_text().partition("VmRSS:")[2].split()[0]) / 1024
                self.peak_mib[name] = max(held, self.peak_mib.get(name, 0.0))

    def rows(self) -> list[tuple[str, str]]:
        """What came of it."""
        took = sorted(self.visible_ms)
        told = [
            ("statements posted", str(self.posted)), ("a second", f"{self.posted / self.took_s if self.took_s else 0:.0f}"),
            ("not begun in time", str(self.late)), ("probes never seen", str(self.missed)),
        ]
        if took:
            told += [(f"visible after, p{part} ms", f"{took[min(len(took) - 1, len(took) * part // 100)]:.0f}") for part in (50, 95, 99)]
        return told + [(f"peak memory of {name}, MiB", f"{held:.0f}") for name, held in sorted(self.peak_mib.items())]
