"""What MongoDB does by itself, to measure ourselves against. `python -m lrs.store.bare MONGO_URL ...` prints one JSON object.

Bare inserts of statements with motor, without HTTP, rules or a transaction, at the driver's default durability, into a collection with
six indexes such as every LRS needs. Makes a database of its own, and drops it.
"""

import argparse
import asyncio
import json
import time
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection

from lrs.samples import sample

INDEXES = (
    [("statement.id", 1)], [("stored", -1)], [("verb", 1), ("stored", -1)], [("agent", 1), ("stored", -1)],
    [("activity", 1), ("stored", -1)], [("registration", 1), ("stored", -1)],
)


def documents(first: int, count: int, seed: int) -> list[dict[str, Any]]:
    """Statements as documents, with what they are looked up by beside them."""
    made = (sample(number, seed) for number in range(first, first + count))
    return [
        {
            "statement": each, "stored": datetime.now(UTC), "verb": each["verb"]["id"], "activity": each["object"]["id"],
            "agent": json.dumps(each["actor"].get("account") or each["actor"]["mbox"]),
            "registration": each["context"]["registration"],
        }
        for each in made
    ]


async def insert(collection: AsyncIOMotorCollection, jobs: list[list[dict[str, Any]]], clients: int, seconds: float) -> dict[str, Any]:
    """Insert lists of documents, so many at a time, for so long; statements a second, and milliseconds a call."""
    waiting, took, stored = iter(jobs), [], 0
    began = time.perf_counter()

    async def client() -> None:
        nonlocal stored
        for job in waiting:
            asked = time.perf_counter()
            await collection.insert_many(job)
            took.append((time.perf_counter() - asked) * 1000)
            stored += len(job)
            if time.perf_counter() - began > seconds:
                return

    await asyncio.gather(*(client() for _ in range(clients)))
    whole = time.perf_counter() - began
    return {"requests": len(took), "statements": stored, "seconds": whole, "took_ms": took}


async def main(options: argparse.Namespace) -> None:
    """Measure and print."""
    client: AsyncIOMotorClient = AsyncIOMotorClient(options.url)
    name = f"lrs_bare_{token_hex(4)}"
    try:
        collection = client[name]["statements"]
        for keys in INDEXES if options.indexed else ():
            await collection.create_index(keys)
        jobs = [documents(number * options.size, options.size, options.seed) for number in range(options.requests)]
        await insert(collection, jobs[:options.clients], options.clients, options.seconds)
        print(json.dumps(await insert(collection, jobs[options.clients:], options.clients, options.seconds)))
    finally:
        await client.drop_database(name)
        client.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--size", type=int, default=1, help="statements of a call")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--indexed", action="store_true")
    asyncio.run(main(parser.parse_args()))
