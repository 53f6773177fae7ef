"""Golden cases: one file a case, input and expectation together, so that neither can go missing.

    config.json   {"received_at": "…", "api_key": "…", "basic_token": "…", and the adapter's settings}
    NN-name.json  {"name": "a sentence", "kind": "translate" | "error" | "read", "input": …, "expected": …, "error": …}

translate: `expected` are the statements, whole and in order. error: `error` is {"code"} and maybe {"place"} of each event. read:
`input` has `imports` (bodies) and `requests` ({"method", "path", "headers", "body" or "raw_body"}), `expected` their {"status", "body"}.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.contract.directory import MemoryDirectory
from lrs.xapi.json_text import parse
from lrs.xapi.times import parse_timestamp

KINDS = ("translate", "error", "read")
CONFIG = "config.json"
# Of config.json, what is no setting of the adapter.
NOT_SETTINGS = frozenset({"source", "received_at", "api_key", "basic_token"})


@dataclass(frozen=True)
class CaseConfig:
    """What all cases of a folder share: settings, credentials, and the time of receipt."""

    settings: Mapping[str, Any]
    received_at: str
    directory: MemoryDirectory

    @property
    def received_us(self) -> int:
        """The time of receipt in µs since the epoch."""
        return parse_timestamp(self.received_at)


@dataclass(frozen=True)
class Case:
    """One golden case."""

    path: Path
    document: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """translate, error or read."""
        return str(self.document.get("kind", "translate"))

    @property
    def input(self) -> Any:
        """What comes in; a new copy each time."""
        return parse(json.dumps(self.document["input"]))

    @property
    def expected(self) -> Any:
        """What must come of it."""
        return self.document.get("expected")

    def regenerate(self, expected: Any) -> None:
        """Write another expectation. Review the difference."""
        text = json.dumps({**self.document, "expected": expected}, indent=2, ensure_ascii=False)
        self.path.write_text(text + "\n")


def config_of(folder: Path) -> CaseConfig:
    """The configuration of a folder of cases."""
    config = json.loads((folder / CONFIG).read_text())
    basic = base64.b64decode(config.get("basic_token", "")).decode() or "contract:secret"
    settings = {name: value for name, value in config.items() if name not in NOT_SETTINGS}
    return CaseConfig(settings, config["received_at"], MemoryDirectory(settings, config.get("api_key", "contract-api-key"), basic))


def cases_of(folder: Path) -> list[Case]:
    """Every case of a folder, in the order of their names."""
    return [Case(path, json.loads(path.read_text())) for path in sorted(folder.glob("*.json")) if path.name != CONFIG]
