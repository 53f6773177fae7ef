"""Tenants: which one a request names, and whose authority its statements get."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from http_fakes import Fakes, basic, managing, xapi

from lrs.errors import Forbidden, HostTaken, NotFound, TenantLeaving
from lrs.http.tenancy import host_of, named_tenant
from lrs.plugins import Rate
from lrs.store.directory import Directory
from lrs.store.mongo import Database

OPERATOR = {"Authorization": basic("operator:operator-secret")}
PATH = "/xapi/statements"
TENANTS = "/manage/tenants"
SCHOOL = f"{TENANTS}/school"
AGENT = {"objectType": "Agent", "name": "The content server", "account": {"homePage": "https://content.example", "name": "cs-1"}}


@pytest.mark.parametrize(("header", "host"), [
    ("school.example.org", "school.example.org"), ("School.Example.ORG:8443", "school.example.org"), ("a.example.", "a.example"),
    ("a.example.:80", "a.example"), ("127.0.0.1:8080", "127.0.0.1"), ("[::1]:8080", ""), ("", ""), (":80", ""),
    ("schüle.example", ""), ("a" * 300, ""),
])
def test_a_host_header_is_a_name_in_lower_case_without_a_port(header: str, host: str) -> None:
    assert host_of(header) == host


@pytest.mark.parametrize(("path", "host", "named"), [
    (None, "plain.example", None), ("school", "plain.example", "school"), (None, "mapped.example", "other"),
    ("other", "mapped.example", "other"), (None, "MAPPED.example:8080", "other"), ("", "plain.example", None),
])
async def test_the_prefix_or_the_host_names_the_tenant(fakes: Fakes, path: str | None, host: str, named: str | None) -> None:
    assert await named_tenant(asking(fakes, path, host)) == named


async def test_a_prefix_and_a_host_that_disagree_name_nothing(fakes: Fakes) -> None:
    with pytest.raises(Forbidden):
        await named_tenant(asking(fakes, "school", "mapped.example"))


def asking(fakes: Fakes, prefix: str | None, host: str) -> web.Request:
    fakes.directory.named = {"mapped.example": "other"}
    request = make_mocked_request("GET", "/", headers={"Host": host}, app=fakes.app())
    request.match_info.update({} if prefix is None else {"tenant": prefix})
    return request


@pytest.fixture(params=["", "/lrs"], ids=["alone", "mounted"])
def mount(request: pytest.FixtureRequest) -> str:
    return request.param  # type: ignore[no-any-return]


async def test_on_a_tenants_host_only_its_own_credentials_count(fakes: Fakes, mount: str) -> None:
    fakes.directory.names.add("other")
    fakes.directory.named = {"school.example": "school", "other.example": "other"}
    host = web.Application()
    host.add_subapp(mount, fakes.app()) if mount else None
    async with TestClient(TestServer(host if mount else fakes.app())) as client:
        async def status(path: str, host: str) -> int:
            return (await client.get(f"{mount}{path}", headers=xapi(Host=host))).status

        assert await status(PATH, "school.example") == 200
        assert await status(f"/t/school{PATH}", "school.example:443") == 200
        assert await status(PATH, "other.example") == 403
        assert await status(f"/t/school{PATH}", "other.example") == 403
        assert await status(PATH, "nobody.example") == 200
        assert (await client.get(f"{mount}/healthz", headers={"Host": "other.example"})).status == 200


async def test_what_is_not_there_for_a_credential_is_refused_in_one_body(client: TestClient, fakes: Fakes) -> None:
    fakes.directory.names.add("other")
    fakes.directory.named = {"other.example": "other"}
    bodies = set()
    for path, host in ((PATH, "other.example"), (f"/t/other{PATH}", "x"), (f"/t/nobody{PATH}", "x"), (f"/t/school{PATH}", "other.example")):
        answer = await client.get(path, headers=xapi(Host=host) | {"X-Request-ID": "one"})
        assert answer.status == 403
        bodies.add(await answer.read())
    assert len(bodies) == 1


HOSTS = {"hosts": ["A.example.org", "b.example.org", "a.example.org", "127.0.0.1"]}


async def test_hosts_are_given_to_a_tenant_and_shown(client: TestClient) -> None:
    assert (await client.put(SCHOOL, json=HOSTS, headers=managing())).status == 204
    shown = {"tenant": "school", "hosts": ["127.0.0.1", "a.example.org", "b.example.org"]}
    assert await (await client.get(SCHOOL, headers=managing())).json() == shown
    assert (await client.get(f"{TENANTS}/nobody", headers=managing())).status == 404


@pytest.mark.parametrize(("body", "place"), [
    ({"hosts": ["a.example:80"]}, "hosts.0"), ({"hosts": ["https://a.example"]}, "hosts.0"), ({"hosts": [""]}, "hosts.0"),
    ({"hosts": ["a", "a b"]}, "hosts.1"), ({"hosts": [7]}, "hosts.0"), ({"hosts": ["ä.example"]}, "hosts.0"),
    ({"hosts": ["a..b"]}, "hosts.0"), ({"hosts": ["a" * 254]}, "hosts.0"), ({"hosts": "a"}, "hosts"), ({"names": []}, "names"),
    ({"hosts": ["a\n"]}, "hosts.0"), ([], ""), (7, ""),
], ids=repr)
async def test_hosts_that_cannot_be_are_refused_with_their_place(client: TestClient, fakes: Fakes, body: Any, place: str) -> None:
    answer = await client.put(f"{TENANTS}/new", json=body, headers=managing())
    assert (answer.status, (await answer.json())["problems"][0]["place"]) == (400, place)
    assert "new" not in fakes.directory.names


async def test_a_host_leads_to_one_tenant_and_a_conflict_changes_nothing(directory: Directory) -> None:
    assert await directory.create_tenant("first", ["a.example", "b.example"])
    for taker in ("second", "new"):
        with pytest.raises(HostTaken):
            await directory.create_tenant(taker, ["c.example", "b.example"])
    assert await directory.tenants() == ["first", "second"]
    assert await directory.hosts("second") == []
    assert [await directory.tenant_of_host(f"{name}.example") for name in "abc"] == ["first", "first", None]


async def test_hosts_stay_as_they_are_until_others_or_none_are_given(directory: Directory) -> None:
    await directory.create_tenant("second", ["a.example"])
    assert not await directory.create_tenant("second")
    assert await directory.hosts("second") == ["a.example"]
    assert not await directory.create_tenant("second", ["b.example"])
    assert await directory.hosts("second") == ["b.example"]
    for tenant in ("second", "third"):
        await directory.create_tenant(tenant, [])
    assert await directory.hosts("second") == []
    assert await directory.create_tenant("fourth", ["b.example"])


async def test_of_many_that_want_one_host_at_once_one_gets_it(directory: Directory) -> None:
    wanting = (directory.create_tenant(f"tenant-{number}", ["a.example"]) for number in range(8))
    outcomes = await asyncio.gather(*wanting, return_exceptions=True)
    assert outcomes.count(True) == 1
    assert sum(isinstance(each, HostTaken) for each in outcomes) == 7


@pytest.fixture
async def directory(database: Database) -> Directory:
    directory = Directory(database, "a-secret", "https://school.example.org/credentials")
    await directory.create_tenant("second")
    return directory


async def test_statements_get_an_account_of_the_servers_home_page_unless_the_credential_has_an_authority(directory: Directory) -> None:
    for key, authority in (("plain", None), ("own", AGENT)):
        await directory.add_credential("second", kind="basic", key=key, secret="s", scopes=["all"], authority=authority)
    caller = await directory.caller_of_basic("plain", "s")
    account = {"homePage": "https://school.example.org/credentials", "name": "plain"}
    assert (caller.authority, caller.rate) == ({"objectType": "Agent", "account": account}, None)
    assert (await directory.caller_of_basic("own", "s")).authority == AGENT


async def test_a_credentials_own_limit_is_kept(directory: Directory) -> None:
    await directory.add_credential("second", kind="api_key", key="k" * 30, secret=None, scopes=["all"], rate=Rate(2.5, 7))
    assert (await directory.caller_of_api_key("k" * 30)).rate == Rate(2.5, 7)


@pytest.mark.parametrize("authority", [
    AGENT, {"mbox": "mailto:lms@example.org"}, {"openid": "https://lms.example.org/"}, {"name": "x", "mbox_sha1sum": "a" * 40},
])
async def test_an_authority_is_an_agent_and_is_shown(client: TestClient, authority: dict[str, Any]) -> None:
    wanted = {"kind": "basic", "key": "k", "secret": "s", "scopes": ["all"], "authority": authority}
    made = await client.post(f"{SCHOOL}/credentials", json=wanted, headers=managing())
    assert (made.status, await made.json()) == (201, wanted)
    (shown,) = (await (await client.get(f"{SCHOOL}/credentials", headers=managing())).json())["credentials"]
    assert shown == {name: wanted[name] for name in ("kind", "key", "scopes", "authority")}


@pytest.mark.parametrize("authority", [
    {}, {"mbox": "lms@example.org"}, {"objectType": "Group", "mbox": "mailto:a@b.example"}, {"mbox": "mailto:a@b.example", "role": "x"},
    {"mbox": "mailto:a@b.example", "openid": "https://x.example"}, {"account": {"name": "a"}}, [], "me", 7, None,
    {"objectType": "Activity"},
], ids=repr)
async def test_an_authority_that_is_no_agent_is_refused_with_its_place(client: TestClient, fakes: Fakes, authority: Any) -> None:
    wanted = {"kind": "basic", "scopes": ["all"], "authority": authority}
    answer = await client.post(f"{SCHOOL}/credentials", json=wanted, headers=managing())
    assert (answer.status, (await answer.json())["problems"][0]["place"]) == (400, "authority")
    assert fakes.directory.credentials == []


async def test_while_a_tenant_is_being_deleted_it_is_there_for_its_deletion_only(directory: Directory, database: Database) -> None:
    await directory.create_tenant("left")
    await database["tenants"].update_one({"_id": "left"}, {"$set": {"leaving": True}})  # what a crash leaves
    assert not await directory.has_tenant("left")
    with pytest.raises(NotFound):
        await directory.add_credential("left", kind="basic", key="k", secret="s", scopes=["all"])
    for hosts in (None, ["a.example"], []):
        with pytest.raises(TenantLeaving):
            await directory.create_tenant("left", hosts)
    await directory.delete_tenant("left")
    assert await directory.create_tenant("left")


async def test_a_credential_made_while_its_tenant_is_being_deleted_does_not_outlive_it(directory: Directory, database: Database) -> None:
    async def let_in(_tenant: str) -> None:
        """The deletion begins, and ends, just after the tenant was found to be there."""

    await database["tenants"].update_one({"_id": "second"}, {"$set": {"leaving": True}})
    directory.require_tenant = let_in  # type: ignore[method-assign]
    with pytest.raises(NotFound):
        await directory.add_credential("second", kind="basic", key="k", secret="s", scopes=["all"])
    assert await directory.caller_of_basic("k", "s") is None
