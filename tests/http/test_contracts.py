"""The fixed contracts of the management API, alone and below any mount prefix."""


from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from http_fakes import BELLS, Fakes, managing

from lrs.http.routes import ROWS

TENANTS = "/manage/tenants"
SCHOOL = f"{TENANTS}/school"


CONTRACTS = [
    ("PUT", SCHOOL, None, {204}), ("PUT", f"{TENANTS}/fresh", None, {201}), ("PUT", f"{TENANTS}/fresh-too", {}, {201}),
    ("PUT", f"{TENANTS}/fresh-three", {"hosts": ["fresh.example"]}, {201}), ("GET", TENANTS, None, {200}), ("GET", SCHOOL, None, {200}),
    ("POST", f"{SCHOOL}/credentials", {"kind": "basic", "scopes": ["all"]}, {201}),
    ("POST", f"{SCHOOL}/credentials", {"kind": "basic", "key": "a", "secret": "b", "scopes": ["statements/write", "define"]}, {201}),
    ("POST", f"{SCHOOL}/credentials", {"kind": "basic", "key": "a", "secret": "c", "scopes": ["all"]}, {409}),
    ("POST", f"{SCHOOL}/credentials", {"kind": "api_key", "scopes": ["events/write", "reports/read"]}, {201}),
    ("POST", f"{SCHOOL}/credentials", {"kind": "api_key", "api_key": "an-api-key", "scopes": ["all"]}, {201}),
    ("POST", f"{SCHOOL}/credentials", {"kind": "api_key", "api_key": "an-api-key", "scopes": ["all"]}, {409}),
    ("GET", f"{SCHOOL}/credentials", None, {200}), ("DELETE", f"{SCHOOL}/credentials/a", None, {204}),
    ("DELETE", f"{SCHOOL}/credentials/an-api-key", None, {204}), ("DELETE", f"{SCHOOL}/credentials/a", None, {404}),
    ("PUT", f"{SCHOOL}/adapters/bells/settings", {"tone": "high"}, {200, 201, 204}),
    ("PUT", f"{SCHOOL}/adapters/bells/settings", {"tune": "high"}, {400}),
    ("PUT", f"{SCHOOL}/adapters/bells/reference/tower", {"bells": ["great"]}, {200, 201, 204}),
    ("POST", f"{SCHOOL}/settle", None, {200}), ("GET", "/manage/status", None, {200}), ("GET", "/manage/adapters", None, {200}),
    ("DELETE", SCHOOL, None, {204}), ("DELETE", SCHOOL, None, {404}), ("PUT", SCHOOL, None, {201}),
]


async def test_the_management_contracts_hold_alone_and_below_any_mount_prefix() -> None:
    for prefix in ("", "/lrs", "/deep/er/lrs"):
        app = Fakes().app()
        host = web.Application() if prefix else app
        if prefix:
            host.add_subapp(prefix, app)
        async with TestClient(TestServer(host)) as client:
            for method, path, body, statuses in CONTRACTS:
                sent = {} if body is None else {"json": body}
                answer = await client.request(method, prefix + path, headers=managing(), **sent)
                assert answer.status in statuses, (prefix, method, path, body, await answer.text())
                if answer.status == 201 and path.endswith("/credentials"):
                    assert (await answer.json()).items() >= body.items()


async def test_every_management_path_is_there_below_a_mount_prefix_and_only_the_operators() -> None:
    host = web.Application()
    host.add_subapp("/lrs", Fakes().app())
    async with TestClient(TestServer(host)) as client:
        for row in (row for row in ROWS if row.path.startswith("/manage")):
            ids = {"key": "k", "job": "1", "edition": "e@1", "received": "1", "statement": "1"}
            path = row.path.format(tenant="school", adapter=BELLS.name, name="tower", **ids)
            assert (await client.request(row.method, f"/lrs{path}")).status == 401, row
            assert (await client.request(row.method, path, headers=managing())).status == 404, row
