"""Reports counted straight from statements, without folds or cells: slow, and simple enough to be believed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

ADL = "http://adlnet.gov/expapi/verbs/"
TYPES = "http://adlnet.gov/expapi/activities/"
SITE = "https://school.example.org/"
# Durations of these repeat what others said.
TOTALS = {f"{ADL}{verb}" for verb in ("completed", "passed", "failed", "mastered", "scored", "suspended")}

_names = st.sampled_from("ab")
_learners = st.one_of(
    st.builds(lambda name, said: {"mbox": f"mailto:{name}@school.example.org", **said}, _names, st.sampled_from([{}, {"name": "Ada"}])),
    st.builds(lambda name: {"objectType": "Agent", "account": {"homePage": SITE, "name": name}}, _names),
    st.just({"objectType": "Group", "mbox": "mailto:class@school.example.org"}),
)
_activities = st.builds(
    lambda name, said: {"id": f"{SITE}{name}", **said}, st.sampled_from("xyz"),
    st.sampled_from([{}, {"definition": {"type": f"{TYPES}question"}}, {"definition": {"type": f"{TYPES}course"}}]),
)
_reference = st.just({"objectType": "StatementRef", "id": "8f87ccde-bb56-4c2e-ab83-44982ef22df0"})
_objects = st.one_of(_activities, _activities, _activities, _reference)
_results = st.fixed_dictionaries({}, optional={
    "success": st.booleans(), "completion": st.booleans(),
    "score": st.sampled_from([-0.25, 0.0, 0.3, 0.8, 1.0]).map(lambda scaled: {"scaled": scaled}),
    "duration": st.sampled_from(["PT1S", "PT2.5S", "P1D", "P1M", "PT0.0004S"]),
})
_contexts = st.fixed_dictionaries({}, optional={
    "registration": st.sampled_from("123").map(lambda digit: f"{digit * 8}-0000-4000-8000-000000000000"),
    "contextActivities": st.fixed_dictionaries({}, optional={
        "parent": st.lists(_activities, max_size=2), "grouping": st.lists(_activities, max_size=2),
    }),
})
# Any traffic: few learners and activities, so that they meet, at few moments, so that some are equal.
statements = st.fixed_dictionaries({
    "id": st.uuids().map(str), "actor": _learners,
    "verb": st.sampled_from(["answered", "completed", "passed", "failed", "attempted", "initialized", "experienced", "suspended"]).map(
        lambda verb: {"id": f"{ADL}{verb}"}
    ),
    "object": _objects, "result": _results, "context": _contexts,
    "timestamp": st.sampled_from(["2026-01-15T10:00:00Z", "2026-01-15T23:30:00-01:00", "2026-01-16T00:00:00Z", "2026-01-14T00:00:00.5Z"]),
})


def learner_of(statement: Mapping[str, Any]) -> str | None:
    """The identity of who acted, if it is one person."""
    actor = statement["actor"]
    if actor.get("objectType") == "Group":
        return None
    return actor["mbox"] if "mbox" in actor else f"account:{actor['account']['homePage']}|{actor['account']['name']}"


def about(statements: Iterable[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The statements of each learner about each activity."""
    found = defaultdict(list)
    for statement in statements:
        learner = learner_of(statement)
        if learner is not None and statement["object"].get("objectType") != "StatementRef":
            found[learner, statement["object"]["id"]].append(statement)
    return dict(found)


def within(statements: Iterable[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The statements of each learner in each course."""
    found = defaultdict(list)
    for (learner, _), own in about(statements).items():
        for statement in own:
            for course in _courses(statement):
                found[learner, course].append(statement)
    return dict(found)


def _courses(statement: Mapping[str, Any]) -> Sequence[str]:
    around = statement["context"].get("contextActivities", {})
    everything = [statement["object"], *around.get("parent", []), *around.get("grouping", [])]
    typed = [each["id"] for each in everything if each.get("definition", {}).get("type") == f"{TYPES}course"]
    untyped = [each["id"] for each in around.get("grouping", []) if "definition" not in each]
    return list(dict.fromkeys(typed or untyped[:1]))[:3]


def at(statement: Mapping[str, Any]) -> float:
    """When it happened, in µs."""
    return datetime.fromisoformat(statement["timestamp"]).timestamp() * 1_000_000


def success(statement: Mapping[str, Any]) -> bool | None:
    """What it says of success."""
    by_verb = {f"{ADL}passed": True, f"{ADL}failed": False}
    return statement["result"].get("success", by_verb.get(statement["verb"]["id"]))


def completes(statement: Mapping[str, Any]) -> bool:
    """Whether it says that something is completed."""
    return statement["result"].get("completion", statement["verb"]["id"] == f"{ADL}completed")


def scores(statements: Iterable[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """Moments and scores, in order."""
    return sorted((at(each), each["result"]["score"]["scaled"]) for each in statements if "score" in each["result"])


def time_ms(statements: Iterable[Mapping[str, Any]]) -> int:
    """The time of one attempt."""
    durations = {"PT1S": 1000, "PT2.5S": 2500, "P1D": 86_400_000, "PT0.0004S": 0, "P1M": 0}
    told = [(each["verb"]["id"] in TOTALS, durations[each["result"]["duration"]]) for each in statements if "duration" in each["result"]]
    return sum(ms for total, ms in told if not total) or max((ms for total, ms in told if total), default=0)


def by(statements: Iterable[dict[str, Any]], *names: str) -> list[list[dict[str, Any]]]:
    """The statements by activity, registration or both."""
    values = {"activity": lambda each: each["object"]["id"], "registration": lambda each: each["context"].get("registration")}
    groups = defaultdict(list)
    for statement in statements:
        groups[tuple(values[name](statement) for name in names)].append(statement)
    return list(groups.values())


def attempts(statements: Sequence[dict[str, Any]]) -> int:
    """How many there were: one a registration; without one, as many as were begun, and at least one."""
    registrations = {each["context"]["registration"] for each in statements if "registration" in each["context"]}
    free = [each["verb"]["id"] for each in statements if "registration" not in each["context"]]
    begun = max(free.count(f"{ADL}attempted"), free.count(f"{ADL}initialized"), 1) if free else 0
    return len(registrations) + begun


def course_time_ms(course: str, statements: Sequence[dict[str, Any]]) -> int:
    """The time in a course: that of its activities, else its own."""
    other = [each for each in statements if each["object"]["id"] != course]
    own = [each for each in statements if each["object"]["id"] == course]
    return sum(time_ms(each) for each in by(other, "activity", "registration")) or sum(time_ms(each) for each in by(own, "registration"))


def outcome(statements: Sequence[dict[str, Any]], spent_ms: int) -> Counter[str]:
    """What one learner adds to the statistics of something."""
    sums: Counter[str] = Counter({"learners": 1, "time_spent_ms": spent_ms})
    sums["completed"] += any(completes(each) for each in statements)
    said = sorted((at(each), success(each)) for each in statements if success(each) is not None)
    if said:
        sums["succeeded" if said[-1][1] else "failed"] += 1
    if reached := [scaled for _, scaled in scores(statements)]:
        best = max(reached)
        sums["scored"] += 1
        sums["score"] += int(best * 1_000_000)
        sums["bin_below" if best < 0 else f"bin_{min(int(best * 10), 9)}"] += 1
    return +sums if sums["score"] >= 0 else Counter({name: value for name, value in sums.items() if value})
