"""A short form of every benchmark, with an `lrs up` of its own: `python -m lrs.commands.bench_short`.

It takes a minute or two, and shows that each of them works. For figures that are to last, run each by itself, longer, and on a machine
that does nothing else.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lrs.embedded.ports import free_port

READY_WITHIN_S, STOPPED_WITHIN_S = 120, 90
# On one `lrs up`, and on a MongoDB of their own.
SHORT = (
    ("xapi", "--preload", "500", "--rounds", "1", "--seconds", "0.3"),
    ("growth", "--sizes", "100,1000", "--requests", "20"),
    ("adapters", "--events", "100", "--learners", "50", "--requests", "5", "--rounds", "1", "--seconds", "0.3"),
    ("kolibri", "--learners", "50", "--attempts", "1000", "--requests", "20"),
    ("freshness", "--rate", "100", "--seconds", "3"),
)
ALONE = (("rollups", "--statements", "2000", "--probes", "5"), ("store", "--statements", "1000"))
LRS = (sys.executable, "-m", "lrs")


def main() -> int:
    """Run them one after another; 0 if all of them came to their end."""
    with tempfile.TemporaryDirectory(prefix="lrs-bench-") as folder:
        ready = Path(folder) / "ready.json"
        stack = subprocess.Popen((*LRS, "up", "--data", folder, "--port", str(free_port()), "--ready-file", str(ready)))
        try:
            deadline = time.monotonic() + READY_WITHIN_S
            while not ready.exists() and stack.poll() is None and time.monotonic() < deadline:
                time.sleep(0.2)
            url = json.loads(ready.read_text())["base_url"]
            codes = [_run(*words, "--data", folder, "--url", url) for words in SHORT]
        finally:
            stack.terminate()
            stack.wait(STOPPED_WITHIN_S)
    return max(*codes, *(_run(*words) for words in ALONE))


def _run(*words: str) -> int:
    """One of them; its exit code."""
    began = time.monotonic()
    code = subprocess.run((*LRS, "bench", *words), check=False).returncode
    print(f"lrs bench {words[0]}: exit code {code} after {time.monotonic() - began:.0f} s", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
