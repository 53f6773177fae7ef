"""Who may do what at a store in memory: one tenant with its settings, and two credentials."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lrs.plugins import Adapter, Caller
from lrs.xapi.build import account_actor

TENANT = "school"
AUTHORITY = account_actor("https://lrs.example.org/credentials", "contract")
# An API key that is known, and may not write events or read reports.
POWERLESS = "powerless-api-key"


@dataclass(frozen=True)
class MemoryDirectory:
    """One tenant and its settings; an API key and a Basic pair ("key:secret") that may do everything."""

    given: Mapping[str, Any]
    api_key: str
    basic: str

    async def settings(self, tenant: str, adapter: Adapter) -> Mapping[str, Any]:
        """As the adapter's schema loads them."""
        return adapter.settings().load(self.given)  # type: ignore[no-any-return]

    async def tenant_of_host(self, host: str) -> str | None:
        """No host is mapped."""
        return None

    async def life(self, tenant: str) -> datetime | None:
        """It is always the same one."""
        return datetime(2026, 1, 1, tzinfo=UTC)

    async def caller_of_basic(self, key: str, secret: str) -> Caller | None:
        """Only the one pair."""
        return _caller("all") if f"{key}:{secret}" == self.basic else None

    async def caller_of_api_key(self, api_key: str) -> Caller | None:
        """The one that may do everything, and the powerless one."""
        scopes = {self.api_key: "all", POWERLESS: "statements/read"}
        return _caller(scopes[api_key]) if api_key in scopes else None


def _caller(scope: str) -> Caller:
    return Caller(TENANT, "contract", frozenset({scope}), AUTHORITY)
