"""What a person sees while `lrs up` works: a spinner in a terminal, plain lines elsewhere; results on stdout."""

from collections.abc import Sequence

import click
from rich.console import Console
from rich.status import Status
from rich.table import Table

# Of tables that go into a file or a pipe, in characters.
WIDTH = 200


class Report:
    """Progress goes to stderr, results to stdout. `close` ends the spinner, if there is one."""

    def __init__(self) -> None:
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)
        self._results = Console(highlight=False)
        if not self._results.is_terminal:  # it would take a file for a narrow terminal
            self._results = Console(highlight=False, width=WIDTH)
        self._status: Status | None = None

    def step(self, text: str) -> None:
        """What is being waited for now."""
        if not self._errors.is_terminal:
            click.echo(f"lrs: {text} ...", err=True)
        elif self._status:
            self._status.update(text)
        else:
            self._status = self._errors.status(text)
            self._status.start()

    def tell(self, text: str) -> None:
        """Something worth a line of its own, such as a restart."""
        self._errors.print(f"lrs: {text}", markup=False)

    def close(self) -> None:
        """Nothing is waited for any more."""
        if self._status:
            self._status.stop()
            self._status = None

    def line(self, text: str = "") -> None:
        """A line of the result, never wrapped: it may be there to be pasted."""
        self.close()
        click.echo(text)

    def lines_to_paste(self, lines: Sequence[tuple[str, str]]) -> None:
        """Shell lines, each below a comment that says what it does."""
        for what, line in lines:
            self.line(f"# {what}")
            self.line(line)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table of the result."""
        self.close()
        table = Table(title=title, title_justify="left")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*("" if value is None else str(value) for value in row))
        self._results.print(table)
