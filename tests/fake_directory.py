"""Who may do what, without a store: a stand-in for the directory of tenants and credentials."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lrs.errors import CredentialTaken, NotFound
from lrs.plugins import Adapter, Caller


def authority(name: str) -> dict[str, Any]:
    return {"objectType": "Agent", "account": {"homePage": "https://lrs.example.org", "name": name}}


@dataclass
class FakeDirectory:
    """Each Basic key is its own secret's owner: the key "a,b" has the scopes a and b; the secret is always "secret"."""

    names: set[str] = field(default_factory=lambda: {"school"})
    credentials: list[dict[str, Any]] = field(default_factory=list)
    saved: dict[tuple[str, str], Any] = field(default_factory=dict)
    versions: dict[str, str | None] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    fails: Exception | None = None

    async def caller_of_basic(self, key: str, secret: str) -> Caller | None:
        if self.fails:
            raise self.fails
        return self._caller(key) if secret == "secret" else None

    async def caller_of_api_key(self, api_key: str) -> Caller | None:
        return self._caller(api_key.removeprefix("key-of-")) if api_key.startswith("key-of-") else None

    def _caller(self, key: str) -> Caller:
        return Caller("school", key, frozenset(key.split(",")), authority(key))  # type: ignore[arg-type]

    async def tenants(self) -> list[str]:
        return sorted(self.names)

    async def create_tenant(self, tenant: str, hosts: Iterable[str] | None = None) -> bool:
        new = tenant not in self.names
        self.names.add(tenant)
        self.named.update(dict.fromkeys(hosts or (), tenant))
        return new

    async def hosts(self, tenant: str) -> list[str]:
        await self.require_tenant(tenant)
        return sorted(host for host, named in self.named.items() if named == tenant)

    async def tenant_of_host(self, host: str) -> str | None:
        return self.named.get(host)

    async def has_tenant(self, tenant: str) -> bool:
        return tenant in self.names

    async def life(self, tenant: str) -> datetime | None:
        return datetime(2026, 1, 1, tzinfo=UTC) if tenant in self.names else None

    async def default_version(self, tenant: str) -> str | None:
        return self.versions.get(tenant)

    async def set_default_version(self, tenant: str, version: str | None) -> None:
        self.versions[tenant] = version

    async def require_tenant(self, tenant: str) -> None:
        if tenant not in self.names:
            raise NotFound(f"there is no tenant {tenant}")

    async def delete_tenant(self, tenant: str) -> None:
        await self.require_tenant(tenant)
        self.names.discard(tenant)

    async def add_credential(
        self, tenant: str, *, kind: str, key: str, secret: str | None, scopes: Iterable[str], **more: Any
    ) -> None:
        if any(each["key"] == key for each in self.credentials):
            raise CredentialTaken(f"the key {key} is in use")
        given = {name: value for name, value in more.items() if value is not None}
        self.credentials.append({"kind": kind, "key": key, "secret": secret, "scopes": list(scopes), **given})

    async def list_credentials(self, tenant: str) -> Sequence[Mapping[str, Any]]:
        return self.credentials

    async def remove_credential(self, tenant: str, key: str) -> None:
        left = [each for each in self.credentials if each["key"] != key]
        if len(left) == len(self.credentials):
            raise NotFound(f"no credential {key}")
        self.credentials = left

    async def settings(self, tenant: str, adapter: Adapter) -> Mapping[str, Any]:
        return adapter.settings().load(self.saved.get((tenant, adapter.name), {}))  # type: ignore[no-any-return]

    async def save_settings(self, tenant: str, adapter: Adapter, settings: Mapping[str, Any]) -> None:
        adapter.settings().load(settings)
        self.saved[tenant, adapter.name] = settings
