"""The data directory of `lrs up`: who holds it, the ports and secrets it remembers, the children it started."""

import contextlib
import errno
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lrs.embedded.ports import free_port, is_free
from lrs.errors import ConfigurationError


def default_home(environment: Mapping[str, str]) -> Path:
    """`$XDG_DATA_HOME/lrs`, or `~/.local/share/lrs`."""
    base = environment.get("XDG_DATA_HOME")
    try:
        return Path(base) / "lrs" if base else Path.home() / ".local" / "share" / "lrs"
    except RuntimeError:
        raise ConfigurationError("no home directory is known for this user: name one with --data") from None


def write_privately(path: Path, value: Mapping[str, Any]) -> None:
    """Put JSON at `path` at once or not at all, readable by its owner only. OSError where that cannot be."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


class Home:
    """One data directory. `create()` and `held()` first; the rest expects to be alone in it."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        self.mongo = self.root / "mongo"
        self.redis = self.root / "redis"
        self.logs = self.root / "logs"

    def create(self) -> None:
        """Make the folders and see that they can be written to; ConfigurationError if not."""
        try:
            for folder in (self.root, self.mongo, self.redis, self.logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                probe = folder / f".probe.{os.getpid()}"
                probe.touch()
                probe.unlink()
        except OSError as error:
            raise ConfigurationError(f"cannot keep data in {self.root}: {error.strerror} ({error.filename})") from None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the directory for this process. ConfigurationError if another one does.

        A lock of the kernel's: it goes when its process does, however that ended, so none is ever stale.
        """
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise ConfigurationError(f"cannot lock {self.root}: {error.strerror}; is it a local folder?") from None
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            raise ConfigurationError(f"another `lrs up` (process {holder}) is running on {self.root}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def read(self, name: str) -> dict[str, Any]:
        """What `<name>.json` remembers; {} if it is not there. ConfigurationError if it cannot be read."""
        path = self.root / f"{name}.json"
        try:
            value = json.loads(path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"cannot read {path}: {error}") from None
        if not isinstance(value, dict):
            raise ConfigurationError(f"cannot read {path}: not a JSON object")
        return value

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Remember `value` in `<name>.json`. ConfigurationError if the disk does not take it."""
        path = self.root / f"{name}.json"
        try:
            write_privately(path, value)
        except OSError as error:
            raise ConfigurationError(f"cannot write {path}: {error.strerror}") from None

    def port(self, program: str) -> int:
        """The loopback port `program` had last time if it is free now, else a new one; remembered."""
        ports = self.read("ports")
        port = ports.get(program)
        if not isinstance(port, int) or not is_free(port):
            port = next(port for port in iter(free_port, None) if port not in ports.values())
            self.write("ports", {**ports, program: port})
        return port

    def secrets(self) -> dict[str, Any]:
        """`secret` and `operator` {key, secret} of this directory, made on first use; `tenants` by name."""
        known = self.read("secrets")
        if "operator" not in known or "secret" not in known:
            operator = {"key": "operator", "secret": secrets.token_urlsafe(24)}
            known = {"secret": secrets.token_urlsafe(32), "operator": operator, "tenants": {}, **known}
            self.write("secrets", known)
        return known
