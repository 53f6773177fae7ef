"""Which tenant a request names before any credential is looked at: by the prefix of its path, or by its host name."""

from aiohttp import hdrs, web

from lrs.errors import Forbidden
from lrs.http.keys import DIRECTORY

# The same words whether there is such a tenant or not, so that no name can be probed.
UNREACHED = "this credential does not reach this place"
LONGEST_HOST = 253


async def named_tenant(request: web.Request) -> str | None:
    """The tenant of `/t/{tenant}` or of the host name, below which nothing of another may be found. None: the credential decides.

    Whether there is such a tenant is not said. Forbidden if prefix and host name two different ones.
    """
    prefix = request.match_info.get("tenant")
    host = host_of(request.headers.get(hdrs.HOST, ""))
    mapped = await request.app[DIRECTORY].tenant_of_host(host) if host else None
    if None not in (prefix, mapped) and prefix != mapped:
        raise Forbidden(UNREACHED)
    return prefix or mapped


def host_of(header: str) -> str:
    """The name in a Host header, in lower case, without port or final dot; "" where there is none."""
    if header.startswith("["):  # an IPv6 address, which names nobody
        return ""
    name = header.partition(":")[0].rstrip(".").lower()
    return name if name.isascii() and len(name) <= LONGEST_HOST else ""
