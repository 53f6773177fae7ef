"""A short form of every benchmark, with an `lrs up` of its own: `python -m lrs.commands.bench_short`.

It takes some minutes. For figures that are to last, run each by itself, longer, and on a machine that does nothing else.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lrs.embedded.ports import free_port

READY_WITHIN_S, STOPPED_WITHIN_S = 120, 90
SHORT = (
    ("xapi", "--preload", "2000", "--rounds", "1", "--seconds", "1.5"),
    ("growth", "--sizes", "1000,5000", "--requests", "40"),
    ("kolibri", "--attempts", "1000", "--requests", "40"),
)
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
            codes = [subprocess.run((*LRS, "bench", *words, "--data", folder, "--url", url), check=False).returncode for words in SHORT]
        finally:
            stack.terminate()
            stack.wait(STOPPED_WITHIN_S)
    codes.append(subprocess.run((*LRS, "bench", "store", "--statements", "2000"), check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
