"""Updates that come twice after a network break: told apart by the key a device gives them."""

import asyncio
from typing import Any

import pytest
from kolibri_school import START, TENANT, Pupil, School

KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
ANSWER = {"item": "q1", "correct": 0.5, "time_spent": 2, "answer": {"value": [1, 2.5, "4"]}, "simple_answer": "4"}
UPDATE = {"progress_delta": 0.4, "time_spent_delta": 3, "interactions": [ANSWER, {**ANSWER, "item": "q2"}]}


async def state(pupil: Pupil, node: str = "ex_sums") -> tuple[Any, Any]:
    """What a start answers of the content, and all attempts."""
    begun = await pupil.start(node)
    _, attempts = await pupil.send("GET", "/api/logger/attemptlog/")
    return {name: begun[name] for name in ("progress", "time_spent", "complete")}, len(attempts)


async def test_the_same_key_is_answered_again_and_counted_once(pupil: Pupil) -> None:
    path = f"{START}{(await pupil.start('ex_sums'))['session_id']}/"
    first = await pupil.send("PUT", path, UPDATE, headers=KEY)
    assert first[0] == 200
    assert await pupil.send("PUT", path, {"progress_delta": 0.1, "time_spent_delta": 1}) == (200, {"complete": False})
    assert await pupil.send("PUT", path, UPDATE, headers=KEY) == first
    assert await state(pupil) == ({"progress": 0.5, "time_spent": 4, "complete": False}, 2)


async def test_two_equal_updates_without_a_key_are_two(pupil: Pupil) -> None:
    path = f"{START}{(await pupil.start('ex_sums'))['session_id']}/"
    for headers in (None, {"Idempotency-Key": " "}):
        assert (await pupil.send("PUT", path, UPDATE, headers=headers))[0] == 200
    assert await state(pupil) == ({"progress": 0.8, "time_spent": 6, "complete": False}, 4)


async def test_the_same_key_sent_many_times_at_once_is_counted_once(pupil: Pupil) -> None:
    path = f"{START}{(await pupil.start('ex_sums'))['session_id']}/"
    answers = await asyncio.gather(*(pupil.send("PUT", path, UPDATE, headers=KEY) for _ in range(20)))
    assert all(answer == answers[0] and answer[0] == 200 for answer in answers)
    assert await state(pupil) == ({"progress": 0.4, "time_spent": 3, "complete": False}, 2)


async def test_a_key_counts_within_its_session_only(pupil: Pupil) -> None:
    for _ in range(2):
        path = f"{START}{(await pupil.start('ex_sums'))['session_id']}/"
        assert (await pupil.send("PUT", path, UPDATE, headers=KEY))[0] == 200
    assert (await state(pupil))[0]["time_spent"] == 6


@pytest.mark.parametrize("user", ["u01", None])
async def test_a_visitors_updates_have_keys_too(pupil: Pupil, user: str | None) -> None:
    path = f"{START}{(await pupil.start('ex_sums', user=user))['session_id']}/"
    first = await pupil.send("PUT", path, UPDATE, user=user, headers=KEY)
    assert await pupil.send("PUT", path, UPDATE, user=user, headers=KEY) == first


async def test_a_key_that_came_with_another_update_is_refused(pupil: Pupil, school: School) -> None:
    path = f"{START}{(await pupil.start('ex_sums'))['session_id']}/"
    await pupil.send("PUT", path, UPDATE, headers=KEY)
    stored = len(school.logs.statements[TENANT])
    status, body = await pupil.send("PUT", path, {**UPDATE, "time_spent_delta": 4}, headers=KEY)
    assert (status, body[0]["id"], body[0]["metadata"]["field"]) == (400, "INVALID", "Idempotency-Key")
    assert len(school.logs.statements[TENANT]) == stored


async def test_handing_in_a_quiz_twice_with_one_key_is_no_refusal(pupil: Pupil) -> None:
    quiz = pupil.id("quizzes.harbor")
    _, begun = await pupil.send("POST", START, {"quiz_id": quiz})
    path = f"{START}{begun['session_id']}/"
    for headers, status in ((KEY, 200), (KEY, 200), (None, 403)):
        assert (await pupil.send("PUT", path, {"progress": 1}, headers=headers))[0] == status


async def test_an_update_that_was_refused_may_come_again_with_its_key(pupil: Pupil) -> None:
    path = f"{START}{(await pupil.start('ex_sums'))['session_id']}/"
    wrong = {"interactions": [{**ANSWER, "id": "0" * 32}]}
    assert (await pupil.send("PUT", path, wrong, headers=KEY))[0] == 400
    assert (await pupil.send("PUT", path, UPDATE, headers=KEY))[0] == 200


async def test_a_voided_update_comes_again_as_if_it_had_never_come(pupil: Pupil, school: School) -> None:
    path = f"{START}{(await pupil.start('ex_sums'))['session_id']}/"
    await pupil.send("PUT", path, UPDATE, headers=KEY)
    school.logs.voided |= {each["id"] for each in school.logs.statements[TENANT][1:]}
    assert (await pupil.send("PUT", path, UPDATE, headers=KEY))[0] == 200
    assert await state(pupil) == ({"progress": 0.4, "time_spent": 3, "complete": False}, 2)
