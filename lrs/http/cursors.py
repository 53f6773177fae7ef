"""The `more` of a page: where the next one begins, signed, so that nobody can ask for what was not offered. Pure."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256

import msgspec

from lrs.errors import InvalidParameter


@dataclass(frozen=True)
class Cursor:
    """Where a reader stands: `after` is the position of the last statement given (None: at the beginning).

    `params` are the first request's, `through` is the watermark that came with the first page, in µs since the epoch.
    """

    tenant: str
    params: Mapping[str, str]
    after: int | None
    through: int


def seal(cursor: Cursor, secret: str) -> str:
    """The cursor as text for a query string: base64url of JSON, a dot, base64url of its HMAC-SHA256."""
    payload = _encode(msgspec.json.encode(asdict(cursor)))
    return f"{payload}.{_signature(payload, secret)}"


def unseal(text: str, secret: str, tenant: str) -> Cursor:
    """The cursor that `seal` wrote for this tenant; InvalidParameter for anything else."""
    payload, _, signature = text.partition(".")
    if hmac.compare_digest(signature.encode(errors="replace"), _signature(payload, secret).encode()):
        try:
            cursor = msgspec.json.decode(_decode(payload), type=Cursor)
        except msgspec.DecodeError:  # signed by an older version of ours, whose cursors looked different
            raise InvalidParameter("more", "is out of date: ask for the first page again") from None
        if cursor.tenant == tenant:
            return cursor
    raise InvalidParameter("more", "must be as it was given in a page of statements")


def _signature(payload: str, secret: str) -> str:
    # The secret also keys the digests of credentials; "more:" keeps one kind of signature from serving as the other.
    return _encode(hmac.digest(secret.encode(), b"more:" + payload.encode(errors="replace"), sha256))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
