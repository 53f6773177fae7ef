"""The configuration of a process, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from lrs.errors import ConfigurationError

DEFAULT_SECRET = "not-a-secret"
VERSIONS = ("1.0.3", "2.0.0")


@dataclass(frozen=True)
class Config:
    """Everything a process is told from outside. Sizes in bytes, times in seconds.

    `secret` keys the digests of stored secrets and signs cursors: every process on one database needs the same.
    `operator` is the management credential, "key:secret"; "" switches management off.
    """

    mongo_url: str = "mongodb://127.0.0.1:27017/?replicaSet=rs0"
    mongo_database: str = "lrs"
    redis_url: str = "redis://127.0.0.1:6379/0"
    secret: str = DEFAULT_SECRET
    operator: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    xapi_default_version: str = "2.0.0"
    body_limit: int = 32 * 1024 * 1024
    page_limit: int = 500
    write_timeout: float = 20.0
    drain_timeout: float = 15.0
    log_format: str = "json"
    insecure: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Config":
        """Read LRS_<NAME> for every field; ConfigurationError names a variable with a value it cannot have."""
        values: dict[str, object] = {}
        for name, kind in cls.__annotations__.items():
            variable = f"LRS_{name.upper()}"
            if variable in environment:
                values[name] = _typed(variable, environment[variable], kind)
        config = cls(**values)  # type: ignore[arg-type]
        if config.xapi_default_version not in VERSIONS:
            raise ConfigurationError(f"LRS_XAPI_DEFAULT_VERSION: one of {', '.join(VERSIONS)}, not {config.xapi_default_version!r}")
        return config

    def refuse_unsafe(self) -> None:
        """A bind beyond loopback needs a secret of its own (and TLS in front), unless `insecure` is set."""
        if self.insecure or self.host in ("127.0.0.1", "localhost", "::1"):
            return
        if self.secret == DEFAULT_SECRET:
            raise ConfigurationError(f"binding {self.host} with the default LRS_SECRET: set one, or say --insecure")
        raise ConfigurationError(f"binding {self.host} without TLS: put a TLS proxy in front of loopback, or say --insecure")


def _typed(variable: str, text: str, kind: object) -> object:
    try:
        if kind is bool:
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}[text.lower()]
        return kind(text) if kind in (int, float) else text  # type: ignore[operator]
    except (ValueError, KeyError):
        raise ConfigurationError(f"{variable}: {text!r} is not a value of type {getattr(kind, '__name__', kind)}") from None
