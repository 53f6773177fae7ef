"""The whole application with a Kolibri school in it, on a real database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import encode_basic_auth
from aiohttp.test_utils import TestClient, TestServer

from lrs.app import create_app
from lrs.config import Config
from lrs.http.keys import DIRECTORY, REFERENCES
from lrs.plugins import Entry

OPERATOR = {"Authorization": encode_basic_auth("operator", "operator-secret")}
NDJSON = {**OPERATOR, "Content-Type": "application/x-ndjson"}


@asynccontextmanager
async def kolibri_process(
    config: Config, entries: Sequence[Entry], *tenants: str
) -> AsyncIterator[TestClient[Any, Any]]:
    """One process of the API; the tenants are made, with the entries as their world, unless they are there."""
    app = create_app(config)
    async with TestClient(TestServer(app)) as client:
        for tenant in tenants:
            if await app[DIRECTORY].create_tenant(tenant):
                await app[REFERENCES].replace(tenant, "kolibri", "world", entries)
        yield client
