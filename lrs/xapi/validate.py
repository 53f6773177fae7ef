"""Rules for a whole batch. xAPI 1.0.3, Communication 2.1.2."""

from collections.abc import Sequence

from lrs.errors import InvalidStatement, InvalidStatements, Problem
from lrs.xapi.schema import check


def check_batch(statements: Sequence[object], version: str) -> None:
    """Judge every statement of a batch under the rules of "1.0.x" or "2.0.x".

    Raises InvalidStatements with the first problem of every bad statement; a later statement with the id of an earlier
    one is bad as well.
    """
    problems: list[Problem] = []
    first_with: dict[str, int] = {}
    for index, statement in enumerate(statements):
        try:
            check(statement, version)
        except InvalidStatement as error:
            problems.append(Problem(index, error.place, error.rule))
            continue
        statement_id = statement.get("id") if isinstance(statement, dict) else None
        if statement_id is not None:
            earlier = first_with.setdefault(statement_id.lower(), index)
            if earlier != index:
                problems.append(Problem(index, "id", f"must be unique in a batch; statement {earlier} has it too"))
    if problems:
        raise InvalidStatements(problems)
