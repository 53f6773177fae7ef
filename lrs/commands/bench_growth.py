"""What `lrs bench growth` measures: how long each query takes in a small store and in a large one."""

import json
import time
from collections.abc import Sequence

from lrs import samples
from lrs.commands.bench_workloads import query_path
from lrs.commands.bench_xapi import Bench, Sample, answered

# Filters of every selectivity: of all that is there, of much of it, of next to nothing.
QUERIES: dict[str, dict[str, str]] = {
    "everything": {},
    "verb, common": {"verb": samples.verb(0)},
    "agent, busy": {"agent": samples.agent_parameter(samples.learner(0))},
    "agent, quiet": {"agent": samples.agent_parameter(samples.learner(samples.LEARNERS - 1))},
    "activity, busy": {"activity": samples.lesson(0)},
    "related activity, in all": {"activity": f"{samples.ACADEMY}/programme", "related_activities": "true"},
    "related agent, in a seventh": {"agent": json.dumps({"mbox": "mailto:tutor.1@academy.example.net"}), "related_agents": "true"},
    "activity and verb, rare": {"activity": samples.lesson(samples.LESSONS - 1), "verb": samples.verb(5)},
    "agent and activity, never": {"agent": samples.agent_parameter(samples.learner(0)), "activity": f"{samples.ACADEMY}/nothing"},
    "agent and verb, busy": {"agent": samples.agent_parameter(samples.learner(0)), "verb": samples.verb(5)},
}


async def measure(bench: Bench, sizes: Sequence[int], requests: int) -> list[tuple[object, ...]]:
    """For each query and order, milliseconds at the 95th percentile at each size, and the last as a multiple of the first."""
    took: dict[tuple[str, str], list[float]] = {}
    rows: list[tuple[object, ...]] = []
    async with bench.client() as client:
        for size in sizes:
            rows.append(_import_row(await bench.fill(size), len(sizes)))
            bench.tell(f"measuring with {size} statements")
            for name, query in QUERIES.items():
                for ascending in ("false", "true"):
                    url = bench.api.url + query_path(ascending=ascending, limit=50, **query)
                    times = []
                    for _ in range(requests):
                        asked = time.perf_counter()
                        await answered(client, "GET", url, None)
                        times.append((time.perf_counter() - asked) * 1000)
                    took.setdefault((name, "earliest first" if ascending == "true" else "latest first"), []).append(
                        sorted(times)[requests * 95 // 100]
                    )
    return [*rows, *((*names, *(f"{each:.2f}" for each in p95), f"{p95[-1] / p95[0]:.2f}") for names, p95 in took.items())]


def _import_row(sample: Sample, sizes: int) -> tuple[object, ...]:
    return (sample.workload, f"{sample.per_second:.0f} a second", *[""] * sizes, "")
