"""What tests of workers share: a worker's services, and an empty Redis."""

import pytest
from arq.connections import create_pool
from builders import TALLY

from lrs.queue import redis_settings
from workers.services import Services


@pytest.fixture
def services(database, config):
    return Services.of(database, {TALLY.name: TALLY}, config)


@pytest.fixture
async def redis(config):
    pool = await create_pool(redis_settings(config.redis_url))
    await pool.flushdb()
    yield pool
    await pool.aclose()
