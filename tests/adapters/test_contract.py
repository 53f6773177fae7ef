"""The contract suite is proved: a sound adapter in a package of its own passes, and each sabotaged one is caught by the law it breaks."""

import sys
from collections.abc import Iterator

import pytest
from sabotages import SABOTAGES

pytest_plugins = ["pytester"]

TEST_OF = """
from pathlib import Path
from adapters.contract import AdapterContract
from sabotages import broken, sound

class TestAcme(AdapterContract):
    adapter, cases, materializers = {parts}
"""
OPTIONS = ("-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """The modules of one adapter must not serve the next."""
    yield
    for name in [each for each in sys.modules if each.startswith("acme_adapter")]:
        del sys.modules[name]


def laws(pytester: pytest.Pytester, parts: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(test_acme=TEST_OF.format(parts=parts))
    return pytester.runpytest_inprocess(*OPTIONS, *options)


def test_a_new_adapter_keeps_the_whole_contract_at_once(pytester):
    outcomes = laws(pytester, f"sound(Path({str(pytester.path / 'acme')!r}))").parseoutcomes()
    assert outcomes["passed"] >= 20
    assert outcomes.keys() == {"passed"}


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_sabotaged_adapter_is_caught_by_the_law_it_breaks(name, pytester):
    law = SABOTAGES[name][1]
    result = laws(pytester, f"broken({name!r}, Path({str(pytester.path / 'acme')!r}))", "-k", law)
    assert result.parseoutcomes().get("failed", 0) >= 1, result.outlines
