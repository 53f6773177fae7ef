"""Two conditions at once: a number for each pair of an agent, a verb and an activity that a record has. Pure.

An index by each condition alone finds a rare pair of two common ones only by reading all of one. These numbers have an index of their
own, in the order of the log. They are 64 bits of a digest: two pairs may share one, so whoever looks one up looks at the conditions, too.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b

from bson.int64 import Int64

# Narrow look-up fields that are asked for together. A registration has few statements by itself, and the broad fields would make too many.
PAIRED = (("agents", "verb"), ("activity", "verb"), ("agents", "activity"))


@lru_cache(maxsize=16_384)
def pair(first: str, one: str, second: str, other: str) -> Int64:
    """The number of two values of two fields."""
    digest = blake2b(f"{first}\0{one}\0{second}\0{other}".encode(errors="replace"), digest_size=8).digest()
    return Int64(int.from_bytes(digest, "big", signed=True))


def pairs_of(values: Mapping[str, Sequence[str] | str | None]) -> list[Int64]:
    """The numbers of what a record is found by; a field has one value, several or none."""
    found: dict[Int64, None] = {}
    for first, second in PAIRED:
        ones, others = values.get(first), values.get(second)
        if ones and others:
            for one in (ones,) if isinstance(ones, str) else ones:
                for other in (others,) if isinstance(others, str) else others:
                    found[pair(first, one, second, other)] = None
    return list(found)
