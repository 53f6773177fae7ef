"""A course's statements, as a learning management system posts them."""

import json
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

from lrs.commands.demo_stage import Shown, Stage, Table
from lrs.commands.provision import XAPI_VERSION, curl

NAMESPACE = UUID("6f0f6d5e-7c57-4f0b-9d3d-5a4b7f2b8a10")
SCHOOL = "https://school.example.org"
COURSE = f"{SCHOOL}/courses/fractions"
ADL = "http://adlnet.gov/expapi/verbs"
REGISTRATION = str(uuid5(NAMESPACE, "registration of ada in fractions"))
SCORE = {"scaled": 0.85, "raw": 17, "min": 0, "max": 20}

# Ids and times are fixed, so posting all of it again stores nothing.
EVENTS: tuple[tuple[str, str, str, str, dict[str, Any] | None], ...] = (
    ("ada", "initialized", "", "2026-03-02T09:00:00Z", None),
    ("ada", "experienced", "/pages/halves", "2026-03-02T09:04:10Z", {"duration": "PT4M10S"}),
    ("ben", "experienced", "/pages/halves", "2026-03-02T09:05:32Z", {"duration": "PT5M2S"}),
    ("ada", "answered", "/quiz/1", "2026-03-02T09:11:45Z", {"success": True, "response": "1/2", "duration": "PT38S"}),
    ("ada", "passed", "/quiz", "2026-03-02T09:19:05Z", {"success": True, "score": SCORE}),
    ("ada", "completed", "", "2026-03-02T09:20:00Z", {"completion": True, "duration": "PT20M"}),
)


def course_statements(stage: Stage) -> Shown:
    """Post a course's statements in one batch, and read back what one learner did, latest first."""
    lms, version = stage.seen_by(stage.user), dict([XAPI_VERSION.split(": ")])
    lms.call("POST", "/xapi/statements", [_statement(number) for number in range(len(EVENTS))], version)
    path = f"/xapi/statements?agent={quote(_as_query(_actor('ada')))}&limit=10"
    rows = [
        (
            each["timestamp"], each["verb"]["id"].removeprefix(f"{ADL}/"),
            each["object"]["id"].removeprefix(f"{SCHOOL}/courses"), _outcome(each.get("result", {})),
        )
        for each in lms.call("GET", path, headers=version)["statements"]
    ]
    url, header = lms.url, f"-H '{XAPI_VERSION}'"
    return Shown(
        tables=[Table("what Ada did in a course", ("timestamp", "verb", "object", "outcome"), rows)],
        lines=[
            ("all statements of the tenant, latest first", curl(url, stage.user, "/xapi/statements", header)),
            ("what Ada did", curl(url, stage.user, path, header)),
        ],
    )


def _statement(number: int) -> dict[str, Any]:
    name, verb, place, timestamp, result = EVENTS[number]
    statement: dict[str, Any] = {
        "id": str(uuid5(NAMESPACE, f"statement {number}")),
        "actor": _actor(name),
        "verb": {"id": f"{ADL}/{verb}", "display": {"en": verb}},
        "object": {"id": COURSE + place, "definition": {"name": {"en": (place or "/fractions").rsplit("/", 1)[-1]}}},
        "context": {"platform": "School LMS", "language": "en", "contextActivities": {"grouping": [{"id": COURSE}]}},
        "timestamp": timestamp,
    }
    if name == "ada":
        statement["context"]["registration"] = REGISTRATION
    if result:
        statement["result"] = result
    return statement


def _outcome(result: dict[str, Any]) -> str:
    scaled = result.get("score", {}).get("scaled")
    said = [result.get("response"), result.get("duration"), f"score {scaled}" if scaled is not None else None]
    return ", ".join(text for text in said if text)


def _actor(name: str) -> dict[str, Any]:
    return {"objectType": "Agent", "name": name.title(), "account": {"homePage": SCHOOL, "name": name}}


def _as_query(actor: dict[str, Any]) -> str:
    return json.dumps({"account": actor["account"]}, separators=(",", ":"))
