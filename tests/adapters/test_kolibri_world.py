"""What operators PUT: the world and the settings."""

from collections.abc import Sequence
from typing import Any

import pytest
from marshmallow import ValidationError

from adapters.kolibri.routes import adapter
from adapters.kolibri.schema import SettingsSchema
from adapters.kolibri.world import WorldSchema, password_hasher
from lrs.plugins import Entry


def test_no_password_is_kept_and_the_right_one_fits_its_hash(
    kolibri_entries: Sequence[Entry], kolibri_world: dict[str, Any]
) -> None:
    assert all(user["password"] not in str(kolibri_entries) for user in kolibri_world["users"].values())
    first = next(entry for entry in kolibri_entries if entry.names == ("u01",))
    assert first.document["password_hash"].startswith("$argon2id$")
    assert password_hasher().verify(first.document["password_hash"], kolibri_world["users"]["u01"]["password"])


def test_what_a_world_refers_to_by_name_is_kept_by_id(
    kolibri_entries: Sequence[Entry], kolibri_world: dict[str, Any]
) -> None:
    quiz = next(entry for entry in kolibri_entries if entry.id == kolibri_world["quizzes"]["north_only"]["id"])
    assert quiz.document["assigned_to"] == [kolibri_world["groups"]["dune_north"]["id"]]
    assert {entry.kind for entry in kolibri_entries} == {
        "facility", "classroom", "group", "user", "lesson", "quiz", "course_session",
    }


def test_content_and_constants_are_tolerated_and_not_kept(
    kolibri_entries: Sequence[Entry], kolibri_world: dict[str, Any]
) -> None:
    assert kolibri_world["nodes"]["video_tides"]["node_id"] not in str(kolibri_entries)


@pytest.mark.parametrize(("world", "place"), [
    ({"classrooms": {"reef": {"id": "1" * 32, "facility": "harbour"}}}, "classrooms"),
    ({"facilities": {"harbour": {"id": "no id"}}}, "facilities"),
    ({"lessons": {"a": {"id": "1" * 32, "assigned_to": ["classrooms.reef"]}}}, "lessons"),
    ({"facilities": {"a": {"id": "1" * 32}, "b": {"id": "1" * 32}}}, "facilities"),
    ({"users": {"a": {"id": "1" * 32, "username": "", "facility": "x"}}}, "users"),
    ({"users": []}, "users"),
])
def test_a_world_that_does_not_hang_together_is_refused_with_the_place(world: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError) as refused:
        WorldSchema().load(world)
    assert place in refused.value.normalized_messages()


def test_settings_have_defaults_and_unknown_ones_are_refused() -> None:
    assert SettingsSchema().load({"base_iri": "https://e.org/x/"}) == {
        "base_iri": "https://e.org/x", "home_page": "https://kolibri.example.org",
        "platform": "Kolibri", "language": "en",
    }
    for wrong in ({"colour": "red"}, {"base_iri": "no iri"}, {"language": "en_US"}, {"platform": ""}):
        with pytest.raises(ValidationError):
            SettingsSchema().load(wrong)


def test_every_path_is_there_with_and_without_its_slash() -> None:
    paths = {(route.method, route.path) for route in adapter.routes}
    assert len(paths) == len(adapter.routes)
    assert {(method, path.rstrip("/")) for method, path in paths} == {(m, p) for m, p in paths if not p.endswith("/")}
    assert {("POST", "/api/logger/contentsession"), ("POST", "/api/logger/trackprogress/")} <= paths
