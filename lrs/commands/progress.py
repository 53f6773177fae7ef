"""How far a long load is: a bar with its rate in a terminal, a line every few seconds elsewhere. On stderr."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lrs.commands.report import Report

# Between two lines where there is no terminal, in seconds.
TOLD_EVERY_S = 10.0


# Told of a title and of how many there are, gives what is to be told whenever so many more are done.
Bar = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


@contextmanager
def bar(report: Report, title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Shows `total` things being done, in the place of the report's spinner."""
    report.close()
    began, done = time.perf_counter(), 0
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]} a second"),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )

    def rate() -> str:
        return f"{done / max(1e-9, time.perf_counter() - began):.0f}"

    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task, told_at = progress.add_task(title, total=total, rate="?"), began

        def hear(more: int) -> None:
            nonlocal done, told_at
            done += more
            progress.update(task, completed=done, rate=rate())
            if not console.is_terminal and time.perf_counter() - told_at > TOLD_EVERY_S:
                told_at = time.perf_counter()
                click.echo(f"lrs: {title}: {done} of {total}, {rate()} a second", err=True)

        yield hear
    if not console.is_terminal:
        click.echo(f"lrs: {title}: {done} of {total}, {rate()} a second", err=True)
