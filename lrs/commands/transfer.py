"""`lrs export` and `lrs import`: a tenant's statements as a file of lines, and back."""

import gzip
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from lrs.commands.management import endpoint, talks_to_the_api, tenant_path
from lrs.errors import LRSError

NDJSON = {"Content-Type": "application/x-ndjson"}
PIECE_BYTES = 1024 * 1024
# Sent at a time: an import that breaks off has lost no more than that.
LINES, BYTES = 1_000, 4 * 1024 * 1024
Chunk = tuple[int, bytes]  # the number of the first line (from 0), and the lines


@click.command()
@click.argument("tenant")
@click.option("--since", metavar="TIME", help="Only what was stored after this time (ISO 8601).")
@talks_to_the_api
def export(tenant: str, since: str | None, url: str | None, data: Path | None) -> None:
    """Write every statement of TENANT to standard output, one a line, in the order they were stored.

    Voided statements and the voids are among them. `lrs export school | gzip > school.ndjson.gz`
    """
    path = tenant_path(tenant, "export") + (f"?since={since.replace('+', '%2B')}" if since else "")
    output = sys.stdout.buffer
    with _progress("statements") as progress, endpoint(url, data).answer("GET", path) as response:
        task = progress.add_task(f"export of {tenant}", total=None, count=0)
        count = 0
        while piece := response.read1(PIECE_BYTES):
            output.write(piece)
            count += piece.count(b"\n")
            progress.update(task, count=count)
        progress.update(task, total=1, completed=1)
    output.flush()


@click.command("import")
@click.argument("tenant")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@talks_to_the_api
def import_(tenant: str, file: Path, url: str | None, data: Path | None) -> None:
    """Take the statements of FILE (NDJSON, or NDJSON in gzip) into TENANT, in the order of the lines.

    What is there already is not stored again, so an import that broke off is simply begun again.
    """
    api, path = endpoint(url, data), tenant_path(tenant, "import")
    read = stored = 0
    with _progress("lines") as progress, file.open("rb") as raw:
        task = progress.add_task(f"import into {tenant}", total=file.stat().st_size, count=0)
        for first, lines in _chunks(_unpacked(raw)):
            try:
                outcome = api.call("POST", path, lines, NDJSON)
            except LRSError as error:
                raise click.ClickException(
                    f"line {first + 1} and on: {error.message}\n{stored} statements of the lines before are stored; "
                    "to import the file again is harmless"
                ) from None
            read, stored = read + outcome["read"], stored + outcome["stored"]
            progress.update(task, completed=raw.tell(), count=read)
    click.echo(f"{read} statements read, {stored} of them new in {tenant}")


def _unpacked(raw: BinaryIO) -> Iterable[bytes]:
    """The file, decompressed if it is in gzip, whatever it is called."""
    magic = raw.read(2)
    raw.seek(0)
    return gzip.GzipFile(fileobj=raw) if magic == b"\x1f\x8b" else raw


def _chunks(lines: Iterable[bytes]) -> Iterator[Chunk]:
    first = size = 0
    chunk: list[bytes] = []
    for line in lines:
        chunk.append(line)
        size += len(line)
        if len(chunk) >= LINES or size >= BYTES:
            yield first, b"".join(chunk)
            first, size, chunk = first + len(chunk), 0, []
    if chunk:
        yield first, b"".join(chunk)


def _progress(unit: str) -> Progress:
    """Shown in a terminal only, and beside the output: that may be the export itself."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TextColumn(f"{{task.fields[count]}} {unit}"), TimeElapsedColumn(), console=Console(stderr=True),
    )
