"""An application over small fakes, and a client of it: what is judged here is the surface."""

import pytest
from aiohttp.test_utils import TestClient
from http_fakes import Fakes
from pytest_aiohttp.plugin import AiohttpClient


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


@pytest.fixture
async def client(fakes: Fakes, aiohttp_client: AiohttpClient) -> TestClient:
    return await aiohttp_client(fakes.app())
