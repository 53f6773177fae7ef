"""Usage by period and by key: who used what, when, as sums that the database makes."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from adapters.studyfetch.reports import Sums, by_each_group
from adapters.studyfetch.usage import EVERYBODY, HOURS, Group, Subject, Usage

NO_GROUP = "[]"


async def by_key(usage: Usage, bucket: str, key: str | None) -> tuple[Sums, Mapping[Group, int]]:
    """Events by bucket, type and key, and how many different people there are by bucket and key; a key of "" is none."""
    if key is None:
        counts, people = await asyncio.gather(usage.lines(HOURS, (bucket, "type")), usage.people(EVERYBODY, (bucket,)))
        return {(*group, ""): sums for group, sums in counts.items()}, {(*group, ""): number for group, number in people.items()}
    if key == "group":
        return await _by_group(usage, bucket)
    counts = await usage.lines(EVERYBODY, (bucket, "type", key))
    if key == "user":
        return counts, {(start, user): 1 for start, _, user in counts if user}
    return counts, await usage.people(EVERYBODY, (bucket, key))


async def _by_group(usage: Usage, bucket: str) -> tuple[Sums, Mapping[Group, int]]:
    """An event of several groups is under each of them, and somebody in several groups is one of the people of each."""
    counts = by_each_group(await usage.lines(EVERYBODY, (bucket, "type", "groups")))
    groups = tuple(sorted({group for _, _, group in counts} - {""}))
    grouped = await usage.people(Subject("group", groups), (bucket, "scope"))
    people: Counter[Group] = Counter()
    if any(not group for _, _, group in counts):
        rest = await usage.people(EVERYBODY, (bucket,), where={"groups": NO_GROUP})
        people.update({(start, ""): number for (start,), number in rest.items()})
    people.update({(start, scope.removeprefix("group=")): number for (start, scope), number in grouped.items()})
    return counts, people
