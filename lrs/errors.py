"""Every error a caller can provoke. Status codes are not decided here but in `lrs.http.errors`."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong with what was sent.

    `index` counts from 0 in a batch (None: not a batch), `place` is a dotted path such as "actor.mbox" ("" is the whole),
    `rule` says what is required there.
    """

    index: int | None
    place: str
    rule: str


class LRSError(Exception):
    """Base of all errors of this project. `problems` lists what was wrong, where that is known."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.problems = tuple(problems)


class PlacedError(LRSError):
    """An error at one place of what was sent."""

    def __init__(self, place: str, rule: str) -> None:
        super().__init__(f"{place}: {rule}" if place else rule, [Problem(None, place, rule)])
        self.place = place
        self.rule = rule


class InvalidBody(PlacedError):
    """The body cannot be read at all: broken JSON, a duplicate key, a number JSON does not have."""

    def __init__(self, rule: str, place: str = "") -> None:
        super().__init__(place, rule)


class InvalidValue(PlacedError):
    """A single value is not of its kind: a timestamp, a duration, an IRI."""


class InvalidStatement(PlacedError):
    """One statement breaks a rule of the specification."""


class InvalidStatements(LRSError):
    """A batch that is refused as a whole; `problems` has at least one entry for each bad item."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        where = f"statement {first.index}: " if first.index is not None else ""
        super().__init__(f"{where}{first.place}: {first.rule}", problems)


class InvalidParameter(PlacedError):
    """A query parameter or header is unknown, misspelt or has a value it may not have."""


class InvalidEvent(PlacedError):
    """A native event does not have the shape or the values its system documents.

    `reason` is "shape" (a part is missing or of another kind), "value" (a part says what it may not) or "unknown_type";
    `code` is what the event's own system calls the error.
    """

    def __init__(self, place: str, rule: str, *, reason: str = "value", code: str = "INVALID_EVENT") -> None:
        super().__init__(place, rule)
        self.reason = reason
        self.code = code


class StatementConflict(LRSError):
    """Another, different statement is stored under one of these ids. Nothing of the request was stored."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"a different statement is already stored with the id {', '.join(ids)}")
        self.ids = tuple(ids)


class DocumentConflict(LRSError):
    """A document is there already, and the request does not say that it knows which. Nothing was changed."""


class PreconditionFailed(LRSError):
    """What the request requires of a document does not hold. Nothing was changed."""


class CredentialTaken(LRSError):
    """A credential's key is unique over all tenants, and this one is in use."""


class HostTaken(LRSError):
    """A host name leads to one tenant, and this one leads to another."""


class TenantLeaving(LRSError):
    """A tenant of this name is being deleted, or its deletion was interrupted."""


class JobNotInState(LRSError):
    """A job that is over cannot be cancelled, and one that is not cannot be tried again."""


class Unauthorized(LRSError):
    """No credential came, or none that is known."""


class Forbidden(LRSError):
    """The credential is known, but its scopes do not reach this."""


class RateLimited(LRSError):
    """The credential has asked more often than it may; in `retry_after_s` seconds it may again."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"too many requests with this credential: try again in {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


class IssuerUnavailable(LRSError):
    """The issuer of tokens gave us no keys, so a token can neither be taken nor refused. The same again may go through."""


class NotFound(LRSError):
    """There is nothing at this place for this caller."""


class TooLarge(LRSError):
    """The body is over the configured limit."""


class TooSlow(LRSError):
    """The body did not come in the time it may take."""


class UnsupportedMediaType(LRSError):
    """The body's content type is none that this place takes."""


class StoreUnavailable(LRSError):
    """The database gave no definite answer in time. Sending the same again is safe."""


class ConfigurationError(LRSError):
    """The process cannot start with the configuration it was given."""


class BrokenTranslation(LRSError):
    """An adapter's translator made statements that are not valid: our fault, never the client's."""
