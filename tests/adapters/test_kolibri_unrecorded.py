"""What the reference says and no recording shows: coercions, orders, resets, replacing, who sees what."""

from typing import Any

import pytest
from kolibri_school import START, Pupil
from kolibri_sessions import ATTEMPTS, EXERCISE, NODE, Session, answer_to, logs_of


@pytest.mark.parametrize(("sent", "loaded"), [
    ({"progress": "0.5"}, 0.5), ({"progress": True}, 1), ({"progress_delta": "1e-1"}, 0.1), ({"progress": 0}, 0),
    ({"unknown": None, "progress": 0.25}, 0.25),
])
async def test_numbers_are_taken_as_text_and_booleans(pupil: Pupil, sent: dict[str, Any], loaded: float) -> None:
    session = await Session.of(pupil, pupil.node("video_tides"))
    assert (await session.update(**sent))[0] == 200
    assert (await pupil.start())["progress"] == loaded


@pytest.mark.parametrize(("sent", "error"), [
    ({"progress": 1.01}, ("MAX_VALUE", "progress")), ({"progress_delta": -0.1}, ("MIN_VALUE", "progress_delta")),
    ({"time_spent_delta": -1}, ("MIN_VALUE", "time_spent_delta")), ({"progress": "nan"}, ("INVALID", "progress")),
    ({"time_spent_delta": "inf"}, ("INVALID", "time_spent_delta")), ({"progress": None}, ("NULL", "progress")),
    ({"progress": [1]}, ("INVALID", "progress")), ({"extra_fields": []}, ("NOT_A_DICT", "extra_fields")),
    ({"extra_fields": None}, ("NULL", "extra_fields")), ({"interactions": None}, ("NULL", "interactions")),
    ({"progress": 1, "progress_delta": 1}, ("INVALID", "non_field_errors")),
    ({"interactions": [7]}, ("INVALID", "interactions.non_field_errors")),
    ({"interactions": [{"item": "q", "correct": 1, "time_spent": 1}]}, ("INVALID", "interactions.non_field_errors")),
    ({"interactions": [answer_to("")]}, ("BLANK", "interactions.item")),
    ({"interactions": [answer_to("  ")]}, ("BLANK", "interactions.item")),
    ({"interactions": [answer_to("q", correct=2)]}, ("MAX_VALUE", "interactions.correct")),
    ({"interactions": [answer_to("q", id="no")]}, ("INVALID", "interactions.id")),
    ({"interactions": [answer_to("q", hinted="maybe")]}, ("INVALID", "interactions.hinted")),
    ({"interactions": [answer_to("q", answer="4")]}, ("NOT_A_DICT", "interactions.answer")),
    ({"interactions": [answer_to("q", simple_answer=True)]}, ("INVALID", "interactions.simple_answer")),
    ({"interactions": [answer_to("q", time_spent=None)]}, ("NULL", "interactions.time_spent")),
])
async def test_each_fault_of_an_update_has_kolibris_id_and_place(
    pupil: Pupil, sent: dict[str, Any], error: tuple[str, str]
) -> None:
    session = await Session.of(pupil, EXERCISE)
    status, body = await session.update(**sent)
    assert (status, [(each["id"], each["metadata"]["field"]) for each in body]) == (400, [error])


async def test_all_faults_are_told_at_once_and_a_bad_body_before_a_session_that_is_not_there(pupil: Pupil) -> None:
    bad = {"progress": 2, "time_spent_delta": None, "interactions": [{"item": "q"}]}
    status, body = await pupil.send("PUT", f"{START}{'0' * 32}/", bad)
    assert (status, {(each["id"], each["metadata"]["field"]) for each in body}) == (400, {
        ("MAX_VALUE", "progress"), ("NULL", "time_spent_delta"),
        ("REQUIRED", "interactions.correct"), ("REQUIRED", "interactions.time_spent"),
    })


@pytest.mark.parametrize("words", ["false", "f", "no", "0", 0, 0.0, False, "Off", "N"])
async def test_booleans_are_taken_in_many_words(pupil: Pupil, words: Any) -> None:
    session = await Session.of(pupil, EXERCISE)
    (attempt,) = await session.answer(answer_to("q", complete=words))
    assert attempt["complete"] is False


async def test_numbers_as_text_stay_text(pupil: Pupil) -> None:
    session = await Session.of(pupil, EXERCISE)
    (attempt,) = await session.answer(answer_to(7, simple_answer=4.5))  # type: ignore[arg-type]
    _, (log,) = await pupil.send("GET", ATTEMPTS, params={"item": "7"})
    assert (attempt["item"], log["simple_answer"]) == ("7", "4.5")


@pytest.mark.parametrize("kind", ["topic", "video", "audio", "document", "html5", "slideshow", "h5p", "zim", "quiz"])
async def test_only_exercises_have_a_mastery_model(pupil: Pupil, kind: str) -> None:
    assert (await pupil.send("POST", START, {**NODE, "kind": kind}))[0] == 200
    status, body = await pupil.send("POST", START, {**EXERCISE, "kind": kind})
    assert (status, [(each["id"], each["metadata"]["field"]) for each in body]) == (400, [("INVALID", "mastery_model")])


@pytest.mark.parametrize(("criterion", "reported"), [
    ({"type": "do_all"}, 10), ({"type": "skill_check"}, 10), ({"type": "m_of_n", "m": 1, "n": 3}, 3),
    ({"type": "num_correct_in_a_row_2"}, 2), ({"type": "num_correct_in_a_row_3"}, 3),
    ({"type": "num_correct_in_a_row_5"}, 5), ({"type": "num_correct_in_a_row_10"}, 10), ({"type": "quiz"}, 12),
])
async def test_how_many_past_attempts_are_reported_depends_on_the_criterion(
    pupil: Pupil, criterion: dict[str, Any], reported: int
) -> None:
    session = await Session.of(pupil, {**EXERCISE, "mastery_model": criterion})
    for number in range(12):
        await session.answer(answer_to(f"q{number}", time_spent=0))
    begun = (await Session.of(pupil, {**EXERCISE, "mastery_model": {"type": criterion["type"], "m": 1, "n": 1}})).begun
    assert (len(begun["pastattempts"]), begun["totalattempts"]) == (reported, 12)
    assert begun["mastery_criterion"] == criterion
    if reported < 12:
        assert [each["item"] for each in begun["pastattempts"]] == [f"q{11 - number}" for number in range(reported)]


@pytest.mark.parametrize("model", [
    {}, {"type": "best_of"}, {"type": None}, {"type": "m_of_n", "m": "x", "n": 5}, {"type": "m_of_n", "m": 1},
    {"type": "m_of_n", "m": 1, "n": -1}, {"type": "m_of_n", "m": 1.5, "n": 5}, "quiz", 7, [],
])
async def test_a_fault_inside_a_mastery_model_is_told_nested(pupil: Pupil, model: Any) -> None:
    status, body = await pupil.send("POST", START, {**EXERCISE, "mastery_model": model})
    assert (status, list(body)) == (400, ["mastery_model"])
    assert all(isinstance(text, str) for texts in body["mastery_model"].values() for text in texts)


async def test_repeat_on_an_unfinished_exercise_only_zeroes_the_progress(pupil: Pupil) -> None:
    session = await Session.of(pupil, EXERCISE)
    await session.update(progress=0.4, time_spent_delta=5, interactions=[answer_to("q1")])
    begun = (await Session.of(pupil, {**EXERCISE, "repeat": True})).begun
    assert (begun["progress"], begun["time_spent"], begun["totalattempts"]) == (0, 5, 1)
    assert begun["context"]["mastery_level"] == 1


async def test_repeat_on_a_mastered_exercise_begins_the_next_level_and_the_total_counts_both(pupil: Pupil) -> None:
    for level in (1, 2, 3):
        session = await Session.of(pupil, {**EXERCISE, "repeat": "yes"})
        assert session.begun["context"]["mastery_level"] == level
        assert (session.begun["time_spent"], session.begun["complete"], session.begun["pastattempts"]) == (0, False, [])
        assert await session.update(progress=1, time_spent_delta=level) == (200, {"complete": True})
    _, total = await pupil.send("GET", f"/api/logger/userprogress/{pupil.id('users.u01')}/")
    assert total["progress"] == 3
    assert [log["time_spent"] for log in await logs_of(pupil)] == [3, 2, 1]


async def test_an_update_through_an_old_session_goes_to_the_old_level(pupil: Pupil) -> None:
    old = await Session.of(pupil, EXERCISE)
    await old.update(progress=1)
    await Session.of(pupil, {**EXERCISE, "repeat": True})
    assert await old.update(time_spent_delta=7, interactions=[answer_to("q1")]) == (
        200, {"complete": False, "attempts": [dict((await attempts_of(pupil))[0])]},
    )
    first, second = sorted(await logs_of(pupil), key=lambda log: log["complete"], reverse=True)
    assert (first["time_spent"], first["correct"], second["time_spent"], second["correct"]) == (7, 1, 0, 0)


async def attempts_of(pupil: Pupil) -> list[dict[str, Any]]:
    names = ("id", "item", "correct", "complete", "hinted", "error", "answer", "time_spent")
    _, entries = await pupil.send("GET", ATTEMPTS)
    return [{name: entry[name] for name in names} for entry in entries]


async def test_lowering_progress_leaves_the_try_complete(pupil: Pupil) -> None:
    session = await Session.of(pupil, EXERCISE)
    await session.update(progress=1)
    assert await session.update(progress=0.25) == (200, {"complete": False})
    begun = (await Session.of(pupil, EXERCISE)).begun
    assert (begun["progress"], begun["complete"]) == (0.25, True)


async def test_interactions_alone_do_not_move_the_end_of_a_try(pupil: Pupil) -> None:
    session = await Session.of(pupil, EXERCISE)
    (before,) = await logs_of(pupil)
    await session.answer(answer_to("q1"))
    (after,) = await logs_of(pupil)
    assert (after["end_timestamp"], after["correct"]) == (before["end_timestamp"], 1)


async def test_three_runs_of_two_items_are_three_attempts(pupil: Pupil) -> None:
    session = await Session.of(pupil, EXERCISE)
    attempts = await session.answer(answer_to("a"), answer_to("b"), answer_to("a", correct=0), answer_to("a"))
    assert [each["item"] for each in attempts] == ["a", "b", "a"]
    assert len({each["id"] for each in attempts}) == 3
    assert attempts[2]["correct"] == 0


async def test_replace_without_an_id_changes_the_latest_attempt_on_the_item(pupil: Pupil) -> None:
    session = await Session.of(pupil, EXERCISE)
    await session.answer(answer_to("a", correct=0))
    (latest,) = await session.answer(answer_to("a", correct=0))
    (changed,) = await session.answer(answer_to("a", correct=1, replace=True, answer={"value": "6"}))
    assert (changed["id"], changed["correct"], changed["answer"]) == (latest["id"], 1, {"value": "6"})


async def test_replace_keeps_the_answer_if_none_is_sent_and_an_error_is_never_unset(pupil: Pupil) -> None:
    session = await Session.of(pupil, EXERCISE)
    (made,) = await session.answer(answer_to("a", correct=0))
    error = {"item": "a", "correct": 0, "time_spent": 1, "error": True, "replace": True, "id": made["id"]}
    await session.answer(error)
    (after,) = await session.answer(answer_to("a", id=made["id"]))
    assert (after["answer"], after["error"], after["correct"], after["time_spent"]) == ({"value": "4"}, True, 0, 2)
    _, (log,) = await pupil.send("GET", ATTEMPTS)
    assert [entry["type"] for entry in log["interaction_history"]] == ["answer", "error", "answer"]


@pytest.mark.parametrize(("first", "replaces", "hinted"), [(0, False, True), (1, False, False), (0, True, True)])
async def test_a_hint_counts_only_while_the_answer_is_wrong(
    pupil: Pupil, first: float, replaces: bool, hinted: bool
) -> None:
    session = await Session.of(pupil, EXERCISE)
    (made,) = await session.answer(answer_to("a", correct=first))
    (after,) = await session.answer(answer_to("a", id=made["id"], hinted=True, replace=replaces))
    assert after["hinted"] is hinted


async def test_a_first_interaction_with_a_hint_is_hinted_even_if_it_is_right(pupil: Pupil) -> None:
    session = await Session.of(pupil, EXERCISE)
    (made,) = await session.answer(answer_to("a", correct=1, hinted=True))
    assert (made["hinted"], made["correct"]) == (True, 1)


async def test_an_attempt_keeps_its_item_even_if_another_is_sent_with_its_id(pupil: Pupil) -> None:
    session = await Session.of(pupil, EXERCISE)
    (made,) = await session.answer(answer_to("a"))
    (after,) = await session.answer(answer_to("b", id=made["id"].upper()))
    assert (after["id"], after["item"]) == (made["id"], "a")
