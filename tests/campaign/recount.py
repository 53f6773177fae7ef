"""Reports against a count of one's own: what `verify` cannot find, as it recounts by the product's own fold."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from campaign.client import Client, insist
from campaign.ledger import Statement, is_void
from campaign.statements import OWN_VERBS
from lrs.xapi.times import format_stored, parse_timestamp

DAILY = "/reports/daily"
DAY = 10  # the characters of a date
SPAN = timedelta(days=90)  # beyond the clocks of all clients


async def judge_daily(client: Client, stored: Mapping[str, Statement], within_s: float) -> None:
    """The statements of each day and verb, as the report has them and as they are stored. Nothing where there is no such report."""
    wanted = Counter(
        (format_stored(parse_timestamp(each["timestamp"]))[:DAY], each["verb"]["id"])
        for key, each in stored.items() if key not in _voided(stored) and _is_ours(each)
    )
    found: Counter[tuple[str, str]] = Counter()
    now = datetime.now(UTC)
    path: str | None = f"{DAILY}?by=verb&since={(now - SPAN).date()}&until={(now + SPAN).date()}"
    while path:
        answer = await insist(client, "read a report", "GET", path, allowed=(200, 404), within_s=within_s)
        if answer.status != 200:
            return
        page = answer.json
        rows: list[dict[str, Any]] = next(value for value in page.values() if isinstance(value, list))
        found.update({(each["day"], each["verb"]): each["statements"] for each in rows if each["verb"] in OWN_VERBS})
        path = page.get("more") or None
    if found != wanted:
        client.findings.add("report_differs", f"{DAILY}: {dict(found - wanted)} too many, {dict(wanted - found)} missing")


def _voided(stored: Mapping[str, Statement]) -> set[str]:
    return {each["object"]["id"] for each in stored.values() if is_void(each)}


def _is_ours(statement: Statement) -> bool:
    """Whether it has a verb that only the campaign uses, and counts in a report: one person's, about an activity."""
    is_about = statement["object"].get("objectType", "Activity")
    return statement["verb"]["id"] in OWN_VERBS and is_about == "Activity" and statement["actor"]["objectType"] == "Agent"
