"""Conditions together: a number for each two of an agent, a verb and an activity that a record is found by, and for all three. Pure.

An index by each condition alone finds what is rare of two common ones only by reading all of one. These numbers have an index of their
own, in the order of the log. An agent or activity that is found only in the broad sense ("related") counts as another than one that is
found in the narrow sense: so a broad condition asks for both, a narrow one for the second, and a record has each couple once. They are 64
bits of digests: two may share one, so whoever looks one up looks at the conditions, too.
docs/decisions/0021-two-conditions-at-once.md.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import combinations, product
from math import prod

# The look-up fields, and those in which a record has what a condition by the field asks for. Of several numbers that are asked for, MongoDB
# takes the first: that of the agent and the verb, if both are asked for beside a related activity.
SENSES: Mapping[str, tuple[str, ...]] = {
    "agents": ("agents",), "related_agents": ("agents", "related_agents"), "verb": ("verb",), "activity": ("activity",),
    "related_activities": ("activity", "related_activities"),
}
# Each is one or several entries of an index for each record, so not all there could be. Whoever adds one gives the couples another name in
# records: those that have them by the old name do not have all of them.
COUPLED = (
    ("agents", "verb"), ("verb", "activity"), ("verb", "related_activities"),
    ("agents", "activity"), ("agents", "related_activities"), ("related_agents", "activity"),
    # Whether somebody has completed something: the question that is asked most.
    ("agents", "verb", "activity"),
)
# A record with more of them, a large group with much context, has none.
MOST = 256
# Taken from 64 bits, it makes them an int64.
HALF = 1 << 63


def couples_of(values: Mapping[str, Sequence[str] | str | None]) -> list[int]:
    """The numbers of what a record is found by: a look-up field has one value, several or none. None if they are too many."""
    digests = {field: _digests(values, senses) for field, senses in SENSES.items()}
    if sum([prod([len(digests[field]) for field in fields]) for fields in COUPLED]) > MOST:
        return []
    return [number for fields in COUPLED for number in _numbers([digests[field] for field in fields])]


def couples_asked(conditions: Mapping[str, str]) -> list[list[int]]:
    """Of conditions by look-up field: for all three or each two that have numbers, those of which a record that meets them has one."""
    fields = [field for field in SENSES if field in conditions]
    for together in (3, 2):
        asked = []
        for some in combinations(fields, together):
            senses = list(product(*(SENSES[field] for field in some)))
            if all(each in COUPLED for each in senses):
                asked.append([
                    number for each in senses
                    for number in _numbers([[_digest(sense, conditions[field])] for sense, field in zip(each, some, strict=True)])
                ])
        if asked:
            return asked
    return []


def _numbers(digests: Sequence[Sequence[int]]) -> list[int]:
    """One for each choice of a digest out of each of two or three lists."""
    found = [0]
    for some in digests:
        found = [number ^ digest for number in found for digest in some]
    return [number - HALF for number in found]


def _digests(values: Mapping[str, Sequence[str] | str | None], senses: Sequence[str]) -> list[int]:
    """Of the values of the last of one or two fields, but for those that stand in the first of two as well."""
    first, last = senses[0], senses[-1]
    narrow = () if first == last else _listed(values.get(first))
    return [_digest(last, value) for value in _listed(values.get(last)) if value not in narrow]


def _listed(some: Sequence[str] | str | None) -> Sequence[str]:
    return (some,) if isinstance(some, str) else some or ()


@lru_cache(maxsize=65_536)
def _digest(field: str, value: str) -> int:
    return int.from_bytes(blake2b(f"{field}\0{value}".encode(errors="replace"), digest_size=8).digest(), "big")
