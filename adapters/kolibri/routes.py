"""The paths of Kolibri's logger API, as its documentation has them and as its front end uses them."""

from collections.abc import Iterator, Mapping

from aiohttp import web
from marshmallow import Schema

from adapters.kolibri.login import ADAPTER
from adapters.kolibri.logs import (
    get_attempt_log,
    get_attempt_logs,
    get_diff,
    get_mastery_log,
    get_mastery_logs,
    get_total,
)
from adapters.kolibri.queries import AttemptLogQuery, MasteryLogQuery
from adapters.kolibri.refusals import Handler, MethodNotAllowed, native
from adapters.kolibri.schema import QuizChangeSchema, SettingsSchema, StartSchema, UpdateSchema
from adapters.kolibri.tracking import patch_quiz, post_start, put_update
from adapters.kolibri.world import WorldSchema, entries
from lrs.plugins import Adapter, Reference, Route

LOGGER = "/api/logger"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Paths without the slash at the end; all are served with it, too.
HANDLERS: Mapping[str, tuple[str, Handler]] = {
    f"{LOGGER}/trackprogress": ("POST", post_start),
    f"{LOGGER}/contentsession": ("POST", post_start),
    f"{LOGGER}/trackprogress/{{session_id}}": ("PUT", put_update),
    f"{LOGGER}/contentsession/{{session_id}}": ("PUT", put_update),
    f"{LOGGER}/userprogress/{{user_id}}": ("GET", get_total),
    f"{LOGGER}/totalcontentprogress/{{user_id}}": ("GET", get_total),
    f"{LOGGER}/masterylog": ("GET", get_mastery_logs),
    f"{LOGGER}/masterylog/{{log_id}}": ("GET", get_mastery_log),
    f"{LOGGER}/masterylog/{{index}}/diff": ("GET", get_diff),
    f"{LOGGER}/attemptlog": ("GET", get_attempt_logs),
    f"{LOGGER}/attemptlog/{{attempt_id}}": ("GET", get_attempt_log),
    "/api/exams/exam/{quiz_id}": ("PATCH", patch_quiz),
}

# For the description of the API.
BODIES: Mapping[Handler, type[Schema]] = {post_start: StartSchema, put_update: UpdateSchema, patch_quiz: QuizChangeSchema}
QUERIES: Mapping[Handler, type[Schema]] = {get_mastery_logs: MasteryLogQuery, get_attempt_logs: AttemptLogQuery}


@native("")
async def refuse_method(request: web.Request) -> web.StreamResponse:
    """The resource is there, but not for this method."""
    raise MethodNotAllowed(f'Method "{request.method}" not allowed.')


def routes() -> Iterator[Route]:
    """Every path with and without its slash; the methods it does not have are refused in Kolibri's own shape."""
    for path, (method, handler) in HANDLERS.items():
        for spelt in (path, f"{path}/"):
            yield Route(
                method, spelt, handler, query=QUERIES.get(handler), body=BODIES.get(handler), documented=spelt == path
            )
            for other in METHODS:
                if other != method:
                    yield Route(other, spelt, refuse_method, documented=False)


adapter = Adapter(
    name=ADAPTER,
    version="1",
    settings=SettingsSchema,
    routes=tuple(routes()),
    references={"world": Reference("world", WorldSchema, entries)},
)
