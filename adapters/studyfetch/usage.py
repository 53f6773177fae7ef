"""Reading usage: lines of the roll-up for the whole hours of a span, the events themselves for what is left of an hour at its ends.

People are counted by lines of whole days where the question allows it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from adapters.studyfetch.facts import Fact
from adapters.studyfetch.reports import newest_first
from adapters.studyfetch.spans import EVER, Span
from adapters.studyfetch.summaries import USAGE, rows_of
from lrs.materialize import Row
from lrs.summaries import Summaries

Group = tuple[str, ...]

# How many of an hour's minutes are read at a time: few at first, as there may soon be enough.
STEPS = (1, 2, 4, 8, 16, 29)
# Of these groups people can be counted by the day.
BY_DAY = frozenset({"scope", "bucket:10", "bucket:7"})
DAYS = "days "
# Events that are added beyond those wanted before the others are let go.
SPARE = 1_000


class Latest:
    """So many of the events that are added: the last ones in time, or the first ones. Not many more are in memory."""

    def __init__(self, number: int, *, last: bool = True) -> None:
        self.count = 0
        self._number, self._last = number, last
        self._facts: list[Fact] = []

    def add(self, fact: Fact) -> None:
        """One more; `count` counts them all."""
        self.count += 1
        self._facts.append(fact)
        if len(self._facts) >= 2 * self._number + SPARE:
            self._facts = self._chosen()

    def newest_first(self) -> list[Fact]:
        """They, in the order of the list of events."""
        return self._chosen()

    def _chosen(self) -> list[Fact]:
        facts = newest_first(self._facts)
        return facts[:self._number] if self._last else facts[max(0, len(facts) - self._number):]


@dataclass(frozen=True)
class Subject:
    """Whose usage: that of users, groups or resources, by the facet that names them, or everybody's, by a scope for all."""

    facet: str = ""
    ids: tuple[str, ...] = ()
    of_all: str = "all"

    def scopes(self, part: str = "") -> list[str]:
        """The scopes of its lines; `part` is "tests ", "attempts " or "days "."""
        return [f"{part}{self.facet}={each}" for each in self.ids] if self.facet else [part.strip() or self.of_all]

    @property
    def scopes_by_hour(self) -> frozenset[str]:
        """All scopes of lines by the hour that its events are in."""
        parts = ("", "tests ", "attempts ") if self.facet else ("hours", "all")
        return frozenset(scope for part in parts for scope in self.scopes(part))

    def has(self, fact: Fact) -> bool:
        """Whether it is usage of the subject's. A cell may also hold events that are not."""
        own = {"user": (fact.user,), "group": fact.groups, "resource": fact.resources}
        return not self.facet or not set(self.ids).isdisjoint(own[self.facet])

    @property
    def facets(self) -> Mapping[str, Sequence[str]]:
        """What its cells are listed by."""
        return {self.facet: self.ids} if self.facet else {}


EVERYBODY = Subject()
# The same without who it was: a line for each hour and type.
HOURS = Subject(of_all="hours")


class Usage:
    """The usage of one tenant in one span."""

    def __init__(self, summaries: Summaries, tenant: str, span: Span = EVER) -> None:
        self._summaries = summaries
        self._tenant = tenant
        self.span = span
        self._at_edges: dict[tuple[str, tuple[str, ...]], asyncio.Task[list[Row]]] = {}

    async def lines(
        self, subject: Subject, by: Sequence[str], *, part: str = "", where: Mapping[str, str] | None = None
    ) -> dict[Group, Counter[str]]:
        """Sums by group: "events" and "ms" (milliseconds). `by` names dims, "scope", "bucket", "bucket:10" and so on.

        What a line does not tell is "".
        """
        scopes, found = subject.scopes(part), {}
        hours = self.span.whole_hours
        if hours is not None and scopes:
            lines = await self._summaries.rows(
                self._tenant, USAGE, scopes, since=hours[0], until=hours[1], by=by, sums=("events", "ms"), where=where or {},
            )
            found = {line.group: Counter(line.sums) for line in lines}
        for group, sums in grouped(await self._edge_rows(subject), frozenset(scopes), by, where or {}).items():
            found.setdefault(group, Counter()).update(sums)
        return found

    async def _edge_rows(self, subject: Subject) -> list[Row]:
        """What the events in the hours of which the span has a part only would add to lines: read once, however often it is asked for."""
        if not self.span.edges:
            return []
        about = subject.facet, subject.ids
        if about not in self._at_edges:
            self._at_edges[about] = asyncio.create_task(self._read_edges(subject))
        return await self._at_edges[about]

    async def _read_edges(self, subject: Subject) -> list[Row]:
        scopes, added = subject.scopes_by_hour, dict[tuple[str, str, frozenset[tuple[str, str]]], Counter[str]]()
        async for facts in self._cells({**subject.facets, "minute": self.span.edges}):
            for row in rows_of(facts, scopes):
                added.setdefault((row.scope, row.bucket, frozenset(row.dims.items())), Counter()).update(row.sums)
        return [Row(scope, bucket, dict(dims), sums) for (scope, bucket, dims), sums in added.items()]

    async def facts(self, facets: Mapping[str, str | Sequence[str]]) -> AsyncIterator[Fact]:
        """The events in the span that are in cells with these facets: any number, one after the other."""
        async for facts in self._cells(facets):
            for fact in facts:
                yield fact

    async def _cells(self, facets: Mapping[str, str | Sequence[str]]) -> AsyncIterator[list[Fact]]:
        async for cell in self._summaries.each(self._tenant, USAGE, facets):
            yield [fact for fact in cell.facts if self.span.holds(fact.at_us)]

    async def from_an_end(
        self, facets: Mapping[str, str | Sequence[str]], hour: str, number: int, fits: Callable[[Fact], bool], *, last: bool = True
    ) -> list[Fact]:
        """The last (or first) events of an hour that fit: so many, or all if there are fewer."""
        facts = Latest(number, last=last)
        done = 0
        for step in STEPS:
            numbers = range(60 - done - step, 60 - done) if last else range(done, done + step)
            async for each in self.facts({**facets, "minute": [f"{hour}:{minute:02}" for minute in numbers]}):
                if fits(each):
                    facts.add(each)
            done += step
            if facts.count >= number:
                break
        return facts.newest_first()

    async def seen(self, subject: Subject, hours: Sequence[str]) -> tuple[int | None, int | None]:
        """The first and the last moment (µs since the epoch) of a subject whose events are in these hours; None where there are none."""
        if not hours:
            return None, None
        firsts = await self.from_an_end(subject.facets, min(hours), 1, subject.has, last=False)
        lasts = await self.from_an_end(subject.facets, max(hours), 1, subject.has)
        return min((each.at_us for each in firsts), default=None), max((each.at_us for each in lasts), default=None)

    async def people(self, subject: Subject, by: Sequence[str], *, where: Mapping[str, str] | None = None) -> Counter[Group]:
        """How many different users there are in each group; anonymous events are nobody's. See `lines`."""
        whole = self.span.whole_days if not where and BY_DAY.issuperset(by) else None
        scopes, part = subject.scopes(), "" if whole is None else DAYS
        counted, with_user = Counter[Group](), (*by, "user")
        at_edges = set(grouped(await self._edge_rows(subject), frozenset(scopes), with_user, where or {}))
        for since, until in self.span.hours_beside_days if part else ():
            at_edges |= await self._groups(scopes, with_user, since, until)
        at_edges = {group for group in at_edges if group[-1]}
        whole = whole or self.span.whole_hours
        if whole is None or not scopes:
            return Counter(group[:-1] for group in at_edges)
        lines = partial(
            self._summaries.rows, self._tenant, USAGE, subject.scopes(part), since=whole[0], until=whole[1], sums=("events",)
        )
        for line in await lines(by=by, distinct="user", where=where or {}):
            counted[_plain(line.group, by)] = line.distinct
        if at_edges:  # some of whom are in the same group by what they did in a whole hour or day
            theirs = {**(where or {}), "user": sorted({group[-1] for group in at_edges})}
            known = {_plain(line.group, by) for line in await lines(by=with_user, where=theirs)}
            counted.update(group[:-1] for group in at_edges - known)
        return counted

    async def _groups(self, scopes: Sequence[str], by: Sequence[str], since: str, until: str) -> set[Group]:
        """The groups of the lines of some hours."""
        lines = await self._summaries.rows(self._tenant, USAGE, scopes, since=since, until=until, by=by, sums=("events",))
        return {line.group for line in lines}


def _plain(group: Group, by: Sequence[str]) -> Group:
    """A group of lines by the day as those of lines by the hour are called."""
    return tuple(each.removeprefix(DAYS) if name == "scope" else each for name, each in zip((*by, "user"), group, strict=False))


def grouped(
    rows: Iterable[Row], scopes: frozenset[str], by: Sequence[str], where: Mapping[str, str]
) -> dict[Group, Counter[str]]:
    """Rows added up as `Summaries.rows` adds up lines."""
    found: dict[Group, Counter[str]] = {}
    for row in rows:
        if row.scope in scopes and all(row.dims.get(name, "") == value for name, value in where.items()):
            found.setdefault(tuple(_named(row, name) for name in by), Counter()).update(row.sums)
    return found


def _named(row: Row, name: str) -> str:
    if name == "scope":
        return row.scope
    if name.startswith("bucket"):
        return row.bucket[:int(name.partition(":")[2] or len(row.bucket))]
    return row.dims.get(name, "")

