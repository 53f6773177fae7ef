"""A span of time, as a query asks for it, and the whole hours in it: lines are by the hour. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.studyfetch.moments import LATEST_US, format_ms

HOUR_US, MINUTE_US = 3_600_000_000, 60_000_000
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
        since = None if self.since_us is None else -(-self.since_us // HOUR_US)
        until = None if self.until_us is None else self.until_us // HOUR_US
        if since is not None and (since * HOUR_US > LATEST_US or (until is not None and since >= until)):
            return None
        return None if since is None else _hour(since), None if until is None else _hour(until)

    @property
    def edges(self) -> Sequence[str]:
        """The minutes that it has something of, in those hours of which it has a part only."""
        cut = {each // HOUR_US for each in (self.since_us, self.until_us) if each is not None and each % HOUR_US}
        starts = (hour * HOUR_US + minute * MINUTE_US for hour in sorted(cut) for minute in range(60))
        return [format_ms(start_us)[:MINUTE] for start_us in starts if self._touches(start_us, start_us + MINUTE_US)]

    def _touches(self, start_us: int, end_us: int) -> bool:
        return (self.since_us is None or self.since_us < end_us) and (self.until_us is None or start_us < self.until_us)


EVER = Span()


def _hour(number: int) -> str:
    return format_ms(number * HOUR_US)[:HOUR]
