"""A small Kolibri school, and two of its learners at an exercise, as a Kolibri front end reports it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from lrs.commands.demo_stage import Shown, Stage, Table
from lrs.commands.management import Endpoint, Refused, tenant_path
from lrs.commands.provision import curl

NAMESPACE = UUID("d1d3f7b0-58a4-4a60-8a1e-0c1e6f4d7f55")
TRACK = "/api/logger/trackprogress/"
CRITERION = {"type": "m_of_n", "m": 3, "n": 5}
FULL_NAMES = {"ada": "Ada", "ben": "Ben", "grace": "Grace (coach)"}

Answer = tuple[str, int, str, float]  # question, correct (0 or 1), answer, seconds
ADA: tuple[Answer, ...] = (
    ("halves-1", 1, "1/2", 9.5),
    ("halves-2", 0, "2/3", 21.0),
    ("thirds-1", 1, "1/3", 12.2),
    ("thirds-2", 1, "2/3", 8.4),
)
BEN: tuple[Answer, ...] = (("halves-1", 0, "1/4", 30.0), ("halves-2", 1, "3/4", 17.5))
# What a right answer adds where three are needed, as the front end rounds it up.
GROWTH = 0.334


def exercise_session(stage: Stage) -> Shown:
    """Let Ada master an exercise and Ben begin it, unless Ada has; then read their logs as their coach may."""
    if not _has_mastered(stage, "ada"):
        world = tenant_path(stage.tenant, "adapters", "kolibri", "reference", "world")
        stage.operator.call("PUT", world, world_of(stage.people))
        for name, answers in (("ben", BEN), ("ada", ADA)):
            _practise(stage.seen_by(stage.person(name)), answers)
    ada, coach = stage.person("ada"), stage.person("grace")
    school = stage.seen_by(coach)
    mastery_rows = [row for name in ("ada", "ben") for row in _mastery_rows(school, name)]
    attempts = sorted(school.call("GET", _attempts_path("ada")), key=_last_touched)
    shown = ("item", "correct", "simple_answer", "hinted", "complete", "time_spent")
    return Shown(
        tables=[
            Table("mastery log", ("learner", "criterion", "correct", "complete", "seconds", "completed"), mastery_rows),
            Table("Ada's attempts", shown, _columns(attempts, shown)),
        ],
        lines=[
            ("Ada's mastery log, as her coach Grace reads it", curl(school.url, coach, _mastery_path("ada"))),
            ("Ada's attempts", curl(school.url, coach, _attempts_path("ada"))),
            ("how much Ada has mastered, as she reads it", curl(school.url, ada, _progress_path("ada"))),
        ],
    )


def _id(name: str) -> str:
    """Kolibri's kind of id, 32 hex digits, for one of the demo's people or things."""
    return uuid5(NAMESPACE, name).hex


def _node() -> dict[str, str]:
    return {"node_id": _id("fractions"), "content_id": _id("fractions content"), "channel_id": _id("channel")}


def _mastery_path(name: str) -> str:
    return f"/api/logger/masterylog/?content={_id('fractions content')}&user={_id(name)}"


def _attempts_path(name: str) -> str:
    return f"/api/logger/attemptlog/?content={_id('fractions content')}&user={_id(name)}"


def _progress_path(name: str) -> str:
    return f"/api/logger/userprogress/{_id(name)}/"


def _last_touched(attempt: Mapping[str, Any]) -> str:
    return str(attempt["end_timestamp"])


def _has_mastered(stage: Stage, name: str) -> bool:
    try:
        logs = stage.seen_by(stage.person(name)).call("GET", _mastery_path(name))
    except Refused:  # nobody of that name and password yet
        return False
    return any(log["complete"] for log in logs)


def _mastery_rows(school: Endpoint, name: str) -> list[tuple[object, ...]]:
    return [
        (
            FULL_NAMES[name], "{m} of {n}".format(**log["mastery_criterion"]), log["correct"], log["complete"],
            log["time_spent"], log["completion_timestamp"],
        )
        for log in school.call("GET", _mastery_path(name))
    ]


def _columns(logs: Iterable[Mapping[str, Any]], names: Sequence[str]) -> list[list[object]]:
    return [[log[name] for name in names] for log in logs]


def _practise(learner: Endpoint, answers: tuple[Answer, ...]) -> None:
    """One visit to the exercise. After a wrong answer come a hint and the right one; neither changes `correct`."""
    start = {**_node(), "kind": "exercise", "mastery_model": CRITERION}
    session = learner.call("POST", TRACK, start)["session_id"]
    for item, correct, answer, seconds in answers:
        first = {
            "item": item, "correct": correct, "complete": bool(correct), "time_spent": seconds,
            "answer": {"value": answer}, "simple_answer": answer,
        }
        update = {"progress_delta": GROWTH * correct, "time_spent_delta": seconds, "interactions": [first]}
        attempt = learner.call("PUT", f"{TRACK}{session}/", update)["attempts"][0]
        if not correct:
            again = {"id": attempt["id"], "item": item, "answer": {"value": answer}}
            hinted = {**again, "correct": 0, "hinted": True, "time_spent": seconds + 5}
            right = {**again, "correct": 1, "complete": True, "time_spent": seconds + 9}
            learner.call("PUT", f"{TRACK}{session}/", {"time_spent_delta": 9, "interactions": [hinted, right]})


def world_of(passwords: Mapping[str, str]) -> dict[str, Any]:
    """The school as the Kolibri adapter is told of it: a class with its coach and two learners, and an exercise."""
    def person(name: str, kind: str, classrooms: list[str], coach_of: list[str]) -> dict[str, Any]:
        return {
            "id": _id(name), "username": name, "password": passwords[name], "full_name": FULL_NAMES[name],
            "facility": "harbour", "kind": kind, "classrooms": classrooms, "groups": [], "coach_of": coach_of,
        }

    node = {
        **_node(), "title": "Fractions", "kind": "exercise", "mastery_model": CRITERION,
        "assessment_item_ids": [item for item, *_ in ADA],
    }
    return {
        "format": "kolibri-world/1",
        "facilities": {"harbour": {"id": _id("harbour"), "name": "Harbour School", "default": True}},
        "classrooms": {"reef": {"id": _id("reef"), "name": "Reef class", "facility": "harbour"}},
        "groups": {},
        "users": {
            "ada": person("ada", "learner", ["reef"], []),
            "ben": person("ben", "learner", ["reef"], []),
            "grace": person("grace", "class_coach", [], ["reef"]),
        },
        "channels": {"numbers": {"id": _id("channel"), "name": "Numbers"}},
        "nodes": {"fractions": node},
        "lessons": {}, "quizzes": {}, "course_sessions": {},
    }
