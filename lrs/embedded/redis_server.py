"""A redis-server of our own: hints only, so nothing of it is kept, and its memory has a bound."""

import asyncio

from lrs.embedded.home import Home
from lrs.embedded.ports import LOOPBACK, answers
from lrs.embedded.process import Program


def redis_url(port: int) -> str:
    """How the rest of the product reaches it."""
    return f"redis://{LOOPBACK}:{port}/0"


def redis_program(executable: str, home: Home, port: int) -> Program:
    """redis-server on loopback. Full, it refuses (noeviction) rather than drop what arq counts on."""
    argv = (
        executable,
        *("--port", str(port), "--bind", LOOPBACK, "--dir", str(home.redis)),
        *("--save", "", "--appendonly", "no", "--maxmemory", "64mb", "--maxmemory-policy", "noeviction"),
    )
    return Program("redis-server", argv, stop_within=5.0, log=home.logs / "redis.log")


async def is_answering(port: int) -> bool:
    """Whether it says PONG."""
    return (await asyncio.to_thread(answers, port, b"PING\r\n") or b"").startswith(b"+PONG")
