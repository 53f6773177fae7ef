"""Bearer tokens: whose count, what they reach, and how often their issuer is asked."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import CONFIG, Fakes, a_statement
from issuers import AUDIENCE, Desk, Issuer, key_pair, unsigned
from joserfc import jws
from joserfc.jwk import ECKey

from lrs.config import Config
from lrs.errors import ConfigurationError
from lrs.http import keys
from lrs.http.access import access_parts
from lrs.oidc import LEEWAY_S, MOST_CHARACTERS

PATH = "/xapi/statements"


async def test_a_token_stands_for_its_subject_in_its_tenant(desk: Desk, issuer: Issuer) -> None:
    caller = await desk.caller(scope="openid statements/write email")
    assert (caller.tenant, caller.scopes) == ("school", {"statements/write"})
    assert caller.authority == {"objectType": "Agent", "account": {"homePage": issuer.url, "name": "ada"}}
    assert ":" in caller.key  # so that no Basic credential can have it


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"])
async def test_signatures_by_rsa_and_elliptic_curves_count(desk: Desk, issuer: Issuer, algorithm: str) -> None:
    issuer.keys = [key_pair(algorithm, algorithm)]
    assert await desk.caller(kid=algorithm, algorithm=algorithm)


@pytest.mark.parametrize("changes", [
    {"aud": "https://other.example.org"}, {"aud": ["https://a.example", "https://b.example"]}, {"aud": None}, {"aud": ""},
    {"aud": 7}, {"aud": [AUDIENCE, 7]},
    {"iss": "https://evil.example.org"}, {"iss": None}, {"iss": ["x"]},
    {"exp_in": -LEEWAY_S - 5}, {"exp": None}, {"exp": "soon"}, {"exp": True},
    {"nbf_in": LEEWAY_S + 15}, {"nbf": "x"}, {"iat_in": LEEWAY_S + 15}, {"iat": "yesterday"},
    {"sub": None}, {"sub": ""}, {"sub": 7}, {"tenant": None}, {"tenant": ""}, {"tenant": ["school"]}, {"tenant": {"a": 1}},
], ids=repr)
async def test_a_token_of_which_one_claim_is_wrong_does_not_count(desk: Desk, changes: dict[str, Any]) -> None:
    assert await desk.caller(**changes) is None


@pytest.mark.parametrize("changes", [
    {"aud": ["https://other.example.org", AUDIENCE]}, {"exp_in": -LEEWAY_S + 15}, {"nbf_in": LEEWAY_S - 15},
    {"iat_in": LEEWAY_S - 15}, {"nbf": None}, {"iat": None}, {"exp_in": 60.5},
], ids=repr)
async def test_clocks_may_differ_a_little_and_a_token_may_have_several_audiences(desk: Desk, changes: dict[str, Any]) -> None:
    assert await desk.caller(**changes)


async def test_a_signature_by_another_key_of_the_same_name_does_not_count(desk: Desk) -> None:
    assert await desk.caller(by=ECKey.generate_key("P-256", {"kid": "one"})) is None


async def test_no_algorithm_without_a_public_key_counts(desk: Desk, issuer: Issuer) -> None:
    """Above all not HMAC keyed with the public key, which everybody knows."""
    issuer.keys = [key_pair("rsa", "RS256")]
    public = issuer.keys[0]
    spellings = (public.as_pem(private=False), public.as_der(private=False), b"", b"secret")
    for algorithm in ("none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "PS256", "EdDSA", "RS1", "", None, 7, ["RS256"]):
        for secret in spellings:
            signed = unsigned({"alg": algorithm, "kid": "rsa"}, issuer.claims()).rpartition(".")[0]
            mac = hmac.digest(secret, signed.encode(), hashlib.sha256) if algorithm not in ("none", "NONE") else b""
            forged = unsigned({"alg": algorithm, "kid": "rsa"}, issuer.claims(), mac)
            assert await desk.tokens.caller(forged) is None
    assert issuer.asked["jwks"] == 0


async def test_a_key_serves_only_the_algorithm_and_curve_it_is_for(desk: Desk, issuer: Issuer) -> None:
    rsa = key_pair("rsa", "RS256")
    document = {"keys": [rsa.as_dict(private=False) | {"alg": "RS512"}, key_pair("ec", "ES384").as_dict(private=False)]}
    issuer.answers["jwks"] = document
    assert await desk.caller(kid="rsa", algorithm="RS256", by=rsa) is None
    assert await desk.caller(kid="rsa", algorithm="RS512", by=rsa)
    assert await desk.caller(kid="ec", algorithm="ES256", by=key_pair("ec", "ES256")) is None


async def test_keys_and_addresses_in_the_header_of_a_token_are_not_looked_at(desk: Desk, issuer: Issuer) -> None:
    own = ECKey.generate_key("P-256", {"kid": "own"})
    for name, value in (("jwk", own.as_dict(private=False)), ("jku", f"{issuer.url}/jwks"), ("x5u", f"{issuer.url}/x")):
        assert await desk.caller(by=own, kid="own", header={name: value}) is None


@pytest.mark.parametrize("header", [{"typ": "logout+jwt"}, {"typ": "JOSE"}, {"typ": 7}, {"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}])
async def test_a_token_made_for_something_else_does_not_count(desk: Desk, issuer: Issuer, header: dict[str, Any]) -> None:
    signed = unsigned({"alg": "ES256", "kid": "one", **header}, issuer.claims()).rpartition(".")[0]
    assert await desk.tokens.caller(f"{signed}.AAAA") is None
    if "typ" in header and isinstance(header["typ"], str):
        assert await desk.caller(header=header) is None


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
async def test_access_tokens_are_taken_by_every_name_they_go_by(desk: Desk, kind: str) -> None:
    assert await desk.caller(header={"typ": kind})


JUNK = [
    "", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d.e", "é.b.c", "\udcff.a.b", "{}.{}.{}", "e30.e30.e30", "W10.W10.W10",
    unsigned([], {}), unsigned("alg", {}), unsigned(7, {}), unsigned({"alg": "RS256", "kid": 7}, {}),
    unsigned({"alg": "RS256", "kid": {"a": 1}}, {}), unsigned({"kid": "one"}, {}), "[" * 1000 + ".a.b", "eyJ" * 3000 + ".a.b",
]


@pytest.mark.parametrize("token", JUNK, ids=lambda token: ascii(token[:24]))
async def test_junk_is_no_token_and_asks_the_issuer_nothing(desk: Desk, issuer: Issuer, token: str) -> None:
    assert await desk.tokens.caller(token) is None
    assert issuer.asked == {"discovery": 0, "jwks": 0}


async def test_a_huge_token_is_refused_before_anything_is_read_of_it(desk: Desk, issuer: Issuer) -> None:
    token = issuer.token(filler="x" * MOST_CHARACTERS)
    assert len(token) > MOST_CHARACTERS
    assert await desk.tokens.caller(token) is None
    assert issuer.asked["jwks"] == 0


async def test_a_claim_set_that_is_no_object_or_nested_without_end_does_not_count(desk: Desk, issuer: Issuer) -> None:
    header = {"alg": "ES256", "kid": "one"}
    for payload in (b"[]", b"7", b"{", b"\xff", b"[" * 5000, b'{"a":' * 1500 + b"1" + b"}" * 1500):
        signed = jws.serialize_compact(header, payload, key_pair("one"), ["ES256"])
        assert await desk.tokens.caller(signed) is None


async def test_a_token_without_a_key_name_is_tried_with_all_keys_it_could_be_by(desk: Desk, issuer: Issuer) -> None:
    issuer.keys = [key_pair("one"), key_pair("two"), key_pair("rsa", "RS256")]
    assert await desk.caller(kid=None, by=key_pair("two"))
    assert await desk.caller(kid=None, by=key_pair("nobody's")) is None


@pytest.mark.parametrize(("claims", "scopes"), [
    ({"scope": "all"}, {"all"}), ({"scope": None, "scp": ["statements/read", "state"]}, {"statements/read", "state"}),
    ({"scope": None, "scp": "define events/write"}, {"define", "events/write"}),
    ({"scope": "define", "scp": ["state"]}, {"define", "state"}), ({"scope": None}, set()), ({"scope": "root ALL all,state"}, set()),
    ({"scope": 7, "scp": [7, None, ["all"]]}, set()),
    ({"scope": "openid profile email"}, set()),
], ids=lambda each: repr(sorted(each)) if isinstance(each, set) else repr(each))
async def test_scopes_are_those_of_ours_and_the_profile_of_openid_is_none(desk: Desk, claims: dict[str, Any], scopes: set[str]) -> None:
    assert (await desk.caller(**claims)).scopes == scopes


async def test_with_a_prefix_only_what_has_it_is_a_scope(issuer: Issuer) -> None:
    desk = Desk(issuer, scope_prefix="xapi:", tenant_claim="https://example.org/school")
    told = {"scope": "all xapi:profile xapi:state profile", "https://example.org/school": "other"}
    caller = await desk.tokens.caller(issuer.token(**told))
    assert (caller.tenant, caller.scopes) == ("other", {"profile", "state"})
    await desk.close()


@pytest.fixture
async def client(issuer: Issuer, fakes: Fakes) -> AsyncIterator[TestClient]:
    """An application that trusts the issuer."""
    app = fakes.app(replace(CONFIG, oidc_issuer=issuer.url, oidc_audience=AUDIENCE))
    app[keys.CLOCK] = lambda: datetime.now(UTC)
    app.cleanup_ctx.append(access_parts)
    async with TestClient(TestServer(app)) as client:
        yield client


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "X-Experience-API-Version": "1.0.3"}


async def test_a_token_opens_what_its_scopes_reach(client: TestClient, issuer: Issuer, fakes: Fakes) -> None:
    headers = bearing(issuer.token(scope="statements/write"))
    assert (await client.post(PATH, json=a_statement(), headers=headers)).status == 200
    assert fakes.intake.calls[0]["authority"]["account"] == {"homePage": issuer.url, "name": "ada"}
    assert (await client.get(PATH, headers=headers)).status == 403
    assert (await client.get(f"/t/other{PATH}", headers=bearing(issuer.token()))).status == 403
    assert (await client.get(PATH, headers=bearing(issuer.token()) | {"Authorization": f"bearer {issuer.token()}"})).status == 200


async def test_a_token_for_a_tenant_that_is_not_there_says_no_more_than_a_bad_one(client: TestClient, issuer: Issuer) -> None:
    bodies = []
    for token in (issuer.token(tenant="nobody"), issuer.token(aud="x"), issuer.token(exp=1), "junk", issuer.token(kid="unknown")):
        answer = await client.get(PATH, headers=bearing(token) | {"X-Request-ID": "one"})
        assert answer.status == 401
        assert "Bearer" in answer.headers["WWW-Authenticate"] and "Basic" in answer.headers["WWW-Authenticate"]
        bodies.append(await answer.read())
    assert len(set(bodies)) == 1


async def test_an_issuer_that_is_away_is_a_503_and_basic_goes_on(client: TestClient, issuer: Issuer) -> None:
    issuer.away = True
    answer = await client.get(PATH, headers=bearing(issuer.token()))
    assert (answer.status, (await answer.json())["error"]) == (503, "issuer_unavailable")
    assert "Retry-After" in answer.headers
    basic = {"Authorization": "Basic YWxsOnNlY3JldA==", "X-Experience-API-Version": "1.0.3"}
    assert (await client.get(PATH, headers=basic)).status == 200


async def test_a_token_longer_than_a_header_may_be_is_a_400(client: TestClient, issuer: Issuer) -> None:
    assert (await client.get(PATH, headers=bearing(issuer.token(filler="x" * 20_000)))).status == 400


async def test_a_token_does_not_open_management(client: TestClient, issuer: Issuer) -> None:
    assert (await client.get("/manage/tenants", headers=bearing(issuer.token()))).status == 401


async def test_without_an_issuer_a_token_is_nothing(issuer: Issuer, fakes: Fakes) -> None:
    async with TestClient(TestServer(fakes.app())) as client:
        answer = await client.get(PATH, headers=bearing(issuer.token()))
        assert answer.status == 401 and "Bearer" not in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("settings", [
    {"LRS_OIDC_ISSUER": "https://id.example.org"}, {"LRS_OIDC_ISSUER": "http://id.example.org", "LRS_OIDC_AUDIENCE": "x"},
    {"LRS_OIDC_ISSUER": "id.example.org", "LRS_OIDC_AUDIENCE": "x"}, {"LRS_OIDC_ISSUER": "https://[", "LRS_OIDC_AUDIENCE": "x"},
    {"LRS_OIDC_JWKS_URL": "ftp://id.example.org/jwks"}, {"LRS_OIDC_REFETCH": "0"}, {"LRS_OIDC_REFETCH": "nan"},
])
def test_an_issuer_that_cannot_be_trusted_stops_the_start(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="LRS_OIDC"):
        Config.from_environment(settings)
