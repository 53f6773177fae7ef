"""What an adapter is, and how the installed ones are found. Nothing is skipped quietly: what is declared loads, or nothing starts."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeAlias

from marshmallow import Schema

from lrs.errors import ConfigurationError
from lrs.materialize import Materializer
from lrs.xapi.types import Agent, Statement

ADAPTERS_GROUP = "lrs.adapters"
MATERIALIZERS_GROUP = "lrs.materializers"


@dataclass(frozen=True)
class Rate:
    """How often something may be done: `per_second` in the long run (0: without limit), `burst` at once after a pause."""

    per_second: float
    burst: int


@dataclass(frozen=True)
class Caller:
    """Who asks: the tenant a credential belongs to, its key, its scopes, and the authority its statements get.

    `rate` is the credential's own limit; None: the server's.
    """

    tenant: str
    key: str
    scopes: frozenset[str]
    authority: Agent
    rate: Rate | None = None


@dataclass(frozen=True)
class Entry:
    """One piece of reference data, such as a user or a lesson.

    `names` are look-up names under which `References.holders` finds the tenants that have such an entry.
    """

    kind: str
    id: str
    document: Mapping[str, Any]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """Reference data an adapter declares: the schema of what operators PUT, and the entries it becomes.

    `entries` may be slow (it may hash passwords) and runs in a thread; it raises marshmallow's ValidationError only.
    """

    name: str
    schema: type[Schema]
    entries: Callable[[Any], Iterable[Entry]]


@dataclass(frozen=True)
class Route:
    """A path served exactly where the vendor documents it. The handler takes an aiohttp request, gives a response.

    What follows it is for readers of the API's description: without a summary, the first line of the handler's docstring.
    `documented` is False for what is there only to be refused, and for other spellings of a path.
    """

    method: str
    path: str
    handler: Callable[[Any], Awaitable[Any]]
    summary: str = ""
    query: type[Schema] | None = None
    body: type[Schema] | None = None
    documented: bool = True


@dataclass(frozen=True)
class Profile:
    """What a native event says about a person or a thing, beside what happened: kept as an xAPI profile document.

    `resource` is "agents" (`owner` is an Agent) or "activities" (`owner` is an activity's IRI), `profile_id` an IRI, `content` a JSON
    object. The last one taken is what is known. `terms` are short texts that it can be found by, such as digests of names.
    """

    resource: str
    owner: Agent | str
    profile_id: str
    content: Mapping[str, Any]
    terms: Sequence[str] = ()


# (event, settings, µs since the epoch at receipt) -> statements, each with its id. Pure; raises InvalidEvent only.
Translator: TypeAlias = Callable[[Any, Mapping[str, Any], int], Sequence[Statement]]


def one_or_many(body: Any) -> Iterable[Any]:
    """The events of a body: the items of an array, those of {"events": [...]}, or the body itself."""
    if isinstance(body, dict) and body.keys() == {"events"} and isinstance(body["events"], list):
        return body["events"]  # type: ignore[no-any-return]
    return body if isinstance(body, list) else (body,)


def nothing_taught(_event: Any, _settings: Mapping[str, Any]) -> Iterable[Profile]:
    """An event that says nothing beside what happened."""
    return ()


@dataclass(frozen=True)
class Adapter:
    """One foreign format, both ways. `version` is recorded with all it translates.

    `translate` makes statements of one native event; an adapter without it has no generic door, only its own routes. `split`
    makes events of a whole body, and raises InvalidEvent if that is no body of events. `teaches` gives the profiles an event
    brings along. `event` describes one event to readers of the API's description.
    """

    name: str
    version: str
    settings: type[Schema]
    routes: tuple[Route, ...] = ()
    references: Mapping[str, Reference] = field(default_factory=dict)
    translate: Translator | None = None
    split: Callable[[Any], Iterable[Any]] = one_or_many
    teaches: Callable[[Any, Mapping[str, Any]], Iterable[Profile]] = nothing_taught
    event: type[Schema] | None = None

    @property
    def label(self) -> str:
        """"name@version"."""
        return f"{self.name}@{self.version}"


def load_adapters() -> dict[str, Adapter]:
    """The installed adapters by name. Raises ConfigurationError if one does not load or two share a name."""
    adapters: dict[str, Adapter] = {}
    for point in entry_points(group=ADAPTERS_GROUP):
        adapter = _loaded(point)
        if not isinstance(adapter, Adapter):
            raise ConfigurationError(f"adapter {point.name} ({point.value}): not an Adapter but {type(adapter).__name__}")
        if adapter.name in adapters:
            raise ConfigurationError(f"adapter {point.name} ({point.value}): the name {adapter.name} is taken")
        adapters[adapter.name] = adapter
    return adapters


def where_from(name: str) -> str:
    """Where an installed adapter comes from: "acme_adapter.routes:adapter (acme-adapter 0.1.0)"; "" if it is not installed."""
    for point in entry_points(group=ADAPTERS_GROUP):
        if point.name == name:
            return f"{point.value} ({point.dist.name} {point.dist.version})" if point.dist else point.value
    return ""


def load_materializers() -> dict[str, Materializer[Any]]:
    """The installed materializers by name. Raises ConfigurationError if one does not load or two share a name."""
    materializers: dict[str, Materializer[Any]] = {}
    for point in entry_points(group=MATERIALIZERS_GROUP):
        for materializer in _loaded(point):
            if materializer.name in materializers:
                raise ConfigurationError(f"materializers {point.name} ({point.value}): {materializer.name} is there twice")
            materializers[materializer.name] = materializer
    return materializers


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError, SyntaxError, TypeError, ValueError) as error:
        raise ConfigurationError(f"entry point {point.group}: {point.name} = {point.value} does not load: {error!r}") from error
