"""Query parameters of the lists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from aiohttp import web
from marshmallow import EXCLUDE, Schema, pre_load

from adapters.kolibri.fields import Coded, Fault, Hex, Text, fault, hex_of, number_of
from adapters.kolibri.refusals import MissingParameter
from lrs.errors import NotFound


class LooseTruth(Coded):
    """True, false, 1 or 0 in any case; anything else is as if it had not been sent."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> bool | None:
        return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


class Choosable(Coded):
    """An id that must be known; whether it is, is judged where the known ones are."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        hex_digits = hex_of(value)
        if hex_digits is None:
            raise fault("INVALID_CHOICE", unknown(str(value)).message)
        return hex_digits


class AnyNumber(Coded):
    """A number, such as a mastery level."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> float:
        number = number_of(value)
        if number is None:
            raise fault("INVALID", "Enter a number.")
        return number


class Query(Schema):
    """What both lists know. Empty values are as good as none; unknown parameters are ignored."""

    class Meta:
        unknown = EXCLUDE

    user = Choosable()
    content = Hex()
    complete = LooseTruth()
    facility = Hex()
    classroom = Hex()
    learner_group = Hex()

    @pre_load
    def without_empty(self, data: Mapping[str, str], **_kwargs: Any) -> dict[str, str]:
        """Drop empty values."""
        return {name: value for name, value in data.items() if value}


class MasteryLogQuery(Query):
    """Filters of mastery logs."""

    quiz = LooseTruth()


class AttemptLogQuery(Query):
    """Filters of attempt logs."""

    masterylog = Choosable()
    item = Text(may_be_blank=True)
    mastery_level = AnyNumber()


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted; entries are counted from 1."""

    size: int
    number: int


mastery_log_query = cache(MasteryLogQuery)
attempt_log_query = cache(AttemptLogQuery)


def parameters(request: web.Request) -> dict[str, str]:
    """The parameters of a request; of several with one name the last counts, as in Kolibri."""
    return dict(request.query.items())


def require(given: Mapping[str, str], *names: str) -> None:
    """Raise MissingParameter unless all of them were sent with a value."""
    for name in names:
        if not given.get(name):
            raise MissingParameter(f"the query parameter {name} is required")


def unknown(value: str) -> Fault:
    """The fault of an id that is none of the known ones."""
    return Fault("INVALID_CHOICE", f"Select a valid choice. {value[:60]} is not one of the available choices.")


def page_of(given: Mapping[str, str]) -> Page | None:
    """The page wanted; None without a positive `page_size`. NotFound if its number is no positive integer."""
    size = _integer(given.get("page_size", ""))
    if size is None or size < 1:
        return None
    number = _integer(given.get("page") or "1")
    if number is None or number < 1:
        raise NotFound("Invalid page.")
    return Page(size, number)


class Window:
    """A list of which only one page is in memory, while the entries are counted; or all of it, if no page is wanted."""

    def __init__(self, page: Page | None) -> None:
        self._page = page
        self._count = 0
        self._results: list[Any] = []

    def takes_next(self) -> bool:
        """Count one entry more; whether it is on the page, and so to be added."""
        self._count += 1
        return self._page is None or (self._page.number - 1) * self._page.size < self._count <= self._page.number * self._page.size

    def add(self, entry: Any) -> None:
        """An entry of the page."""
        self._results.append(entry)

    def answer(self) -> Any:
        """The list, or the page. NotFound beyond the last one; the first page is always there."""
        if self._page is None:
            return self._results
        pages = max(1, -(-self._count // self._page.size))
        if self._page.number > pages:
            raise NotFound("Invalid page.")
        return {"page": self._page.number, "count": self._count, "total_pages": pages, "results": self._results}


def paged(page: Page | None, entries: Iterable[Any]) -> Any:
    """The list, or one page of it. NotFound beyond the last one; the first page is always there."""
    window = Window(page)
    for entry in entries:
        if window.takes_next():
            window.add(entry)
    return window.answer()


def _integer(text: str) -> int | None:
    return int(text) if text.isascii() and text.removeprefix("-").isdecimal() and len(text) <= 18 else None
