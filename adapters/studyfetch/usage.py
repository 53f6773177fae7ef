"""Reading usage: lines of the roll-up for the whole hours of a span, the events themselves for what is left of an hour at its ends."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from adapters.studyfetch.facts import Fact
from adapters.studyfetch.spans import EVER, Span
from adapters.studyfetch.summaries import USAGE, Cell, rows_of
from lrs.materialize import Row
from lrs.summaries import Summaries

Group = tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """Whose usage: that of users, groups or resources, by the facet that names them, or everybody's, by a scope for all."""

    facet: str = ""
    ids: tuple[str, ...] = ()
    of_all: str = "all"

    def scopes(self, part: str = "") -> list[str]:
        """The scopes of its lines; `part` is "tests " or "attempts "."""
        return [f"{part}{self.facet}={each}" for each in self.ids] if self.facet else [self.of_all]

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
        for group, sums in grouped(rows_of(await self.at_the_edges(subject)), frozenset(scopes), by, where or {}).items():
            found.setdefault(group, Counter()).update(sums)
        return found

    async def at_the_edges(self, subject: Subject) -> list[Fact]:
        """The events in those hours of which the span has a part only."""
        edges = self.span.edges
        return await self.facts({**subject.facets, "hour": edges}) if edges else []

    async def facts(self, facets: Mapping[str, str | Sequence[str]]) -> list[Fact]:
        """The events in the span that are in cells with these facets."""
        cells: Iterable[tuple[str, Cell]] = await self._summaries.find(self._tenant, USAGE, facets)
        return [fact for _, cell in cells for fact in cell.facts if self.span.holds(fact.at_us)]

    async def people(self, subject: Subject, by: Sequence[str], *, where: Mapping[str, str] | None = None) -> Counter[Group]:
        """How many different users there are in each group; anonymous events are nobody's. See `lines`."""
        hours, edges = self.span.whole_hours, self.span.edges
        if edges or hours is None:
            users = await self.lines(subject, (*by, "user"), where=where)
            return Counter(group[:-1] for group in users if group[-1])
        if not subject.scopes():
            return Counter()
        lines = await self._summaries.rows(
            self._tenant, USAGE, subject.scopes(), since=hours[0], until=hours[1], by=by, sums=("events",), where=where or {},
            distinct="user",
        )
        return Counter({line.group: line.distinct for line in lines})


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

