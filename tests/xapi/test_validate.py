"""Rules for a whole batch."""

import pytest
from statement_parts import UUID, full_statement, with_part

from lrs.errors import InvalidStatements
from lrs.xapi.validate import check_batch


def places(statements, version="1.0.3"):
    """Index and place of every problem of a batch."""
    with pytest.raises(InvalidStatements) as refused:
        check_batch(statements, version)
    return [(problem.index, problem.place) for problem in refused.value.problems]


def test_a_batch_of_good_statements_is_taken():
    check_batch([], "1.0.3")
    check_batch([full_statement(), with_part("id", UUID)], "1.0.3")


def test_every_bad_statement_is_named():
    bad = with_part("actor.mbox", "x")
    assert places([bad, full_statement(), None, with_part("verb.id", 1)]) == [(0, "actor.mbox"), (2, ""), (3, "verb.id")]


def test_an_id_used_twice_is_a_problem_of_the_later_one_whatever_its_case():
    assert places([with_part("id", UUID), full_statement(), with_part("id", UUID.upper())]) == [(2, "id")]


def test_statements_without_id_do_not_clash():
    without = full_statement()
    del without["id"]
    check_batch([without, without], "1.0.3")
