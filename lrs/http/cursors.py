"""The `more` of a page: where the next one begins, signed, so that nobody can ask for what was not offered. Pure."""

import base64
import hmac
import zlib
from dataclasses import dataclass, fields
from hashlib import sha256

import msgspec

from lrs.errors import InvalidParameter
from lrs.xapi.query import StatementQuery


@dataclass(frozen=True)
class Cursor:
    """Where a reader stands: `after` is the position of the last statement given (None: at the beginning).

    `query` is the first request's, `through` is the watermark that came with the first page, in µs since the epoch.
    """

    tenant: str
    query: StatementQuery
    after: int | None
    through: int


def seal(cursor: Cursor, secret: str) -> str:
    """The cursor as text for a query string: base64url of deflated JSON, a dot, base64url of its HMAC-SHA256.

    What is as it is by default stays out: a URL should be shorter than 2083 characters (xAPI 1.0.3, Communication 2.1.3).
    """
    query = {each.name: value for each in fields(cursor.query) if (value := getattr(cursor.query, each.name)) != each.default}
    parts = {"tenant": cursor.tenant, "query": query, "after": cursor.after, "through": cursor.through}
    payload = _encode(zlib.compress(msgspec.json.encode(parts), 9))
    return f"{payload}.{_signature(payload, secret)}"


def unseal(text: str, secret: str, tenant: str) -> Cursor:
    """The cursor that `seal` wrote for this tenant; InvalidParameter for anything else."""
    payload, _, signature = text.partition(".")
    if hmac.compare_digest(signature.encode(errors="replace"), _signature(payload, secret).encode()):
        try:
            cursor = msgspec.json.decode(zlib.decompress(_decode(payload)), type=Cursor)
        except (msgspec.DecodeError, zlib.error):  # signed by an older version of ours, whose cursors looked different
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
