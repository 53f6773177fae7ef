"""The ceiling of an aiohttp server: it parses what comes and stores nothing. `python -m lrs.commands.bench_noop` prints its port."""

import asyncio

import orjson
from aiohttp import web

MOST_BYTES = 32 * 1024 * 1024


async def post(request: web.Request) -> web.Response:
    """The ids of what came."""
    statements = orjson.loads(await request.read())
    ids = [each["id"] for each in (statements if isinstance(statements, list) else [statements])]
    return web.Response(body=orjson.dumps(ids), content_type="application/json")


async def put(request: web.Request) -> web.Response:
    """Nothing, once what came is parsed."""
    orjson.loads(await request.read())
    return web.Response(status=204)


async def get(_request: web.Request) -> web.Response:
    """An empty page."""
    return web.Response(body=b'{"statements":[],"more":""}', content_type="application/json")


async def main() -> None:
    """Serve on a free port of loopback until terminated."""
    app = web.Application(client_max_size=MOST_BYTES)
    app.add_routes([web.post("/xapi/statements", post), web.put("/xapi/statements", put), web.get("/xapi/statements", get)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
