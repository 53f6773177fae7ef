"""How multipart/mixed is framed: boundaries, line ends, headers of parts. RFC 2046, 5.1; xAPI 1.0.3, Communication 1.5.2."""

import gzip

import pytest
from aiohttp.test_utils import TestClient
from http_fakes import Fakes, a_statement
from multipart_bodies import BOUNDARY, PATH, TEXT, a_body, a_part, an_attachment, post, refused, sent_as, sha2, with_data


@pytest.mark.parametrize("first", [
    {}, {"Content-Type": "text/plain"}, {"Content-Type": "application/octet-stream"},
    {"Content-Type": "application/json", "Content-Transfer-Encoding": "base64"},
], ids=str)
async def test_the_first_part_must_be_json_and_say_so(client: TestClient, fakes: Fakes, first: dict[str, str]) -> None:
    """1.5.2: "The first part of the multipart document MUST contain the Statements themselves, with type application/json"."""
    await refused(client, fakes, a_body(a_statement(), first=first))


async def test_the_first_part_may_say_more_of_its_type(client: TestClient) -> None:
    first = {"Content-Type": "application/json; charset=UTF-8", "Content-Transfer-Encoding": "binary", "Content-Length": "9"}
    assert (await post(client, a_body(a_statement(), first=first)))[0] == 200


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"1", b'{"a": 1, "a": 2}', b"\xff", b'["x"]'])
async def test_statements_that_are_none_are_refused_before_any_data_is_read(client: TestClient, fakes: Fakes, content: bytes) -> None:
    await refused(client, fakes, a_body(content, ({"X-Experience-API-Hash": "no"}, b"")))


@pytest.mark.parametrize("body", [
    b"", b"--", b"junk", b"--other\r\n\r\n--other--", b"--" + BOUNDARY.encode(), b"--" + BOUNDARY.encode() + b"\r\n",
    b"--" + BOUNDARY.encode() + b"--", b"--" + BOUNDARY.encode() + b"\r\nContent-Type: application/json\r\n\r\n{}",
    b"--" + BOUNDARY.encode() + b"\r\nno colon\r\n\r\n{}\r\n--" + BOUNDARY.encode() + b"--",
    b"--" + BOUNDARY.encode() + b"\r\n" + b"a: " + b"x" * 9000 + b"\r\n\r\n{}\r\n--" + BOUNDARY.encode() + b"--",
    b"--" + BOUNDARY.encode() + b"\r\n" + b"a: b\r\n" * 200 + b"\r\n{}\r\n--" + BOUNDARY.encode() + b"--",
], ids=lambda octets: f"{len(octets)}-octets")
async def test_what_is_no_multipart_is_a_400(client: TestClient, fakes: Fakes, body: bytes) -> None:
    await refused(client, fakes, body)


async def test_a_body_that_ends_too_early_is_a_400_wherever_it_does(client: TestClient, fakes: Fakes) -> None:
    """RFC 2046, 5.1.1: the last part is followed by the closing delimiter. All that is before it, and not all of it, is refused."""
    statement, part = with_data()
    whole = a_body(statement, part, epilogue=b"")
    for length in range(0, len(whole) - 1, 7):
        await refused(client, fakes, whole[:length])
    await refused(client, fakes, whole[:-2])


async def test_lines_that_end_with_a_line_feed_alone_are_a_400(client: TestClient, fakes: Fakes) -> None:
    """RFC 2046, 5.1.1: a delimiter begins with CRLF. Octets must not be guessed: is the CR part of the data?"""
    statement, part = with_data()
    await refused(client, fakes, a_body(statement, part).replace(b"\r\n", b"\n"))


async def test_preamble_epilogue_and_padding_are_passed_over(client: TestClient, fakes: Fakes) -> None:
    """RFC 2046, 5.1.1: "to be ignored", as is white space behind a boundary."""
    statement, part = with_data()
    body = a_body(statement, part, preamble=b"For mail readers only.\r\n\r\n", epilogue=b"\r\nthat was all\r\n--x--\r\n")
    padded = body.replace(BOUNDARY.encode() + b"\r\n", BOUNDARY.encode() + b" \t\r\n")
    for sent in (body, padded, a_body(statement, part, preamble=b"\r\n", epilogue=b"")):
        assert (await post(client, sent))[0] == 200
    assert fakes.attachments.contents == {sha2(TEXT): TEXT}


@pytest.mark.parametrize("preamble", [b"x" * 20_000, b"\r\n" * 20_000])
async def test_a_preamble_without_end_is_refused(client: TestClient, fakes: Fakes, preamble: bytes) -> None:
    await refused(client, fakes, a_body(a_statement(), preamble=preamble + b"\r\n"))


@pytest.mark.parametrize("kind", [
    "multipart/mixed", "multipart/mixed; boundary=", 'multipart/mixed; boundary=""', "multipart/mixed; boundary=other",
    f"multipart/mixed; boundary={'x' * 71}", "multipart/mixed; charset=utf-8", "multipart/mixed; boundary=\udcff",
])
async def test_a_content_type_without_the_right_boundary_is_a_400(client: TestClient, fakes: Fakes, kind: str) -> None:
    await refused(client, fakes, a_body(a_statement()), **{"Content-Type": kind})


@pytest.mark.parametrize("boundary", ["x", "x" * 70, "with space", "----WebKitFormBoundary7MA4YWxkTrZu0gW"])
async def test_every_boundary_that_may_be_is_taken(client: TestClient, boundary: str) -> None:
    statement, part = with_data()
    answer = await client.post(PATH, data=a_body(statement, part, boundary=boundary), headers=sent_as(boundary))
    assert answer.status == 200


async def test_an_attachment_that_is_a_multipart_itself_is_octets_like_any_other(client: TestClient, fakes: Fakes) -> None:
    content = a_body(b"inner", boundary="inner")
    statement = a_statement(attachments=[an_attachment(content, contentType="multipart/related; boundary=inner")])
    part = a_part(content, Content_Type="multipart/related; boundary=inner")
    assert (await post(client, a_body(statement, part)))[0] == 200
    assert fakes.attachments.contents == {sha2(content): content}


async def test_a_part_that_says_it_is_compressed_is_kept_as_it_came(client: TestClient, fakes: Fakes) -> None:
    content = gzip.compress(b"text")
    statement, _ = with_data(content)
    assert (await post(client, a_body(statement, a_part(content, Content_Encoding="gzip"))))[0] == 200
    assert fakes.attachments.contents == {sha2(content): content}


async def test_a_compressed_request_is_unpacked(client: TestClient, fakes: Fakes) -> None:
    packed = gzip.compress(a_body(*with_data()))
    assert (await post(client, packed, **{"Content-Encoding": "gzip"}))[0] == 200
    assert fakes.attachments.contents == {sha2(TEXT): TEXT}
    assert (await post(client, packed, **{"Content-Encoding": "compress"}))[0] == 415
