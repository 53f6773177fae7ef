"""The suite every adapter passes, ours and others': `class TestAcme(AdapterContract): adapter, cases = acme, Path("cases")`."""

import pytest

pytest.register_assert_rewrite("adapters.contract.case_laws", "adapters.contract.translator_laws", "adapters.contract.fold_laws")

from adapters.contract.suite import AdapterContract  # noqa: E402  (rewriting of asserts must come first)

__all__ = ["AdapterContract"]
