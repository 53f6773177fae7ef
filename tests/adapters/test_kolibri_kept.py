"""Every call that tracks is kept as it came, and it is said what became of it."""

from lrs.xapi.json_text import parse


async def test_a_call_is_kept_with_its_path_its_user_and_its_body(pupil, school):
    started = await pupil.start()
    body = {"progress_delta": 0.5, "odd": [1.0]}
    status, _ = await pupil.send("PUT", f"/api/logger/trackprogress/{started['session_id']}/", body)
    assert status == 200
    first, second = (parse(each.text) for each in school.events.kept)
    assert (first["method"], first["path"]) == ("POST", "/api/logger/trackprogress/")
    assert first["user"] == second["user"] == pupil.id("users.u01")
    path = f"/api/logger/trackprogress/{started['session_id']}/"
    assert (second["path"], second["body"]) == (path, {"progress_delta": 0.5, "odd": [1.0]})
    stored = [each["id"] for each in school.logs.statements["school"]]
    noted = [school.events.fates[each.id] for each in school.events.kept]
    assert [each.outcome for each in noted] == ["stored", "stored"]
    assert [each for fate in noted for each in fate.statements] == stored


async def test_a_refused_call_stays_as_a_dead_letter_with_the_place_and_the_reason(pupil, school):
    started = await pupil.start()
    await pupil.send("PUT", f"/api/logger/trackprogress/{started['session_id']}/", {"progress_delta": 5})
    fate = school.events.fates[school.events.kept[-1].id]
    assert (fate.outcome, fate.reason["kind"]) == ("dead", "value")
    assert (fate.reason["place"], fate.reason["code"]) == ("progress_delta", "MAX_VALUE")


async def test_a_body_that_cannot_be_read_is_a_dead_letter_too(pupil, school):
    headers = {"Content-Type": "application/json"}
    status, _ = await pupil.send("POST", "/api/logger/trackprogress/", headers=headers, data=b"{")
    assert status == 400
    assert school.events.fates[school.events.kept[-1].id].reason["kind"] == "unreadable"


async def test_who_may_not_do_a_thing_is_noted_as_refused(pupil, school):
    await pupil.send("PUT", f"/api/logger/trackprogress/{'0' * 32}/", {"progress_delta": 0.5})
    fate = school.events.fates[school.events.kept[-1].id]
    assert (fate.outcome, fate.reason["kind"]) == ("dead", "refused")
