"""`python -m campaign`: rounds of traffic and faults against a small installation of one's own on loopback."""

import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import uvloop

from campaign import disks, report
from campaign.adversary import WEIGHTS
from campaign.cluster import MONGODS, Cluster
from campaign.round import Round, Told

# So many rounds on one database and one set of processes; then everything is begun anew, on empty disks.
ROUNDS_OF_A_CLUSTER = 20


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=10, show_default=True, help="How many rounds.")
@click.option("--seed", type=int, default=None, help="Of the first round; the next ones count on from it. [by chance]")
@click.option("--duration", type=click.FloatRange(1), default=9.0, show_default=True, help="Seconds in which faults begin, a round.")
@click.option("--stop-after", type=click.FloatRange(1), default=None, help="Begin no round after so many seconds.")
@click.option("--without", multiple=True, type=click.Choice(sorted(WEIGHTS)), help="A kind of fault to leave out.")
@click.option("--report", "path", type=click.Path(dir_okay=False, path_type=Path), help="Where the report goes, as JSON.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Where the logs of all processes go if something is found.")
def main(seed: int | None, path: Path | None, **options: Any) -> None:
    """Fault campaign: see docs/faults.md. Exit code 1 if a promise was not kept, 130 if interrupted."""
    first = random.SystemRandom().randrange(1, 10**6) * 1_000 if seed is None else seed
    small_disks = disks.in_a_space_of_our_own()
    if not small_disks:
        click.echo("no small disks: nothing can be mounted here, so the fault fill_disk is left out")
    began = time.monotonic()
    memory: dict[str, float] = {}
    rounds: list[Told] = []
    code = 0
    try:
        uvloop.run(campaign(first, rounds, memory=memory, began=began, small_disks=small_disks, **options))
    except KeyboardInterrupt:
        click.echo("\ninterrupted: this is what is known so far")
        code = 130
    told = report.as_json(rounds, time.monotonic() - began, memory)
    click.echo(f"\n{report.table(told)}")
    if path:
        report.write(path, told)
    sys.exit(1 if told["findings"] else code)


async def campaign(
    first: int, told: list[Told], *, rounds: int, duration: float, stop_after: float | None, without: tuple[str, ...], keep: Path | None,
    memory: dict[str, float], began: float, small_disks: bool,
) -> None:
    """All rounds, on one cluster after the other; what is known of each goes into `told`."""

    def over() -> bool:
        return len(told) >= rounds or (stop_after is not None and time.monotonic() - began > stop_after)

    while not over():
        folder = Path(tempfile.mkdtemp(prefix="campaign-"))
        cluster = Cluster(folder, small_disks=small_disks)
        try:
            await cluster.start()
            count = len(told)
            while not over() and len(told) < count + ROUNDS_OF_A_CLUSTER:
                click.echo(f"round {len(told) + 1}: seed {first + len(told)} …", nl=False)
                told.append(await Round(cluster, first + len(told), duration, without).run())
                click.echo(f"\r{report.tell(told[-1])}")
        finally:
            await cluster.stop()
            for name, rss_mb in cluster.most_rss_mb.items():
                memory[name] = max(memory.get(name, 0.0), rss_mb)
            _put_away(folder, keep, lambda: any(each.findings.found for each in told))


def _put_away(folder: Path, keep: Path | None, found: Callable[[], bool]) -> None:
    """Nothing is left but, if something was found, the logs."""
    if keep and found():
        keep.mkdir(parents=True, exist_ok=True)
        for log in folder.glob("*.log"):
            shutil.copy(log, keep / f"{folder.name}-{log.name}")
    for disk in MONGODS:
        disks.unmount(folder / disk)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
