"""A span of time, as a query asks for it, and the whole hours and days (UTC) in it, by which lines are. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.studyfetch.moments import DAY_US, LATEST_US, format_ms

HOUR_US, MINUTE_US = 3_600_000_000, 60_000_000
DAY = 10  # characters of a moment that name its day
HOUR, MINUTE = 13, 16  # characters of a moment that name its hour, its minute


@dataclass(frozen=True)
class Span:
    """From `since_us` (µs since the epoch; None: from the beginning) up to, but without, `until_us` (None: for ever)."""

    since_us: int | None = None
    until_us: int | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether it has a beginning or an end."""
        return self.since_us is not None or self.until_us is not None

    def holds(self, moment_us: int) -> bool:
        """Whether a moment is in it."""
        return (self.since_us is None or self.since_us <= moment_us) and (self.until_us is None or moment_us < self.until_us)

    @property
    def whole_hours(self) -> tuple[str | None, str | None] | None:
        """The first of the hours that are in it as a whole, and the first after those; None if there is not one."""
        return self._whole(HOUR_US, HOUR)

    @property
    def whole_days(self) -> tuple[str | None, str | None] | None:
        """The same of days."""
        return self._whole(DAY_US, DAY)

    def _whole(self, unit_us: int, length: int) -> tuple[str | None, str | None] | None:
        since = None if self.since_us is None else -(-self.since_us // unit_us)
        until = None if self.until_us is None else self.until_us // unit_us
        if since is not None and (since * unit_us > LATEST_US or (until is not None and since >= until)):
            return None
        first, end = (None if number is None else format_ms(number * unit_us)[:length] for number in (since, until))
        return first, end

    @property
    def hours_beside_days(self) -> list[tuple[str, str]]:
        """The whole hours before and after the whole days, each from an hour to before another."""
        hours, days = self.whole_hours, self.whole_days
        if hours is None or days is None:
            return []
        ends = ((hours[0], None if days[0] is None else f"{days[0]}T00"), (None if days[1] is None else f"{days[1]}T00", hours[1]))
        return [(since, until) for since, until in ends if since is not None and until is not None and since < until]

    @property
    def edges(self) -> Sequence[str]:
        """The minutes that it has something of, in those hours of which it has a part only."""
        cut = {each // HOUR_US for each in (self.since_us, self.until_us) if each is not None and each % HOUR_US}
        starts = (hour * HOUR_US + minute * MINUTE_US for hour in sorted(cut) for minute in range(60))
        return [format_ms(start_us)[:MINUTE] for start_us in starts if self._touches(start_us, start_us + MINUTE_US)]

    def _touches(self, start_us: int, end_us: int) -> bool:
        return (self.since_us is None or self.since_us < end_us) and (self.until_us is None or start_us < self.until_us)


EVER = Span()
