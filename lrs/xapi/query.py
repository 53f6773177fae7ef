"""Queries for statements: out of parameters, and what they mean. xAPI 1.0.3, Communication 2.1.3."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from lrs.errors import InvalidBody, InvalidParameter, InvalidStatement, InvalidValue
from lrs.xapi.agents import identity
from lrs.xapi.json_text import parse
from lrs.xapi.lookups import LookUps
from lrs.xapi.schema import check_actor
from lrs.xapi.shapes import Check, Fault
from lrs.xapi.times import parse_timestamp
from lrs.xapi.types import Agent
from lrs.xapi.values import check_iri, check_uuid

Format: TypeAlias = Literal["exact", "ids", "canonical"]
Read: TypeAlias = Callable[[str, str, str], Any]


@dataclass(frozen=True)
class StatementQuery:
    """What is asked for. `agent` is an identity key, UUIDs are in lower case, times are µs since the epoch.

    `since_us` is exclusive, `until_us` inclusive, both about the time of storing. `limit` 0 leaves it to the server.
    `authority` is no parameter: it is set for those who may read only what stands under their own.
    """

    statement_id: str | None = None
    voided_statement_id: str | None = None
    agent: str | None = None
    verb: str | None = None
    activity: str | None = None
    registration: str | None = None
    related_activities: bool = False
    related_agents: bool = False
    since_us: int | None = None
    until_us: int | None = None
    limit: int = 0
    format: Format = "exact"
    attachments: bool = False
    ascending: bool = False
    authority: str | None = None


def parse_query(params: Mapping[str, str], version: str) -> StatementQuery:
    """The query of GET /statements.

    Raises InvalidParameter for what is unknown, misspelt, malformed or may not stand together.
    """
    fields: dict[str, Any] = {}
    for name, text in params.items():
        if name not in PARAMETERS:
            raise InvalidParameter(name, _unknown(name))
        field, read = PARAMETERS[name]
        fields[field] = read(name, text, version)
    for name in ("statementId", "voidedStatementId"):
        if name in params:
            for other in params:
                if other not in (name, "attachments", "format"):
                    raise InvalidParameter(other, f"may not stand beside {name}")
    return StatementQuery(**fields)


def matches(
    query: StatementQuery, look_ups: LookUps, stored_us: int, voided: bool, targets: Sequence[LookUps] = ()
) -> bool:
    """Whether a statement is in the result of a query; `format`, `limit`, order and attachments play no part.

    `targets` are the look-ups of what it points at through StatementRefs, at any remove: it also meets a condition that
    one of them meets, times apart. xAPI 1.0.3, Communication 2.1.3, "Filter Conditions for StatementRefs".
    """
    if query.statement_id is not None:
        return look_ups.statement_id == query.statement_id and not voided
    if query.voided_statement_id is not None:
        return look_ups.statement_id == query.voided_statement_id and voided
    if voided or (query.since_us is not None and stored_us <= query.since_us):
        return False
    if query.until_us is not None and stored_us > query.until_us:
        return False
    if query.authority is not None and query.authority != look_ups.authority:
        return False
    chain = (look_ups, *targets)
    return (
        (query.verb is None or any(query.verb == each.verb for each in chain))
        and (query.registration is None or any(query.registration == each.registration for each in chain))
        and (query.agent is None or any(query.agent in agents_of(query, each) for each in chain))
        and (query.activity is None or any(query.activity in activities_of(query, each) for each in chain))
    )


def agents_of(query: StatementQuery, look_ups: LookUps) -> tuple[str, ...]:
    """The identities the agent filter of this query looks at."""
    return look_ups.related_agents if query.related_agents else look_ups.agents


def activities_of(query: StatementQuery, look_ups: LookUps) -> tuple[str, ...]:
    """The activities the activity filter of this query looks at."""
    if query.related_activities:
        return look_ups.related_activities
    return () if look_ups.activity is None else (look_ups.activity,)


def agent_parameter(name: str, text: str, version: str) -> Agent:
    """An Agent or identified Group out of the JSON of a parameter. Raises InvalidParameter."""
    try:
        agent: Agent = parse(text)
        check_actor(agent, version)
    except InvalidBody as error:
        raise InvalidParameter(name, error.rule) from None
    except InvalidStatement as error:
        raise InvalidParameter(f"{name}.{error.place}" if error.place else name, error.rule) from None
    if identity(agent) is None:
        raise InvalidParameter(name, "must be an Agent or an identified Group")
    return agent


def iri_parameter(name: str, text: str, _version: str) -> str:
    """An IRI. Raises InvalidParameter."""
    return _checked(name, text, check_iri)


def uuid_parameter(name: str, text: str, _version: str) -> str:
    """A UUID, in lower case. Raises InvalidParameter."""
    return _checked(name, text, check_uuid).lower()


def timestamp_parameter(name: str, text: str, version: str) -> int:
    """A timestamp, in µs since the epoch. Raises InvalidParameter."""
    try:
        return parse_timestamp(text, version)
    except InvalidValue as error:
        raise InvalidParameter(name, error.rule) from None


def boolean_parameter(name: str, text: str, _version: str) -> bool:
    """"true" or "false". Raises InvalidParameter."""
    if text not in ("true", "false"):
        raise InvalidParameter(name, "must be true or false")
    return text == "true"


def _agent_identity(name: str, text: str, version: str) -> str | None:
    return identity(agent_parameter(name, text, version))


def _limit(name: str, text: str, _version: str) -> int:
    # No store holds 10¹⁸ statements; without a bound, int() of a long text would fail.
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise InvalidParameter(name, "must be an integer, 0 or more")
    return int(text)


def _format(name: str, text: str, _version: str) -> str:
    if text not in ("exact", "ids", "canonical"):
        raise InvalidParameter(name, "must be exact, ids or canonical")
    return text


def _checked(name: str, text: str, check: Check) -> str:
    try:
        check(text)
    except Fault as fault:
        raise InvalidParameter(name, fault.rule) from None
    return text


def _unknown(name: str) -> str:
    for known in PARAMETERS:
        if name.lower().replace("_", "") == known.lower().replace("_", ""):
            return f"is not a parameter; it is spelt {known}"
    return "is not a parameter of this resource"


# Parameter -> field of StatementQuery, and how its text is read.
PARAMETERS: Mapping[str, tuple[str, Read]] = {
    "statementId": ("statement_id", uuid_parameter),
    "voidedStatementId": ("voided_statement_id", uuid_parameter),
    "agent": ("agent", _agent_identity),
    "verb": ("verb", iri_parameter),
    "activity": ("activity", iri_parameter),
    "registration": ("registration", uuid_parameter),
    "related_activities": ("related_activities", boolean_parameter),
    "related_agents": ("related_agents", boolean_parameter),
    "since": ("since_us", timestamp_parameter),
    "until": ("until_us", timestamp_parameter),
    "limit": ("limit", _limit),
    "format": ("format", _format),
    "attachments": ("attachments", boolean_parameter),
    "ascending": ("ascending", boolean_parameter),
}
