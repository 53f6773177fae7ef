"""Rules for a whole batch. xAPI 1.0.3, Communication 2.1.2."""

from collections.abc import Iterable, Sequence

from lrs.errors import InvalidStatement, InvalidStatements, Problem
from lrs.xapi.schema import check


class BatchCheck:
    """Judges the statements of a batch under the rules of "1.0.x" or "2.0.x", some at a time; a large one takes its time."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._problems: list[Problem] = []
        self._first_with: dict[str, int] = {}
        self._taken = 0

    def take(self, statements: Iterable[object]) -> None:
        """Judge the next ones of the batch."""
        for index, statement in enumerate(statements, self._taken):
            self._taken = index + 1
            try:
                check(statement, self._version)
            except InvalidStatement as error:
                self._problems.append(Problem(index, error.place, error.rule))
                continue
            statement_id = statement.get("id") if isinstance(statement, dict) else None
            if statement_id is not None:
                earlier = self._first_with.setdefault(statement_id.lower(), index)
                if earlier != index:
                    self._problems.append(Problem(index, "id", f"must be unique in a batch; statement {earlier} has it too"))

    def finish(self) -> None:
        """Raises InvalidStatements with the first problem of every bad statement; one with the id of an earlier one is bad as well."""
        if self._problems:
            raise InvalidStatements(self._problems)


def check_batch(statements: Sequence[object], version: str) -> None:
    """Judge every statement of a batch. Raises InvalidStatements, as `BatchCheck`."""
    batch = BatchCheck(version)
    batch.take(statements)
    batch.finish()
