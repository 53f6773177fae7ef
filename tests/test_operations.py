"""The operator's document says what the configuration is."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from lrs.config import Config
from lrs.errors import ConfigurationError

TEXT = (Path(__file__).parent.parent / "docs" / "operations.md").read_text()
ROW = re.compile(r"^\| `(LRS_[A-Z_]+)` \| (?:`(.*?)`)? ?\| (.+) \|$", re.MULTILINE)


def test_every_variable_has_a_line_with_its_default_and_no_line_is_of_anything_else() -> None:
    documented = {name: default for name, default, _ in ROW.findall(TEXT)}
    assert documented == {f"LRS_{field.name.upper()}": str(field.default) for field in fields(Config)}


def test_every_variable_that_the_text_names_exists() -> None:
    assert set(re.findall(r"LRS_[A-Z_]+", TEXT)) <= {f"LRS_{field.name.upper()}" for field in fields(Config)}


def test_every_default_can_be_given_in_the_environment_too() -> None:
    given = {name: default for name, default, _ in ROW.findall(TEXT)}
    assert Config.from_environment(given) == Config()


@pytest.mark.parametrize("name", [field.name for field in fields(Config) if not isinstance(field.default, str)])
def test_a_value_of_the_wrong_type_is_refused_by_the_name_of_its_variable(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"LRS_{name.upper()}"):
        Config.from_environment({f"LRS_{name.upper()}": "neither a number nor yes or no"})
