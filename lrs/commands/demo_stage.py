"""What the acts of the demo share: where they play, and what they show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lrs.commands.management import Endpoint, Refused, tenant_path


@dataclass(frozen=True)
class Stage:
    """An LRS with a tenant.

    `operator` may provision, `user` is a credential of the tenant, `people` are names with passwords.
    """

    operator: Endpoint
    tenant: str
    user: tuple[str, str]
    people: Mapping[str, str]
    prefix: str = ""

    def seen_by(self, user: tuple[str, str]) -> Endpoint:
        """The LRS for someone who is not the operator; paths are the tenant's."""
        return replace(self.operator, url=self.operator.url + self.prefix, user=user)

    def person(self, name: str) -> tuple[str, str]:
        """Name and password of one of the people."""
        return name, self.people[name]

    def see_to_key(self, key: str, scopes: Sequence[str]) -> None:
        """Let this be an API key of the tenant's, for vendors' calls that bring a key in a header and nothing else."""
        credential = {"kind": "api_key", "api_key": key, "scopes": scopes}
        try:
            self.operator.call("POST", tenant_path(self.tenant, "credentials"), credential)
        except Refused as refusal:
            if refusal.status != 409:  # made by an earlier demo
                raise


@dataclass(frozen=True)
class Table:
    """Rows for people to read."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Shown:
    """What came of an act: tables, and lines to paste as (what it does, the line)."""

    tables: Sequence[Table]
    lines: Sequence[tuple[str, str]]
