"""What was sent, and how it was answered: the clients' side of what was promised to them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Statement = dict[str, Any]
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


@dataclass
class Request:
    """Statements that were sent together, and the status of every try; 0 and 503 say nothing."""

    statements: Sequence[Statement]
    put: bool = False
    tries: list[int] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        """Whether any try was told that all of it is stored."""
        return any(200 <= status < 300 for status in self.tries)

    @property
    def refused(self) -> bool:
        """Whether it was told that one of its ids is another statement's."""
        return 409 in self.tries

    @property
    def unknown(self) -> bool:
        """Whether nobody knows."""
        return not self.acknowledged and not self.refused

    @property
    def ids(self) -> list[str]:
        """The ids, in their order."""
        return [each["id"] for each in self.statements]


class Ledger:
    """All requests of a round."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.sent: dict[str, list[Statement]] = defaultdict(list)
        self.acknowledged: dict[str, Statement] = {}
        self.to_be_voided: set[str] = set()
        self._senders: Counter[str] = Counter()  # how many requests brought an id

    def begin(self, statements: Sequence[Statement], *, put: bool = False) -> Request:
        """A new request, before it is sent."""
        request = Request(statements, put)
        self.requests.append(request)
        self._senders.update(set(request.ids))
        for each in statements:
            if each not in self.sent[each["id"]]:
                self.sent[each["id"]].append(each)
            if is_void(each):
                self.to_be_voided.add(each["object"]["id"])
        return request

    def note(self, request: Request, status: int) -> None:
        """The outcome of a try."""
        request.tries.append(status)
        if request.acknowledged:
            self.acknowledged |= {each["id"]: each for each in request.statements}

    def plain(self) -> list[Statement]:
        """Acknowledged statements that nobody meant to void, and are no voids."""
        return [each for each in self.acknowledged.values() if each["id"] not in self.to_be_voided and not is_void(each)]

    def alone_in(self, request: Request) -> list[str]:
        """The ids that no other request brought."""
        return [each for each in request.ids if self._senders[each] == 1]


def is_void(statement: Statement) -> bool:
    """Whether a statement voids another."""
    return bool(statement["verb"]["id"] == VOIDED)


def as_sent(stored: Statement, sent: Iterable[Statement]) -> bool:
    """Whether what is stored is one of those that were sent, beyond what the server adds: `stored` and `authority`."""
    bare = {name: value for name, value in stored.items() if name not in ("stored", "authority")}
    return any(bare == each for each in sent)
