"""Query strings as values. Pure."""

from collections.abc import Iterable

from multidict import MultiMapping

from lrs.errors import InvalidParameter


def single_values(query: MultiMapping[str]) -> dict[str, str]:
    """The parameters by name; InvalidParameter if one is given twice."""
    values = dict(query)
    if len(values) != len(query):
        twice = next(name for name in values if len(query.getall(name)) > 1)
        raise InvalidParameter(twice, "is given more than once")
    return values


def only(params: Iterable[str], known: Iterable[str]) -> None:
    """InvalidParameter for the first name that is not among the known ones. xAPI 1.0.3, Communication 3.2."""
    allowed = frozenset(known)
    for name in params:
        if name not in allowed:
            raise InvalidParameter(name, "is not a parameter of this request")
