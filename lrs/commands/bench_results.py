"""A benchmark's rows as JSON, beside what is needed to tell one run from another."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lrs import __version__


def run_told() -> dict[str, Any]:
    """When it is, of which version, and on how many cores."""
    return {"date": datetime.now(UTC).isoformat(timespec="seconds"), "version": __version__, "cores": os.cpu_count()}


def write_rows(
    file: Path | None, command: str, options: Mapping[str, Any], tables: Mapping[str, tuple[Sequence[str], Sequence[Sequence[object]]]]
) -> None:
    """Write tables, each as its columns and rows, to a file if there is to be one: [{column: value}], with date and version."""
    if file is None:
        return
    told = {name: [dict(zip(columns, row, strict=True)) for row in rows] for name, (columns, rows) in tables.items()}
    file.write_text(json.dumps({"command": command, **run_told(), "options": dict(options), **told}, indent=1) + "\n")
