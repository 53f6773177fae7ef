"""A pathway of a shop's new owners, imported twice as its platform reports it, and read back as that platform is asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from lrs.commands.demo_stage import Shown, Stage, Table
from lrs.commands.provision import curl

PATHWAY = "Become A Store Owner"
LOGS, EVENTS = "/v1/logs/pathway-logs", "/adapters/pathway/events"
# The form in which the platform's own documentation asks: a key without quotes.
ASKED = b'{ pathway : "Become A Store Owner", types: ["Data Target", "Stories"] }'

# Who, on what, progress, and when: first as it was in the evening, then a day later.
Snapshot = tuple[str, str, float, str]
FIRST: tuple[Snapshot, ...] = (
    ("thandi", "EVPA-KWOI-80AI", 45.5, "2026-03-02T18:02:10+02:00"),
    ("lerato", "EVPA-KWOI-80AI", 0, ""),
    ("thandi", "EVPA-WVZF-56QJ", 100, "2026-03-02T18:30:00+02:00"),
)
SECOND: tuple[Snapshot, ...] = (
    ("thandi", "EVPA-KWOI-80AI", 100, "2026-03-03T08:15:44+02:00"),
    ("sipho", "EVPA-KWOI-80AI", 20, "2026-03-03T09:00:00+02:00"),
)
ACTIVITIES = {
    "EVPA-WVZF-56QJ": {"name": "Data Tracking", "type": "data", "fulfilmentType": "tracking", "required": True, "level": 1},
    "EVPA-KWOI-80AI": {"name": "Story A", "type": "story", "fulfilmentType": "complete", "required": True, "level": 2},
}
PEOPLE = {
    "thandi": ("Thandi", "Mokoena", ["Cape Town"]), "sipho": ("Sipho", "Dube", ["Durban"]), "lerato": ("Lerato", "Khumalo", ["Durban"]),
}


def owners_pathway(stage: Stage) -> Shown:
    """Import two documents, the second with what changed since; again, nothing new comes of it. Then read the pathway."""
    platform = stage.seen_by(stage.user)
    for snapshots in (FIRST, SECOND):
        platform.call("POST", EVENTS, document_of(snapshots))
    answer = platform.call("POST", LOGS, ASKED)
    rows = [
        (
            activity["name"], f"{log['firstname']} {log['lastname']}", ", ".join(log["groups"]), log["status"]["state"],
            log["status"]["progress"], log["status"]["timestamp"],
        )
        for activity in answer["data"][0]["activities"] for log in activity["logs"]
    ]
    return Shown(
        tables=[Table(f"{PATHWAY} ({answer['hash']})", ("activity", "learner", "groups", "state", "progress", "timestamp"), rows)],
        lines=[("the pathway's logs, asked for as the documentation does", curl(platform.url, stage.user, LOGS, f"-d '{ASKED.decode()}'"))],
    )


def document_of(snapshots: Sequence[Snapshot]) -> Mapping[str, Any]:
    """A response of the platform with these rows."""
    return {
        "status": "success",
        "data": [{
            "pathway": {"name": PATHWAY, "type": "pathway", "ID": "EV67-ZCNS-56AD"},
            "activities": [
                {"ID": key, **about, "logs": [_log(each) for each in snapshots if each[1] == key]} for key, about in ACTIVITIES.items()
            ],
        }],
    }


def _log(snapshot: Snapshot) -> dict[str, Any]:
    name, activity, progress, timestamp = snapshot
    first, last, groups = PEOPLE[name]
    state = "completed" if progress == 100 else "in progress" if progress else "not started"
    fulfilment = {"type": ACTIVITIES[activity]["type"], "state": state, "progress": progress, "timestamp": timestamp}
    return {
        "firstname": first, "lastname": last, "email": f"{name}@shop.example", "telephone": "", "country": "South Africa",
        "city": groups[0], "groups": groups,
        "status": {"complete": progress == 100, "progress": progress, "state": state, "timestamp": timestamp},
        "fulfilment": fulfilment if progress else [],
    }
