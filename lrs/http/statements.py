"""The Statement resource. xAPI 1.0.3, Communication 2.1; IEEE 9274.1.1, 4.1.6.1."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from lrs.activities import ACTIVITY
from lrs.errors import InvalidParameter, NotFound
from lrs.http.answers import JSON, bytes_answer, json_answer
from lrs.http.auth import CALLER, SEES_ALL_STATEMENTS
from lrs.http.body import read_statement, read_statements
from lrs.http.cursors import Cursor, seal, unseal
from lrs.http.headers import VERSION, consistent_through, etag, last_modified
from lrs.http.keys import CONFIG, INTAKE, STATEMENTS, SUMMARIES, WATERMARK
from lrs.http.multipart import Received
from lrs.http.params import only, single_values
from lrs.http.parts import keep, parts_of, send_multipart
from lrs.plugins import Caller
from lrs.store.records import Stored
from lrs.store.statements import Page
from lrs.xapi.activities import mentioned_in
from lrs.xapi.agents import identity
from lrs.xapi.formats import accepted_languages, formatted
from lrs.xapi.json_text import dump
from lrs.xapi.query import StatementQuery, parse_query
from lrs.xapi.types import Definition, Statement


async def put_statement(request: web.Request) -> web.Response:
    """PUT /statements?statementId=…: 204, also when it was there already; 409 if another is. 2.1.1."""
    statement_id = _put_id(request)
    statement, received = await read_statement(request)
    with received:
        await _accept(request, [_under_id(statement, statement_id)], received)
    return web.Response(status=204)


async def post_statements(request: web.Request) -> web.Response:
    """POST /statements: the ids, in the order of what was sent. 2.1.2."""
    only(request.query, ())
    statements, received = await read_statements(request)
    with received:
        return json_answer(await _accept(request, statements, received))


async def get_statements(request: web.Request) -> web.StreamResponse:
    """GET and HEAD /statements: one statement, or a page. 2.1.3."""
    params = single_values(request.query)
    if "more" in params:
        only(params, ("more",))
        cursor = unseal(params["more"], request.app[CONFIG].secret, request[CALLER].tenant)
        await request.app[WATERMARK].confirm(cursor.through)
        return await _page(request, cursor)
    query = parse_query(params, request[VERSION])
    # Taken before anything is read: it must not promise what the read could not yet see.
    through_us = await request.app[WATERMARK].through()
    if query.statement_id is not None or query.voided_statement_id is not None:
        return await _one(request, query, through_us)
    return await _page(request, Cursor(request[CALLER].tenant, query, None, through_us))


async def _accept(request: web.Request, statements: Sequence[Any], received: Received) -> list[str]:
    caller = request[CALLER]
    await keep(request, received)
    accepted = await request.app[INTAKE].accept(
        statements, tenant=caller.tenant, authority=caller.authority, version=request[VERSION],
        attachments=received.contents,
    )
    return [each.id for each in accepted]


def _put_id(request: web.Request) -> str:
    params = single_values(request.query)
    only(params, ("statementId",))
    statement_id = parse_query(params, request[VERSION]).statement_id
    if statement_id is None:
        raise InvalidParameter("statementId", "is required")
    return statement_id


def _under_id(statement: Mapping[str, Any], statement_id: str) -> Mapping[str, Any]:
    """The statement with the id it is put under, which must be its own if it has one. 2.1.1."""
    own = statement.get("id", statement_id)
    if isinstance(own, str) and own.lower() != statement_id.lower():
        raise InvalidParameter("statementId", "must be the statement's own id")
    return statement if "id" in statement else {"id": statement_id, **statement}


async def _one(request: web.Request, query: StatementQuery, through_us: int) -> web.StreamResponse:
    voided = query.voided_statement_id is not None
    statement_id = query.voided_statement_id or query.statement_id or ""
    found = await request.app[STATEMENTS].stored(request[CALLER].tenant, statement_id, voided=voided)
    if found is None or not _visible(found, request[CALLER]):
        raise NotFound(f"there is no {'voided ' if voided else ''}statement with this id")
    body = found.text if query.format == "exact" else dump((await _formatted(request, query, [found.statement]))[0])
    headers = {**consistent_through(through_us), **last_modified(found.position), **etag(body)}
    return await _answer(request, query, body, Page([found], None), headers)


async def _page(request: web.Request, cursor: Cursor) -> web.StreamResponse:
    caller, query = request[CALLER], cursor.query
    # Not in the cursor: the caller's scopes are those of now.
    seen = query if _sees_all(caller) else replace(query, authority=identity(caller.authority))
    # No upper bound: who has just posted sees the own statements. What the watermark promises is below it in any case.
    page = await request.app[STATEMENTS].page(caller.tenant, seen, after=cursor.after)
    more = ""
    if page.next is not None:
        # The path as it came, so that every prefix we are mounted or proxied below is in it.
        token = seal(replace(cursor, after=page.next), request.app[CONFIG].secret)
        more = f"{request.rel_url.raw_path}?more={token}"
    if query.format == "exact":
        texts = [each.text for each in page.found]
    else:
        texts = [dump(each) for each in await _formatted(request, query, page.statements)]
    body = b'{"statements":[%b],"more":%b}' % (b",".join(texts), dump(more))
    return await _answer(request, query, body, page, consistent_through(cursor.through))


def _sees_all(caller: Caller) -> bool:
    return not SEES_ALL_STATEMENTS.isdisjoint(caller.scopes)


def _visible(found: Stored, caller: Caller) -> bool:
    """Whether it is the caller's to see: with the scope statements/read/mine, only what stands under the own authority.

    xAPI 1.0.3, Communication 4.2.
    """
    return _sees_all(caller) or identity(found.statement["authority"]) == identity(caller.authority)


async def _formatted(request: web.Request, query: StatementQuery, statements: Sequence[Statement]) -> Sequence[Statement]:
    languages = accepted_languages(request.headers.get("Accept-Language", ""))
    definitions = await _definitions(request, statements) if query.format == "canonical" else {}
    return [formatted(statement, query.format, languages, definitions) for statement in statements]


async def _definitions(request: web.Request, statements: Sequence[Statement]) -> Mapping[str, Definition]:
    """What the store knows of the activities in the statements. An activity it knows nothing of yet keeps what its statement says."""
    ids = list(dict.fromkeys(each for statement in statements for each in mentioned_in(statement)))
    known = await request.app[SUMMARIES].saved(request[CALLER].tenant, ACTIVITY, ids)
    definitions = {activity_id: canonical.definition for activity_id, canonical in known.items()}
    return {activity_id: definition for activity_id, definition in definitions.items() if definition}  # type: ignore[misc]


async def _answer(
    request: web.Request, query: StatementQuery, body: bytes, page: Page, headers: Mapping[str, str]
) -> web.StreamResponse:
    if query.attachments:
        return await send_multipart(request, body, await parts_of(request, page.statements), headers)
    return bytes_answer(body, JSON, headers=headers)
