"""Statements that come with data. xAPI 1.0.3, Communication 1.5.2; IEEE 9274.1.1, 4.1.3; RFC 2046, 5.1."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from http_fakes import CONFIG, ID, Fakes, a_statement
from multipart_bodies import PATH, TEXT, a_body, a_part, an_attachment, post, refused, sent_as, sha2, with_data
from pytest_aiohttp.plugin import AiohttpClient


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
async def test_a_statement_with_its_data_is_taken_in_both_versions(client: TestClient, fakes: Fakes, version: str) -> None:
    """Communication 1.5.2: "an LRS MUST accept batches of Statements that contain Attachments"; with the example's boundary."""
    statement, part = with_data(id=ID)
    answer = await client.post(PATH, data=a_body(statement, part), headers=sent_as(version=version))
    assert (answer.status, await answer.json()) == (200, [ID])
    assert fakes.attachments.contents == {sha2(TEXT): TEXT}
    assert fakes.intake.attachments == [[sha2(TEXT)]]


async def test_put_takes_data_too_and_one_statement_only(client: TestClient, fakes: Fakes) -> None:
    statement, part = with_data()
    for sent, status in ((statement, 204), ([statement], 400)):
        answer = await client.put(PATH, params={"statementId": ID}, data=a_body(sent, part), headers=sent_as())
        assert answer.status == status
    assert fakes.intake.calls[0]["statements"] == [{"id": ID, **statement}] and len(fakes.intake.calls) == 1


async def test_multipart_need_not_have_attachments(client: TestClient, fakes: Fakes) -> None:
    """1.5.2: "SHOULD accept batches of Statements which contain no Attachment Objects", and such with a fileUrl only."""
    elsewhere = an_attachment(fileUrl="https://example.org/file")
    for statements in (a_statement(), [a_statement(), a_statement()], a_statement(attachments=[elsewhere])):
        assert (await post(client, a_body(statements)))[0] == 200
    assert not fakes.attachments.contents and len(fakes.intake.calls) == 3


async def test_data_may_come_beside_a_file_url(client: TestClient, fakes: Fakes) -> None:
    statement = a_statement(attachments=[an_attachment(fileUrl="https://example.org/file")])
    assert (await post(client, a_body(statement, a_part())))[0] == 200
    assert fakes.intake.attachments == [[sha2(TEXT)]]


async def test_one_copy_serves_many_statements_and_a_substatement(client: TestClient, fakes: Fakes) -> None:
    """1.5.2: "SHOULD only include one copy of an Attachment's data when the same Attachment is used in multiple Statements"."""
    inner = a_statement(objectType="SubStatement", attachments=[an_attachment()])
    batch = [with_data()[0], with_data()[0], a_statement(object=inner)]
    assert (await post(client, a_body(batch, a_part())))[0] == 200
    assert fakes.attachments.contents == {sha2(TEXT): TEXT}


async def test_a_second_copy_is_taken_where_there_is_a_second_attachment_and_not_beyond(client: TestClient, fakes: Fakes) -> None:
    two = [with_data()[0], with_data()[0]]
    assert (await post(client, a_body(two, a_part(), a_part())))[0] == 200
    assert fakes.attachments.contents == {sha2(TEXT): TEXT}
    fakes.attachments.contents.clear()
    fakes.intake.calls.clear()
    assert "one part more" in await refused(client, fakes, a_body(two, a_part(), a_part(), a_part()), "parts.3")


async def test_parts_may_come_in_any_order(client: TestClient, fakes: Fakes) -> None:
    contents = [bytes([each]) * (each + 1) for each in range(20)]
    statement = a_statement(attachments=[an_attachment(each) for each in contents])
    assert (await post(client, a_body(statement, *map(a_part, reversed(contents)))))[0] == 200
    assert fakes.attachments.contents == {sha2(each): each for each in contents}


@pytest.mark.parametrize("content", [
    b"", b"\r\n", b"\n", b"--", b"\r\n--", b"\r\n--abc", b"-" * 5000, bytes(range(256)) * 300, b"\r\n" * 70_000, b"\r" * 65_537,
    b"x" * 65_534 + b"\r\n--abcABC", b"\x1f\x8b not gzip", b"\r\n\r\n",
], ids=lambda octets: f"{len(octets)}-octets")
async def test_octets_come_through_as_they_are(client: TestClient, fakes: Fakes, content: bytes) -> None:
    """1.5.2: "the raw octets would be included". Nothing is trimmed, decoded or taken for a boundary that is none."""
    statement, part = with_data(content)
    assert (await post(client, a_body(statement, part)))[0] == 200
    assert fakes.attachments.contents == {sha2(content): content}


@pytest.mark.parametrize("algorithm", ["sha224", "sha256", "sha384", "sha512"])
async def test_every_hash_of_the_family_is_checked(client: TestClient, fakes: Fakes, algorithm: str) -> None:
    """Communication 1.5.2: "SHOULD use SHA-256, SHA-384, or SHA-512"; in either case of letters, as they are digits."""
    given = sha2(TEXT, algorithm)
    statement = a_statement(attachments=[an_attachment(sha2=given.upper())])
    assert (await post(client, a_body(statement, a_part(X_Experience_API_Hash=given))))[0] == 200
    assert fakes.attachments.contents == {given: TEXT}
    other = given[:-1] + ("0" if given[-1] != "0" else "1")
    statement = a_statement(attachments=[an_attachment(sha2=other)])
    status, answer = await post(client, a_body(statement, a_part(X_Experience_API_Hash=other)))
    assert (status, answer["problems"][0]["place"]) == (400, "parts.1.X-Experience-API-Hash")


async def test_without_a_transfer_encoding_binary_is_assumed(client: TestClient) -> None:
    """1.5.2: "an LRS SHOULD assume a Content-Transfer-Encoding of binary for Attachment parts"."""
    statement, _ = with_data()
    assert (await post(client, a_body(statement, a_part(drop="Content-Transfer-Encoding"))))[0] == 200


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "7bit", "8bit", "", "binary, base64"])
async def test_another_transfer_encoding_is_refused(client: TestClient, fakes: Fakes, encoding: str) -> None:
    """1.5.2: a Content-Transfer-Encoding parameter with a value of binary in each part's header after the first."""
    statement, _ = with_data()
    await refused(
        client, fakes, a_body(statement, a_part(Content_Transfer_Encoding=encoding)), "parts.1.Content-Transfer-Encoding"
    )


async def test_a_part_without_a_hash_is_refused(client: TestClient, fakes: Fakes) -> None:
    """1.5.2: "MUST include an X-Experience-API-Hash parameter in each part's header after the first"."""
    statement, _ = with_data()
    body = a_body(statement, a_part(drop="X-Experience-API-Hash"))
    await refused(client, fakes, body, "parts.1.X-Experience-API-Hash")
    await refused(client, fakes, a_body(statement, ({"Content-Type": "application/json"}, b"{}")), "parts.1.X-Experience-API-Hash")


async def test_a_part_with_two_hashes_is_refused(client: TestClient, fakes: Fakes) -> None:
    statement, (headers, content) = with_data()
    await refused(
        client, fakes, a_body(statement, (headers | {"x-experience-api-hash": "0" * 64}, content)), "parts.1.X-Experience-API-Hash"
    )


async def test_a_part_that_no_attachment_declares_is_refused(client: TestClient, fakes: Fakes) -> None:
    """1.5.2: each additional part "contains the raw data for an Attachment"."""
    statement, part = with_data()
    for sent in (statement, a_statement()):
        await refused(client, fakes, a_body(sent, *([part] if sent is statement else []), a_part(b"another")))


async def test_an_attachment_without_data_and_file_url_is_refused_with_its_place(client: TestClient, fakes: Fakes) -> None:
    """1.5.2: "MUST reject batches of Statements having Attachments that neither contain a fileUrl nor match a received part"."""
    batch = [with_data()[0], a_statement(attachments=[an_attachment(), an_attachment(b"missing")])]
    status, answer = await post(client, a_body(batch, a_part()))
    assert (status, answer["error"]) == (400, "invalid_statements")
    assert [(each["index"], each["place"]) for each in answer["problems"]] == [(1, "attachments.1.fileUrl")]
    assert not fakes.intake.calls


async def test_data_that_is_not_what_its_hash_says_is_refused(client: TestClient, fakes: Fakes) -> None:
    """1.5.2: matched "by comparing the SHA-2 of the raw data to the SHA-2 declared in the header"."""
    statement, (headers, content) = with_data()
    for other in (content + b"x", content[:-1], b"", content.upper()):
        await refused(client, fakes, a_body(statement, (headers, other)), "parts.1.X-Experience-API-Hash")


async def test_what_a_part_says_of_itself_must_be_what_the_attachment_says(client: TestClient, fakes: Fakes) -> None:
    """1.5.2: "the value of these parameters and properties MUST match"; the parameters of a media type may be left out."""
    statement, _ = with_data()
    await refused(client, fakes, a_body(statement, a_part(Content_Type="image/png")), "parts.1.Content-Type")
    for wrong in ("28", "-27", "2e1", "27, 27"):
        await refused(client, fakes, a_body(statement, a_part(Content_Length=wrong)), "parts.1.Content-Length")
    for fine in ("TEXT/plain", "text/plain;charset=utf-8"):
        assert (await post(client, a_body(statement, a_part(Content_Type=fine, Content_Length="27"))))[0] == 200


async def test_a_stated_length_must_be_the_length_of_the_data(client: TestClient, fakes: Fakes) -> None:
    statement = a_statement(attachments=[an_attachment(length=26)])
    await refused(client, fakes, a_body(statement, a_part(Content_Length="26")), "parts.1.Content-Length")


async def test_a_length_that_only_the_attachment_states_is_not_held_against_the_data(client: TestClient) -> None:
    """1.5.2 compares parameters with properties "if both are specified"; the official suite sends such a length and wants a 200."""
    assert (await post(client, a_body(a_statement(attachments=[an_attachment(length=5)]), a_part())))[0] == 200


async def test_statements_over_the_limit_are_a_413(client: TestClient, fakes: Fakes) -> None:
    """Communication 3.2: 413 for a statement that is larger than allowed. The data has a limit of its own."""
    filler = a_statement(result={"response": "x" * CONFIG.body_limit})
    status, answer = await post(client, a_body(filler))
    assert (status, answer["error"]) == (413, "too_large")
    assert (await post(client, a_body(*with_data(b"x" * 3 * CONFIG.body_limit))))[0] == 200
    assert len(fakes.intake.calls) == 1


async def test_data_over_the_limit_is_a_413_and_up_to_it_is_taken(aiohttp_client: AiohttpClient) -> None:
    fakes = Fakes()
    client = await aiohttp_client(fakes.app(replace(CONFIG, attachment_limit=300_000)))
    contents = [b"a" * 150_000, b"b" * 150_000, b"c"]
    for taken, expected in ((2, 200), (3, 413)):
        statement = a_statement(attachments=[an_attachment(each) for each in contents[:taken]])
        assert (await post(client, a_body(statement, *map(a_part, contents[:taken]))))[0] == expected
    assert (await post(client, b"x" * 400_000))[0] == 413
    assert len(fakes.intake.calls) == 1


async def test_octets_may_come_one_by_one(client: TestClient, fakes: Fakes) -> None:
    body = a_body(*with_data())

    async def drops() -> Any:
        for start in range(0, len(body), 3):
            yield body[start:start + 3]
            await asyncio.sleep(0)

    assert (await post(client, drops()))[0] == 200
    assert fakes.attachments.contents == {sha2(TEXT): TEXT}


async def test_json_alone_needs_a_file_url_for_every_attachment(client: TestClient, fakes: Fakes) -> None:
    """1.5.2: "MUST be of type application/json and include a fileUrl for every Attachment"."""
    there = an_attachment(fileUrl="https://example.org/file")
    for attachments, expected in (([there], 200), ([there, an_attachment()], 400)):
        answer = await client.post(PATH, json=a_statement(attachments=attachments), headers={
            name: value for name, value in sent_as().items() if name != "Content-Type"
        })
        assert answer.status == expected
    assert fakes.intake.attachments == [[]]


async def test_who_is_gone_by_the_end_of_a_long_upload_stores_nothing(client: TestClient, fakes: Fakes) -> None:
    body = a_body(*with_data())

    async def slowly() -> Any:
        yield body[:50]
        await asyncio.sleep(0.02)
        fakes.directory.names.clear()
        yield body[50:]

    assert (await post(client, slowly()))[0] == 401
    assert not fakes.attachments.contents and not fakes.intake.calls
