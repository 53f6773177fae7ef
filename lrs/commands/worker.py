"""`lrs worker`: follows the logs of all tenants, woken by hints from Redis."""

import os

import click

from lrs.commands.serve import run
from lrs.config import Config


@click.command()
@click.option("--burst", is_flag=True, help="End when nothing is left to do.")
def worker(burst: bool) -> None:
    """Run a worker against LRS_MONGO_URL and LRS_REDIS_URL.

    SIGTERM or Ctrl-C: it finishes what it has begun, then ends. Without Redis it waits for it to come back.
    """
    from lrs.logs import configure
    from workers import settings

    config = Config.from_environment(os.environ)
    configure(config.log_format)
    run(settings.run(config, burst=burst))
