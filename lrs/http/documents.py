"""The document resources: State, Activity Profile, Agent Profile.

xAPI 1.0.3, Communication 2.2, 2.3, 2.6, 2.7 and 3.1; IEEE 9274.1.1, 4.1.4, 4.1.6.2, 4.1.6.5 and 4.1.6.6.
"""

import asyncio
from collections.abc import Mapping
from email.utils import formatdate

from aiohttp import web

from lrs.errors import DocumentConflict, InvalidParameter, NotFound, PreconditionFailed
from lrs.http.answers import JSON, bytes_answer
from lrs.http.auth import CALLER
from lrs.http.body import read_bytes
from lrs.http.headers import VERSION, etag
from lrs.http.keys import DOCUMENTS
from lrs.http.params import single_values
from lrs.store.documents import CHANGED, LONG, THERE
from lrs.xapi.documents import (
    ACTIVITY_PROFILE,
    AGENT_PROFILE,
    STATE,
    Place,
    Preconditions,
    Resource,
    check_content,
    listed_of,
    place_of,
)
from lrs.xapi.json_text import dump

UNTYPED = "application/octet-stream"
# A document may be a page with scripts, sent by anybody who may write: no browser may run it as ours. Without the second, browsers
# would take an old document for fresh for a while, as they do with whatever has a Last-Modified.
GUARDED = {
    "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, no-cache",
}


class DocumentResource:
    """The handlers of one kind of documents."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource

    async def get(self, request: web.Request) -> web.Response:
        """One document as it was put, or the ids of all in a context. Communication 2.2."""
        place, since_us = listed_of(self._resource, single_values(request.query), request[VERSION])
        documents, tenant = request.config_dict[DOCUMENTS], request[CALLER].tenant
        if place.document_id is None:
            ids, updated_us = await documents.ids(tenant, place, since_us)
            body = dump(ids)
            return _answer(request, body, JSON, {**etag(body), **_last_modified(updated_us)})
        document = await documents.get(tenant, place)
        if document is None:
            raise NotFound("there is no document of this id here")
        headers = {"ETag": f'"{document.etag}"', **_last_modified(document.updated_us)}
        return _answer(request, document.content, document.content_type, headers)

    async def put(self, request: web.Request) -> web.Response:
        """Store or replace a document: 204; 412 if a precondition fails, 409 if none is given and there is something. 3.1."""
        place, preconditions = self._target(request), _preconditions(request)
        content_type, content = await _read_content(request)
        documents, tenant, version = request.config_dict[DOCUMENTS], request[CALLER].tenant, request[VERSION]
        if not preconditions and not self._resource.put_blindly(version):
            # Nothing is written either way; what is there only decides what there is to say.
            if await documents.get(tenant, place) is not None:
                raise DocumentConflict(THERE)
            raise InvalidParameter("If-Match", "or If-None-Match is required to put a profile")
        careful = not self._resource.replaced_blindly(version)
        await documents.put(tenant, place, content_type, content, preconditions, careful=careful)
        return web.Response(status=204)

    async def post(self, request: web.Request) -> web.Response:
        """Store a document, or merge a JSON object into the one that is there: 204; 412 if a precondition fails. 2.2."""
        place, preconditions = self._target(request), _preconditions(request)
        content_type, content = await _read_content(request)
        await request.config_dict[DOCUMENTS].post(request[CALLER].tenant, place, content_type, content, preconditions)
        return web.Response(status=204)

    async def delete(self, request: web.Request) -> web.Response:
        """Remove a document, or (states only) all in a context: 204, also if there was none; 412 if a precondition fails. 2.3."""
        place, preconditions = self._target(request, several=self._resource.deletes_several), _preconditions(request)
        documents, tenant = request.config_dict[DOCUMENTS], request[CALLER].tenant
        if place.document_id is not None:
            await documents.delete(tenant, place, preconditions)
        elif preconditions:
            raise InvalidParameter("If-Match", f"is about one document: {self._resource.id_parameter} is required beside it")
        else:
            await documents.delete_several(tenant, place)
        return web.Response(status=204)

    def _target(self, request: web.Request, *, several: bool = False) -> Place:
        return place_of(self._resource, single_values(request.query), request[VERSION], several=several)


STATES = DocumentResource(STATE)
ACTIVITY_PROFILES = DocumentResource(ACTIVITY_PROFILE)
AGENT_PROFILES = DocumentResource(AGENT_PROFILE)


async def _read_content(request: web.Request) -> tuple[str, bytes]:
    """Content type, as it was given, and content. Raises InvalidParameter, InvalidBody, TooLarge, UnsupportedMediaType."""
    content_type = request.headers.get("Content-Type", UNTYPED)
    # Bytes that are no text come as lone surrogates, which could never be sent back.
    if not content_type.isprintable():
        raise InvalidParameter("Content-Type", "must be a media type")
    content = await read_bytes(request)
    if len(content) < LONG:
        check_content(content_type, content)
    else:
        await asyncio.to_thread(check_content, content_type, content)
    return content_type, content


def _preconditions(request: web.Request) -> Preconditions:
    return Preconditions.of(_header(request, "If-Match"), _header(request, "If-None-Match"))


def _header(request: web.Request, name: str) -> str | None:
    """A header that is a list, and may be given in several lines."""
    lines = request.headers.getall(name, ())
    return ", ".join(lines) if lines else None


def _answer(request: web.Request, body: bytes, content_type: str, headers: Mapping[str, str]) -> web.Response:
    """The body, unless the client says that it has it, or that it wants no other. RFC 2616, 14.24 and 14.26."""
    preconditions, tag = _preconditions(request), headers["ETag"].strip('"')
    if not Preconditions(match=preconditions.match).hold(tag):
        raise PreconditionFailed(CHANGED)
    if not preconditions.hold(tag):
        return web.Response(status=304, headers={**GUARDED, **headers})
    return bytes_answer(body, content_type, headers={**GUARDED, **headers})


def _last_modified(updated_us: int | None) -> dict[str, str]:
    """When it last changed, in whole seconds; nothing if there is nothing. Communication 2.2."""
    return {} if updated_us is None else {"Last-Modified": formatdate(updated_us // 1_000_000, usegmt=True)}
