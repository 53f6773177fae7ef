"""The StudyFetch adapter keeps the contract of all adapters; its cases are its specification."""

from pathlib import Path
from typing import Any

from adapters.contract import AdapterContract
from adapters.studyfetch.routes import adapter
from adapters.studyfetch.values import id_text


class TestStudyFetch(AdapterContract):
    """What it reads comes from summaries alone, and does not depend on the order in which events arrive."""

    adapter = adapter
    cases = Path(__file__).parents[2] / "fixtures" / "studyfetch"

    def identity_of(self, event: Any) -> str | None:
        """17, 17.0 and "17" are one event."""
        return next((text for name in ("id", "eventId", "_id") if (text := id_text(event.get(name))) is not None), None)
