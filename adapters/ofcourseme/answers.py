"""What the vendor's paths answer: reports, refusals, and headers that keep calls out of caches. Pure, but for the responses themselves."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, TypeAlias

from aiohttp import hdrs, web

from adapters.ofcourseme.parameters import INVALID
from adapters.ofcourseme.reports import Completions
from lrs.errors import Forbidden, InvalidBody, InvalidEvent
from lrs.http.answers import json_answer
from lrs.xapi.types import Statement

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

# The vendor's own words.
DENIED = "User is not authorized to access this resource with an explicit deny"
# A call that is made again by a cache or a crawler would be another event.
UNCACHED = "no-store"


def as_vendor(handler: Handler) -> Handler:
    """Let a handler answer its errors in the vendor's shapes, and keep all its answers out of caches."""
    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            response = await handler(request)
        except Forbidden:
            response = json_answer({"message": DENIED}, status=403)
        except (InvalidEvent, InvalidBody) as error:
            code = error.code if isinstance(error, InvalidEvent) else INVALID
            response = json_answer({"error": code, "message": error.message}, status=400)
        response.headers[hdrs.CACHE_CONTROL] = UNCACHED
        return response
    return answer


def event_answer(statement: Statement) -> dict[str, Any]:
    """What a call answers whose event is stored, now or before."""
    return {"status": "ok", "id": statement["id"]}


def completions_answer(people: int, completions: Completions) -> dict[str, Any]:
    """How many people completed at least one course."""
    return {
        "people": people,
        "completions": completions.total("completions"),
        "anonymous_completions": completions.total("anonymous"),
        "courses": sum(1 for course in completions.courses if course),
    }


def conversion_answer(searches: int, completions: Completions) -> dict[str, Any]:
    """Of 100 searches, how many courses get completed. Without searches there is no ratio."""
    completed = completions.total("completions")
    return {
        "searches": searches,
        "completions": completed,
        "completions_per_100_searches": round(100 * completed / searches, 2) if searches else None,
    }


def hours_answer(completions: Completions, lengths_ms: Mapping[str, int]) -> dict[str, Any]:
    """The total duration of completed courses. `lengths_ms` has those of courses by their names in lines."""
    total_ms, unknown = completions.total("known_ms"), 0
    for course, sums in completions.courses.items():
        if course in lengths_ms:
            total_ms += sums["unknown"] * lengths_ms[course]
        else:
            unknown += sums["unknown"]
    return {
        "duration_seconds": seconds(total_ms),
        "hours": round(total_ms / 3_600_000, 2),
        "completions": completions.total("completions"),
        "unknown_duration": unknown,
    }


def seconds(milliseconds: int) -> int | float:
    """Milliseconds as seconds, whole ones as a whole number."""
    return milliseconds / 1000 if milliseconds % 1000 else milliseconds // 1000
