"""Mastery over HTTP: rules that hold as soon as they are put, for all that has happened."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from builders import a_statement
from report_office import OPERATOR, QUESTION, RULES, SITE, SUMS, Office, an_office, done, verb

from lrs.config import Config


@pytest.fixture
async def office(config: Config) -> AsyncIterator[Office]:
    async with an_office(config) as office:
        yield office


async def test_a_rule_holds_at_once_for_what_has_happened(office: Office) -> None:
    async def mastered() -> Any:
        [row] = await office.rows("mastery", activity=SUMS)
        return row["mastered_at"] and row["mastered_at"][:10]

    answers = [
        a_statement(
            verb=verb("answered"), object={"id": QUESTION}, result={"success": right}, timestamp=f"2026-02-0{day}T00:00:00Z",
            context={"contextActivities": {"parent": [{"id": SUMS}]}},
        )
        for day, right in ((1, True), (2, False), (3, True), (4, True))
    ]
    await office.post(
        done(result={"score": {"scaled": 0.79}}), done(result={"score": {"scaled": 0.8}}, timestamp="2026-01-20T00:00:00Z"),
        done(verb=verb("passed"), result={}, timestamp="2026-01-25T00:00:00Z", object={"id": SUMS, "definition": {"type": f"{SITE}t"}}),
        *reversed(answers),
    )
    score, answered = {"type": "score", "at_least": 0.8}, {"type": "m_of_n", "m": 3, "n": 4}
    for rules, day in (
        ([], "2026-01-25"),
        ([{"activity": SUMS, "rule": score}], "2026-01-20"),
        ([{"activity_type": f"{SITE}t", "rule": answered}], "2026-02-04"),
        ([{"activity_type": f"{SITE}t", "rule": answered}, {"activity": SUMS, "rule": score}], "2026-01-20"),
        ([{"default": True, "rule": {"type": "score", "at_least": 0.9}}], None),
    ):
        assert await office.put_rules(rules) == 204
        assert await (await office.client.get(RULES, headers=OPERATOR)).json() == rules
        assert await mastered() == day, rules


BAD_RULES: tuple[Any, ...] = (
    {"rules": []}, "all", [{}], [{"rule": {"type": "success"}}], [{"activity": SUMS}], [{"activity": "sums", "rule": {"type": "success"}}],
    [{"activity": SUMS, "default": True, "rule": {"type": "success"}}], [{"default": False, "rule": {"type": "success"}}],
    [{"default": True, "rule": {"type": "success", "at_least": 0.5}}], [{"default": True, "rule": {"type": "score"}}],
    [{"default": True, "rule": {"type": "score", "at_least": 1.1}}], [{"default": True, "rule": {"type": "score", "at_least": 0.8001}}],
    [{"default": True, "rule": {"type": "m_of_n", "m": 6, "n": 5}}], [{"default": True, "rule": {"type": "m_of_n", "m": 5, "n": 21}}],
    [{"default": True, "rule": {"type": "success"}}] * 2, [{"default": True, "rule": {"type": "success"}, "since": "2026"}],
)


async def test_rules_that_say_nothing_or_too_much_are_refused_and_change_nothing(office: Office) -> None:
    kept = [{"default": True, "rule": {"type": "score", "at_least": 0.805}}]
    assert await office.put_rules(kept) == 204
    for rules in BAD_RULES:
        assert await office.put_rules(rules) == 400, rules
    assert await (await office.client.get(RULES, headers=OPERATOR)).json() == kept
