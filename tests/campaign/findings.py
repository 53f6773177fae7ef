"""What was found, and what was counted."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

# Of one kind of finding, so many are told in full.
MOST_OF_A_KIND = 5


@dataclass
class Finding:
    """Something that was promised and is not so."""

    kind: str
    what: str

    def as_json(self) -> dict[str, str]:
        """For the report."""
        return asdict(self)


@dataclass
class Findings:
    """The findings of a round, and its counts (`counts`: by what was asked and how it was answered)."""

    found: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, what: Any) -> None:
        """Remember one. The first few of a kind say all there is to say."""
        self.kinds[kind] += 1
        if self.kinds[kind] <= MOST_OF_A_KIND:
            self.found.append(Finding(kind, str(what)[:2_000]))

    def count(self, what: str, times: int = 1) -> None:
        """Count something that is not a finding."""
        self.counts[what] += times
