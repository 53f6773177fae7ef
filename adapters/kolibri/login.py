"""Who asks: a learner with name and password, a service on somebody's behalf, or a visitor.

These resources never answer 401: what may not be is a 403.
"""

import asyncio
import hmac
import secrets
from base64 import b64decode
from binascii import Error as NotBase64
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from aiohttp import web
from argon2.exceptions import InvalidHashError, VerificationError

from adapters.kolibri.fields import hex_of
from adapters.kolibri.refusals import Explained
from adapters.kolibri.rights import Kinds, World
from adapters.kolibri.world import DEFAULT_FACILITY, password_hasher
from lrs.errors import Forbidden
from lrs.http.auth import count
from lrs.http.keys import CLOCK, DIRECTORY, REFERENCES
from lrs.http.tenancy import UNREACHED, named_tenant

ADAPTER = "kolibri"
ON_BEHALF_OF = "X-LRS-On-Behalf-Of"
ACTING_SCOPES = frozenset({"all", "events/write"})
VERIFIED_FOR = timedelta(minutes=5)
HOLDERS_FOR = timedelta(seconds=1)
SESSIONS_FOR = timedelta(hours=1)
MOST_CACHED = 10_000


@dataclass(frozen=True)
class Asker:
    """Who asks, in which tenant; `user` is None for a visitor."""

    tenant: str
    user: str | None
    world: World


class Expiring:
    """A cache with a bound and a time to live; the oldest goes first."""

    def __init__(self, lasts: timedelta) -> None:
        self._lasts = lasts
        self._entries: OrderedDict[Any, tuple[datetime, Any]] = OrderedDict()

    def get(self, key: Any, now: datetime) -> Any:
        """The value, unless it is too old; None if there is none."""
        entry = self._entries.get(key)
        return entry[1] if entry is not None and abs(now - entry[0]) < self._lasts else None

    def put(self, key: Any, value: Any, now: datetime) -> None:
        """Keep a value."""
        self._entries.pop(key, None)
        self._entries[key] = (now, value)
        if len(self._entries) > MOST_CACHED:
            self._entries.popitem(last=False)


class Known:
    """What one application found out a moment ago: no call should pay again for a slow hash or a look-up."""

    def __init__(self) -> None:
        self.verified = Expiring(VERIFIED_FOR)
        self.holders = Expiring(HOLDERS_FOR)
        self.sessions = Expiring(SESSIONS_FOR)
        self.secret = secrets.token_bytes(32)
        self._worlds: dict[str, tuple[Kinds, World]] = {}

    def world(self, tenant: str, kinds: Kinds) -> World:
        """The world of a snapshot; made again only when there is a new one."""
        known = self._worlds.get(tenant)
        if known is None or known[0] is not kinds:
            if len(self._worlds) >= MOST_CACHED:
                self._worlds.clear()
            self._worlds[tenant] = known = (kinds, World(kinds))
        return known[1]


# By the application's References. Nothing in it is shared between applications, and it goes with them.
KNOWN: WeakKeyDictionary[Any, Known] = WeakKeyDictionary()


async def asker_of(request: web.Request) -> Asker:
    """Who sent a request. Raises Forbidden."""
    credential = _basic(request)
    if credential is None:
        return await _visitor(request)
    if ON_BEHALF_OF in request.headers:
        return await _represented(request, *credential)
    username, password = credential
    tenant = await _tenant(request, "user", username)
    world = await _world(request, tenant)
    for user_id, user in world.named(username):
        if await _is_right(request, user, password):
            return Asker(tenant, user_id, world)
    raise Forbidden("wrong user name or password")


async def _visitor(request: web.Request) -> Asker:
    tenant = await _tenant(request, "facility", DEFAULT_FACILITY)
    world = await _world(request, tenant)
    if not world.has_visitors:
        raise Forbidden("no visitors here")
    return Asker(tenant, None, world)


async def _represented(request: web.Request, key: str, secret: str) -> Asker:
    """A service of the tenant acts for a user."""
    caller = await request.config_dict[DIRECTORY].caller_of_basic(key, secret)
    if caller is None or ACTING_SCOPES.isdisjoint(caller.scopes):
        raise Forbidden("this credential may not act for others")
    if await named_tenant(request) not in (None, caller.tenant):
        raise Forbidden(UNREACHED)
    await count(request, caller)
    world = await _world(request, caller.tenant)
    user_id = hex_of(request.headers[ON_BEHALF_OF].strip())
    if user_id is None or world.user(user_id) is None:
        raise Forbidden(f"{ON_BEHALF_OF} names nobody")
    return Asker(caller.tenant, user_id, world)


async def _tenant(request: web.Request, kind: str, name: str) -> str:
    """The tenant of the path or host, else the only one that has such an entry. Several: only those can tell which."""
    if (named := await named_tenant(request)) is not None:
        return named
    known, now = known_to(request), request.config_dict[CLOCK]()
    holders: list[str] | None = known.holders.get((kind, name), now)
    if holders is None:
        holders = await request.config_dict[REFERENCES].holders(ADAPTER, kind, name)
        known.holders.put((kind, name), holders or None, now)
    if len(holders) > 1:
        raise Explained("several tenants fit: put /t/{tenant} before the path")
    if not holders:
        raise Forbidden("nobody of this name")
    return holders[0]


async def _world(request: web.Request, tenant: str) -> World:
    snapshot = await request.config_dict[REFERENCES].snapshot(tenant, ADAPTER)
    return known_to(request).world(tenant, snapshot.kinds)


async def _is_right(request: web.Request, user: Mapping[str, Any], password: str) -> bool:
    password_hash = user["password_hash"]
    if password_hash is None:
        return False
    known, now = known_to(request), request.config_dict[CLOCK]()
    digest = hmac.digest(known.secret, f"{password_hash}\0{password}".encode(), "sha256")
    if known.verified.get(digest, now):
        return True
    is_right = await asyncio.to_thread(_verify, password_hash, password)
    if is_right:
        known.verified.put(digest, True, now)
    return is_right


def known_to(request: web.Request) -> Known:
    """What the application of a request has found out."""
    return KNOWN.setdefault(request.config_dict[REFERENCES], Known())


def _verify(password_hash: str, password: str) -> bool:
    try:
        return password_hasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _basic(request: web.Request) -> tuple[str, str] | None:
    """Name and password of HTTP Basic (RFC 7617); None without credentials. Forbidden for what cannot be read."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, encoded = header.partition(" ")
    try:
        text = b64decode(encoded.strip(), validate=True).decode()
    except (NotBase64, ValueError):
        raise Forbidden("the credentials cannot be read") from None
    name, colon, password = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise Forbidden("the credentials cannot be read")
    return name, password
