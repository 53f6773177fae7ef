"""What the README says can be pasted, found and called."""

import os
import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from lrs.commands.group import MENU, commands

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def test_the_first_two_lines_to_paste_start_the_demo_and_run_all_tests():
    first, second, *_ = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)
    assert first.endswith("lrs up --demo")
    assert second.endswith("/tox")
    assert second in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_ci_script_can_be_executed():
    assert os.stat(ROOT / ".ci" / "run").st_mode & stat.S_IXUSR


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:tests|docs)/[\w/.]+)`|\]\(([\w./]+)\)", README))))
def test_every_file_the_readme_names_is_there(path):
    assert (ROOT / "".join(path)).exists()


@pytest.mark.parametrize("name", MENU)
def test_every_command_is_in_the_readme_and_has_help(name):
    assert f"`lrs {name}" in README
    outcome = CliRunner().invoke(commands, [name, "--help"])
    assert outcome.exit_code == 0, outcome.output
    assert outcome.output.startswith("Usage: ")


def test_the_menu_shows_all_commands_without_importing_them():
    outcome = CliRunner().invoke(commands, ["--help"])
    assert outcome.exit_code == 0
    assert all(f"  {name} " in outcome.output for name in MENU)
