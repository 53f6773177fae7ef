"""The tutorial of docs/adapters.md, run line by line as it stands: from nothing to an adapter of one's own that stores and answers."""

import os
import re
import subprocess
import sysconfig
import time
import venv
from pathlib import Path

import pytest
from servers import free_port

DOCUMENT = Path(__file__).parents[2] / "docs" / "adapters.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
WITHIN_S = 240


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A virtual environment that sees what this one has, so that nothing is downloaded; what it installs is its own."""
    venv.create(tmp_path / "venv")  # without a pip, and maybe an old setuptools, of its own
    [site] = (tmp_path / "venv").glob("lib/python*/site-packages")
    (site / "parent.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    for name in ("lrs", "pip", "pytest"):
        script = tmp_path / "venv" / "bin" / name
        script.write_text(f'#!/bin/sh\nexec "{tmp_path}/venv/bin/python" -P -m {name} "$@"\n')
        script.chmod(0o755)
    return tmp_path


def test_every_line_of_the_tutorial_works_and_ends_with_an_answer_read(place: Path) -> None:
    port = free_port()
    lines = "\n".join(BLOCK.findall(DOCUMENT.read_text())).replace("8080", str(port))
    script = f"set -e\ntrap 'kill %1 && wait' EXIT\n{lines}\n"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("LRS_", "PYTHON"))},
        "PATH": f"{place}/venv/bin:{os.environ['PATH']}",
        # Nothing is fetched: what an adapter needs is there.
        "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "HOME": str(place),
    }
    started = time.monotonic()
    done = subprocess.run(
        ["bash", "-c", script], cwd=place, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WITHIN_S,
        check=False,
    )
    print(f"the tutorial took {time.monotonic() - started:.1f} s")
    assert done.returncode == 0, done.stdout + done.stderr
    for told in (
        '"stored":1,"duplicates":0', '"stored":0,"duplicates":1', '{"user":"ada","visits":1,', "MISSING_FIELD",
        '"outcome": "stored"', '{"user":"ben","visits":1,', "acme_adapter.routes:adapter (acme-adapter 0.1.0)",
    ):
        assert told in done.stdout, done.stdout + done.stderr
