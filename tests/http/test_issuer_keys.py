"""The keys of an issuer: fetched when needed, kept for a while, and never asked for more often than agreed."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from issuers import REFETCH_S, Desk, Issuer, key_pair

from lrs.errors import IssuerUnavailable
from lrs.issuer_keys import FRESH_FOR_S, KEPT_FOR_S, public_keys


async def test_keys_are_fetched_once_for_many_tokens_at_once(desk: Desk, issuer: Issuer) -> None:
    callers = await asyncio.gather(*(desk.caller() for _ in range(50)))
    assert all(callers)
    assert issuer.asked == {"discovery": 1, "jwks": 1}


async def test_a_token_by_a_new_key_is_a_reason_to_fetch_and_the_old_key_is_then_worthless(desk: Desk, issuer: Issuer) -> None:
    assert await desk.caller()
    issuer.keys = [key_pair("two")]
    desk.ticking.now += REFETCH_S
    assert await desk.caller(kid="two")
    assert await desk.caller(kid="one") is None


async def test_a_flood_of_unknown_keys_costs_the_issuer_one_question_in_a_while(desk: Desk, issuer: Issuer) -> None:
    assert await desk.caller()
    stranger = key_pair("stranger")
    for number in range(200):
        desk.ticking.now += 0.6
        assert await desk.caller(kid=f"made-up-{number}", by=stranger) is None
        assert await desk.caller()
    assert 2 <= issuer.asked["jwks"] <= 1 + 200 * 0.6 / REFETCH_S


async def test_a_withdrawn_key_is_worthless_after_a_while_without_anybody_asking_for_another(desk: Desk, issuer: Issuer) -> None:
    assert await desk.caller()
    issuer.keys = [key_pair("two")]
    assert await desk.caller()
    desk.ticking.now += FRESH_FOR_S
    await desk.caller()  # is served with what is known, and sets off the fetch
    async with asyncio.timeout(5):
        while await desk.caller():
            await asyncio.sleep(0.01)


async def test_while_the_issuer_is_away_its_keys_serve_on_for_a_bounded_time(desk: Desk, issuer: Issuer) -> None:
    assert await desk.caller()
    issuer.away = True
    while desk.ticking.now < 1000 + KEPT_FOR_S - REFETCH_S:
        desk.ticking.now += REFETCH_S
        assert await desk.caller()
        await asyncio.sleep(0.001)
    desk.ticking.now += 2 * REFETCH_S
    with pytest.raises(IssuerUnavailable):
        await desk.caller()
    issuer.away = False
    desk.ticking.now += REFETCH_S
    assert await desk.caller()


async def test_without_an_issuer_a_token_is_neither_taken_nor_refused(desk: Desk, issuer: Issuer) -> None:
    issuer.away = True
    for _ in range(5):
        with pytest.raises(IssuerUnavailable):
            await desk.caller()
    assert issuer.asked == {"discovery": 1, "jwks": 0}


@pytest.mark.parametrize(("what", "answer"), [
    ("discovery", {"issuer": "https://other.example.org", "jwks_uri": "http://127.0.0.1/jwks"}), ("discovery", []),
    ("discovery", {"jwks_uri": "https://x.example"}), ("jwks", {}), ("jwks", []), ("jwks", {"keys": []}),
    ("jwks", {"keys": {"kid": "one"}}), ("jwks", {"keys": [7, None, {"kty": "oct", "k": "c2VjcmV0"}]}),
    ("discovery", web.HTTPFound("/jwks")), ("jwks", web.HTTPFound("/elsewhere")),
    ("jwks", web.Response(text="<html>")), ("jwks", web.Response(body=b"x" * 2_000_000)), ("jwks", web.Response(status=204)),
], ids=lambda value: ascii(value)[:40])
async def test_what_is_no_answer_of_the_issuer_gives_no_keys(desk: Desk, issuer: Issuer, what: str, answer: Any) -> None:
    issuer.answers[what] = answer
    with pytest.raises(IssuerUnavailable):
        await desk.caller()


async def test_keys_that_the_discovery_document_has_elsewhere_over_plain_http_are_not_fetched(desk: Desk, issuer: Issuer) -> None:
    issuer.answers["discovery"] = {"issuer": issuer.url, "jwks_uri": "http://keys.example.org/jwks"}
    with pytest.raises(IssuerUnavailable):
        await desk.caller()


async def test_with_an_address_for_keys_there_is_no_discovery(issuer: Issuer) -> None:
    desk = Desk(issuer, jwks_url=f"{issuer.url}/jwks")
    assert await desk.caller()
    assert issuer.asked == {"discovery": 0, "jwks": 1}
    await desk.close()


@pytest.mark.filterwarnings("ignore:Key size")
def test_of_a_jwks_document_only_sound_public_keys_for_signatures_are_taken() -> None:
    weak = key_pair("weak", "RS256").as_dict(private=False)
    weak["n"] = weak["n"][:170]  # some 1,020 bits
    good = key_pair("good").as_dict(private=True)
    document = {"keys": [
        weak, good, good | {"kid": "enc", "use": "enc"}, good | {"kid": 7}, good | {"kid": "hs", "alg": "HS256"},
        good | {"kid": "x", "x": "AAAA"}, good | {"kid": "crv", "crv": "P-1"}, {"kty": "RSA", "kid": "bare"},
        {"kty": "RSA", "kid": "odd", "n": 7, "e": None},
    ]}
    keys = public_keys(document)
    assert [each.kid for each in keys] == ["good"]
    assert not keys[0].key.is_private
