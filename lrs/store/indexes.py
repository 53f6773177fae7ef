"""The indexes there are to be, by collection, and what each is for."""

from collections.abc import Mapping
from typing import Any

from pymongo import ASCENDING, IndexModel


def _by(*fields: str, **options: Any) -> IndexModel:
    return IndexModel([(field, ASCENDING) for field in fields], **options)


def _having(field: str) -> IndexModel:
    """By (tenant, field, position), holding only the records that have the field."""
    return _by("tenant", field, "position", partialFilterExpression={field: {"$exists": True}})


def _dead(*fields: str) -> IndexModel:
    """Of dead letters alone."""
    return _by(*fields, partialFilterExpression={"outcome": "dead"})


INDEXES: Mapping[str, tuple[IndexModel, ...]] = {
    # Each serves one filter of GET statements in the order of the log; `keys` serves the folds. See docs/decisions/0002.
    "records": (
        _by("tenant", "position", unique=True),
        _by("tenant", "verb", "position"),
        _by("tenant", "agents", "position"),
        _by("tenant", "related_agents", "position"),
        _having("activity"),
        _having("related_activities"),
        _having("registration"),
        # Not partial: who looks for couples looks at the records without any, too.
        _by("tenant", "couples", "position"),
        _having("keys"),
        _having("attachments"),
        _by("tenant", "voids", partialFilterExpression={"voids": {"$exists": True}}),
        _by("tenant", "awaits", partialFilterExpression={"awaits": {"$exists": True}}),
        _by("tenant", "refs", partialFilterExpression={"refs": {"$exists": True}}),
    ),
    "summaries": (_by("tenant", "materializer", "facets", "key"), _by("tenant", "materializer", "key")),
    # The lines of roll-ups: one scope of one roll-up, by time.
    "lines": (_by("tenant", "label", "scope", "bucket"),),
    "leases": (_by("tenant"),),
    "credentials": (_by("tenant"),),
    # The first lists states and activity profiles, the second agent profiles, and finds all that is kept about somebody; the third
    # finds one profile of all activities or agents, or of those that have a term.
    "documents": (
        _by("tenant", "resource", "activity", "agent"), _by("tenant", "agent", "resource"),
        _by("tenant", "resource", "document_id", "terms"),
    ),
    # What waits to be swept is little, whatever is kept.
    "attachments": (_by("tenant"), _by("unclaimed_since", sparse=True)),
    "attachments.files": (_by("metadata.tenant"), _by("metadata.pending_since", sparse=True)),
    "attachments.chunks": (_by("files_id", "n", unique=True),),
    "tenants": (_by("hosts", unique=True, partialFilterExpression={"hosts": {"$exists": True}}),),
    "entries": (_by("tenant", "adapter", "name"), _by("adapter", "kind", "names")),
    # The second finds what may be taken, the first and third list a tenant's; the others say what there may be one of, and for how long.
    "jobs": (
        _by("tenant", "_id"),
        _by("state", "_id"),
        _by("tenant", "state", "_id"),
        _by("tenant", "kind", unique=True, partialFilterExpression={"state": "running"}),
        _by("same", unique=True, sparse=True),
        _by("expires", expireAfterSeconds=0),
    ),
    "heartbeats": (_by("seen", expireAfterSeconds=86_400),),
    # Of what was removed, for as long as something has to follow from it.
    "removals": (_by("job"), _by("tenant", "settled")),
    # By adapter for translating history anew, by statement to find where one came from; pending and dead ones are few, and no other
    # event has an entry in their indexes. Dead ones are listed by adapter, by kind of reason, and by both.
    "native_events": (
        _by("tenant", "adapter", "received"),
        _by("tenant", "statements"),
        _by("tenant", "outcome", "received"),
        _by("pending", "received", partialFilterExpression={"pending": {"$exists": True}}),
        _dead("tenant", "received", "_id"),
        _dead("tenant", "adapter", "outcome", "received"),
        _dead("tenant", "reason.kind", "received", "_id"),
        _dead("tenant", "adapter", "reason.kind", "received"),
        # Those that were edited: erasure looks into all of them.
        _by("tenant", partialFilterExpression={"edited": {"$exists": True}}),
    ),
}
