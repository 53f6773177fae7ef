"""`lrs up --demo`: each system posts a little of what it posts in real life, once; then one looks what became of it."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lrs.commands.demo_kolibri import exercise_session
from lrs.commands.demo_ofcourseme import PLATFORM, academy_events
from lrs.commands.demo_pathway import owners_pathway
from lrs.commands.demo_stage import Shown, Stage
from lrs.commands.demo_studyfetch import STUDYFETCH, afternoon_of_usage
from lrs.commands.demo_xapi import course_statements
from lrs.commands.management import Endpoint
from lrs.commands.provision import Credential
from lrs.commands.report import Report
from lrs.embedded.home import Home


@dataclass(frozen=True)
class Act:
    """One system's part: its name, who logs in, and the function that posts (harmless a second time) and reads back."""

    system: str
    people: Sequence[str]
    play: Callable[[Stage], Shown]


# One more system is one more line here.
ACTS = (
    Act("xAPI, as an LMS posts it", (), course_statements),
    Act("Kolibri", ("ada", "ben", "grace"), exercise_session),
    Act("StudyFetch", (STUDYFETCH,), afternoon_of_usage),
    Act("pathway logs", (), owners_pathway),
    Act("OfCourseMe", (PLATFORM,), academy_events),
)


def show_demo(home: Home, api: Endpoint, tenant: str, credentials: Sequence[Credential], report: Report) -> None:
    """Play all acts on the tenant and print what came of each."""
    if not credentials:
        report.line("no demo: the tenant's first credential was deleted")
        return
    stage = _stage(home, api, tenant, credentials[0])
    for act in ACTS:
        report.step(f"demo: {act.system}")
        shown = act.play(stage)
        report.line()
        for table in shown.tables:
            report.table(f"{act.system}: {table.title}", table.columns, table.rows)
        report.lines_to_paste(shown.lines)
    report.line()


def _stage(home: Home, api: Endpoint, tenant: str, credential: Credential) -> Stage:
    known = home.secrets()
    people = known["tenants"][tenant].setdefault("people", {})
    for name in (name for act in ACTS for name in act.people):
        people.setdefault(name, secrets.token_urlsafe(9))
    home.write("secrets", known)
    # A name that people of several tenants may have needs the tenant before the path.
    alone = api.call("GET", "/manage/tenants")["tenants"] == [tenant]
    return Stage(api, tenant, (credential["key"], credential["secret"]), people, prefix="" if alone else f"/t/{tenant}")
