"""The OfCourseMe adapter keeps the contract of all adapters; its cases are its specification."""

from pathlib import Path
from typing import Any

from ofcourseme_calls import event_of

from adapters.contract import AdapterContract
from adapters.contract.memory import MemoryStore
from adapters.ofcourseme.parameters import parameters_of
from adapters.ofcourseme.routes import adapter


class TestOfCourseMe(AdapterContract):
    """Its reports come from summaries alone, and do not depend on the order in which events arrive."""

    adapter = adapter
    cases = Path(__file__).parents[2] / "fixtures" / "ofcourseme"

    def events_of(self, given: Any) -> list[Any]:
        """A call or several, each with one event."""
        return [event_of(call) for call in (given if isinstance(given, list) else [given])]

    def identity_of(self, event: Any) -> Any:
        """The id that an event brings along."""
        return parameters_of(event).get("event_id")

    def prepared(self, store: MemoryStore, given: Any) -> None:
        """Put the catalogue of courses."""
        catalogue = adapter.references["catalogue"]
        store.references.put("catalogue", catalogue.entries(catalogue.schema().load(given.get("catalogue", {}))))
