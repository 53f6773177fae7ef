"""Who may do what: tenants, their credentials, and the settings of their adapters."""

import asyncio
import hmac
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from typing import Any, cast

from pymongo.errors import DuplicateKeyError

from lrs.config import Config
from lrs.errors import CredentialTaken, HostTaken, NotFound, TenantLeaving
from lrs.plugins import Adapter, Caller, Rate
from lrs.store.departed import Departed
from lrs.store.jobs import RUNNING
from lrs.store.mongo import Database
from lrs.store.retention import night_of
from lrs.store.traces import remove_all_of
from lrs.xapi.types import Agent

# How long a process may go on with what it knows of a credential or setting; a revocation works everywhere within a second.
FRESH_FOR_S = 0.5
# How long a worker may go on with a job that is not there any more: it renews its lease every second.
JOBS_END_WITHIN_S = 3.0
# More than a server is likely to see within that time; beyond, the whole cache is dropped, so that junk keys cannot fill memory.
MOST_CACHED = 10_000
NEVER: tuple[float, Any] = (float("-inf"), None)
HERE_TO_STAY = {"leaving": {"$exists": False}}


class Directory:
    """Secrets are stored as a digest keyed with the server's own secret: they are long and random, so one HMAC will do."""

    def __init__(
        self, database: Database, secret: str, authority_home_page: str = Config.authority_home_page
    ) -> None:
        self._database = database
        self._home_page = authority_home_page
        self._tenants = database["tenants"]
        self._credentials = database["credentials"]
        self._settings = database["settings"]
        self._jobs = database["jobs"]
        self._secret = secret.encode()
        self._pairs_key = blake2b(self._secret, person=b"basic pairs").digest()
        # When it was asked for, and what it is, or who will know.
        self._cache: dict[tuple[str, str], tuple[float, Any]] = {}
        self._loading: dict[tuple[str, str], tuple[float, Any]] = {}

    async def create_tenant(self, tenant: str, hosts: Iterable[str] | None = None) -> bool:
        """Make a tenant; whether it is new. `hosts` are the names that lead to it from now on; None: as they were.

        HostTaken, and then nothing has changed; TenantLeaving.
        """
        named = {"hosts": sorted(set(hosts))} if hosts else {}  # not an empty list: the index takes two of those for equal
        try:
            await self._tenants.insert_one({"_id": tenant, "created": datetime.now(UTC), **named})
        except DuplicateKeyError:
            if await self._tenants.find_one({"_id": tenant}, projection={"_id": 1}) is None:
                raise HostTaken("one of these hosts leads to another tenant") from None
        else:
            return True
        await self._rename(tenant, None if hosts is None else named)
        return False

    async def _rename(self, tenant: str, named: Mapping[str, Any] | None) -> None:
        change = {"$set": named} if named else {"$unset": {"hosts": ""}}
        query = {"_id": tenant, **HERE_TO_STAY}
        try:
            found = await (self._tenants.find_one(query) if named is None else self._tenants.find_one_and_update(query, change))
        except DuplicateKeyError:
            raise HostTaken("one of these hosts leads to another tenant") from None
        if found is None:
            raise TenantLeaving(f"tenant {tenant} is being deleted; if that was interrupted, delete it once more")
        self._forget()

    async def hosts(self, tenant: str) -> list[str]:
        """The host names that lead to a tenant. NotFound."""
        found = await self._tenants.find_one({"_id": tenant, **HERE_TO_STAY})
        if found is None:
            raise NotFound(f"there is no tenant {tenant}")
        return found.get("hosts", [])  # type: ignore[no-any-return]

    async def default_version(self, tenant: str) -> str | None:
        """The xAPI version a tenant takes for that of requests that name none; None: the server's."""
        found = await self._fresh(
            ("version", tenant), lambda: self._tenants.find_one({"_id": tenant}, projection={"xapi_default_version": 1})
        )
        return found.get("xapi_default_version") if found else None

    async def set_default_version(self, tenant: str, version: str | None) -> None:
        """Give a tenant a default version of its own; None: the server's."""
        change = {"$unset": {"xapi_default_version": ""}} if version is None else {"$set": {"xapi_default_version": version}}
        await self._tenants.update_one({"_id": tenant}, change)
        self._forget_one(("version", tenant))

    async def retention(self, tenant: str) -> int | None:
        """For how many days a tenant's statements are kept; None: for ever. NotFound."""
        found = await self._tenants.find_one({"_id": tenant, **HERE_TO_STAY}, projection={"retention_days": 1})
        if found is None:
            raise NotFound(f"there is no tenant {tenant}")
        days = found.get("retention_days")
        return None if days is None else int(days)

    async def set_retention(self, tenant: str, days: int | None) -> None:
        """Keep a tenant's statements for so many days, from the next night on; None: for ever."""
        kept = {"retention_days": days, "retained_in": night_of(datetime.now(UTC))}
        change = {"$unset": dict.fromkeys(kept, "")} if days is None else {"$set": kept}
        await self._tenants.update_one({"_id": tenant, **HERE_TO_STAY}, change)

    async def tenant_of_host(self, host: str) -> str | None:
        """The tenant a host name leads to; None if it leads to none."""
        found = await self._fresh(("host", host), lambda: self._tenants.find_one({"hosts": host}, projection={"_id": 1}))
        return found["_id"] if found else None

    async def life(self, tenant: str) -> datetime | None:
        """When the tenant of this name was made, which tells it from a former one; None if there is none, or it is being deleted."""
        found = await self._fresh(
            ("tenant", tenant), lambda: self._tenants.find_one({"_id": tenant, **HERE_TO_STAY}, projection={"created": 1})
        )
        if found is None:  # it may be made the next moment
            self._forget_one(("tenant", tenant))
        return found and found["created"]  # type: ignore[no-any-return]

    async def has_tenant(self, tenant: str) -> bool:
        """Whether there is such a tenant, and it is not being deleted."""
        return await self.life(tenant) is not None

    async def tenants(self) -> list[str]:
        """The names of all tenants, in order."""
        return sorted([each["_id"] async for each in self._tenants.find({}, projection={"_id": 1})])

    async def require_tenant(self, tenant: str) -> None:
        """NotFound unless there is such a tenant, and it is not being deleted."""
        if await self._tenants.find_one({"_id": tenant, **HERE_TO_STAY}, projection={"_id": 1}) is None:
            raise NotFound(f"there is no tenant {tenant}")

    async def delete_tenant(self, tenant: str) -> None:
        """Remove a tenant and everything of it. NotFound if there is none. Safe to run again after a crash."""
        if await self._tenants.find_one_and_update({"_id": tenant}, {"$set": {"leaving": True}}) is None:
            raise NotFound(f"there is no tenant {tenant}")
        await self._credentials.delete_many({"tenant": tenant})
        at_it = await self._jobs.count_documents({"tenant": tenant, "state": RUNNING}, limit=1)
        await self._jobs.delete_many({"tenant": tenant})
        # Who works for it finds out when the lease is to be renewed, and stops.
        await asyncio.sleep(JOBS_END_WITHIN_S if at_it else 0)
        # By then no process takes its credentials and tokens for valid, and nothing new comes in.
        await asyncio.sleep(2 * FRESH_FOR_S)
        await remove_all_of(tenant, self._database)
        await Departed(self._database).remember(tenant)
        # Last, so that what a crash leaves can still be asked for.
        await self._tenants.delete_one({"_id": tenant})
        self._forget()

    async def add_credential(
        self, tenant: str, *, kind: str, key: str, secret: str | None, scopes: Iterable[str],
        authority: Agent | None = None, rate: Rate | None = None,
    ) -> None:
        """Make a credential: kind "basic" has key and secret, kind "api_key" is its key alone. CredentialTaken, NotFound.

        `authority` is what statements get (None: an account named by the key); `rate` is a limit of its own.
        """
        await self.require_tenant(tenant)
        document: dict[str, Any] = {
            "_id": self._credential_id(kind, key), "tenant": tenant, "kind": kind,
            "key": key if kind == "basic" else self._hint(key),
            "scopes": sorted(set(scopes)), "digest": self._digest(secret or ""), "created": datetime.now(UTC),
        }
        if authority is not None:
            document["authority"] = authority
        if rate is not None:
            document["rate"] = asdict(rate)
        try:
            await self._credentials.insert_one(document)
        except DuplicateKeyError:
            raise CredentialTaken(f"the key {document['key']} is in use") from None
        if await self._tenants.find_one({"_id": tenant, **HERE_TO_STAY}, projection={"_id": 1}) is None:
            # Its deletion began meanwhile, and may have been too early to see this one.
            await self._credentials.delete_one({"_id": document["_id"], "tenant": tenant})
            raise NotFound(f"there is no tenant {tenant}")

    async def list_credentials(self, tenant: str) -> Sequence[Mapping[str, Any]]:
        """Kind, key (of an API key only its beginning), scopes and time of creation; never a secret. NotFound."""
        await self.require_tenant(tenant)
        found = self._credentials.find({"tenant": tenant}, projection={"_id": 0, "digest": 0, "tenant": 0})
        return sorted([each async for each in found], key=lambda each: (each["kind"], each["key"]))

    async def remove_credential(self, tenant: str, key: str) -> None:
        """Remove a credential by its key (an API key whole, or as it is listed). NotFound if the tenant has none."""
        ids = [self._credential_id(kind, key) for kind in ("basic", "api_key")]
        removed = await self._credentials.delete_one(
            {"tenant": tenant, "$or": [{"_id": {"$in": ids}}, {"kind": "api_key", "key": key}]}
        )
        self._forget()
        if not removed.deleted_count:
            raise NotFound(f"tenant {tenant} has no such credential")  # not named: it may be an API key

    async def caller_of_basic(self, key: str, secret: str) -> Caller | None:
        """Who a key and secret stand for; None if nobody."""
        # Known again by one short digest for as long as the credential behind it is fresh. What it is kept under tells nobody a secret.
        pair = ("basic", blake2b(f"{key}:{secret}".encode(), key=self._pairs_key, digest_size=32).hexdigest())
        at, caller = self._cache.get(pair, NEVER)
        if time.monotonic() - at < FRESH_FOR_S:
            return caller  # type: ignore[no-any-return]
        found = await self._credential("basic", key)
        if found is None or not hmac.compare_digest(found["digest"], self._digest(secret)):
            return None
        caller = self._caller(found)
        if (known := self._cache.get(("credential", self._credential_id("basic", key)))) is not None:
            self._cache[pair] = (known[0], caller)
        return caller

    async def caller_of_api_key(self, api_key: str) -> Caller | None:
        """Who an API key stands for; None if nobody."""
        found = await self._credential("api_key", api_key)
        return self._caller(found) if found else None

    async def settings(self, tenant: str, adapter: Adapter) -> Mapping[str, Any]:
        """An adapter's settings for a tenant, as its schema loads them; the schema's defaults where nothing is set."""
        key = f"{tenant}/{adapter.name}"
        return await self._fresh(("settings", key), lambda: self._load_settings(key, adapter))  # type: ignore[no-any-return]

    async def _load_settings(self, key: str, adapter: Adapter) -> Mapping[str, Any]:
        found = await self._settings.find_one({"_id": key})
        return adapter.settings().load(found["settings"] if found else {})  # type: ignore[no-any-return]

    async def save_settings(self, tenant: str, adapter: Adapter, settings: Mapping[str, Any]) -> None:
        """Keep settings as they were sent, once the adapter's schema has taken them (marshmallow's ValidationError). NotFound."""
        adapter.settings().load(settings)
        await self.require_tenant(tenant)
        key = f"{tenant}/{adapter.name}"
        await self._settings.replace_one({"_id": key}, {"tenant": tenant, "settings": dict(settings)}, upsert=True)
        self._forget_one(("settings", key))

    async def _credential(self, kind: str, key: str) -> Mapping[str, Any] | None:
        credential_id = self._credential_id(kind, key)
        return await self._fresh(  # type: ignore[no-any-return]
            ("credential", credential_id), lambda: self._credentials.find_one({"_id": credential_id})
        )

    async def _fresh(self, key: tuple[str, str], load: Any) -> Any:
        now = time.monotonic()
        at, value = self._cache.get(key, NEVER)
        if now - at < FRESH_FOR_S:
            return value
        # All who ask in the meantime wait for one answer, unless it is so long in coming that it may be stale when it is there.
        began, loading = self._loading.get(key, NEVER)
        if loading is None or now - began >= FRESH_FOR_S:
            began, loading = self._loading[key] = now, asyncio.ensure_future(load())
            loading.add_done_callback(partial(self._loaded, key, now))
        return await asyncio.shield(loading)

    def _loaded(self, key: tuple[str, str], began: float, loading: asyncio.Future[Any]) -> None:
        if self._loading.get(key, NEVER)[1] is not loading:
            return  # it was forgotten, or a later one is under way
        del self._loading[key]
        if loading.cancelled() or loading.exception():
            return
        if len(self._cache) >= MOST_CACHED:
            self._cache.clear()
        self._cache[key] = (began, loading.result())

    def _forget(self) -> None:
        self._cache.clear()
        self._loading.clear()

    def _forget_one(self, key: tuple[str, str]) -> None:
        self._cache.pop(key, None)
        self._loading.pop(key, None)

    def _credential_id(self, kind: str, key: str) -> str:
        """A basic key is no secret and stands for itself; an API key is one, and only its digest is kept."""
        return f"basic:{key}" if kind == "basic" else f"api_key:{self._digest(key).hex()}"

    def _digest(self, secret: str) -> bytes:
        return hmac.digest(self._secret, secret.encode(), "sha256")

    def _hint(self, api_key: str) -> str:
        """Enough of an API key to tell it from others, too little to use or to guess it."""
        return f"{api_key[:min(6, len(api_key) // 4)]}…{self._digest(api_key).hex()[:8]}"

    def _caller(self, credential: Mapping[str, Any]) -> Caller:
        account = {"homePage": self._home_page, "name": credential["key"].replace("…", "-")}
        authority = credential.get("authority") or {"objectType": "Agent", "account": account}
        rate = Rate(**credential["rate"]) if "rate" in credential else None
        return Caller(credential["tenant"], credential["key"], frozenset(credential["scopes"]), cast(Agent, authority), rate)
