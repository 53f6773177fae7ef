"""Who asks, and whether this is theirs to ask: credentials to callers, callers to scopes, scopes to paths."""

import base64
import hmac
from dataclasses import dataclass
from enum import Enum

from aiohttp import web

from lrs.errors import Forbidden, Unauthorized
from lrs.http.keys import CONFIG, DIRECTORY, RATE_LIMITS, TOKENS
from lrs.http.tenancy import UNREACHED, named_tenant
from lrs.plugins import Caller

CALLER = web.RequestKey("caller", Caller)
API_KEY_HEADER = "x-api-key"
CHALLENGE = 'Basic realm="lrs", charset="UTF-8"'
BEARER_CHALLENGE = 'Bearer realm="lrs"'

# xAPI 1.0.3, Communication 4.2, and two of ours for the native paths.
SCOPES = (
    "all", "all/read", "statements/write", "statements/read", "statements/read/mine", "define",
    "profile", "profile/read", "state", "state/read",
    "events/write", "reports/read",
)


class Door(Enum):
    """What one must bring: nothing, a tenant's credential, or the operator's."""

    OPEN = "open"
    CALLER = "caller"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Access:
    """Who may use a path: for callers, a credential needs one of the scopes."""

    door: Door
    scopes: frozenset[str] = frozenset()


OPEN = Access(Door.OPEN)
OPERATOR = Access(Door.OPERATOR)
WRITES_STATEMENTS = Access(Door.CALLER, frozenset({"all", "statements/write"}))
READS_STATEMENTS = Access(Door.CALLER, frozenset({"all", "all/read", "statements/read", "statements/read/mine"}))
READS_STATE = Access(Door.CALLER, frozenset({"all", "all/read", "state", "state/read"}))
WRITES_STATE = Access(Door.CALLER, frozenset({"all", "state"}))
READS_PROFILES = Access(Door.CALLER, frozenset({"all", "all/read", "profile", "profile/read"}))
WRITES_PROFILES = Access(Door.CALLER, frozenset({"all", "profile"}))
WRITES_EVENTS = Access(Door.CALLER, frozenset({"all", "events/write"}))
READS_IMPORTS = Access(Door.CALLER, frozenset({"all", "all/read", "events/write"}))
READS_REPORTS = Access(Door.CALLER, frozenset({"all", "all/read", "reports/read"}))
# What all statements together say about an agent or activity: not for who sees only the own ones.
READS_DEFINITIONS = Access(Door.CALLER, frozenset({"all", "all/read", "statements/read"}))
# With none of these, a reader of statements sees only those under the own authority.
SEES_ALL_STATEMENTS = frozenset({"all", "all/read", "statements/read"})


async def admit(request: web.Request, access: Access) -> None:
    """Let in whoever may: a caller is then at request[CALLER]. Raises Unauthorized or Forbidden."""
    if access.door is Door.OPERATOR:
        admit_operator(request)
    elif access.door is Door.CALLER:
        request[CALLER] = caller = await caller_of(request)
        # Said in the same words whether there is such a tenant or not, so that no name can be probed.
        if await named_tenant(request) not in (None, caller.tenant):
            raise Forbidden(UNREACHED)
        if access.scopes.isdisjoint(caller.scopes):
            raise Forbidden(f"this credential has none of the scopes {', '.join(sorted(access.scopes))}")


async def caller_of(request: web.Request) -> Caller:
    """The caller by Basic, Bearer or x-api-key, one request more counted against it.

    Raises Unauthorized if none of them came, or what came is not known; RateLimited; IssuerUnavailable.
    """
    directory, headers = request.app[DIRECTORY], request.headers
    caller = None
    if "Authorization" in headers:
        caller = await _caller_by_authorization(request, headers["Authorization"])
    elif API_KEY_HEADER not in headers:
        raise Unauthorized("a credential is needed: Basic, Bearer, or x-api-key")
    # Bytes that are not UTF-8 come as lone surrogates, which no digest takes.
    elif headers[API_KEY_HEADER].isprintable():
        caller = await directory.caller_of_api_key(headers[API_KEY_HEADER])
    if caller is None:
        raise Unauthorized("this credential is not known")
    await count(request, caller)
    return caller


async def _caller_by_authorization(request: web.Request, header: str) -> Caller | None:
    directory = request.app[DIRECTORY]
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "bearer" and TOKENS in request.app:
        caller = await request.app[TOKENS].caller(token.strip())
        # The issuer may go on naming a tenant that we have no more.
        return caller if caller is not None and await directory.has_tenant(caller.tenant) else None
    pair = basic_pair(header)
    return await directory.caller_of_basic(*pair) if pair else None


async def count(request: web.Request, caller: Caller) -> None:
    """One request more by a caller that was found in another way than by `caller_of`. Raises RateLimited."""
    if RATE_LIMITS in request.app:
        await request.app[RATE_LIMITS].take(caller)


def admit_operator(request: web.Request) -> None:
    """Raises Unauthorized unless the operator's credential came, Forbidden if management is off."""
    operator = request.config_dict[CONFIG].operator
    if not operator:
        raise Forbidden("management is off: start with LRS_OPERATOR=key:secret")
    pair = basic_pair(request.headers.get("Authorization", ""))
    given = ":".join(pair) if pair else ""
    if not hmac.compare_digest(given.encode(), operator.encode()):
        raise Unauthorized("the operator's credential is needed")


def basic_pair(header: str) -> tuple[str, str] | None:
    """Key and secret of a Basic Authorization header; None if it is anything else. RFC 7617."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:  # not base64, not ASCII, or not UTF-8
        return None
    key, colon, secret = text.partition(":")
    return (key, secret) if colon else None
