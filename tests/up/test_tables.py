"""Tables of the command line where there is no terminal."""

import pytest

from lrs.commands.report import Report


@pytest.mark.parametrize("columns", ["40", None])
def test_a_table_that_goes_into_a_file_is_not_wrapped_as_for_a_terminal(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns) if columns else monkeypatch.delenv("COLUMNS", raising=False)
    names = [f"column number {each}" for each in range(8)]
    Report().table("What was measured", names, [[f"{each} of this" for each in range(8)]])
    lines = capsys.readouterr().out.splitlines()
    assert sum(all(name in line for name in names) for line in lines) == 1
    assert sum("0 of this" in line and "7 of this" in line for line in lines) == 1
    assert max(map(len, lines)) >= 136
