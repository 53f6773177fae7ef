"""Statements of other systems about content of Kolibri's."""

from typing import Any

import pytest
from kolibri_desk import A_VIDEO, AN_EXERCISE, CONTENT, USER, Desk, folded
from kolibri_school import START, TENANT, Pupil, School

from adapters.kolibri.answers import total_progress
from adapters.kolibri.summaries import CONTENT_SUMMARY, ContentSummary, content_key
from lrs.xapi import vocabulary
from lrs.xapi.times import parse_timestamp
from lrs.xapi.validate import check_batch

AT = "2026-03-03T10:00:00Z"
HOME_PAGE = "https://kolibri.example.org"
IRI = f"https://lrs.example.org/xapi/activities/kolibri/content/{CONTENT}"
VIDEO_PROGRESS, CMI5 = vocabulary.VIDEO_PROGRESS, vocabulary.CMI5_PROGRESS


def told(verb: str, result: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:
    """A statement as a player posts it."""
    statement = {
        "id": "f0000000-0000-4000-8000-000000000001", "actor": {"account": {"homePage": HOME_PAGE, "name": USER}},
        "verb": {"id": verb}, "object": {"id": IRI}, "timestamp": AT, **parts,
    }
    if result is not None:
        statement["result"] = result
    check_batch([statement], "1.0.3")
    return statement


def summary_of(*statements: dict[str, Any], desk: Desk | None = None) -> ContentSummary:
    everything = [*(desk.statements if desk else []), *statements]
    summary: ContentSummary = folded(CONTENT_SUMMARY, content_key(USER, CONTENT), everything)
    return summary


@pytest.mark.parametrize(("statement", "progress", "time_spent"), [
    (told(vocabulary.COMPLETED), 1, 0),
    (told(vocabulary.COMPLETED, {"completion": True, "duration": "PT1M30S"}), 1, 90),
    (told(vocabulary.COMPLETED, {"duration": "P1M"}), 1, 0),
    (told(vocabulary.PASSED, {"duration": "PT9S"}), 1, 0),
    (told(vocabulary.PROGRESSED, {"extensions": {VIDEO_PROGRESS: 0.4567}, "duration": "PT9S"}), 0.457, 0),
    (told(vocabulary.PAUSED, {"extensions": {VIDEO_PROGRESS: 0.25}}), 0.25, 0),
    (told(vocabulary.PROGRESSED, {"extensions": {CMI5: 40}}), 0.4, 0),
    (told(vocabulary.ANSWERED, {"completion": True, "duration": "PT5S"}), 1, 5),
    (told(vocabulary.ANSWERED, {"success": False, "duration": "PT5S"}), 0.001, 5),
])
def test_what_others_tell_counts(statement: dict[str, Any], progress: float, time_spent: float) -> None:
    summary = summary_of(statement)
    assert (summary.user, summary.content, summary.progress, summary.time_spent) == (USER, CONTENT, progress, time_spent)
    assert summary.end_us == parse_timestamp(AT)
    assert (summary.completion_us is not None) == (progress == 1)


def test_an_answer_to_a_question_inside_the_content_begins_it() -> None:
    inside = {"object": {"id": f"{IRI}?subContentId=7"}, "context": {"contextActivities": {"parent": {"id": IRI}}}}
    summary = summary_of(told(vocabulary.ANSWERED, {"success": True, "completion": True, "duration": "PT5S"}, **inside))
    assert (summary.progress, summary.time_spent) == (0.001, 0)


@pytest.mark.parametrize("statement", [
    told(vocabulary.INITIALIZED), told(vocabulary.COMPLETED, {"completion": False}), told(vocabulary.PROGRESSED),
    told(vocabulary.PROGRESSED, {"extensions": {VIDEO_PROGRESS: 1.5}}),
    told(vocabulary.PROGRESSED, {"extensions": {VIDEO_PROGRESS: True}}),
    told(vocabulary.COMPLETED, actor={"mbox": "mailto:a@example.org"}),
    told(vocabulary.COMPLETED, actor={"account": {"homePage": HOME_PAGE, "name": "ada"}}),
    told(vocabulary.COMPLETED, actor={"objectType": "Group", "account": {"homePage": HOME_PAGE, "name": USER}}),
    told(vocabulary.COMPLETED, object={"id": f"{IRI}/items/q1"}),
    told(vocabulary.COMPLETED, object={"objectType": "Agent", "mbox": "mailto:a@example.org"}),
    told(vocabulary.COMPLETED, object={"id": "https://elsewhere.example.org/video/1"}),
    told(vocabulary.ANSWERED, object={"id": "https://elsewhere.example.org/question/1"}),
])
def test_what_is_no_progress_of_a_learner_here_is_nobodys(statement: dict[str, Any]) -> None:
    assert list(CONTENT_SUMMARY.keys(statement)) == []
    assert summary_of(statement) == ContentSummary()


def test_ids_are_known_with_dashes_and_in_capitals() -> None:
    dashed = "-".join((USER[:8], USER[8:12], USER[12:16], USER[16:20], USER[20:])).upper()
    assert summary_of(told(vocabulary.COMPLETED, actor={"account": {"homePage": HOME_PAGE, "name": dashed}})).progress == 1


def test_others_never_lower_progress_nor_move_the_end_back() -> None:
    desk = Desk(start="2026-04-01T00:00:00Z")
    session = desk.start(A_VIDEO).place.session
    desk.update(session, {"progress": 0.8, "time_spent_delta": 10})
    before = summary_of(desk=desk)
    after = summary_of(told(vocabulary.PROGRESSED, {"extensions": {CMI5: 40}}), desk=desk)
    assert after == before


def test_others_complete_content_but_no_try_at_an_assessment() -> None:
    desk = Desk()
    desk.start(AN_EXERCISE)
    summary = summary_of(told(vocabulary.COMPLETED), desk=desk)
    assert (summary.progress, [log.complete for log in summary.logs], total_progress([summary])) == (1, [False], 0)
    assert total_progress([summary_of(told(vocabulary.COMPLETED))]) == 1


def test_what_this_adapter_tells_itself_is_not_counted_twice() -> None:
    desk = Desk()
    session = desk.start(AN_EXERCISE).place.session
    desk.update(session, {"progress": 1, "time_spent_delta": 10})
    by_facts = [each for each in desk.statements if each["verb"]["id"] in (vocabulary.INITIALIZED, vocabulary.PROGRESSED)]
    assert summary_of(desk=desk) == summary_of(*by_facts)


async def test_a_session_goes_on_from_where_a_video_player_left_off(pupil: Pupil, school: School) -> None:
    video, user = pupil.node("video_tides"), pupil.id("users.u01")
    statement = told(
        vocabulary.PROGRESSED, {"extensions": {VIDEO_PROGRESS: 0.5}},
        object={"id": f"https://lrs.example.org/xapi/activities/kolibri/content/{video['content_id']}"},
        actor={"account": {"homePage": HOME_PAGE, "name": user}},
    )
    await school.logs.accept([statement], tenant=TENANT, authority={"mbox": "mailto:player@example.org"})
    begun = await pupil.start("video_tides")
    assert (begun["progress"], begun["time_spent"], begun["complete"]) == (0.5, 0, False)
    assert await pupil.send("PUT", f"{START}{begun['session_id']}/", {"progress_delta": 0.5}) == (200, {"complete": True})
    assert (await pupil.send("GET", f"/api/logger/userprogress/{user}/"))[1]["progress"] == 1
