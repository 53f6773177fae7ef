"""What the route table does not say of a path and readers of the API need to know: parameters, bodies, answers.

Plain JSON Schema and marshmallow schemas, by method and path. A path that is not here is documented all the same.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from marshmallow import Schema

from lrs.http.answers import JSON
from lrs.http.jobs import PacedSchema
from lrs.http.manage import CredentialSchema
from lrs.http.removals import EraseSchema, RetentionSchema
from lrs.http.upkeep import RebuildSchema, VerifySchema
from lrs.plugins import Adapter
from lrs.store.jobs import STATES
from lrs.xapi import query

# A JSON Schema, a marshmallow schema, or one that depends on the adapters that are installed.
Shape: TypeAlias = Mapping[str, Any] | type[Schema] | Callable[[Iterable[Adapter]], Mapping[str, Any]]
Json: TypeAlias = Mapping[str, Any]

TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
COUNTS: Json = {"type": "object", "additionalProperties": COUNT}
TRUTH: Json = {"type": "boolean"}
ANYTHING: Json = {}
UUID: Json = {"type": "string", "format": "uuid"}
IRI: Json = {"type": "string", "format": "iri"}
TIME: Json = {"type": "string", "format": "date-time"}
STATEMENT: Json = {"$ref": "#/components/schemas/Statement"}
AGENT: Json = {"$ref": "#/components/schemas/Agent"}
ONE_AGENT: Json = {"type": "string", "contentMediaType": JSON, "contentSchema": AGENT}


@dataclass(frozen=True)
class Told:
    """Of one method of one path: query parameters and headers by name, the body and the good answers by status.

    `needs` names the parameters that are required. An answer of None has no body; `kinds` are content types other than JSON.
    """

    query: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, Json] = field(default_factory=dict)
    needs: Sequence[str] = ()
    body: Shape | None = None
    body_kinds: Sequence[str] = (JSON,)
    body_needed: bool = True
    answers: Mapping[int, Shape | None] = field(default_factory=lambda: {200: ANYTHING})
    answer_kinds: Sequence[str] = (JSON,)
    refusals: Sequence[int] = ()


def listed(items: Json) -> Json:
    """An array of these."""
    return {"type": "array", "items": items}


def record(**properties: Json) -> Json:
    """An object that has these."""
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def settings_of(adapters: Iterable[Adapter]) -> Json:
    """The settings of whichever adapter it is."""
    return {"anyOf": [adapter.settings for adapter in adapters] or [ANYTHING]}


def references_of(adapters: Iterable[Adapter]) -> Json:
    """Whichever reference data it is."""
    schemas = [reference.schema for adapter in adapters for reference in adapter.references.values()]
    return {"anyOf": schemas or [ANYTHING]}


# By how the text of a parameter is read.
READ: Mapping[Any, Json] = {
    query.uuid_parameter: UUID, query.iri_parameter: IRI, query.timestamp_parameter: TIME, query.boolean_parameter: TRUTH,
}
STATEMENT_QUERY: Mapping[str, Json] = {
    name: READ.get(read, TEXT) for name, (_, read) in query.PARAMETERS.items()
} | {
    "agent": ONE_AGENT,
    "limit": COUNT,
    "format": {"type": "string", "enum": ["exact", "ids", "canonical"]},
    "more": {"type": "string", "description": "as a page gave it, and then alone"},
}
LANGUAGES: Mapping[str, Json] = {"Accept-Language": TEXT}
CREDENTIAL = record(kind=TEXT, key=TEXT, scopes=listed(TEXT))
PAGE = record(statements=listed(STATEMENT), more=TEXT)
MIXED = (JSON, "multipart/mixed")
MANAGE = "/manage/tenants/{tenant}"

JOB = record(
    id=TEXT, kind=TEXT, state={"type": "string", "enum": list(STATES)}, arguments={"type": "object"}, done=COUNT,
    total={"type": ["integer", "null"]}, tries=COUNT, result=ANYTHING, error=ANYTHING, created=TIME, started=ANYTHING, ended=ANYTHING,
)


def job_told(body: type[Schema], result: Json) -> Told:
    """What starts a job: its result if it is done within the wait, else the job."""
    return Told(body=body, body_needed=False, answers={200: result, 202: JOB})


BYTES = "application/octet-stream"
ETAGS: Mapping[str, Json] = {"If-Match": TEXT, "If-None-Match": TEXT}

def documents_told(path: str, name: str, *, needs: Sequence[str], **context: Json) -> dict[tuple[str, str], Told]:
    """A kind of documents: `name` is the parameter that names one, `context` are those that say of what."""
    one, all_needed = {**context, name: TEXT}, (*needs, name)
    return {
        ("GET", path): Told(query={**one, "since": TIME}, needs=needs, answer_kinds=(JSON, BYTES), refusals=(404,)),
        ("PUT", path): Told(
            query=one, headers=ETAGS, needs=all_needed, body=ANYTHING, body_kinds=(JSON, BYTES), answers={204: None}, refusals=(409, 412)
        ),
        ("POST", path): Told(
            query=one, headers=ETAGS, needs=all_needed, body=ANYTHING, body_kinds=(JSON, BYTES), answers={204: None}, refusals=(409, 412)
        ),
        ("DELETE", path): Told(query=one, headers=ETAGS, needs=needs, answers={204: None}, refusals=(412,)),
    }


TOLD: Mapping[tuple[str, str], Told] = {
    ("GET", "/xapi/activities"): Told(query={"activityId": IRI}, needs=("activityId",),
    answers={200: {"$ref": "#/components/schemas/Activity"}}),
    ("GET", "/xapi/agents"): Told(query={"agent": ONE_AGENT}, needs=("agent",), answers={200: ANYTHING}),
    **documents_told("/xapi/activities/state", "stateId", needs=("activityId", "agent"), activityId=IRI, agent=ONE_AGENT,
    registration=UUID),
    **documents_told("/xapi/activities/profile", "profileId", needs=("activityId",), activityId=IRI),
    **documents_told("/xapi/agents/profile", "profileId", needs=("agent",), agent=ONE_AGENT),
    ("GET", "/xapi/about"): Told(answers={200: record(version=listed(TEXT))}),
    ("GET", "/xapi/statements"): Told(
        query=STATEMENT_QUERY, headers=LANGUAGES, answers={200: {"oneOf": [PAGE, STATEMENT]}}, answer_kinds=MIXED, refusals=(404,)
    ),
    ("PUT", "/xapi/statements"): Told(
        query={"statementId": UUID}, needs=("statementId",), body=STATEMENT, body_kinds=MIXED, answers={204: None}, refusals=(409,)
    ),
    ("POST", "/xapi/statements"): Told(
        body={"oneOf": [STATEMENT, listed(STATEMENT)]}, body_kinds=MIXED, answers={200: listed(UUID)}, refusals=(409,)
    ),
    ("GET", "/manage/tenants"): Told(answers={200: record(tenants=listed(TEXT))}),
    ("PUT", MANAGE): Told(answers={201: None, 204: None}),
    ("DELETE", MANAGE): Told(answers={204: None}),
    ("GET", f"{MANAGE}/credentials"): Told(answers={200: record(credentials=listed(CREDENTIAL))}),
    ("POST", f"{MANAGE}/credentials"): Told(body=CredentialSchema, answers={201: CredentialSchema}, refusals=(409,)),
    ("DELETE", f"{MANAGE}/credentials/{{key}}"): Told(answers={204: None}),
    ("GET", f"{MANAGE}/adapters/{{adapter}}/settings"): Told(answers={200: settings_of}),
    ("PUT", f"{MANAGE}/adapters/{{adapter}}/settings"): Told(body=settings_of, answers={204: None}),
    ("PUT", f"{MANAGE}/adapters/{{adapter}}/reference/{{name}}"): Told(body=references_of, answers={204: None}),
    ("POST", f"{MANAGE}/settle"): Told(answers={200: record(through=TIME)}),
    ("POST", f"{MANAGE}/rebuild"): job_told(RebuildSchema, record(rebuilt=COUNTS)),
    ("POST", f"{MANAGE}/verify"): job_told(VerifySchema, record(checked=COUNT, lines=COUNT, different=listed(TEXT), more=COUNT)),
    ("POST", f"{MANAGE}/erase"): job_told(EraseSchema, record(learner=TEXT, removed=COUNTS)),
    ("POST", f"{MANAGE}/retain"): job_told(PacedSchema, record(days={"type": ["integer", "null"]}, removed=COUNTS)),
    ("GET", f"{MANAGE}/retention"): Told(answers={200: RetentionSchema}),
    ("PUT", f"{MANAGE}/retention"): Told(body=RetentionSchema, answers={204: None}),
    ("GET", f"{MANAGE}/leftovers"): Told(answers={200: record(leftovers=listed(record(edition=TEXT, summaries=COUNT, lines=COUNT)))}),
    ("DELETE", f"{MANAGE}/leftovers/{{edition}}"): Told(answers={200: record(removed=COUNT)}),
    ("GET", f"{MANAGE}/jobs"): Told(
        query={"state": {"type": "string", "enum": list(STATES)}, "after": TEXT}, answers={200: record(jobs=listed(JOB), more=TEXT)}
    ),
    ("GET", f"{MANAGE}/jobs/{{job}}"): Told(answers={200: JOB}),
    ("POST", f"{MANAGE}/jobs/{{job}}/cancel"): Told(answers={200: JOB}, refusals=(409,)),
    ("POST", f"{MANAGE}/jobs/{{job}}/retry"): Told(answers={200: JOB}, refusals=(409,)),
    ("GET", f"{MANAGE}/export"): Told(query={"since": TIME}, answers={200: TEXT}, answer_kinds=("application/x-ndjson",)),
    ("POST", f"{MANAGE}/import"): Told(
        body=TEXT, body_kinds=("application/x-ndjson",), answers={200: record(read=COUNT, stored=COUNT)}, refusals=(409,)
    ),
    ("GET", "/manage/doctor"): Told(answers={200: record(checks=listed(record(name=TEXT, state=TEXT, told=TEXT)))}),
    ("GET", "/readyz"): Told(answers={200: ANYTHING, 503: ANYTHING}),
    ("GET", "/metrics"): Told(answers={200: TEXT}, answer_kinds=("text/plain",)),
    ("GET", "/docs"): Told(answers={200: TEXT}, answer_kinds=("text/html",)),
}
