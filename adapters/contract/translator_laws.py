"""What every translator keeps: pure, whole, and harmless to repeat."""

import re
import time
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.contract.subject import Subject
from lrs.errors import InvalidEvent
from lrs.xapi.json_text import dump, parse
from lrs.xapi.validate import check_batch

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON_SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=30)
JSON_VALUES = st.recursive(
    JSON_SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4), max_leaves=12
)
LAWFUL = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow])
# How many translations the printed rate rests on.
TIMED = 2_000


class TranslatorLaws(Subject):
    """Laws of `Adapter.translate` and of what the product makes of it."""

    def test_the_adapter_has_a_name_a_version_and_settings_that_need_nothing(self) -> None:
        assert NAME.fullmatch(self.adapter.name), "a name is lower-case letters, digits, - and _"
        assert self.adapter.version
        assert isinstance(self.adapter.settings().load({}), Mapping)

    def test_settings_it_does_not_know_are_refused(self) -> None:
        assert self.adapter.settings().validate({"no_such_setting": 1})

    @pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
    def test_every_statement_is_valid_under_both_versions_of_xapi(self, version: str) -> None:
        for index, event in enumerate(self.samples()):
            check_batch(self.translate(event, index), version)

    def test_the_same_event_becomes_the_same_statements(self) -> None:
        for index, event in enumerate(self.samples()):
            assert dump(self.translate(deepcopy(event), index)) == dump(self.translate(deepcopy(event), index))

    def test_every_statement_has_an_id_made_of_a_name(self) -> None:
        for index, event in enumerate(self.samples()):
            ids = [each["id"] for each in self.translate(event, index)]
            assert all(UUID(each).version == 5 and each == each.lower() for each in ids), f"{event}: ids come from the event, by uuid5"
            assert len(set(ids)) == len(ids), f"{event}: two of its statements have one id"

    def test_events_that_differ_do_not_share_statements_of_different_content(self) -> None:
        said: dict[str, Any] = {}
        for index, event in enumerate(self.samples()):
            for statement in self.translate(event, index):
                known = said.setdefault(statement["id"], (event, statement))
                same = {name: value for name, value in statement.items() if name != "timestamp"}
                assert event == known[0] or _like(known[1], same) or self.identity_of(event) == self.identity_of(known[0]), (
                    f"{event} and {known[0]} get one id and say different things"
                )

    def test_neither_the_event_nor_the_settings_are_touched(self) -> None:
        assert self.adapter.translate is not None
        for index, event in enumerate(self.samples()):
            before, loaded = deepcopy(event), self.settings()
            kept = deepcopy(loaded)
            self.adapter.translate(event, loaded, self.config().received_us + index)
            assert dump(event) == dump(before)
            assert loaded == kept

    async def test_events_that_come_again_store_nothing_new(self) -> None:
        store = self.store()
        await self.take(store, self.samples())
        once = [each["id"] for each in store.statements.log]
        again = self.store()
        again.statements.log = list(store.statements.log)
        timeless = [event for index, event in enumerate(self.samples()) if self._is_timeless(event, index)]
        outcomes = await self.take(again, timeless)
        assert [each["id"] for each in again.statements.log] == once
        assert {each.kind for each in outcomes} <= {"duplicate", "nothing"}

    def _is_timeless(self, event: Any, index: int) -> bool:
        """Whether its ids do not depend on when it was received: some protocols offer nothing else to tell two events apart."""
        return [each["id"] for each in self.translate(event, index)] == [each["id"] for each in self.translate(event, index + 10**9)]

    async def test_what_came_is_kept_as_it_came_unknown_fields_too(self) -> None:
        store = self.store()
        events = [{**event, "x-unheard-of": [1, {"é": None}]} if isinstance(event, dict) else event for event in self.samples()]
        outcomes = await self.take(store, events)
        assert [parse(each.text) for each in store.events.kept] == events
        assert all(each.error is None for each in outcomes), "an unknown field is no reason to refuse an event"

    def test_fuzzed_events_raise_nothing_but_the_adapters_own_error_and_what_they_become_is_valid(self) -> None:
        samples = self.samples()

        @LAWFUL
        @given(st.data())
        def law(data: st.DataObject) -> None:
            event = data.draw(st.one_of(_mutants(samples), JSON_VALUES))
            before = dump(event)
            try:
                statements = self.translate(parse(before))
            except InvalidEvent as refusal:
                assert refusal.rule, "a refusal says what is required"
                assert refusal.code
                return
            check_batch(statements, "1.0.3")
            check_batch(statements, "2.0.0")
            assert dump(event) == before
            assert dump(self.translate(parse(before))) == dump(statements)

        law()

    async def test_fuzzed_events_never_break_the_way_in(self) -> None:
        store, samples = self.store(), self.samples()
        events = [mutant for number, event in enumerate(samples) for mutant in _cut(event, number)]
        outcomes = await self.take(store, events)
        broken = [(event, each.error.message) for event, each in zip(events, outcomes, strict=True)
                  if each.error is not None and not isinstance(each.error, InvalidEvent)]
        assert not broken, f"our fault, not the event's: {broken[:3]}"

    def test_how_many_translations_a_second_there_are(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Printed, not judged: a machine's speed is no law."""
        events, translate, loaded = self.samples(), self.adapter.translate, self.settings()
        assert translate is not None
        started = time.perf_counter()
        for number in range(TIMED):
            translate(events[number % len(events)], loaded, number)
        per_second = TIMED / (time.perf_counter() - started)
        with capsys.disabled():
            print(f"\n{self.adapter.label}: {per_second:,.0f} translations/s", end=" ")
        assert per_second > 0


def _like(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return {name: value for name, value in a.items() if name != "timestamp"} == b


def _mutants(samples: list[Any]) -> st.SearchStrategy[Any]:
    """Samples with one of their values, at any depth, replaced, removed or doubled."""
    @st.composite
    def mutant(draw: st.DrawFn) -> Any:
        event = deepcopy(draw(st.sampled_from(samples)))
        for _ in range(draw(st.integers(1, 3))):
            places = list(_places(event))
            if not places:
                return draw(JSON_VALUES)
            holder, name = draw(st.sampled_from(places))
            if draw(st.booleans()) and isinstance(holder, dict):
                del holder[name]
            else:
                holder[name] = draw(JSON_VALUES)
        return event

    return cast("st.SearchStrategy[Any]", mutant())


def _places(value: Any) -> Any:
    """Every (container, key or index) in a value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield value, name
            yield from _places(inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield value, index
            yield from _places(inner)


def _cut(event: Any, number: int) -> list[Any]:
    """The event without one of its parts, and with that part null, a number, a text, a list, and an object."""
    mutants = []
    for place, _ in enumerate(list(_places(event))):
        for value in (None, number, "", "…", [], {}, [None], True):
            copy = deepcopy(event)
            holder, name = list(_places(copy))[place]
            holder[name] = value
            mutants.append(copy)
    return mutants[:400]
