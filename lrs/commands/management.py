"""The management API from the command line: one HTTP call each, and its errors in our words."""

import base64
import http.client
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import click

from lrs.embedded.home import Home, default_home
from lrs.errors import ConfigurationError, LRSError
from lrs.xapi.json_text import again, dump

Command = TypeVar("Command", bound=Callable[..., Any])

# A rebuild of a large tenant is one call.
PATIENCE_S = 3600.0


class Refused(LRSError):
    """The server's answer was no. `status` is HTTP's, `body` what came with it."""

    def __init__(self, call: str, status: int, body: Any) -> None:
        said = body.get("message") if isinstance(body, Mapping) else body
        super().__init__(f"{call} answered {status}: {said or http.client.responses.get(status, '')}")
        self.status = status
        self.body = body


@dataclass(frozen=True)
class Endpoint:
    """An LRS and whom we are to it. `user` is (key, secret) of a Basic credential."""

    url: str
    user: tuple[str, str]
    patience_s: float = PATIENCE_S

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON answered (None: no content); `body` is sent as JSON, or, if it is bytes, as it is.

        Refused unless the answer is 2xx; ConfigurationError if nobody is there.
        """
        with self.answer(method, path, body, headers) as response:
            return _parsed(response.read())

    @contextmanager
    def answer(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """An answer to be read piece by piece; raises what `call` does."""
        url = urlsplit(self.url)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.hostname or "", url.port, timeout=self.patience_s)
        basic = base64.b64encode(":".join(self.user).encode()).decode()
        sent = {"Authorization": f"Basic {basic}", "Content-Type": "application/json", **(headers or {})}
        data = body if body is None or isinstance(body, bytes) else dump(body)
        try:
            connection.request(method, url.path.rstrip("/") + path, data, sent)
            response = connection.getresponse()
            if not 200 <= response.status < 300:
                raise Refused(f"{method} {path}", response.status, _parsed(response.read()))
            yield response
        except (OSError, http.client.HTTPException) as error:
            raise ConfigurationError(f"no LRS answers at {self.url}: {error or type(error).__name__}") from None
        finally:
            connection.close()


def tenant_path(tenant: str, *rest: str) -> str:
    """The path of a tenant below /manage, and of what is below it; names are quoted."""
    return "/".join(["/manage/tenants", *(quote(part, safe="") for part in (tenant, *rest))])


def talks_to_the_api(command: Command) -> Command:
    """The options of every command that talks to the API; the command gets an `endpoint`."""
    for option in (
        click.option("--data", type=click.Path(path_type=Path), help="Data directory of the `lrs up` to talk to."),
        click.option("--url", envvar="LRS_URL", help="Where the API is. [LRS_URL, else that of `lrs up`]"),
    ):
        command = option(command)
    return command


def endpoint(url: str | None, data: Path | None) -> Endpoint:
    """The API and the operator credential: as given, in LRS_OPERATOR ("key:secret"), or those of `lrs up`."""
    home = Home(data or default_home(os.environ))
    key, _, secret = os.environ.get("LRS_OPERATOR", "").partition(":")
    if not secret:
        operator = home.read("secrets").get("operator")
        if not operator:
            raise ConfigurationError(f"set LRS_OPERATOR to key:secret: no `lrs up` has made one in {home.root}")
        key, secret = operator["key"], operator["secret"]
    port = home.read("ports").get("api", 8080)
    return Endpoint(url or f"http://127.0.0.1:{port}", (key, secret))


def _parsed(body: bytes) -> Any:
    try:
        return again(body) if body else None
    except ValueError:
        return body.decode(errors="replace")
