"""An academy whose platform reports to OfCourseMe, and the three questions that its events answer."""

from collections.abc import Iterator
from urllib.parse import urlencode

from lrs.commands.demo_stage import Shown, Stage, Table
from lrs.commands.management import Endpoint, tenant_path

# Whose key it is, among the people of the demo.
PLATFORM = "academy"
COURSES = {"ML-101": 5400, "first-aid": 3600}  # seconds
REPORTS = ("completions", "search-conversion", "training-hours")
SEARCHES = (("ada", "machine learning"), ("ada", "statistics"), ("ben", "first aid"), ("cleo", "first aid"), ("cleo", "burns"))
# Who did what with which course, and how many seconds that took if the platform knows.
DEEDS: tuple[tuple[str, str, str, int | None], ...] = (
    ("ada", "course-save", "ML-101", None),
    ("ada", "course-complete", "ML-101", 4800),
    ("ben", "course-complete", "first-aid", None),
    ("cleo", "course-suggest", "first-aid", None),
    ("cleo", "course-complete", "first-aid", None),
)


def academy_events(stage: Stage) -> Shown:
    """Send an academy's events, harmless a second time, and read the three reports."""
    key, api = stage.people[PLATFORM], stage.seen_by(stage.user)
    stage.see_to_key(key, ["events/write", "reports/read"])
    stage.operator.call("PUT", tenant_path(stage.tenant, "adapters", "ofcourseme", "reference", "catalogue"), COURSES)
    headers = {"x-api-key": key}
    for parameters in _events():
        api.call("GET", f"/v2.0/events?{urlencode(parameters)}", headers=headers)
    rows = [
        (name, question, answer) for name in REPORTS
        for question, answer in api.call("GET", f"/v2.0/reports/{name}", headers=headers).items()
    ]
    return Shown(
        tables=[Table("the academy's three questions", ("report", "what", "answer"), rows)],
        lines=[(f"the report on {name.replace('-', ' ')}", _curl(api, key, f"/v2.0/reports/{name}")) for name in REPORTS],
    )


def _events() -> Iterator[dict[str, str]]:
    """Each with an id and a time of its own."""
    for number, (user, text) in enumerate(SEARCHES):
        yield {
            "type": "search", "user_id": user, "query": text, "entity_id": "north", "event_id": f"demo-search-{number}",
            "timestamp": f"2026-03-02T08:{number:02d}:00Z",
        }
    for number, (user, event_type, course, lasted_s) in enumerate(DEEDS):
        yield {
            "type": event_type, "user_id": user, "course_id": course, "entity_id": "north", "event_id": f"demo-deed-{number}",
            "timestamp": f"2026-03-02T09:{number:02d}:00Z", **({} if lasted_s is None else {"duration": str(lasted_s)}),
        }


def _curl(api: Endpoint, key: str, path: str) -> str:
    return rf"curl -sS -w '\n' -H 'x-api-key: {key}' '{api.url}{path}'"
