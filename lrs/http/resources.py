"""The small xAPI resources. xAPI 1.0.3, Communication 2.4, 2.5, 2.8."""

from aiohttp import web

from lrs.activities import ACTIVITY
from lrs.errors import InvalidParameter
from lrs.http.answers import JSON, bytes_answer, json_answer
from lrs.http.auth import CALLER
from lrs.http.headers import VERSION, etag
from lrs.http.keys import STATEMENTS, SUMMARIES
from lrs.http.params import only, single_values
from lrs.xapi.activities import activity_object, category_type
from lrs.xapi.agents import identity, names_of, person
from lrs.xapi.documents import person_parameter
from lrs.xapi.json_text import dump
from lrs.xapi.query import StatementQuery, iri_parameter

# Every version a request may name and be understood; 1.0.0 must be among them.
SPOKEN = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0")
# Somebody's names are those in as many of the last statements: a name is of use while it is used, and the cost is bounded.
STATEMENTS_FOR_NAMES = 100
# The type of a category that is defined nowhere is that in the last of as many.
STATEMENTS_FOR_A_TYPE = 20


async def get_about(_request: web.Request) -> web.Response:
    """GET and HEAD /about: the versions we speak. 2.8."""
    return json_answer({"version": list(SPOKEN)})


async def get_agents(request: web.Request) -> web.Response:
    """GET and HEAD /agents: the Person of an agent, with the names it has in statements; known or not. 2.4."""
    agent = person_parameter("agent", _needed(request, "agent"), request[VERSION])
    query = StatementQuery(agent=identity(agent), limit=STATEMENTS_FOR_NAMES)
    page = await request.config_dict[STATEMENTS].page(request[CALLER].tenant, query)
    names = names_of(query.agent, page.statements)
    return _tagged(person([agent, *({"name": name} for name in names)]))


async def get_activities(request: web.Request) -> web.Response:
    """GET and HEAD /activities: an activity with all that statements said about it; known or not. 2.5."""
    activity_id = iri_parameter("activityId", _needed(request, "activityId"), request[VERSION])
    tenant = request[CALLER].tenant
    definition = (await request.config_dict[SUMMARIES].current(tenant, ACTIVITY, activity_id)).definition
    if "type" not in definition:
        query = StatementQuery(activity=activity_id, related_activities=True, limit=STATEMENTS_FOR_A_TYPE)
        page = await request.config_dict[STATEMENTS].page(tenant, query)
        if (found := category_type(page.statements, activity_id)) is not None:
            definition = {**definition, "type": found}
    return _tagged(activity_object(activity_id, definition))


def _needed(request: web.Request, name: str) -> str:
    """The one parameter there is."""
    params = single_values(request.query)
    only(params, (name,))
    if name not in params:
        raise InvalidParameter(name, "is required")
    return params[name]


def _tagged(value: object) -> web.Response:
    body = dump(value)
    return bytes_answer(body, JSON, headers=etag(body))
