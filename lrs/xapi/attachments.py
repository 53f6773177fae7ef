"""Attachments of a batch: which data it needs, whether that came, and what of it each statement holds.

xAPI 1.0.3, Communication 1.5.2 and Data 2.4.11; IEEE 9274.1.1, 4.1.3 and 4.2.2.6. Pure. Statements may come unchecked: what has not
the shape of an attachment is passed over, and left to the checker.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrs.errors import Problem
from lrs.xapi.vocabulary import SIGNATURE

FILE_URL_RULE = "is required of an attachment whose data does not come with the request"
SIGNATURE_RULE = "is a signature, whose data must come with the request"
# The member of the family that a hash is of, by its number of hexadecimal digits.
ALGORITHMS: Mapping[int, str] = {56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}


@dataclass(frozen=True)
class Declared:
    """An attachment as a statement declares it: of the statement at `index` of the batch, at a place such as "attachments.0"."""

    index: int
    place: str
    attachment: Mapping[str, Any]

    @property
    def sha2(self) -> str:
        """The hash in lower case, which names the content; "" if there is none."""
        return hash_of(self.attachment)

    @property
    def is_signature(self) -> bool:
        """Whether its data is to be the signature of the statement. Data 2.6."""
        return self.attachment.get("usageType") == SIGNATURE


def declared(statements: Sequence[Any]) -> Iterator[Declared]:
    """The attachments of all statements and of their SubStatements, in their order."""
    for index, statement in enumerate(statements):
        if not isinstance(statement, dict):
            continue
        # Asked of every statement that comes, and hardly any has attachments.
        if "attachments" in statement:
            yield from _declared(statement, index, "")
        target = statement.get("object")
        if isinstance(target, dict) and "attachments" in target:
            yield from _declared(target, index, "object.")


def _declared(statement: Mapping[str, Any], index: int, inside: str) -> Iterator[Declared]:
    listed = statement["attachments"]
    for number, attachment in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(attachment, dict):
            yield Declared(index, f"{inside}attachments.{number}", attachment)


def hash_of(attachment: Mapping[str, Any]) -> str:
    """The hash of an attachment in lower case: hexadecimal digits mean the same in either."""
    sha2 = attachment.get("sha2")
    return sha2.lower() if isinstance(sha2, str) else ""


def by_hash(statements: Sequence[Any]) -> dict[str, list[Declared]]:
    """The attachments by the content they name; the same content may be declared many times."""
    found: dict[str, list[Declared]] = {}
    for each in declared(statements):
        found.setdefault(each.sha2, []).append(each)
    return found


def nowhere(statements: Sequence[Any], received: Collection[str]) -> list[Problem]:
    """The attachments that have neither a fileUrl nor data among what came, by lower-case hash. Communication 1.5.2.

    A signature needs its data: it cannot be checked by an address (Data 2.6).
    """
    problems = []
    for each in declared(statements):
        if each.sha2 in received:
            continue
        if each.is_signature:
            problems.append(Problem(each.index, each.place, SIGNATURE_RULE))
        elif "fileUrl" not in each.attachment:
            problems.append(Problem(each.index, f"{each.place}.fileUrl", FILE_URL_RULE))
    return problems


def held(statement: Any, received: Collection[str]) -> list[str]:
    """The contents, by lower-case hash, that came for a statement, each once, in the order of its attachments."""
    return list(dict.fromkeys(each.sha2 for each in declared([statement]) if each.sha2 in received))


def same_media_type(ours: str, theirs: str) -> bool:
    """Whether two media types are the same but for their parameters: the specification's own example leaves them out of one."""
    return _essence(ours) == _essence(theirs)


def _essence(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()
