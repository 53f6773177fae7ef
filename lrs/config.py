"""The configuration of a process, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lrs.errors import ConfigurationError

DEFAULT_SECRET = "not-a-secret"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
VERSIONS = ("1.0.3", "2.0.0")


@dataclass(frozen=True)
class Config:
    """Everything a process is told from outside. Sizes in bytes, times in seconds.

    `secret` keys the digests of stored secrets and signs cursors: every process on one database needs the same.
    `request_timeout`: for the head of a request, for its body (a second more for each 16 KiB), and for an idle connection.
    `operator` is the management credential, "key:secret"; "" switches management off. docs/operations.md explains every field.
    What may hold a password is not in the `repr`, so that it gets into no log or traceback.
    """

    mongo_url: str = field(default="mongodb://127.0.0.1:27017/?replicaSet=rs0", repr=False)
    mongo_database: str = "lrs"
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    secret: str = field(default=DEFAULT_SECRET, repr=False)
    operator: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    jobs: int = 2
    xapi_default_version: str = "2.0.0"
    cors_origins: str = "*"
    body_limit: int = 32 * 1024 * 1024
    attachment_limit: int = 1024 * 1024 * 1024
    page_limit: int = 500
    request_timeout: float = 75.0
    write_timeout: float = 20.0
    drain_timeout: float = 15.0
    log_format: str = "json"
    insecure: bool = False
    authority_home_page: str = "https://learning-record-store.invalid/credentials"
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_jwks_url: str = ""
    oidc_tenant_claim: str = "tenant"
    oidc_scope_prefix: str = ""
    oidc_refetch: float = 30.0
    rate_limit: float = 0.0
    rate_burst: int = 0

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
        config._check_access()
        return config

    def _check_access(self) -> None:
        if self.oidc_issuer and not self.oidc_audience:
            raise ConfigurationError("LRS_OIDC_ISSUER needs LRS_OIDC_AUDIENCE: else tokens made for other services would be taken")
        for variable, url in (("LRS_OIDC_ISSUER", self.oidc_issuer), ("LRS_OIDC_JWKS_URL", self.oidc_jwks_url)):
            if url and not trustworthy(url):
                raise ConfigurationError(f"{variable}: must be an https address (http on loopback only), not {url!r}")
        if not 0 <= self.rate_limit < float("inf") or self.rate_burst < 0 or not 1 <= self.oidc_refetch < float("inf"):
            raise ConfigurationError("LRS_RATE_LIMIT and LRS_RATE_BURST must not be negative, LRS_OIDC_REFETCH at least 1")

    def refuse_unsafe(self) -> None:
        """A bind beyond loopback needs a secret of its own (and TLS in front), unless `insecure` is set."""
        if self.insecure or self.host in LOOPBACK:
            return
        if self.secret == DEFAULT_SECRET:
            raise ConfigurationError(f"binding {self.host} with the default LRS_SECRET: set one, or say --insecure")
        raise ConfigurationError(f"binding {self.host} without TLS: put a TLS proxy in front of loopback, or say --insecure")


def trustworthy(url: str) -> bool:
    """Whether what comes from an address comes from whom it names: by https, or from this machine."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
    except ValueError:
        return False


def _typed(variable: str, text: str, kind: object) -> object:
    try:
        if kind is bool:
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}[text.lower()]
        return kind(text) if kind in (int, float) else text  # type: ignore[operator]
    except (ValueError, KeyError):
        raise ConfigurationError(f"{variable}: {text!r} is not a value of type {getattr(kind, '__name__', kind)}") from None
