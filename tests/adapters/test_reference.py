"""The reference for authors of adapters says what the code says."""

import os
from pathlib import Path

from adapters.contract.reference import reference

DOCUMENT = Path(__file__).parents[2] / "docs" / "adapter-reference.md"


def test_the_reference_is_what_the_code_says():
    if os.environ.get("LRS_REGENERATE") == "1":
        DOCUMENT.write_text(reference())
    assert DOCUMENT.read_text() == reference(), "make it anew: LRS_REGENERATE=1, or python -m adapters.contract.reference"
