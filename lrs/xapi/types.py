"""The shapes of statements and their parts, as plain dicts. xAPI 1.0.3, Data 2.4; IEEE 9274.1.1, 4.2.

They describe checked statements; judging unknown input is the work of `lrs.xapi.schema`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Required, TypeAlias, TypedDict

LanguageMap: TypeAlias = Mapping[str, str]
Extensions: TypeAlias = Mapping[str, Any]


class Account(TypedDict):
    """A user account on an existing system."""

    homePage: str
    name: str


class Agent(TypedDict, total=False):
    """A person or system, known by exactly one of the four identifiers."""

    objectType: str
    name: str
    mbox: str
    mbox_sha1sum: str
    openid: str
    account: Account


class Group(Agent, total=False):
    """Several agents; anonymous without an identifier. Stands wherever an Agent may stand."""

    member: Sequence[Agent]


class Verb(TypedDict, total=False):
    """What was done. `display` is for people only."""

    id: Required[str]
    display: LanguageMap


class InteractionComponent(TypedDict, total=False):
    """One choice, step, source, target or point of a scale."""

    id: Required[str]
    description: LanguageMap


class Definition(TypedDict, total=False):
    """What is known of an activity."""

    name: LanguageMap
    description: LanguageMap
    type: str
    moreInfo: str
    extensions: Extensions
    interactionType: str
    correctResponsesPattern: Sequence[str]
    choices: Sequence[InteractionComponent]
    scale: Sequence[InteractionComponent]
    source: Sequence[InteractionComponent]
    target: Sequence[InteractionComponent]
    steps: Sequence[InteractionComponent]


class Activity(TypedDict, total=False):
    """Something that can be done, named by an IRI."""

    objectType: str
    id: Required[str]
    definition: Definition


class StatementRef(TypedDict):
    """A pointer to another statement, which need not be there."""

    objectType: str
    id: str


class Score(TypedDict, total=False):
    """`scaled` is -1..1; `raw` lies between `min` and `max`."""

    scaled: float
    raw: float
    min: float
    max: float


class Result(TypedDict, total=False):
    """A measured outcome. `duration` is an ISO 8601 duration."""

    score: Score
    success: bool
    completion: bool
    response: str
    duration: str
    extensions: Extensions


class ContextActivities(TypedDict, total=False):
    """Activities around the object. A single Activity may stand for a list of one; stored statements hold lists."""

    parent: Sequence[Activity]
    grouping: Sequence[Activity]
    category: Sequence[Activity]
    other: Sequence[Activity]


class ContextAgent(TypedDict, total=False):
    """An agent around the statement and the roles it has there (2.0)."""

    objectType: Required[str]
    agent: Required[Agent]
    relevantTypes: Sequence[str]


class ContextGroup(TypedDict, total=False):
    """A group around the statement and the roles it has there (2.0)."""

    objectType: Required[str]
    group: Required[Group]
    relevantTypes: Sequence[str]


class Context(TypedDict, total=False):
    """What gives a statement more meaning."""

    registration: str
    instructor: Agent
    team: Group
    contextActivities: ContextActivities
    contextAgents: Sequence[ContextAgent]
    contextGroups: Sequence[ContextGroup]
    revision: str
    platform: str
    language: str
    statement: StatementRef
    extensions: Extensions


class Attachment(TypedDict, total=False):
    """The header of an attachment. `length` is in octets, `sha2` hexadecimal."""

    usageType: Required[str]
    display: Required[LanguageMap]
    description: LanguageMap
    contentType: Required[str]
    length: Required[int]
    sha2: Required[str]
    fileUrl: str


class Statement(TypedDict, total=False):
    """One learning experience. The objectType of `object` tells Activity, Agent, Group, StatementRef, SubStatement."""

    id: str
    actor: Required[Agent]
    verb: Required[Verb]
    object: Required[Mapping[str, Any]]
    result: Result
    context: Context
    timestamp: str
    stored: str
    authority: Agent
    version: str
    attachments: Sequence[Attachment]
