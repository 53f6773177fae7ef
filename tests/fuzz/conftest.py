"""One server for all laws of a fuzzing run, and in the end what it was asked and what that cost."""

import resource
from collections.abc import Iterator

import pytest
from fuzzing import CASES, LONG_S
from served import Served, serving

COST = pytest.StashKey[float]()


@pytest.fixture(scope="session")
def served(mongo_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Served]:
    """A server that must not log a single traceback meanwhile."""
    log = tmp_path_factory.mktemp("fuzz") / "serve.log"
    with serving(mongo_url, redis_url, log, LRS_REQUEST_TIMEOUT="0.5") as served:
        yield served
        request.config.stash[COST] = served.cpu_s()
    with log.open() as lines:
        assert [line for line in lines if "Traceback" in line][:3] == []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What a long run was about."""
    if LONG_S and CASES:
        own = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        terminalreporter.section("fuzz")
        for law, cases in CASES.items():
            terminalreporter.write_line(f"{cases:9} {law}")
        terminalreporter.write_line(f"{CASES.total():9} cases, CPU {config.stash.get(COST, 0.0):.0f} s server + {own:.0f} s here")
