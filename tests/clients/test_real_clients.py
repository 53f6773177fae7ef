"""The clients that real content is made with, from the npm registry, talk to a running server: their own calls, not ours."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import CREDENTIAL, Served, serving

SCRIPTS = Path(__file__).parent
INSTALL_WITHIN_S, RUN_WITHIN_S = 300, 120


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts with their packages beside them. Skipped where there is no Node.js."""
    if shutil.which("npm") is None:
        pytest.skip("Node.js with npm is not installed")
    folder = tmp_path_factory.mktemp("clients")
    for path in (*SCRIPTS.glob("*.mjs"), SCRIPTS / "package.json"):
        shutil.copy(path, folder)
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, check=True, timeout=INSTALL_WITHIN_S
    )
    return folder


@pytest.fixture(scope="module")
def server(mongo_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A real server with a tenant."""
    with serving(mongo_url, redis_url, tmp_path_factory.mktemp("server") / "log") as running:
        yield running


@pytest.mark.parametrize("client", ["xapi", "tincan", "adl", "cmi5"])
def test_a_real_client_finds_everything_as_it_expects(installed, server, client):
    key, _, secret = CREDENTIAL.partition(":")
    endpoint = f"http://127.0.0.1:{server.port}/xapi"
    ran = subprocess.run(
        ["node", f"{client}.mjs"], cwd=installed, timeout=RUN_WITHIN_S, capture_output=True, text=True,
        env={**os.environ, "ENDPOINT": endpoint, "KEY": key, "SECRET": secret},
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert ran.stdout.strip().endswith("steps")
