"""A StatementQuery as a MongoDB filter over records. It finds exactly what `lrs.xapi.query.matches` says."""

from typing import Any

from lrs.store.couples import couples_asked
from lrs.store.positions import last_at
from lrs.xapi.query import StatementQuery


def filter_of(tenant: str, query: StatementQuery, *, after: int | None = None, through_us: int | None = None) -> dict[str, Any]:
    """The records of a page: unvoided, matching, beyond the position `after` in the query's order, stored at or before `through_us`."""
    found: dict[str, Any] = {"tenant": tenant, "voided": None}
    if query.agent is not None:
        found["related_agents" if query.related_agents else "agents"] = query.agent
    if query.authority is not None:
        # An authority is among the related agents, which have an index; that it is the authority is looked up in the record.
        found["authority"] = query.authority
        found.setdefault("related_agents", query.authority)
    if query.verb is not None:
        found["verb"] = query.verb
    if query.activity is not None:
        found["related_activities" if query.related_activities else "activity"] = query.activity
    if query.registration is not None:
        found["registration"] = query.registration
    # A record without any couples may be meant, too: one with too many, or of a version that knew none.
    if couples := [{"couples": {"$in": [*numbers, None]}} for numbers in couples_asked(found)]:
        found["$and"] = couples
    if position := _between(query, after, through_us):
        found["position"] = position
    return found


def _between(query: StatementQuery, after: int | None, through_us: int | None) -> dict[str, int]:
    """`since` is exclusive, `until` inclusive (xAPI 1.0.3, Communication 2.1.3)."""
    above = [last_at(query.since_us)] if query.since_us is not None else []
    at_most = [last_at(us) for us in (query.until_us, through_us) if us is not None]
    if after is not None and query.ascending:
        above.append(after)
    elif after is not None:
        at_most.append(after - 1)
    return {**({"$gt": max(above)} if above else {}), **({"$lte": min(at_most)} if at_most else {})}
