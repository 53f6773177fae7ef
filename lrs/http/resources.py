"""The small xAPI resources. xAPI 1.0.3, Communication 2.4, 2.5, 2.8."""

from aiohttp import web

from lrs.http.answers import json_answer

# Every version a request may name and be understood; 1.0.0 must be among them.
SPOKEN = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0")


async def get_about(_request: web.Request) -> web.Response:
    """GET and HEAD /about: the versions we speak. 2.8."""
    return json_answer({"version": list(SPOKEN)})
