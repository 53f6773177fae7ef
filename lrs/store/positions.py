"""Where a record stands in its tenant's log: one int64 that orders all of them and contains `stored`.

    position = microseconds since the epoch << 10 | slot of the writer

The slot (0..1023) keeps apart what two processes store within one microsecond. Pure.
"""

SLOT_BITS = 10
SLOTS = 1 << SLOT_BITS
FIRST, LAST = -(1 << 63), (1 << 63) - 1


def position_of(stored_us: int, slot: int) -> int:
    """The position of what a writer stores at a microsecond."""
    return stored_us << SLOT_BITS | slot


def stored_us_of(position: int) -> int:
    """The microseconds since the epoch that a position contains."""
    return position >> SLOT_BITS


def last_at(stored_us: int) -> int:
    """The greatest position with that microsecond: `> last_at(t)` is "after t", `<= last_at(t)` is "at or before t".

    A time so far away that no position can hold it (before 1677, after 2262) is as the nearest that can be.
    """
    return min(max(position_of(stored_us, SLOTS - 1), FIRST), LAST)
