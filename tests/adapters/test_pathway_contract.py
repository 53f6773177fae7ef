"""The pathway adapter keeps what every adapter must, on its own golden cases."""

from pathlib import Path
from typing import Any

from adapters.contract import AdapterContract
from adapters.contract.cases import Case
from adapters.pathway.routes import adapter as pathway
from adapters.pathway.translate import translate
from lrs.errors import InvalidEvent


class TestPathway(AdapterContract):
    """All laws; the answers' `response_time` is another each time."""

    adapter = pathway
    cases = Path(__file__).parents[2] / "fixtures" / "pathway"

    def samples(self) -> list[Any]:
        """The events of translated cases; rows that are refused among good ones are no samples of what becomes statements."""
        events = [event for case in self.of_kind("translate") for event in self.events_of(case.input)]
        return [event for event in events if self._is_taken(event)]

    def _is_taken(self, event: Any) -> bool:
        try:
            self.translate(event)
        except InvalidEvent:
            return False
        return True

    def identity_of(self, event: Any) -> Any:
        """Snapshots of one learner with the same status are one, whatever else the rows say."""
        return [each["id"] for each in translate(event, self.settings(), 0)]

    async def _answers(self, case: Case, *, only_summaries: bool = False) -> list[Any]:
        answers = await super()._answers(case, only_summaries=only_summaries)
        for answer in answers:
            assert answer["body"].pop("response_time", 1.0) > 0
        return answers
