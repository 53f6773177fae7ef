"""Two conditions at once: a number for each two of an agent, a verb and an activity that a record is found by. Pure.

An index by each condition alone finds a rare couple of two common ones only by reading all of one. These numbers have an index of their
own, in the order of the log. An agent or activity that is found only in the broad sense ("related") counts as another than one that is
found in the narrow sense: so a broad condition asks for both, a narrow one for the second, and a record has each couple once. They are 64
bits of digests: two couples may share one, so whoever looks one up looks at the conditions, too.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import product
from typing import TypeAlias

# The fields of a condition: narrow, then broad, if there is such a sense. A registration has few statements by itself.
WHO, DID, WHAT = ("agents", "related_agents"), ("verb",), ("activity", "related_activities")
COUPLED = ((WHO, DID), (WHAT, DID), (WHO, WHAT))
# A record with more of them, a large group with much context, has none: each is an entry of an index.
MOST = 256
# Odd, so that nothing of the first digest is lost, and without a pattern: 2⁶⁴ divided by the golden ratio.
SPREAD, HALF, WHOLE = 0x9E3779B97F4A7C15, 1 << 63, 1 << 64

# Of look-up fields: one value, several or none.
Values: TypeAlias = Mapping[str, Sequence[str] | str | None]


def couples_of(values: Values) -> list[int]:
    """The numbers of what a record is found by; none if they are too many."""
    sides = {side: _digests(values, side) for side in (WHO, DID, WHAT)}
    if sum(len(sides[first]) * len(sides[second]) for first, second in COUPLED) > MOST:
        return []
    found = [_number(one, other) for first, second in COUPLED for one in sides[first] for other in sides[second]]
    return list(dict.fromkeys(found))


def couples_asked(conditions: Mapping[str, str]) -> list[list[int]]:
    """Of conditions by look-up field: for each two of them, the numbers of which a record that meets both has one, if it has any."""
    sides = {side: _senses(conditions, side) for side in (WHO, DID, WHAT)}
    return [
        [_number(one, other) for one, other in product(sides[first], sides[second])]
        for first, second in COUPLED if sides[first] and sides[second]
    ]


def _digests(values: Values, side: Sequence[str]) -> list[int]:
    """Of the values of a side: each in the narrowest sense in which it is there."""
    found: dict[str, int] = {}
    for field in side:
        some = values.get(field) or ()
        for value in (some,) if isinstance(some, str) else some:
            if value not in found:
                found[value] = _digest(field, value)
    return list(found.values())


def _senses(conditions: Mapping[str, str], side: Sequence[str]) -> list[int]:
    for at, field in enumerate(side):
        if field in conditions:
            return [_digest(each, conditions[field]) for each in side[:at + 1]]
    return []


@lru_cache(maxsize=65_536)
def _digest(field: str, value: str) -> int:
    return int.from_bytes(blake2b(f"{field}\0{value}".encode(errors="replace"), digest_size=8).digest(), "big")


def _number(one: int, other: int) -> int:
    """Of two digests, as an int64."""
    return (one * SPREAD + other) % WHOLE - HALF
