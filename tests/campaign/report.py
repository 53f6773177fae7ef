"""The report of a campaign: JSON for machines, a table for people."""

import json
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from campaign.round import Told

ROOT = Path(__file__).parent.parent.parent


def as_json(rounds: Sequence[Told], seconds: float, most_rss_mb: Mapping[str, float]) -> dict[str, Any]:
    """Everything that is known."""
    faults, counts, kinds = Counter[str](), Counter[str](), Counter[str]()
    for each in rounds:
        faults.update(each.faults)
        counts.update(each.findings.counts)
        kinds.update(each.findings.kinds)
    return {
        "commit": commit(), "seeds": [each.seed for each in rounds], "rounds": len(rounds), "seconds": round(seconds, 1),
        "faults": dict(sorted(faults.items())), "counts": dict(sorted(counts.items())), "findings": dict(sorted(kinds.items())),
        "most_rss_mb": {name: round(rss) for name, rss in sorted(most_rss_mb.items())},
        "rounds_with_findings": [
            {"seed": each.seed, "findings": [finding.as_json() for finding in each.findings.found], "log": each.log}
            for each in rounds if each.findings.found
        ],
    }


def table(report: Mapping[str, Any]) -> str:
    """What a person wants to know first."""
    counts = report["counts"]
    lines = [
        f"{report['rounds']} rounds (seeds {min(report['seeds'], default='-')} to {max(report['seeds'], default='-')}) "
        f"in {report['seconds']:.0f} s, commit {report['commit']}",
        "",
        *_columns("faults", report["faults"]),
        *_columns("requests and answers", counts),
        *_columns("most memory, in MB", report["most_rss_mb"]),
        *_columns("findings", report["findings"] or {"none": 0}),
    ]
    return "\n".join(lines)


def _columns(title: str, rows: Mapping[str, float]) -> list[str]:
    width = max(map(len, rows), default=0)
    return [title, *(f"  {name:<{width}}  {value:>9,}" for name, value in rows.items()), ""]


def tell(told: Told) -> str:
    """One line for a round; a finding is told in full, with the faults that led to it."""
    findings = sum(told.findings.kinds.values())
    counts = told.findings.counts
    line = (
        f"seed {told.seed}: {sum(told.faults.values())} faults, {counts['requests']} requests, "
        f"{counts['statements stored']} statements, {', '.join(f'{name} {s:.0f} s' for name, s in told.seconds.items())}, "
        f"{findings or 'no'} findings"
    )
    if not findings:
        return line
    return "\n".join([line, *(f"  {each}" for each in told.log), *(f"  ! {each.kind}: {each.what}" for each in told.findings.found)])


def write(path: Path, report: Mapping[str, Any]) -> None:
    """Put the JSON into a file."""
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


def commit() -> str:
    """Which state of the sources this is; "+" if they are changed since."""
    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--", "lrs", "workers", "adapters")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if changed else "")
