"""Tenants, credentials and settings: what is whose, and what a secret leaves behind."""

import asyncio

import pytest
from builders import a_statement
from marshmallow import Schema, ValidationError, fields

from lrs.errors import CredentialTaken, NotFound
from lrs.plugins import Adapter
from lrs.store import directory as module
from lrs.store.directory import Directory


class Settings(Schema):
    base_iri = fields.String(load_default="https://lrs.example.org/xapi")


ACME = Adapter(name="acme", version="1", settings=Settings)


@pytest.fixture
async def directory(either_database):
    directory = Directory(either_database, "a-secret")
    await directory.create_tenant("school")
    await directory.create_tenant("other")
    return directory


async def basic(directory, tenant="school", key="k", secret="s"):
    await directory.add_credential(tenant, kind="basic", key=key, secret=secret, scopes=["all"])


async def test_a_tenant_is_new_once(directory):
    assert not await directory.create_tenant("school")
    assert await directory.tenants() == ["other", "school"]


async def test_a_basic_credential_stands_for_its_tenant_with_the_right_secret_only(directory):
    await basic(directory)
    caller = await directory.caller_of_basic("k", "s")
    assert (caller.tenant, caller.scopes) == ("school", {"all"})
    assert await directory.caller_of_basic("k", "wrong") is None
    assert await directory.caller_of_basic("nobody", "s") is None


async def test_an_api_key_stands_for_its_tenant(directory):
    await directory.add_credential("other", kind="api_key", key="long-api-key", secret=None, scopes=["events/write"])
    assert (await directory.caller_of_api_key("long-api-key")).tenant == "other"
    assert await directory.caller_of_api_key("long-api-kez") is None
    assert await directory.caller_of_basic("long-api-key", "") is None


async def test_a_key_is_unique_over_all_tenants(directory):
    await basic(directory)
    with pytest.raises(CredentialTaken):
        await basic(directory, tenant="other")


async def test_no_secret_and_no_api_key_is_stored_or_listed(directory, either_database):
    await basic(directory, secret="very-secret")
    await directory.add_credential("school", kind="api_key", key="long-api-key", secret=None, scopes=["all"])
    stored = [each async for each in either_database["credentials"].find({})]
    listed = await directory.list_credentials("school")
    assert len(stored) == len(listed) == 2
    for secret in ("very-secret", "long-api-key"):
        assert secret not in f"{stored}{listed}"


async def test_a_removed_credential_is_unknown_at_once_here_and_within_a_second_elsewhere(directory, either_database):
    elsewhere = Directory(either_database, "a-secret")
    await basic(directory)
    assert await elsewhere.caller_of_basic("k", "s")
    await directory.remove_credential("school", "k")
    assert await directory.caller_of_basic("k", "s") is None
    async with asyncio.timeout(1):
        while await elsewhere.caller_of_basic("k", "s"):
            await asyncio.sleep(0.01)


async def test_a_tenant_cannot_remove_the_credential_of_another(directory):
    await basic(directory)
    with pytest.raises(NotFound):
        await directory.remove_credential("other", "k")
    assert await directory.caller_of_basic("k", "s")


async def test_another_server_secret_makes_every_stored_digest_worthless(directory, either_database):
    await basic(directory)
    assert await Directory(either_database, "another").caller_of_basic("k", "s") is None


async def test_settings_are_the_schemas_defaults_until_they_are_set(directory):
    assert await directory.settings("school", ACME) == {"base_iri": "https://lrs.example.org/xapi"}
    await directory.save_settings("school", ACME, {"base_iri": "https://school.example.org"})
    assert await directory.settings("school", ACME) == {"base_iri": "https://school.example.org"}
    assert await directory.settings("other", ACME) == {"base_iri": "https://lrs.example.org/xapi"}


async def test_unknown_settings_are_refused_and_change_nothing(directory):
    with pytest.raises(ValidationError):
        await directory.save_settings("school", ACME, {"bsae_iri": "https://x.example"})
    assert await directory.settings("school", ACME) == {"base_iri": "https://lrs.example.org/xapi"}


async def test_junk_keys_do_not_fill_memory(directory, monkeypatch):
    monkeypatch.setattr(module, "MOST_CACHED", 10)
    for number in range(50):
        await directory.caller_of_basic(f"junk{number}", "s")
    assert len(directory._cache) <= 10


async def test_a_deleted_tenant_leaves_nothing_behind_and_takes_nothing_of_others(parts, database):
    directory = Directory(database, "a-secret")
    for tenant in ("left", "other"):
        await directory.create_tenant(tenant)
        await basic(directory, tenant=tenant, key=f"key-of-{tenant}")
        await directory.save_settings(tenant, ACME, {})
        await parts.post(a_statement(), tenant=tenant)
        await parts.follower.settle(tenant)
    await directory.delete_tenant("left")
    left = {name: [each async for each in database[name].find({})] for name in await database.collection_names()}
    assert "left" not in str(left)
    assert all("other" in str(left[name]) for name in ("records", "summaries", "credentials", "settings", "cursors", "tenants"))
    with pytest.raises(NotFound):
        await directory.delete_tenant("left")
