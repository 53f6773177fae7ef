"""The description of the API: whole, valid, and readable as a page."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import Fakes
from openapi_spec_validator import validate

from lrs.http.docs import page
from lrs.http.openapi import Description
from lrs.http.reports_told import REPORTS_TOLD
from lrs.http.routes import ROWS, TENANT_PREFIX
from lrs.http.told import TOLD
from lrs.plugins import load_adapters

ADAPTERS = tuple(load_adapters().values())


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """As it is with all installed adapters."""
    return Description(ROWS, ADAPTERS).document


def served(app: web.Application) -> Iterator[tuple[str, str]]:
    """Every method and path of an application, but for the paths below a tenant's prefix, which are the same again."""
    for route in app.router.routes():
        assert route.resource is not None
        path = route.resource.canonical
        if not path.startswith(TENANT_PREFIX):
            yield route.method.lower(), path


async def test_every_method_of_every_path_is_in_the_document(client: TestClient) -> None:
    told = (await (await client.get("/openapi.json")).json())["paths"]
    there = {(method, path) for path, operations in told.items() for method in operations}
    assert there == set(served(client.app))


def test_every_route_of_every_adapter_is_in_the_document(document: dict[str, Any]) -> None:
    routes = [route for adapter in ADAPTERS for route in adapter.routes if route.documented]
    assert routes
    for route in routes:
        assert route.method.lower() in document["paths"][re.sub(r":[^}]*}", "}", route.path)]


def test_what_is_not_in_the_document_is_another_spelling_or_only_refused() -> None:
    for adapter in ADAPTERS:
        told = {route.path for route in adapter.routes if route.documented}
        assert {route.path.rstrip("/") for route in adapter.routes} <= {path.rstrip("/") for path in told}


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_nothing_is_told_of_a_path_that_is_not_there() -> None:
    assert TOLD.keys() | REPORTS_TOLD.keys() <= {(row.method, row.path) for row in ROWS}


def test_every_operation_has_a_name_of_its_own_and_says_what_it_is(document: dict[str, Any]) -> None:
    operations = [each for operations in document["paths"].values() for each in operations.values()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    assert [each["operationId"] for each in operations if not each["summary"].strip()] == []


def test_every_parameter_of_a_path_is_declared(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            declared = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path))


def test_whoever_must_bring_a_credential_is_told_which(document: dict[str, Any]) -> None:
    for row in ROWS:
        operation = document["paths"][row.path][row.method.lower()]
        names = {name for each in operation["security"] for name in each}
        assert names == {"open": set(), "operator": {"operator"}, "caller": {"basic", "bearer", "key"}}[row.access.door.value]
        assert names <= document["components"]["securitySchemes"].keys()


def test_settings_of_adapters_are_those_of_their_schemas(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["KolibriSettings"]
    assert schema["properties"].keys() == {"base_iri", "home_page", "platform", "language"}


async def test_the_page_names_every_path_and_loads_nothing_from_elsewhere(client: TestClient) -> None:
    answer = await client.get("/docs")
    page = await answer.text()
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert [path for _, path in served(client.app) if f"<code>{path}</code>" not in page] == []
    assert re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page) == []
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_mounted_below_a_prefix_the_document_names_it(fakes: Fakes) -> None:
    host = web.Application()
    host.add_subapp("/lrs", fakes.app())
    async with TestClient(TestServer(host)) as client:
        assert (await (await client.get("/lrs/openapi.json")).json())["servers"] == [{"url": "/lrs"}]
        assert "<code>/lrs/xapi/statements</code>" in await (await client.get("/lrs/docs")).text()


def test_what_a_document_says_is_never_markup() -> None:
    evil = "<evil>\"'"
    operation = {"operationId": evil, "tags": [evil], "summary": evil, "security": [], "parameters": [], "responses": {}}
    told = page({
        "info": {"title": evil, "version": evil, "description": evil}, "servers": [{"url": "/"}],
        "paths": {f"/{evil}": {"get": operation}}, "components": {"schemas": {evil: {"description": f"</pre>{evil}"}}},
    })
    assert "<evil>" not in told and '=""' not in told
