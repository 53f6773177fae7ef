"""The management API: its fixed contracts, alone and mounted."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from http_fakes import JOB_ID, THROUGH, VERIFIED, Fakes, managing
from pytest_aiohttp.plugin import AiohttpClient

TENANTS = "/manage/tenants"
SCHOOL = f"{TENANTS}/school"
BELLS = f"{SCHOOL}/adapters/bells"


@pytest.fixture(params=["", "/lrs"], ids=["alone", "mounted"])
async def operator(request: pytest.FixtureRequest, fakes: Fakes, aiohttp_client: AiohttpClient) -> "Operator":
    """The operator of an application that runs alone, and of one that is mounted."""
    host = fakes.app()
    if request.param:
        host = web.Application()
        host.add_subapp(request.param, fakes.app())
    return Operator(await aiohttp_client(host), request.param)


class Operator:
    def __init__(self, client: TestClient, prefix: str) -> None:
        self.client, self.prefix = client, prefix

    async def __call__(self, method: str, path: str, body: object = ...) -> tuple[int, object]:
        sent = {} if body is ... else {"json": body}
        answer = await self.client.request(method, self.prefix + path, headers=managing(), **sent)
        return answer.status, (await answer.json() if answer.content_type == "application/json" else None)


async def test_a_tenant_is_made_once(operator: Operator) -> None:
    assert await operator("PUT", f"{TENANTS}/new-one") == (201, None)
    assert await operator("PUT", f"{TENANTS}/new-one") == (204, None)
    assert await operator("GET", TENANTS) == (200, {"tenants": ["new-one", "school"]})


@pytest.mark.parametrize("name", ["A", "-a", ".a", "a b", "ä", "a" * 64, "a:b", "a%2Fb"])
async def test_a_tenants_name_is_plain(operator: Operator, name: str) -> None:
    status, body = await operator("PUT", f"{TENANTS}/{name}")
    assert status == 400 and body["problems"][0]["place"] == "tenant"


async def test_a_name_of_63_is_long_enough(operator: Operator) -> None:
    assert (await operator("PUT", f"{TENANTS}/{'a' * 63}"))[0] == 201


async def test_a_deleted_tenant_is_gone(operator: Operator) -> None:
    assert await operator("DELETE", SCHOOL) == (204, None)
    assert await operator("GET", TENANTS) == (200, {"tenants": []})
    assert (await operator("DELETE", SCHOOL))[0] == 404


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/credentials"), ("POST", "/credentials"), ("DELETE", "/credentials/k"),
    ("GET", "/adapters/bells/settings"), ("PUT", "/adapters/bells/settings"),
    ("PUT", "/adapters/bells/reference/tower"),
    ("POST", "/settle"), ("POST", "/rebuild"), ("POST", "/verify"), ("GET", "/leftovers"), ("GET", "/jobs"), ("GET", f"/jobs/{JOB_ID}"),
    ("POST", f"/jobs/{JOB_ID}/cancel"), ("POST", f"/jobs/{JOB_ID}/retry"),
])
async def test_of_a_tenant_that_is_not_there_nothing_is(operator: Operator, method: str, path: str) -> None:
    status, body = await operator(method, f"{TENANTS}/nobody{path}", {})
    assert (status, body["error"]) == (404, "not_found")


@pytest.mark.parametrize("credential", [
    {"kind": "basic", "key": "a-key", "secret": "a-secret"}, {"kind": "api_key", "api_key": "an-api-key"},
])
async def test_a_credential_is_echoed_once_and_its_key_taken_from_then_on(operator: Operator, credential: dict) -> None:
    body = credential | {"scopes": ["all"]}
    assert await operator("POST", f"{SCHOOL}/credentials", body) == (201, body)
    status, refused = await operator("POST", f"{SCHOOL}/credentials", body)
    assert (status, refused["error"]) == (409, "credential_taken")


async def test_what_a_credential_lacks_is_made_up(operator: Operator, fakes: Fakes) -> None:
    _, basic = await operator("POST", f"{SCHOOL}/credentials", {"kind": "basic", "scopes": ["statements/read"]})
    _, other = await operator("POST", f"{SCHOOL}/credentials", {"kind": "api_key", "scopes": ["events/write"]})
    assert basic.keys() == {"kind", "key", "secret", "scopes"} and len(basic["secret"]) >= 40
    assert other.keys() == {"kind", "api_key", "scopes"} and len(other["api_key"]) >= 40
    assert fakes.directory.credentials == [
        {"kind": "basic", "key": basic["key"], "secret": basic["secret"], "scopes": ["statements/read"]},
        {"kind": "api_key", "key": other["api_key"], "secret": None, "scopes": ["events/write"]},
    ]


@pytest.mark.parametrize(("credential", "place"), [
    ({"kind": "basic"}, "scopes"), ({"kind": "basic", "scopes": []}, "scopes"),
    ({"kind": "basic", "scopes": ["root"]}, "scopes.0"),
    ({"kind": "oauth", "scopes": ["all"]}, "kind"), ({"scopes": ["all"]}, "kind"),
    ({"kind": "basic", "key": "a:b", "scopes": ["all"]}, "key"),
    ({"kind": "basic", "key": "", "scopes": ["all"]}, "key"),
    ({"kind": "basic", "key": "a\n", "scopes": ["all"]}, "key"),
    ({"kind": "basic", "secret": "\x00", "scopes": ["all"]}, "secret"),
    ({"kind": "api_key", "api_key": "ä", "scopes": ["all"]}, "api_key"),
    ({"kind": "api_key", "key": "a", "scopes": ["all"]}, "key"),
    ({"kind": "basic", "api_key": "a", "scopes": ["all"]}, "api_key"), ([], ""), (None, ""), ("basic", ""),
])
async def test_a_credential_that_cannot_be_is_refused_with_its_place(
    operator: Operator, fakes: Fakes, credential: object, place: str
) -> None:
    status, body = await operator("POST", f"{SCHOOL}/credentials", credential)
    assert (status, body["problems"][0]["place"]) == (400, place)
    assert not fakes.directory.credentials


async def test_listed_credentials_show_no_secret(operator: Operator) -> None:
    await operator("POST", f"{SCHOOL}/credentials", {"kind": "basic", "key": "a", "secret": "hush", "scopes": ["all"]})
    shown = {"kind": "basic", "key": "a", "scopes": ["all"]}
    assert await operator("GET", f"{SCHOOL}/credentials") == (200, {"credentials": [shown]})


async def test_a_credential_is_deleted_by_its_key(operator: Operator) -> None:
    await operator("POST", f"{SCHOOL}/credentials", {"kind": "basic", "key": "a/b", "secret": "s", "scopes": ["all"]})
    assert await operator("DELETE", f"{SCHOOL}/credentials/a%2Fb") == (204, None)
    assert (await operator("DELETE", f"{SCHOOL}/credentials/a%2Fb"))[0] == 404


async def test_settings_are_kept_as_sent_and_shown_as_in_force(operator: Operator, fakes: Fakes) -> None:
    assert await operator("GET", f"{BELLS}/settings") == (200, {"tone": "low"})
    assert await operator("PUT", f"{BELLS}/settings", {"since": "2026-11-22"}) == (204, None)
    assert fakes.directory.saved["school", "bells"] == {"since": "2026-11-22"}
    assert await operator("GET", f"{BELLS}/settings") == (200, {"tone": "low", "since": "2026-11-22"})


@pytest.mark.parametrize(("settings", "place"), [({"colour": "red"}, "colour"), ({"since": "soon"}, "since"), ([], "")])
async def test_settings_an_adapter_does_not_have_are_refused(operator: Operator, settings: object, place: str) -> None:
    status, body = await operator("PUT", f"{BELLS}/settings", settings)
    assert (status, body["problems"][0]["place"]) == (400, place)


async def test_reference_data_is_loaded_and_takes_the_place_of_the_old(operator: Operator, fakes: Fakes) -> None:
    assert await operator("PUT", f"{BELLS}/reference/tower", {"bells": ["great", "small"]}) == (204, None)
    ((tenant, adapter, name, entries),) = fakes.references.replaced
    assert (tenant, adapter, name, [entry.id for entry in entries]) == ("school", "bells", "tower", ["great", "small"])


@pytest.mark.parametrize(
    ("tower", "place"), [({}, "bells"), ({"bells": [1]}, "bells.0"), ({"bells": ["cracked"]}, "bells")]
)
async def test_reference_data_that_is_wrong_changes_nothing(
    operator: Operator, fakes: Fakes, tower: object, place: str
) -> None:
    status, body = await operator("PUT", f"{BELLS}/reference/tower", tower)
    assert (status, body["problems"][0]["place"]) == (400, place)
    assert not fakes.references.replaced


async def test_adapters_and_reference_data_that_are_not_there_are_a_404(operator: Operator) -> None:
    assert (await operator("PUT", f"{SCHOOL}/adapters/drums/settings", {}))[0] == 404
    assert (await operator("PUT", f"{BELLS}/reference/belfry", {}))[0] == 404


async def test_settle_says_up_to_when(operator: Operator) -> None:
    assert await operator("POST", f"{SCHOOL}/settle") == (200, {"through": THROUGH})


async def test_rebuild_takes_one_materializer_or_all(operator: Operator, fakes: Fakes) -> None:
    rebuilt = {"rebuilt": {"bells.rung": 3}}
    assert await operator("POST", f"{SCHOOL}/rebuild") == (200, rebuilt)
    assert await operator("POST", f"{SCHOOL}/rebuild", {"materializer": "bells.rung"}) == (200, rebuilt)
    assert fakes.jobs.asked == [("rebuild", {}), ("rebuild", {"materializer": "bells.rung"})]


@pytest.mark.parametrize(("what", "arguments"), [("rebuild", {"per_second": 100.0}), ("verify", {"sample": 0.5}), ("retain", {})])
async def test_what_takes_longer_than_a_moment_is_answered_with_its_job(
    operator: Operator, fakes: Fakes, what: str, arguments: dict
) -> None:
    fakes.jobs.has_worker = False
    status, job = await operator("POST", f"{SCHOOL}/{what}", arguments)
    assert (status, job["id"], job["kind"], job["state"], job["arguments"]) == (202, JOB_ID, what, "waiting", arguments)
    assert "checkpoint" not in job and "holder" not in job


@pytest.mark.parametrize("wrong", [{"wait": "yes"}, {"per_second": 0}, {"per_second": "many"}, {"sample": 1}, {"when": "now"}, []])
async def test_a_job_that_is_asked_for_in_a_way_there_is_not_is_refused(operator: Operator, fakes: Fakes, wrong: object) -> None:
    assert (await operator("POST", f"{SCHOOL}/rebuild", wrong))[0] == 400
    assert not fakes.jobs.asked


async def test_what_cannot_be_rebuilt_is_said(operator: Operator) -> None:
    assert (await operator("POST", f"{SCHOOL}/rebuild", {"materializer": "drums"}))[0] == 404
    assert (await operator("POST", f"{SCHOOL}/rebuild", {"name": "bells.rung"}))[0] == 400


async def test_what_other_versions_left_is_listed_and_removed(operator: Operator) -> None:
    left = {"leftovers": [{"edition": "bells.rung@1", "summaries": 3, "lines": 0}]}
    assert await operator("GET", f"{SCHOOL}/leftovers") == (200, left)
    assert await operator("DELETE", f"{SCHOOL}/leftovers/bells.rung%401") == (200, {"removed": 3})
    assert (await operator("DELETE", f"{SCHOOL}/leftovers/bells.rung%402"))[0] == 404


async def test_verify_lists_what_differs(operator: Operator) -> None:
    assert await operator("POST", f"{SCHOOL}/verify") == (200, VERIFIED)


async def test_adapters_are_listed_with_what_they_serve(operator: Operator) -> None:
    _, body = await operator("GET", "/manage/adapters")
    assert body["adapters"] == [{
        "name": "bells", "version": "1.0", "from": "", "references": ["tower"],
        "routes": ["GET /bells/ring", "POST /bells/break", "POST /bells/refuse"],
    }]


@pytest.mark.parametrize("up", [True, False])
async def test_status_tells_the_health_of_all(operator: Operator, fakes: Fakes, up: bool) -> None:
    fakes.database.up = up
    status, body = await operator("GET", "/manage/status")
    assert (status, body["mongo"], body["redis"], body["draining"]) == (200, up, True, False)
    assert (body["tenants"], body["adapters"]) == (1 if up else None, {"bells": "1.0"})
    assert (body["lag_s"], body["swept_s_ago"]) == ((1.5, 4.0) if up else (None, None))
