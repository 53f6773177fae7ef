"""Data that goes out with statements, and the whole way in and out. xAPI 1.0.3, Communication 1.5.2 and 2.1.3."""

import hashlib
from collections.abc import AsyncIterator
from email.message import Message
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import ID, OTHER_ID, Fakes, a_statement, basic, stored, xapi
from multipart_bodies import TEXT, a_body, a_part, an_attachment, sent_as, sha2

from lrs.app import create_app
from lrs.config import Config
from lrs.store.attachments import LostContent
from lrs.store.mongo import Database

PATH = "/xapi/statements"
OPERATOR = {"Authorization": basic("operator:operator-secret")}
BIG = bytes(range(256)) * 5000


def parts_of(answer: aiohttp.ClientResponse, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """The parts of an answer, cut at its boundaries by hand."""
    kind = Message()
    kind["Content-Type"] = answer.headers["Content-Type"]
    assert kind.get_content_type() == "multipart/mixed"
    assert len(body) == int(answer.headers["Content-Length"])
    boundary = f"--{kind.get_param('boundary')}".encode()
    assert body.startswith(boundary) and body.endswith(b"\r\n" + boundary + b"--\r\n")
    parts = []
    for part in (b"\r\n" + body).split(b"\r\n" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n") if line]
        parts.append(({name: value for name, value in lines}, content))
    return parts


def keeping(fakes: Fakes, *contents: bytes, **more: Any) -> None:
    """A stored statement that holds contents."""
    fakes.statements.log.append(stored(ID, attachments=[an_attachment(each, **more) for each in contents]))
    fakes.attachments.contents |= {sha2(each): each for each in contents}
    fakes.attachments.held[ID] = [sha2(each) for each in contents]


@pytest.mark.parametrize("params", [{}, {"statementId": ID}, {"format": "ids"}, {"statementId": ID, "format": "canonical"}])
async def test_each_content_is_a_part_with_its_headers(client: TestClient, fakes: Fakes, params: dict[str, str]) -> None:
    """2.1.3: "the LRS MUST use the multipart response format and include all Attachments"."""
    keeping(fakes, TEXT, BIG, b"")
    answer = await client.get(PATH, params={"attachments": "true", **params}, headers=xapi())
    first, *others = parts_of(answer, await answer.read())
    assert first[0] == {"Content-Type": "application/json"} and first[1].startswith(b"{")
    assert [content for _, content in others] == [TEXT, BIG, b""]
    assert others[0][0] == {
        "Content-Type": "text/plain; charset=ascii", "Content-Length": "27", "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": sha2(TEXT),
    }


@pytest.mark.parametrize("params", [{}, {"attachments": "false"}, {"attachments": "false", "statementId": ID}])
async def test_without_being_asked_for_there_is_no_data(client: TestClient, fakes: Fakes, params: dict[str, str]) -> None:
    """2.1.3: "MUST NOT include Attachment raw data and MUST report application/json"."""
    keeping(fakes, TEXT)
    answer = await client.get(PATH, params=params, headers=xapi())
    assert answer.content_type == "application/json" and TEXT not in await answer.read()


async def test_a_content_of_many_statements_goes_out_once(client: TestClient, fakes: Fakes) -> None:
    keeping(fakes, TEXT, TEXT)
    fakes.statements.log.append(stored(OTHER_ID, attachments=[an_attachment(sha2=sha2(TEXT).upper())]))
    fakes.attachments.held[OTHER_ID] = [sha2(TEXT)]
    answer = await client.get(PATH, params={"attachments": "true"}, headers=xapi())
    assert len(parts_of(answer, await answer.read())) == 2


async def test_an_attachment_that_is_elsewhere_has_no_part(client: TestClient, fakes: Fakes) -> None:
    fakes.statements.log = [stored(ID, attachments=[an_attachment(fileUrl="https://example.org/file")])]
    answer = await client.get(PATH, params={"attachments": "true"}, headers=xapi())
    assert len(parts_of(answer, await answer.read())) == 1


async def test_who_sees_only_the_own_statements_sees_only_their_data(client: TestClient, fakes: Fakes) -> None:
    """Communication 4.2: statements/read/mine."""
    keeping(fakes, TEXT)
    answer = await client.get(PATH, params={"attachments": "true"}, headers=xapi("statements/read/mine:secret"))
    assert len(parts_of(answer, await answer.read())) == 1
    one = {"attachments": "true", "statementId": ID}
    assert (await client.get(PATH, params=one, headers=xapi("statements/read/mine:secret"))).status == 404


async def test_head_has_the_headers_of_get_and_no_body(client: TestClient, fakes: Fakes) -> None:
    """Communication 1.1."""
    keeping(fakes, TEXT)
    params = {"attachments": "true", "statementId": ID}
    got, head = await client.get(PATH, params=params, headers=xapi()), await client.head(PATH, params=params, headers=xapi())
    assert (head.status, await head.read(), head.content_type) == (200, b"", "multipart/mixed")
    for name in ("Content-Length", "ETag", "Last-Modified", "X-Experience-API-Version"):
        assert head.headers[name] == got.headers[name]


async def test_a_media_type_with_a_line_break_makes_no_header_of_its_own(client: TestClient, fakes: Fakes) -> None:
    keeping(fakes, TEXT, contentType="text/plain\r\n;x=1")
    answer = await client.get(PATH, params={"attachments": "true"}, headers=xapi())
    assert parts_of(answer, await answer.read())[1][0]["Content-Type"] == "text/plain ;x=1"


async def test_data_that_cannot_be_read_to_its_end_ends_the_connection(client: TestClient, fakes: Fakes) -> None:
    """Nobody takes half an answer for a whole one; and the next request is served."""
    keeping(fakes, BIG)
    fakes.attachments.fails = LostContent("gone")
    with pytest.raises(aiohttp.ClientError):
        answer = await client.get(PATH, params={"attachments": "true"}, headers=xapi())
        await answer.read()
    fakes.attachments.fails = None
    answer = await client.get(PATH, params={"attachments": "true"}, headers=xapi())
    assert len(parts_of(answer, await answer.read())) == 2


@pytest.fixture
async def lms(config: Config) -> AsyncIterator[TestClient]:
    """The whole application over real databases, with a tenant and a credential `key:secret`."""
    async with TestClient(TestServer(create_app(config))) as client:
        await client.put("/manage/tenants/school", headers=OPERATOR)
        wanted = {"kind": "basic", "key": "key", "secret": "secret", "scopes": ["all"]}
        await client.post("/manage/tenants/school/credentials", json=wanted, headers=OPERATOR)
        yield client
    database = Database.connect(config)
    await database.drop()
    database.close()


async def put(lms: TestClient, statement: dict[str, Any], *parts: Any, version: str = "1.0.3") -> int:
    headers = sent_as(version=version) | xapi("key:secret", version)
    return (await lms.put(PATH, params={"statementId": ID}, data=a_body(statement, *parts), headers=headers)).status


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
async def test_what_goes_in_comes_out_octet_by_octet(lms: TestClient, version: str) -> None:
    contents = [BIG, TEXT, b"", b"\r\n--\r\n"]
    statement = a_statement(attachments=[an_attachment(each) for each in contents])
    for _ in range(2):
        assert await put(lms, statement, *map(a_part, contents), version=version) == 204
    other = a_statement(attachments=[an_attachment(BIG)])
    assert await put(lms, other, a_part(BIG), version=version) == 409
    for params in ({}, {"statementId": ID}):
        answer = await lms.get(PATH, params={"attachments": "true", **params}, headers=xapi("key:secret", version))
        _, *found = parts_of(answer, await answer.read())
        assert [content for _, content in found] == contents
        assert [headers["X-Experience-API-Hash"] for headers, _ in found] == [hashlib.sha256(each).hexdigest() for each in contents]


async def test_a_batch_that_is_refused_keeps_nothing_that_can_be_read(lms: TestClient) -> None:
    good = a_statement(attachments=[an_attachment()])
    for bad in (a_statement(verb={}), a_statement(attachments=[an_attachment(b"missing")])):
        answer = await lms.post(PATH, data=a_body([good, bad], a_part()), headers=sent_as() | xapi("key:secret"))
        assert answer.status == 400
    answer = await lms.get(PATH, params={"attachments": "true"}, headers=xapi("key:secret"))
    (only,) = parts_of(answer, await answer.read())
    assert b'"statements":[]' in only[1]
