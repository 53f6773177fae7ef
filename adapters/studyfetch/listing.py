"""The list of events, newest first: where a page begins is told by the lines, so only the hours of the page are read."""

from collections import Counter
from collections.abc import Sequence

from adapters.studyfetch.facts import Fact
from adapters.studyfetch.queries import Wanted
from adapters.studyfetch.reports import newest_first
from adapters.studyfetch.usage import HOURS, Latest, Subject, Usage

# An hour with more events than this is read by the minute, from its end.
BUSY = 2_000


async def page(usage: Usage, wanted: Wanted, limit: int, offset: int) -> tuple[int, Sequence[Fact]]:
    """How many events fit, and those from `offset` on, `limit` of them at most."""
    if wanted.group is not None and wanted.resource is not None:
        # There are no lines for both together.
        fitting = Latest(offset + limit)
        async for each in usage.facts(wanted.facets):
            if wanted.fits(each):
                fitting.add(each)
        return fitting.count, fitting.newest_first()[offset:]
    hours = await _hours(usage, wanted)
    skipped, before, facts = 0, 0, []
    quiet: list[str] = []
    for hour in sorted(hours, reverse=True):
        if before + hours[hour] <= offset:
            skipped = before = before + hours[hour]
            continue
        if before >= offset + limit:
            break
        if hours[hour] > BUSY:
            facts += await usage.from_an_end(wanted.facets, hour, offset + limit - before, wanted.fits)
        else:
            quiet.append(hour)
        before += hours[hour]
    if quiet:
        facts += [each async for each in usage.facts({**wanted.facets, "hour": quiet})]
    found = newest_first(each for each in facts if wanted.fits(each))
    return hours.total(), found[offset - skipped:offset - skipped + limit]


async def _hours(usage: Usage, wanted: Wanted) -> Counter[str]:
    """How many of the events there are in each hour."""
    subject, where = _subject(wanted)
    lines = await usage.lines(subject, ("bucket",), where=where)
    return Counter({hour: sums["events"] for (hour,), sums in lines.items()})


def _subject(wanted: Wanted) -> tuple[Subject, dict[str, str]]:
    """The narrowest scope that has lines for all that is wanted, and what is to be told apart in it."""
    where = {name: value for name, value in (("type", wanted.type), ("user", wanted.user)) if value is not None}
    if wanted.resource is not None:
        return Subject("resource", (wanted.resource,)), where
    if wanted.group is not None:
        return Subject("group", (wanted.group,)), where
    if wanted.user is not None:
        del where["user"]
        return Subject("user", (wanted.user,)), where
    return HOURS, where
