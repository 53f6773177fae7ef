"""A package to begin an adapter with: the files of `adapter_template`, under another name."""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from lrs.errors import ConfigurationError
from lrs.xapi.build import uuid5_of

# What the template is called, and how a name must be.
TEMPLATE, NAME = "acme", re.compile(r"[a-z][a-z0-9_]{1,31}")
SUFFIX = ".tmpl"
# Ids in the cases depend on the name: "@ID OF visit-1@".
ID = re.compile(r"@ID OF ([\w-]+)@")


def scaffold(name: str, into: Path) -> Path:
    """Write the package of an adapter into a new folder. ConfigurationError if the name will not do or the folder is there."""
    if not NAME.fullmatch(name):
        raise ConfigurationError(f"{name} is no name for an adapter: lower-case letters, digits and _, a letter first")
    if into.exists():
        raise ConfigurationError(f"{into} is there already")
    _copy(files("lrs.commands") / "adapter_template", into, name)
    return into


def _copy(source: Traversable, target: Path, name: str) -> None:
    target.mkdir(parents=True)
    for each in source.iterdir():
        renamed = target / each.name.removesuffix(SUFFIX).replace(TEMPLATE, name)
        if each.is_dir():
            _copy(each, renamed, name)
        elif each.name.endswith(SUFFIX):
            renamed.write_text(_filled(each.read_text(), name))


def _filled(text: str, name: str) -> str:
    namespace = uuid5(NAMESPACE_URL, f"https://lrs.example.org/xapi/adapters/{name}")
    with_ids = ID.sub(lambda found: uuid5_of(namespace, ["visit", found[1]]), text)
    return with_ids.replace(TEMPLATE, name).replace(TEMPLATE.capitalize(), name.capitalize())
