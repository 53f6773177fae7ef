"""An application over small fakes, and a client of it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from document_desk import desk_maker
from http_fakes import Fakes
from issuers import Desk, Issuer, an_issuer
from pytest_aiohttp.plugin import AiohttpClient


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


@pytest.fixture
async def client(fakes: Fakes, aiohttp_client: AiohttpClient) -> TestClient:
    return await aiohttp_client(fakes.app())


@pytest.fixture
def desk_at(aiohttp_client: AiohttpClient) -> Callable[..., Any]:
    """`await desk_at(path, version)`: a client of one of the document resources."""
    return desk_maker(aiohttp_client)


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """An issuer of bearer tokens."""
    async with an_issuer() as issuer:
        yield issuer


@pytest.fixture
async def desk(issuer: Issuer) -> AsyncIterator[Desk]:
    """Where tokens of the issuer are shown."""
    desk = Desk(issuer)
    yield desk
    await desk.close()
