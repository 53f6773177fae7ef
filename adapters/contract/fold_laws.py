"""What every fold keeps: a saved summary, gone on with, is a recount from nothing."""

import random
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.contract.subject import Subject
from lrs.materialize import Materializer, fold
from lrs.xapi.json_text import dump, parse

LAWFUL = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow])
LONGEST_KEY = 300
FOREIGN = {
    "id": "8f1d3c5e-4a0b-4f5e-9a64-0d3b0c3f2a11",
    "actor": {"mbox": "mailto:somebody@example.org"},
    "verb": {"id": "https://example.org/verbs/something-else"},
    "object": {"objectType": "Activity", "id": "https://example.org/activities/elsewhere"},
    "timestamp": "2026-01-01T00:00:00.000Z", "stored": "2026-01-01T00:00:00.000Z",
    "authority": {"account": {"homePage": "https://example.org", "name": "x"}}, "version": "1.0.0",
}


class FoldLaws(Subject):
    """Laws of the adapter's materializers."""

    async def _stored(self) -> list[Any]:
        """The samples' statements as the store has them."""
        store = self.store()
        await self.take(store, self.samples())
        return list(store.statements.log)

    async def test_materializers_are_named_after_their_adapter_each_once(self) -> None:
        names = [each.name for each in self.folds()]
        assert all(name.split(".")[0] == self.adapter.name for name in names)
        assert len(set(names)) == len(names)

    async def test_keys_are_short_texts_and_the_same_however_often_one_asks(self) -> None:
        for materializer in self.folds():
            for statement in await self._stored():
                before = dump(statement)
                keys = list(materializer.keys(statement))
                assert all(isinstance(key, str) and 0 < len(key.encode()) <= LONGEST_KEY for key in keys), f"{materializer.name}: {keys}"
                assert keys == list(materializer.keys(statement))
                assert dump(statement) == before, f"{materializer.name}: keys() touched the statement"

    async def test_a_statement_without_its_marks_has_no_key(self) -> None:
        for materializer in self.folds():
            for mark in materializer.marks:
                assert mark and dump(mark).decode() == f'"{mark}"', f"{materializer.name}: {mark!r} is written otherwise in JSON"
            for statement in await self._stored() if materializer.marks else ():
                text = dump(statement).decode()
                marked = [mark for mark in materializer.marks if mark in text]
                assert marked or not list(materializer.keys(statement)), f"{materializer.name}: a key without any of its marks"
                for mark in marked:
                    text = text.replace(mark, "x" * len(mark))
                assert not list(materializer.keys(parse(text))), f"{materializer.name}: a key although its marks are taken away"

    async def test_going_on_from_a_saved_summary_is_a_recount_from_nothing(self) -> None:
        statements, folds = await self._stored(), self.folds()

        @LAWFUL
        @given(st.lists(st.sampled_from(statements), max_size=30, unique_by=lambda each: each["id"]), st.integers(0, 30))
        def law(chosen: list[Any], cut: int) -> None:
            for materializer in folds:
                for key in sorted({key for each in chosen for key in materializer.keys(each)}):
                    own = [materializer.part(each, key) for each in chosen if key in materializer.keys(each)]
                    whole, at = materializer.encode(fold(materializer, own)), cut % (len(own) + 1)
                    first = materializer.decode(materializer.encode(fold(materializer, own[:at])))
                    assert materializer.encode(fold(materializer, own[at:], first)) == whole, f"{materializer.name}:{key}"
                    assert materializer.encode(materializer.decode(whole)) == whole, f"{materializer.name}:{key} does not survive saving"

        if statements:
            law()

    async def test_a_step_touches_neither_the_summary_nor_the_statement(self) -> None:
        for materializer in self.folds():
            summaries: dict[str, Any] = {}
            for statement in await self._stored():
                for key in materializer.keys(statement):
                    before = summaries.get(key, materializer.empty())
                    kept, said = materializer.encode(before), dump(statement)
                    summaries[key] = materializer.step(before, materializer.part(statement, key))
                    assert materializer.encode(before) == kept, f"{materializer.name}: step() touched the summary it was given"
                    assert dump(statement) == said, f"{materializer.name}: step() touched the statement"

    async def test_summaries_do_not_depend_on_the_order_of_arrival(self) -> None:
        if not self.orderless:
            pytest.skip("the adapter does not claim it")
        store = self.store()
        store.statements.log = await self._stored()
        expected = store.statements.summaries()
        for seed in range(5):
            shuffled = self.store()
            shuffled.statements.log = list(store.statements.log)
            random.Random(seed).shuffle(shuffled.statements.log)
            assert shuffled.statements.summaries() == expected

    async def test_a_voided_statement_leaves_every_summary(self) -> None:
        statements = await self._stored()
        for gone in statements[:20]:
            store, without = self.store(), self.store()
            store.statements.log, without.statements.log = list(statements), [each for each in statements if each is not gone]
            store.statements.voided.add(gone["id"])
            assert store.statements.summaries() == without.statements.summaries()

    async def test_statements_of_others_do_no_harm(self) -> None:
        for materializer in self.folds():
            for key in materializer.keys(deepcopy(FOREIGN)):  # type: ignore[arg-type]
                fold(materializer, [materializer.part(deepcopy(FOREIGN), key)])  # type: ignore[arg-type]

    async def test_facets_are_texts_and_rows_are_whole_numbers(self) -> None:
        store = self.store()
        store.statements.log = await self._stored()
        for materializer in self.folds():
            for key, summary in store.statements.folded(materializer).items():
                _check_listing(materializer, key, summary)


def _check_listing(materializer: Materializer[Any], key: str, summary: Any) -> None:
    for name, values in materializer.facets(summary).items():
        assert isinstance(name, str) and not isinstance(values, str) and all(isinstance(each, str) for each in values)
    for row in materializer.rows(key, summary):
        assert all(isinstance(part, str) for part in (row.scope, row.bucket, *row.dims, *row.dims.values())), row
        assert all(type(number) is int for number in row.sums.values()), f"{materializer.name}: sums are whole numbers: {row}"
