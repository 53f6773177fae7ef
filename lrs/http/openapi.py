"""The API as an OpenAPI 3.1 document, made of the route table, the adapters' routes and the marshmallow schemas."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from lrs import __version__
from lrs.http.answers import JSON, json_answer
from lrs.http.auth import Access, Door
from lrs.http.headers import VERSION_HEADER
from lrs.http.native_told import NATIVE_TOLD
from lrs.http.reports_told import REPORTS_TOLD
from lrs.http.told import TEXT, TOLD, Json, Shape, Told
from lrs.plugins import Adapter, Route
from lrs.xapi.types import Statement

if TYPE_CHECKING:
    from lrs.http.routes import Row

ABOUT = """xAPI 1.0.3 and 2.0, the native APIs of the installed adapters, and management.

Errors have one shape (the schema Error), except on adapters' paths, which answer as their vendors do. The paths of xAPI and of
adapters are also there below `/t/{tenant}`."""
IN_PATH = re.compile(r"\{(\w+)[^}]*\}")
SCHEMES: Mapping[str, Json] = {
    "basic": {"type": "http", "scheme": "basic", "description": "a credential of a tenant"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "a token of an issuer that the server trusts"},
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "an API key of a tenant"},
    "operator": {"type": "http", "scheme": "basic", "description": "the operator's credential"},
}
WHO: Mapping[Door, Sequence[Json]] = {
    Door.OPEN: [], Door.OPERATOR: [{"operator": []}], Door.CALLER: [{"basic": []}, {"bearer": []}, {"key": []}],
}
ERROR: Json = {
    "type": "object",
    "required": ["error", "message", "problems", "request_id"],
    "properties": {
        "error": {"type": "string", "description": "what kind of error, in snake_case"},
        "message": TEXT,
        "problems": {"type": "array", "items": {"$ref": "#/components/schemas/Problem"}},
        "request_id": {"type": ["string", "null"], "description": "the answer's X-Request-ID"},
    },
}
PROBLEM: Json = {
    "type": "object",
    "required": ["index", "place", "rule"],
    "properties": {
        "index": {"type": ["integer", "null"], "description": "which of a batch, from 0; null if it is none"},
        "place": {"type": "string", "description": "where, as a dotted path"},
        "rule": {"type": "string", "description": "what is required there"},
    },
}
VERSION_PARAMETER: Json = {
    "name": VERSION_HEADER, "in": "header", "required": True, "example": "2.0.0",
    "schema": {"type": "string", "pattern": r"^[12]\.0(\.\d+)?$"},
}


class Description:
    """The document of an application: written when it is first asked for, as most applications never are."""

    def __init__(self, rows: Sequence["Row"], adapters: Iterable[Adapter]) -> None:
        self._rows, self._adapters = rows, tuple(adapters)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The document, for an application at the root of its host."""
        spec = APISpec(
            "Learning Record Store", __version__, "3.1.0", info={"description": ABOUT}, plugins=[MarshmallowPlugin(_schema_name)],
        )
        for name, scheme in SCHEMES.items():
            spec.components.security_scheme(name, dict(scheme))
        for name, schema in {"Error": ERROR, "Problem": PROBLEM, **_statement_schemas()}.items():
            spec.components.schema(name, dict(schema))
        for row in self._rows:
            self._add(spec, row.method, row.path, self._of_row(row))
        for adapter in self._adapters:
            for route in adapter.routes:
                if route.documented:
                    self._add(spec, route.method, route.path, self._of_route(adapter, route))
        document: dict[str, Any] = _portable(spec.to_dict())
        return document

    def _add(self, spec: APISpec, method: str, path: str, operation: dict[str, Any]) -> None:
        plain = IN_PATH.sub(r"{\1}", path)
        in_path = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in IN_PATH.findall(path)]
        operation["parameters"] = [*in_path, *operation["parameters"]]
        spec.path(plain, operations={method.lower(): {"operationId": _operation_id(method, plain), **operation}})
        if method == "GET":
            bodyless = {status: {"description": answer["description"]} for status, answer in operation["responses"].items()}
            head = {**operation, "summary": f"{operation['summary']} (no body)", "responses": bodyless}
            spec.path(plain, operations={"head": {"operationId": _operation_id("HEAD", plain), **head}})

    def _of_row(self, row: "Row") -> dict[str, Any]:
        told = {**TOLD, **NATIVE_TOLD, **REPORTS_TOLD}.get((row.method, row.path), Told())
        headers = [VERSION_PARAMETER] if row.versioned else []
        return {
            "tags": [_tag(row.path)],
            "summary": _summary(row.handler),
            "description": _scopes(row.access),
            "security": list(WHO[row.access.door]),
            "parameters": [*headers, *_parameters(told)],
            **self._body(told),
            "responses": self._answers(told) | _refusals(_statuses(row, told)),
        }

    def _of_route(self, adapter: Adapter, route: Route) -> dict[str, Any]:
        told = Told(body=route.body, body_needed=False, answers={200: {}})
        query = [{"in": "query", "schema": route.query}] if route.query else []
        return {
            "tags": [adapter.name],
            "summary": route.summary or _summary(route.handler),
            "security": [{"basic": []}, {"key": []}],
            "parameters": query,
            **self._body(told),
            "responses": self._answers(told) | {"4XX": {"description": "refused, in the vendor's own shape"}},
        }

    def _body(self, told: Told) -> dict[str, Any]:
        if told.body is None:
            return {}
        content = {kind: {"schema": self._shape(told.body)} for kind in told.body_kinds}
        return {"requestBody": {"required": told.body_needed, "content": content}}

    def _answers(self, told: Told) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for status, shape in told.answers.items():
            answers[str(status)] = answer = {"description": HTTPStatus(status).phrase}
            if shape is not None:
                answer["content"] = {kind: {"schema": self._shape(shape)} for kind in told.answer_kinds}  # type: ignore[assignment]
        return answers

    def _shape(self, shape: Shape) -> Any:
        if isinstance(shape, Mapping):
            return dict(shape)
        return shape if isinstance(shape, type) else dict(shape(self._adapters))


DESCRIPTION = web.AppKey("description", Description)


async def get_openapi(request: web.Request) -> web.Response:
    """GET /openapi.json: this API, as OpenAPI 3.1."""
    return json_answer(described(request))


def described(request: web.Request) -> dict[str, Any]:
    """The document, with the prefix under which the request found us."""
    prefix = request.path.rpartition("/")[0]
    return {**request.config_dict[DESCRIPTION].document, "servers": [{"url": prefix or "/"}]}


def _statement_schemas() -> dict[str, Any]:
    return msgspec.json.schema_components([Statement], ref_template="#/components/schemas/{name}")[1]


def _schema_name(schema: type[Schema] | Schema | str) -> str:
    """A name for a schema: SettingsSchema of adapters.kolibri.schema is KolibriSettings."""
    kind = schema if isinstance(schema, type) else type(schema)
    *packages, _module = kind.__module__.split(".")
    own = kind.__name__.removesuffix("Schema") or kind.__name__
    return own if packages[:1] == ["lrs"] or not packages else packages[-1].capitalize() + own


def _operation_id(method: str, path: str) -> str:
    # A slash at the end makes another path, so it must make another id.
    return f"{method.lower()}{path.replace('/', '_')}".translate(str.maketrans("-.", "__", "{}"))


def _summary(handler: Any) -> str:
    lines = (handler.__doc__ or "").strip().splitlines() or [""]
    told = re.sub(r"^[A-Z]{3,}[A-Z, and]* \S*[/…]\S*: ", "", lines[0])
    return told[:1].upper() + told[1:]


def _scopes(access: Access) -> str:
    return f"Scopes, any of: {', '.join(sorted(access.scopes))}" if access.scopes else ""


def _tag(path: str) -> str:
    return {"xapi": "xAPI", "manage": "Management", "adapters": "Adapters", "reports": "Reports"}.get(path.split("/")[1], "Operations")


def _parameters(told: Told) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": place, "required": name in told.needs, "schema": dict(schema)}
        for place, schemas in (("query", told.query), ("header", told.headers))
        for name, schema in schemas.items()
    ]


def _statuses(row: "Row", told: Told) -> set[int]:
    """What a request of this row may be refused with."""
    statuses = {400, *told.refusals}
    if row.access.door is not Door.OPEN:
        statuses |= {401, 403, 503}
    if row.access.door is Door.CALLER:
        statuses |= {429}
    if "{" in row.path:
        statuses |= {404}
    if told.body is not None:
        statuses |= {408, 413, 415}
    return statuses - told.answers.keys()


def _refusals(statuses: Iterable[int]) -> dict[str, Any]:
    content = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {str(status): {"description": HTTPStatus(status).phrase, "content": content} for status in sorted(statuses)}


def _portable(value: Any) -> Any:
    """Patterns of Python's, which match from the start and know \\Z, as JSON Schema has them."""
    if isinstance(value, list):
        return [_portable(each) for each in value]
    if not isinstance(value, dict):
        return value
    copy = {name: _portable(each) for name, each in value.items()}
    if isinstance(copy.get("pattern"), str):
        pattern = copy["pattern"].replace(r"\Z", "$")
        copy["pattern"] = pattern if pattern.startswith("^") else f"^{pattern}"
    return copy
