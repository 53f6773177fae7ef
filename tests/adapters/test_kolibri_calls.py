"""What the recordings do not show: shapes of bodies, races, voids, and what coaches do to quizzes."""

import asyncio
from typing import Any

import pytest
from kolibri_school import START, TENANT, Pupil, School

from adapters.kolibri.bodies import nested
from adapters.kolibri.facts import facts_of
from adapters.kolibri.summaries import CONTENT_SUMMARY, LATEST_SESSIONS, content_key
from lrs.errors import StatementConflict

NOT_FOUND = [{"id": "NOT_FOUND", "metadata": {"view": "Progress Tracking Instance"}}]


def answer_to(item: str, **more: Any) -> dict[str, Any]:
    return {"item": item, "correct": 1, "time_spent": 2, "answer": {"value": "4"}, **more}


@pytest.mark.parametrize("path", ["trackprogress", "contentsession/", "masterylog", "masterylog/0/diff", "attemptlog"])
async def test_a_method_that_a_resource_does_not_have_is_405_with_a_detail(pupil: Pupil, path: str) -> None:
    status, body = await pupil.send("DELETE", f"/api/logger/{path}")
    assert status == 405
    assert list(body) == ["detail"]


async def test_a_body_that_is_neither_json_nor_a_form_is_415(pupil: Pupil) -> None:
    status, body = await pupil.send("POST", START, data=b"<a/>", headers={"Content-Type": "text/xml"})
    assert (status, list(body)) == (415, ["detail"])


@pytest.mark.parametrize("text", [b"{", b'{"a": 1, "a": 2}', b'{"a": NaN}', b"\xff", b"[" * 70 + b"]" * 70])
async def test_broken_json_is_400_with_a_detail(pupil: Pupil, text: bytes) -> None:
    status, body = await pupil.send("POST", START, data=text, headers={"Content-Type": "application/json"})
    assert (status, list(body)) == (400, ["detail"])


ODDLY_ENCODED = b'--a\r\nContent-Disposition: form-data; name="x"\r\nContent-Transfer-Encoding: zz\r\n\r\ny\r\n--a--'


@pytest.mark.parametrize(("kind", "text"), [
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=a", b"x"),
    ("multipart/form-data; boundary=a", ODDLY_ENCODED),
    ("application/x-www-form-urlencoded", b"a=%ff"),
    ("application/x-www-form-urlencoded", b"a." * 5_000 + b"a=1"),
])
async def test_a_broken_form_is_400_with_a_detail(pupil: Pupil, kind: str, text: bytes) -> None:
    status, body = await pupil.send("POST", START, data=text, headers={"Content-Type": kind})
    assert (status, list(body)) == (400, ["detail"])


async def test_a_form_says_the_same_as_json(pupil: Pupil) -> None:
    node = pupil.node("ex_sums")
    form = {name: value for name, value in node.items() if name != "mastery_model"}
    form |= {"mastery_model.type": "m_of_n", "mastery_model.m": "3", "mastery_model.n": "5"}
    form |= {"lesson_id": "", "repeat": "f"}
    status, begun = await pupil.send("POST", START, data=form)
    assert (status, begun["mastery_criterion"]) == (200, {"type": "m_of_n", "m": 3, "n": 5})
    form = {"interactions[0]item": "q1", "interactions[0]correct": "1", "interactions[0]time_spent": "2",
            "interactions[0]answer.value": "4", "time_spent_delta": "2.5"}
    status, body = await pupil.send("PUT", f"{START}{begun['session_id']}/", data=form)
    assert (status, body["attempts"][0]["answer"]) == (200, {"value": "4"})


def test_lists_of_a_form_are_in_the_order_of_their_numbers() -> None:
    fields = [("list[2]b", "2"), ("list[0].b.c", "0"), ("one.two.three", "x"), ("empty", "")]
    assert nested(fields) == {"one": {"two": {"three": "x"}}, "list": [{"b": {"c": "0"}}, {"b": "2"}]}


async def test_ids_are_taken_in_any_spelling(pupil: Pupil) -> None:
    node = pupil.node("video_tides")
    dashed = pupil.world["nodes"]["video_tides"]["node_id_dashed"].upper()
    spelt = {**node, "node_id": dashed, "content_id": int(node["content_id"], 16)}
    status, answer = await pupil.send("POST", START, spelt)
    assert (status, answer["context"]) == (200, {"node_id": node["node_id"]})


async def test_an_empty_body_moves_the_ends_only(pupil: Pupil, school: School) -> None:
    begun = await pupil.start()
    assert await pupil.send("PUT", f"{START}{begun['session_id']}") == (200, {"complete": False})
    key = content_key(pupil.id("users.u01"), pupil.node("video_tides")["content_id"])
    summary = await school.logs.current(TENANT, CONTENT_SUMMARY, key)
    assert (summary.progress, summary.time_spent, summary.end_us > summary.start_us) == (0, 0, True)


async def test_interactions_in_a_video_make_attempts_without_a_mastery_log(pupil: Pupil) -> None:
    begun = await pupil.start()
    update = {"interactions": [answer_to("q1"), answer_to("q2"), answer_to("q1", replace=True, correct=0)]}
    status, body = await pupil.send("PUT", f"{START}{begun['session_id']}/", update)
    ids = [attempt["id"] for attempt in body["attempts"]]
    assert (status, ids[0] == ids[2], ids[0] == ids[1]) == (200, True, False)
    _, entries = await pupil.send("GET", "/api/logger/attemptlog/")
    assert {(entry["item"], entry["masterylog"], entry["sessionlog"]) for entry in entries} == {
        ("q1", None, begun["session_id"]), ("q2", None, begun["session_id"]),
    }


async def test_more_interactions_than_any_device_sends_are_refused(pupil: Pupil) -> None:
    begun = await pupil.start()
    status, body = await pupil.send("PUT", f"{START}{begun['session_id']}/", {"interactions": [answer_to("q")] * 1001})
    assert (status, body[0]["id"], body[0]["metadata"]["field"]) == (400, "INVALID", "interactions")


async def test_an_attempt_that_is_not_in_this_try_leaves_nothing_behind(pupil: Pupil, school: School) -> None:
    begun = await pupil.start("ex_sums")
    stored = len(school.logs.statements[TENANT])
    update = {"progress_delta": 0.5, "interactions": [answer_to("q1"), answer_to("q2", id="0" * 32)]}
    status, body = await pupil.send("PUT", f"{START}{begun['session_id']}/", update)
    assert (status, [type(each) for each in body], len(school.logs.statements[TENANT])) == (400, [str], stored)


async def test_calls_that_come_at_once_all_count_and_begin_one_try(pupil: Pupil, school: School) -> None:
    quiz = {"mastery_model": {"type": "quiz"}}
    begun = await asyncio.gather(*(pupil.start("practice_knots", **quiz) for _ in range(30)))
    assert len({each["context"]["mastery_level"] for each in begun}) == 1
    path = f"{START}{begun[0]['session_id']}/"
    update = {"time_spent_delta": 1, "interactions": [answer_to("q", replace=True)]}
    answers = await asyncio.gather(*(pupil.send("PUT", path, update) for _ in range(30)))
    assert {status for status, _ in answers} == {200}
    assert len({body["attempts"][0]["id"] for _, body in answers}) == 1
    _, (log,) = await pupil.send("GET", "/api/logger/masterylog/", params={
        "user": pupil.id("users.u01"), "content": pupil.node("practice_knots")["content_id"],
    })
    assert (log["time_spent"], log["correct"]) == (30, 1)


async def test_whoever_is_second_for_a_number_decides_anew(
    pupil: Pupil, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process stores a call between this one's reading and its writing."""
    begun = await pupil.start()
    path, accept, refused = f"{START}{begun['session_id']}/", school.logs.accept, []

    async def accept_second(statements: Any, **options: Any) -> Any:
        if not refused:
            refused.append(statements[0]["id"])
            fact = statements[0]["context"]["extensions"]["https://lrs.example.org/xapi/extensions/kolibri"]
            other = {**statements[0], "context": {"extensions": {
                "https://lrs.example.org/xapi/extensions/kolibri": {**fact, "request": "9" * 32, "progress_delta": 0.5},
            }}}
            await accept([other], **options)
        return await accept(statements, **options)

    monkeypatch.setattr(school.logs, "accept", accept_second)
    assert await pupil.send("PUT", path, {"progress_delta": 0.5}) == (200, {"complete": True})
    assert len(refused) == 1


async def test_a_learner_who_is_always_second_is_told_when_to_come_again(
    pupil: Pupil, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(statements: Any, **_options: Any) -> Any:
        raise StatementConflict([statements[0]["id"]])

    monkeypatch.setattr(school.logs, "accept", refuse)
    monkeypatch.setattr("adapters.kolibri.tracking.LONGEST_PAUSE_S", 0)
    async with pupil.client.post(START, json=pupil.node("video_tides")) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "10")


@pytest.mark.parametrize("voided", [1, 2])
async def test_a_learner_goes_on_after_the_last_calls_are_voided(pupil: Pupil, school: School, voided: int) -> None:
    begun = await pupil.start()
    path = f"{START}{begun['session_id']}/"
    for _ in range(3):
        await pupil.send("PUT", path, {"progress_delta": 0.1})
    school.logs.voided |= {each["id"] for each in school.logs.statements[TENANT][-voided:]}
    assert await pupil.send("PUT", path, {"progress_delta": 0.1}) == (200, {"complete": False})
    assert (await pupil.start())["progress"] == pytest.approx(0.1 * (4 - voided), abs=0.002)


async def test_a_session_whose_start_is_voided_is_gone_and_a_new_one_can_begin(pupil: Pupil, school: School) -> None:
    begun = await pupil.start()
    await pupil.send("PUT", f"{START}{begun['session_id']}/", {"progress": 1})
    school.logs.voided.add(school.logs.statements[TENANT][0]["id"])
    assert await pupil.send("PUT", f"{START}{begun['session_id']}/", {}) == (404, NOT_FOUND)
    assert (await pupil.start())["progress"] == 0


async def test_a_closed_quiz_refuses_everybody_and_goes_on_when_it_is_opened_again(pupil: Pupil) -> None:
    quiz = pupil.id("quizzes.harbor")
    exam, logs = f"/api/exams/exam/{quiz}/", {"user": pupil.id("users.u01"), "content": quiz}
    status, begun = await pupil.send("POST", START, {"quiz_id": quiz})
    assert status == 200
    path = f"{START}{begun['session_id']}/"
    assert (await pupil.send("PATCH", exam, {"active": False}, user="coach_reef"))[0] == 200
    assert (await pupil.send("PUT", path, {}))[0] == 403
    assert (await pupil.send("POST", START, {"quiz_id": quiz}))[0] == 403
    _, (log,) = await pupil.send("GET", "/api/logger/masterylog/", params=logs)
    assert (log["complete"], log["completion_timestamp"] is None) == (False, False)
    assert (await pupil.send("PATCH", exam, {"active": True}, user="director"))[0] == 200
    assert await pupil.send("PUT", path, {"progress": 1}) == (200, {"complete": True})
    _, (done,) = await pupil.send("GET", "/api/logger/masterylog/", params=logs)
    assert done["completion_timestamp"] > log["completion_timestamp"]


async def test_an_archived_quiz_counts_as_complete_in_the_total(pupil: Pupil) -> None:
    quiz = pupil.id("quizzes.harbor")
    await pupil.send("POST", START, {"quiz_id": quiz})
    await pupil.send("PATCH", f"/api/exams/exam/{quiz}", {"archive": True}, user="coach_reef")
    _, total = await pupil.send("GET", f"/api/logger/userprogress/{pupil.id('users.u01')}/")
    assert total["progress"] == 1


@pytest.mark.parametrize(("user", "status"), [
    ("u01", 403), ("coach_dune", 403), (None, 403), ("admin", 200), ("coach_all", 200),
])
async def test_only_who_leads_a_class_changes_its_quizzes(pupil: Pupil, user: str | None, status: int) -> None:
    exam = f"/api/exams/exam/{pupil.id('quizzes.harbor')}/"
    assert (await pupil.send("PATCH", exam, {"archive": True}, user=user))[0] == status


async def test_the_pre_and_the_post_test_of_a_unit_are_different_quizzes_with_opposite_versions(pupil: Pupil) -> None:
    course = pupil.world["course_sessions"]["voyage"]
    body = {"unit_id": course["unit_id"], "course_session_id": course["id"]}
    _, pre = await pupil.send("POST", START, {**body, "test_type": "pre"})
    _, post = await pupil.send("POST", START, {**body, "test_type": "post"})
    assert {pre["mastery_criterion"]["version"], post["mastery_criterion"]["version"]} == {"A", "B"}
    assert pre["context"].keys() == {"course_session_id", "unit_id", "mastery_level"}
    assert pre["context"]["mastery_level"] < 0
    assert (await pupil.send("POST", START, {**body, "test_type": "pre"}, user=None))[0] == 403
    dune = pupil.world["course_sessions"]["dune_walk"]
    other = {"unit_id": dune["unit_id"], "course_session_id": dune["id"], "test_type": "pre"}
    assert (await pupil.send("POST", START, other))[0] == 400


async def test_an_ordinary_update_reads_one_summary_and_an_old_session_its_own_as_well(
    pupil: Pupil, school: School
) -> None:
    sessions = [(await pupil.start("ex_sums"))["session_id"] for _ in range(LATEST_SESSIONS + 1)]
    for session, read in ((sessions[-1], ["content_summary"]), (sessions[0], ["content_summary", "session"])):
        school.logs.reads.clear()
        update = {"progress_delta": 0.1, "interactions": [answer_to("q1")]}
        await pupil.send("PUT", f"{START}{session}/", update)
        assert [each.partition(":")[0].removeprefix("kolibri.") for each in school.logs.reads] == read


@pytest.mark.parametrize("later", [0, LATEST_SESSIONS])
async def test_a_remembered_session_is_gone_as_soon_as_its_start_is_voided(
    pupil: Pupil, school: School, later: int
) -> None:
    path = f"{START}{(await pupil.start())['session_id']}/"
    first = school.logs.statements[TENANT][0]["id"]
    for _ in range(later):
        await pupil.start()
    assert (await pupil.send("PUT", path, {}))[0] == 200
    school.logs.voided.add(first)
    assert await pupil.send("PUT", path, {}) == (404, NOT_FOUND)


async def test_one_moment_serves_all_statements_of_a_request(pupil: Pupil, school: School) -> None:
    begun = await pupil.start("ex_sums")
    await pupil.send("PUT", f"{START}{begun['session_id']}/", {"progress": 1, "interactions": [answer_to("q1")]})
    stored = school.logs.statements[TENANT][1:]
    assert [each["verb"]["display"]["en"] for each in stored] == ["progressed", "answered", "completed", "mastered"]
    assert len({each["timestamp"] for each in stored}) == 1
    assert len({each["context"]["registration"] for each in stored}) == 1
    assert [facts_of(each) is not None for each in stored] == [True, True, False, False]
