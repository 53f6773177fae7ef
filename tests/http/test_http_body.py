"""Reading bodies: bounded, decompressed with care, of the right type, and every fault answered."""

import asyncio
import gzip
import zlib

import pytest
import structlog
from aiohttp.test_utils import TestClient
from http_fakes import CONFIG, ID, Fakes, a_statement, xapi

PATH = "/xapi/statements"
JSON = {"Content-Type": "application/json"}
ATTACHMENT = {
    "usageType": "https://example.org/usage", "display": {"en": "a file"}, "contentType": "text/plain", "length": 3,
    "sha2": "a" * 64,
}


async def post(client: TestClient, data: object, **headers: str) -> tuple[int, dict]:
    answer = await client.post(PATH, data=data, headers=xapi() | JSON | headers)
    return answer.status, await answer.json()


@pytest.mark.parametrize("body", [
    b"", b"{", b"[1,]", b'{"a": 1, "a": 2}', b'{"a": NaN}', b'"\\ud800"', b"\xff", b"[" * 2000, b"{'a': 1}", b"\x00",
])
async def test_what_is_not_json_is_a_400(client: TestClient, fakes: Fakes, body: bytes) -> None:
    status, answer = await post(client, body)
    assert (status, answer["error"]) == (400, "invalid_body")
    assert not fakes.intake.calls


@pytest.mark.parametrize("kind", [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/octet-stream",
    "json", "/", "a/b/c;;",
])
async def test_another_content_type_is_a_400_that_says_which(client: TestClient, kind: str) -> None:
    status, answer = await post(client, b"{}", **{"Content-Type": kind})
    assert (status, answer["problems"][0]["place"]) == (400, "Content-Type")


async def test_json_may_say_its_charset(client: TestClient) -> None:
    status, _ = await post(client, b'{"name": "\xc3\xa4"}', **{"Content-Type": "Application/JSON; charset=UTF-8"})
    assert status == 200


async def test_multipart_without_a_part_is_a_400(client: TestClient) -> None:
    status, answer = await post(client, b"--x--", **{"Content-Type": "multipart/mixed; boundary=x"})
    assert (status, answer["error"], answer["problems"][0]["place"]) == (400, "invalid_body", "parts.0")


async def test_a_body_up_to_the_limit_is_taken_and_one_over_it_is_a_413(client: TestClient) -> None:
    filler = a_statement(id=ID, filler="")
    room = CONFIG.body_limit - len(str(filler).replace("'", '"').encode())
    exact = str(a_statement(id=ID, filler="x" * room)).replace("'", '"').encode()
    assert len(exact) == CONFIG.body_limit
    assert (await post(client, exact))[0] == 200
    status, answer = await post(client, exact + b" ")
    assert (status, answer["error"]) == (413, "too_large")


async def test_a_body_of_unknown_length_is_counted_as_it_comes(client: TestClient) -> None:
    sent = 0

    async def pieces():
        nonlocal sent
        for _ in range(10_000):
            sent += 1
            yield b"[" + b" " * 10_000
            await asyncio.sleep(0)

    try:
        answer = await client.post(PATH, data=pieces(), headers=xapi() | JSON)
        assert answer.status == 413
    except ConnectionError:
        pass  # answered and closed before all was sent, as it should be
    assert sent < 10_000


async def test_gzip_and_deflate_are_taken(client: TestClient, fakes: Fakes) -> None:
    text = b'{"id": "%s"}' % ID.encode()
    assert (await post(client, gzip.compress(text), **{"Content-Encoding": "gzip"}))[0] == 200
    assert (await post(client, zlib.compress(text), **{"Content-Encoding": "deflate"}))[0] == 200
    assert [call["statements"] for call in fakes.intake.calls] == [[{"id": ID}], [{"id": ID}]]


async def test_a_gzip_bomb_is_a_413(client: TestClient, fakes: Fakes) -> None:
    bomb = gzip.compress(b"[" + b" " * 10_000_000 + b"]")
    assert len(bomb) < CONFIG.body_limit
    status, answer = await post(client, bomb, **{"Content-Encoding": "gzip"})
    assert (status, answer["error"]) == (413, "too_large")
    assert not fakes.intake.calls


@pytest.mark.parametrize("body", [b"not gzip at all", gzip.compress(b"{}" * 100)[:-30], b"\x1f\x8b"])
async def test_broken_gzip_is_a_400(client: TestClient, body: bytes) -> None:
    status, _ = await post(client, body, **{"Content-Encoding": "gzip"})
    assert status == 400


@pytest.mark.parametrize("encoding", ["nonsense", "gzip, gzip", "compress"])
async def test_an_encoding_we_do_not_know_is_a_415(client: TestClient, encoding: str) -> None:
    status, answer = await post(client, b"{}", **{"Content-Encoding": encoding})
    assert (status, answer["error"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("headers", "sent"), [
    (b"Content-Length: 100", b'{"id": 1'), (b"Transfer-Encoding: chunked", b"8\r\n{"),
    (b"Transfer-Encoding: chunked", b"zz\r\n"),
])
async def test_a_client_that_leaves_amid_its_body_is_no_error_of_ours(
    client: TestClient, fakes: Fakes, headers: bytes, sent: bytes
) -> None:
    with structlog.testing.capture_logs() as lines:
        _, writer = await asyncio.open_connection(client.host, client.port)
        credential = "".join(f"{name}: {value}\r\n" for name, value in (xapi() | JSON).items()).encode()
        writer.write(b"POST /xapi/statements HTTP/1.1\r\nHost: x\r\n" + credential + headers + b"\r\n\r\n")
        await asyncio.sleep(0.02)
        writer.write(sent)
        await asyncio.sleep(0.02)
        writer.close()
        await asyncio.sleep(0.05)
    assert not fakes.intake.calls
    assert [(line["event"], line["status"]) for line in lines] in ([("request", 499)], [("request", 400)])


async def test_an_attachment_may_be_elsewhere(client: TestClient) -> None:
    statement = a_statement(attachments=[ATTACHMENT | {"fileUrl": "https://example.org/file"}])
    assert (await client.post(PATH, json=statement, headers=xapi())).status == 200


async def test_attachments_that_are_nowhere_are_named_one_by_one(client: TestClient, fakes: Fakes) -> None:
    there = ATTACHMENT | {"fileUrl": "https://example.org"}
    inner = {"objectType": "SubStatement", "attachments": [ATTACHMENT]}
    batch = [a_statement(), a_statement(attachments=[there, ATTACHMENT]), a_statement(object=inner)]
    answer = await client.post(PATH, json=batch, headers=xapi())
    assert answer.status == 400
    assert [(each["index"], each["place"]) for each in (await answer.json())["problems"]] == [
        (1, "attachments.1.fileUrl"), (2, "object.attachments.0.fileUrl"),
    ]
    assert (await client.put(PATH, params={"statementId": ID}, json=batch[1], headers=xapi())).status == 400
    assert not fakes.intake.calls


@pytest.mark.parametrize("junk", [1, "x", None, [1, None, "x"], {"a": 1}, [{"sha2": ["x"], "fileUrl": 1}]])
async def test_attachments_of_no_shape_are_left_to_the_checker(client: TestClient, fakes: Fakes, junk: object) -> None:
    shapes = (a_statement(attachments=junk), a_statement(object={"attachments": junk}), a_statement(object=junk), junk)
    for statement in shapes:
        assert (await client.post(PATH, json=[statement], headers=xapi())).status == 200
    assert len(fakes.intake.calls) == 4


async def test_a_sha2_of_no_shape_is_no_attachment_that_came(client: TestClient) -> None:
    answer = await client.post(PATH, json=a_statement(attachments=[{"sha2": ["x"]}]), headers=xapi())
    assert answer.status == 400
