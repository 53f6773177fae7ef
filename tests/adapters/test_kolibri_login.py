"""Who is let in, to which tenant, and whose logs they see."""

import base64
from typing import Any

import pytest
from aiohttp import encode_basic_auth
from kolibri_school import START, TENANT, Pupil, School

from adapters.kolibri import login
from adapters.kolibri.login import ON_BEHALF_OF

DENIED = [{"id": "PERMISSION_DENIED", "metadata": {"view": "Progress Tracking List"}}]


@pytest.mark.parametrize("authorization", [
    "Basic !", "Bearer x", "Basic", "Basic " + base64.b64encode(b"no colon").decode(),
    "Basic " + base64.b64encode(b"\xff:\xff").decode(),
    encode_basic_auth("u01", "wrong"), encode_basic_auth("nobody", "x"), encode_basic_auth("service", "secret"),
])
async def test_bad_credentials_are_a_403_in_kolibris_shape_never_a_401(pupil: Pupil, authorization: str) -> None:
    sent = await pupil.send("POST", START, pupil.node("video_tides"), headers={"Authorization": authorization})
    assert sent == (403, DENIED)


async def test_a_password_is_hashed_once_and_then_remembered_for_a_while(
    pupil: Pupil, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = []
    verify = login._verify
    monkeypatch.setattr(login, "_verify", lambda *given: verified.append(given) or verify(*given))
    for _ in range(3):
        await pupil.start()
    assert len(verified) == 1
    school.clock.now += login.VERIFIED_FOR
    await pupil.start()
    assert len(verified) == 2


async def test_a_name_that_two_tenants_have_needs_the_prefix(pupil: Pupil, school: School) -> None:
    school.worlds.put("other", school.entries)
    status, body = await pupil.send("POST", START, pupil.node("video_tides"))
    assert (status, body[0]["id"], "/t/{tenant}" in body[0]["metadata"]["message"]) == (403, "PERMISSION_DENIED", True)
    for user in ("u01", None):
        assert (await pupil.send("POST", f"/t/other{START}", pupil.node("video_tides"), user=user))[0] == 200
    assert (len(school.logs.statements["other"]), len(school.logs.statements[TENANT])) == (2, 0)


async def test_kolibri_learners_are_looked_for_in_the_tenant_of_the_host(pupil: Pupil, school: School) -> None:
    school.worlds.put("other", school.entries)
    node = pupil.node("video_tides")
    assert (await pupil.send("POST", START, node))[0] == 403
    assert (await pupil.send("POST", START, node, headers={"Host": "other.example.org"}))[0] == 200
    assert len(school.logs.statements["other"]) == 1
    assert (await pupil.send("POST", f"/t/school{START}", node, headers={"Host": "other.example.org"}))[0] == 403


async def test_a_tenant_without_a_world_and_one_that_is_not_there_look_alike(pupil: Pupil, school: School) -> None:
    school.worlds.put("bare", [])
    for tenant in ("bare", "none"):
        for user in ("u01", None):
            assert await pupil.send("POST", f"/t/{tenant}{START}", {}, user=user) == (403, DENIED)


async def test_a_service_acts_for_a_learner_with_the_right_scope(pupil: Pupil, school: School) -> None:
    learner, node = pupil.id("users.u02"), pupil.node("video_tides")

    async def act(key: str, user: str, prefix: str = "") -> int:
        headers = {"Authorization": encode_basic_auth(key, "secret"), ON_BEHALF_OF: user}
        return (await pupil.send("POST", prefix + START, node, headers=headers))[0]

    assert await act("service", learner) == 200
    assert school.logs.statements[TENANT][0]["actor"]["account"]["name"] == learner
    assert await act("reader", learner) == 403
    assert await act("service", "0" * 32) == 403
    assert await act("service", learner, "/t/other") == 403


async def test_a_visitors_session_is_open_to_visitors_only(pupil: Pupil) -> None:
    path = f"{START}{(await pupil.start(user=None))['session_id']}/"
    assert [(await pupil.send("PUT", path, {}, user=user))[0] for user in (None, "u01", "admin")] == [200, 404, 404]


@pytest.mark.parametrize(("reader", "seen"), [
    ("u01", {"u01"}), ("u02", {"u02"}), ("coach_reef", {"u01", "u02"}), ("coach_dune", {"dune_n1"}),
    ("director", {"u01", "u02", "dune_n1", None}), ("coach_all", {"u01", "u02", "dune_n1", None}),
    ("admin", {"u01", "u02", "dune_n1", None}), (None, set()),
])
async def test_attempts_are_seen_by_whom_they_concern(pupil: Pupil, reader: str | None, seen: set[str | None]) -> None:
    for user in ("u01", "u02", "dune_n1", None):
        begun = await pupil.start("ex_sums", user=user)
        update = {"interactions": [{"item": "q", "correct": 1, "time_spent": 1, "answer": {}}]}
        await pupil.send("PUT", f"{START}{begun['session_id']}/", update, user=user)
    status, entries = await pupil.send("GET", "/api/logger/attemptlog/", user=reader)
    wanted = {user and pupil.id(f"users.{user}") for user in seen}
    assert (status, {entry["user"] for entry in entries}, len(entries)) == (200, wanted, len(seen))
    _, every = await pupil.send("GET", "/api/logger/attemptlog/", user="admin")
    singles = [(await pupil.send("GET", f"/api/logger/attemptlog/{each['id']}/", user=reader))[0] for each in every]
    assert sorted(singles) == sorted([200] * len(seen) + [404] * (4 - len(seen)))


@pytest.mark.parametrize(("reader", "params", "found"), [
    ("admin", {"classroom": "classrooms.dune"}, {"dune_n1", "dune_s1"}),
    ("admin", {"learner_group": "groups.dune_north"}, {"dune_n1"}),
    ("admin", {"facility": "facilities.hilltop"}, set()), ("coach_dune", {"classroom": "classrooms.reef"}, set()),
    ("coach_dune", {"user": "users.u01"}, set()), ("coach_dune", {"user": "users.dune_s1"}, {"dune_s1"}),
])
async def test_filters_by_place_and_person_stay_within_reach(
    pupil: Pupil, reader: str, params: dict[str, str], found: set[str]
) -> None:
    for user in ("u01", "dune_n1", "dune_s1"):
        begun = await pupil.start("ex_sums", user=user)
        update = {"interactions": [{"item": "q", "correct": 1, "time_spent": 1, "answer": {}}]}
        await pupil.send("PUT", f"{START}{begun['session_id']}/", update, user=user)
    query: dict[str, Any] = {name: pupil.id(value) for name, value in params.items()}
    _, entries = await pupil.send("GET", "/api/logger/attemptlog/", user=reader, params=query)
    assert {entry["user"] for entry in entries} == {pupil.id(f"users.{user}") for user in found}


async def test_one_mastery_log_is_found_by_its_id_and_only_by_who_may_see_it(pupil: Pupil) -> None:
    await pupil.start("ex_sums")
    params = {"user": pupil.id("users.u01"), "content": pupil.node("ex_sums")["content_id"]}
    _, (log,) = await pupil.send("GET", "/api/logger/masterylog", params=params)
    path = f"/api/logger/masterylog/{log['id']}/"
    assert await pupil.send("GET", path, params=params) == (200, log)
    assert (await pupil.send("GET", path))[0] == 412
    assert (await pupil.send("GET", path, params=params, user="u02"))[0] == 404
    assert (await pupil.send("GET", "/api/logger/masterylog/0/diff", params=params, user="u02"))[0] == 404
