"""Two classes that learn with StudyFetch: an afternoon of usage events, and what the usage reports say of it."""

from collections.abc import Iterator
from typing import Any

from lrs.commands.demo_stage import Shown, Stage, Table
from lrs.commands.management import Endpoint

# Whose key it is, among the people of the demo.
STUDYFETCH = "studyfetch"
USAGE = "/api/v1/usage"
SUMMARY = f"{USAGE}/summary?period=daily&startDate=2026-03-02&endDate=2026-03-03&groupBy=group"
COMPARISON = f"{USAGE}/compare?groupIds=class-7b,class-8c"
# Learner, class, and the points of 20 in the test.
LEARNERS = (("ada", "class-7b", 17), ("ben", "class-7b", 11), ("cleo", "class-8c", 19))


def afternoon_of_usage(stage: Stage) -> Shown:
    """Send the events, harmless a second time, and read how much the classes did and how well."""
    key, api = stage.people[STUDYFETCH], stage.seen_by(stage.user)
    stage.see_to_key(key, ["events/write", "reports/read"])
    headers = {"x-api-key": key}
    api.call("POST", "/adapters/studyfetch/events", list(_events()), headers=headers)
    buckets = api.call("GET", SUMMARY, headers=headers)["buckets"]
    groups = api.call("GET", COMPARISON, headers=headers)["groups"]
    outcomes = ("groupId", "users", "events", "testsCompleted", "averageScore", "passRate")
    return Shown(
        tables=[
            Table("usage by day and class", ("day", "class", "events", "users"), [
                (each["start"][:10], each["key"], each["events"], each["users"]) for each in buckets
            ]),
            Table("the classes compared", outcomes, [[each[name] for name in outcomes] for each in groups]),
        ],
        lines=[
            ("usage by day and class", _curl(api, key, SUMMARY)),
            ("what Ada did, newest first", _curl(api, key, f"{USAGE}/events?userId=ada&limit=5")),
            ("how far Ada is", _curl(api, key, f"{USAGE}/users/ada/progress")),
        ],
    )


def _events() -> Iterator[dict[str, Any]]:
    """Each with an id of its own: flashcards on the first day, a test on the second."""
    for number, (user, group, points) in enumerate(LEARNERS):
        who = {"userId": user, "groupIds": [group, "harbour-school"]}
        yield {
            **who, "id": f"demo-cards-{user}", "eventType": "component_accessed", "resourceId": "cards-cells",
            "timestamp": f"2026-03-02T14:{number:02d}:00Z",
            "metadata": {"componentType": "flashcards", "name": "Cells", "durationSeconds": 300 + 60 * number},
        }
        attempt = {"attemptId": f"demo-{user}"}
        yield {
            **who, "id": f"demo-started-{user}", "eventType": "test_started", "resourceId": "test-cells",
            "timestamp": f"2026-03-03T09:{number:02d}:00Z", "metadata": attempt,
        }
        outcome = {"score": points, "maxScore": 20, "passed": points >= 12, "durationSeconds": 900}
        yield {
            **who, "id": f"demo-completed-{user}", "eventType": "test_completed", "resourceId": "test-cells",
            "timestamp": f"2026-03-03T09:{15 + number}:00Z", "metadata": {**attempt, **outcome},
        }


def _curl(api: Endpoint, key: str, path: str) -> str:
    return rf"curl -sS -w '\n' -H 'x-api-key: {key}' '{api.url}{path}'"
