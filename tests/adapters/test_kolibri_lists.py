"""Lists, diffs and rights beyond the recordings."""

from typing import Any

import pytest
from kolibri_school import START, Pupil
from kolibri_sessions import ATTEMPTS, EXERCISE, LOGS, NODE, Session, answer_to, logs_of

READERS = ("u01", "dune_n1", "coach_reef", "coach_dune", "coach_all", "director", "admin")


async def tries(pupil: Pupil, *counts: float, quiz: bool = False) -> None:
    """Finished tries, one for each number of right answers out of three."""
    body = {**EXERCISE, "mastery_model": {"type": "quiz"}} if quiz else EXERCISE
    for correct in counts:
        session = await Session.of(pupil, {**body, "repeat": True})
        await session.answer(*(answer_to(f"q{number}", float(number < correct)) for number in range(3)))
        await session.update(progress=1, time_spent_delta=10 * correct)


async def diff(pupil: Pupil, index: object, user: str = "u01", **params: str) -> tuple[int, Any]:
    query = {"user": pupil.id("users.u01"), "content": NODE["content_id"], **params}
    return await pupil.send("GET", f"{LOGS}{index}/diff/", user=user, params=query)


async def test_a_diff_counts_in_the_filtered_list_and_compares_with_the_next_one_there(pupil: Pupil) -> None:
    await tries(pupil, 1, 3)
    await tries(pupil, 2, quiz=True)
    assert (await diff(pupil, 0))[1]["diff"] == {"correct": -1, "time_spent": -10}
    status, target = await diff(pupil, 0, quiz="false")
    assert (status, target["correct"], target["diff"]) == (200, 3, {"correct": 2, "time_spent": 20})
    by_item = {each["item"]: each["diff"]["correct"] for each in target["attemptlogs"]}
    assert by_item == {"q0": 0, "q1": 1, "q2": 1}
    _, alone = await diff(pupil, 0, quiz="true")
    assert (alone["diff"], {each["diff"]["correct"] for each in alone["attemptlogs"]}) == (None, {None})


@pytest.mark.parametrize("index", ["3", "-1", "x", "1.0", "99999999999999999999"])
async def test_a_diff_of_an_index_that_is_not_there_is_404_with_words(pupil: Pupil, index: str) -> None:
    await tries(pupil, 1, 2, 3)
    status, body = await diff(pupil, index)
    assert (status, isinstance(body, str)) == (404, True)


async def test_a_diff_needs_content_and_user_and_a_right_to_read(pupil: Pupil) -> None:
    await tries(pupil, 1)
    assert (await pupil.send("GET", f"{LOGS}0/diff/", params={"user": pupil.id("users.u01")}))[0] == 412
    assert [(await diff(pupil, 0, user))[0] for user in READERS] == [200, 404, 200, 404, 200, 200, 200]
    assert (await diff(pupil, 0, None))[0] == 404  # type: ignore[arg-type]


async def test_partial_growth_is_cut_towards_zero_and_the_latest_earlier_attempt_counts(pupil: Pupil) -> None:
    session = await Session.of(pupil, EXERCISE)
    await session.answer(answer_to("a", 1))
    await session.answer(answer_to("a", 0.5), answer_to("b", 0.25))
    await session.update(progress=1)
    again = await Session.of(pupil, {**EXERCISE, "repeat": True})
    await again.answer(answer_to("a", 1), answer_to("b", 0), answer_to("c", 1))
    await again.update(progress=1)
    _, target = await diff(pupil, 0)
    assert {each["item"]: each["diff"]["correct"] for each in target["attemptlogs"]} == {"a": 0, "b": 0, "c": None}
    assert [log["correct"] for log in await logs_of(pupil)] == [2, 1]


@pytest.mark.parametrize(("params", "levels"), [
    ({"complete": "true"}, 2), ({"complete": "TRUE"}, 2), ({"complete": "0"}, 1), ({"complete": "maybe"}, 3),
    ({"complete": ""}, 3), ({"quiz": "False"}, 3), ({"quiz": "1"}, 0), ({"colour": "red"}, 3),
    ({"facility": "0" * 32}, 0), ({"classroom": "0" * 32}, 0), ({"learner_group": "0" * 32}, 0),
])
async def test_filters_of_mastery_logs(pupil: Pupil, params: dict[str, str], levels: int) -> None:
    await tries(pupil, 1, 2)
    await Session.of(pupil, {**EXERCISE, "repeat": True})
    assert len(await logs_of(pupil, **params)) == levels


@pytest.mark.parametrize(("name", "place", "found"), [
    ("facility", "facilities.harbour", 1), ("classroom", "classrooms.reef", 1), ("facility", "classrooms.reef", 0),
    ("classroom", "facilities.harbour", 0), ("learner_group", "groups.dune_north", 0), ("classroom", "classrooms.dune", 0),
])
async def test_a_place_is_only_what_the_filter_calls_it(pupil: Pupil, name: str, place: str, found: int) -> None:
    await tries(pupil, 1)
    assert len(await logs_of(pupil, **{name: pupil.id(place)})) == found
    assert len((await pupil.send("GET", ATTEMPTS, params={name: pupil.id(place)}))[1]) == 3 * found


@pytest.mark.parametrize(("path", "params", "fault"), [
    (LOGS, {"content": "x"}, ("INVALID", "content")), (LOGS, {"user": "x"}, ("INVALID_CHOICE", "user")),
    (LOGS, {"user": "0" * 32}, ("INVALID_CHOICE", "user")), (LOGS, {"facility": "x"}, ("INVALID", "facility")),
    (LOGS, {"classroom": "x"}, ("INVALID", "classroom")), (LOGS, {"learner_group": "x"}, ("INVALID", "learner_group")),
    (ATTEMPTS, {"user": "x"}, ("INVALID_CHOICE", "user")), (ATTEMPTS, {"content": "x"}, ("INVALID", "content")),
    (ATTEMPTS, {"masterylog": "x"}, ("INVALID_CHOICE", "masterylog")),
    (ATTEMPTS, {"masterylog": "0" * 32}, ("INVALID_CHOICE", "masterylog")),
    (ATTEMPTS, {"mastery_level": "one"}, ("INVALID", "mastery_level")),
    (ATTEMPTS, {"facility": "x"}, ("INVALID", "facility")),
])
async def test_a_parameter_that_cannot_be_is_400_with_its_place(
    pupil: Pupil, path: str, params: dict[str, str], fault: tuple[str, str]
) -> None:
    known = {"user": pupil.id("users.u01"), "content": NODE["content_id"]} if path == LOGS else {}
    status, body = await pupil.send("GET", path, params={**known, **params})
    assert (status, [(each["id"], each["metadata"]["field"]) for each in body]) == (400, [fault])


@pytest.mark.parametrize(("params", "page"), [
    ({"page_size": "2"}, (1, 3, 2, 2)), ({"page_size": "2", "page": "2"}, (2, 3, 2, 1)),
    ({"page_size": "50"}, (1, 3, 1, 3)), ({"page_size": "1", "page": "3"}, (3, 3, 3, 1)),
])
@pytest.mark.parametrize("path", [LOGS, ATTEMPTS])
async def test_pages_are_of_the_size_asked_for(pupil: Pupil, path: str, params: dict[str, str], page: tuple[int, ...]) -> None:
    for _ in range(3):
        session = await Session.of(pupil, {**EXERCISE, "repeat": True})
        await session.update(progress=1, interactions=[answer_to("q")])
    known = {"user": pupil.id("users.u01"), "content": NODE["content_id"]}
    status, body = await pupil.send("GET", path, params={**known, **params})
    assert status == 200
    assert (body["page"], body["count"], body["total_pages"], len(body["results"])) == page


@pytest.mark.parametrize(("params", "status"), [
    ({"page_size": "2", "page": "9"}, 404), ({"page_size": "2", "page": "0"}, 404), ({"page_size": "2", "page": "x"}, 404),
    ({"page_size": "0", "page": "9"}, 200), ({"page_size": "-1"}, 200), ({"page_size": "x"}, 200), ({"page": "9"}, 200),
])
async def test_a_page_that_is_not_there_is_404_and_without_a_size_there_are_no_pages(
    pupil: Pupil, params: dict[str, str], status: int
) -> None:
    await tries(pupil, 1)
    known = {"user": pupil.id("users.u01"), "content": NODE["content_id"]}
    answer = await pupil.send("GET", LOGS, params={**known, **params})
    assert answer[0] == status
    if status == 404:
        assert answer[1] == [{"id": "NOT_FOUND", "metadata": {"view": "Mastery Log List"}}]
    else:
        assert isinstance(answer[1], list)


async def test_an_empty_list_still_has_a_first_page(pupil: Pupil) -> None:
    _, body = await pupil.send("GET", ATTEMPTS, params={"page_size": "5"})
    assert body == {"page": 1, "count": 0, "total_pages": 1, "results": []}


async def test_what_may_not_be_read_is_left_out_and_never_refused(pupil: Pupil) -> None:
    await tries(pupil, 1)
    params = {"user": pupil.id("users.u01"), "content": NODE["content_id"]}
    (log,) = await logs_of(pupil)
    for user, seen in (("u02", 0), ("coach_dune", 0), (None, 0), ("coach_reef", 1), ("coach_all", 1), ("director", 1)):
        assert len((await pupil.send("GET", LOGS, user=user, params=params))[1]) == seen
        by_log = await pupil.send("GET", ATTEMPTS, user=user, params={"masterylog": log["id"]})
        assert (by_log[0], len(by_log[1])) == (200, 3 * seen)


@pytest.mark.parametrize("user", ["admin", "director", "coach_all", "coach_reef"])
async def test_who_is_no_learner_tracks_content_like_one(pupil: Pupil, user: str) -> None:
    session = await Session.of(pupil, EXERCISE, user)
    assert await session.update(progress=1) == (200, {"complete": True})
    path = f"/api/logger/userprogress/{pupil.id(f'users.{user}')}/"
    assert (await pupil.send("GET", path, user=user))[1]["progress"] == 1
    assert (await pupil.send("GET", path, user="admin"))[0] == (200 if user == "admin" else 403)


async def test_a_learner_in_a_class_and_a_group_of_it_is_counted_once(pupil: Pupil) -> None:
    session = await Session.of(pupil, EXERCISE, "dune_n1")
    await session.answer(answer_to("q1"), answer_to("q2"))
    dune = {"classroom": pupil.id("classrooms.dune")}
    for reader in ("admin", "coach_dune"):
        assert len((await pupil.send("GET", ATTEMPTS, user=reader, params=dune))[1]) == 2
        params = {**dune, "user": pupil.id("users.dune_n1"), "content": NODE["content_id"]}
        assert [log["correct"] for log in (await pupil.send("GET", LOGS, user=reader, params=params))[1]] == [2]


async def test_attempts_by_mastery_level_item_and_completion(pupil: Pupil) -> None:
    await tries(pupil, 1, 2)
    session = await Session.of(pupil, {**EXERCISE, "repeat": True})
    await session.answer(answer_to("q0", complete=True))
    for params, found in (
        ({"mastery_level": "2"}, 3), ({"mastery_level": "3.0"}, 1), ({"mastery_level": "9"}, 0), ({"item": "q0"}, 3),
        ({"item": "Q0"}, 0), ({"complete": "1"}, 1), ({"complete": "false", "item": "q0"}, 2),
        ({"content": NODE["content_id"].upper()}, 7), ({"content": NODE["node_id"]}, 0),
    ):
        assert len((await pupil.send("GET", ATTEMPTS, params=params))[1]) == found, params


@pytest.mark.parametrize(("method", "path"), [
    ("GET", START), ("PUT", START), ("POST", f"{START}{'1' * 32}/"), ("GET", f"{START}{'1' * 32}/"), ("POST", LOGS),
    ("PUT", f"{LOGS}{'1' * 32}/"), ("PATCH", f"{ATTEMPTS}{'1' * 32}/"), ("POST", f"{LOGS}0/diff/"),
    ("POST", f"/api/logger/userprogress/{'1' * 32}/"),
])
async def test_logs_are_read_only_apart_from_the_two_tracking_calls(pupil: Pupil, method: str, path: str) -> None:
    for user in ("u01", None):
        status, body = await pupil.send(method, path, user=user)
        assert (status, list(body)) == (405, ["detail"])


@pytest.mark.parametrize("spelling", [str.upper, lambda text: f"{text[:8]}-{text[8:]}", lambda text: f"x{text[1:]}"])
async def test_the_total_is_given_for_ones_own_id_just_as_it_is(pupil: Pupil, spelling: Any) -> None:
    user = pupil.id("users.u01")
    assert (await pupil.send("GET", f"/api/logger/userprogress/{user}"))[0] == 200
    status, body = await pupil.send("GET", f"/api/logger/userprogress/{spelling(user)}/")
    assert status == (200 if spelling(user) == user else 403)
    assert isinstance(body, dict) or body[0]["metadata"]["view"] == "Total Content Progress Instance"


async def test_a_content_from_two_channels_has_one_summary_with_the_channel_started_last(pupil: Pupil) -> None:
    session = await Session.of(pupil, {**NODE, "kind": "video"})
    await session.update(progress=0.5, extra_fields={"contentState": {"page": 3}})
    other = {**NODE, "kind": "html5", "node_id": "7" * 32, "channel_id": "8" * 32}
    begun = (await Session.of(pupil, other)).begun
    assert (begun["progress"], begun["extra_fields"]) == (0.5, {"contentState": {"page": 3}})
