"""Reference data is replaced as a whole and read as a whole."""

import pytest

from lrs.plugins import Entry
from lrs.store import references as module
from lrs.store.references import References


@pytest.fixture(autouse=True)
def always_fresh(monkeypatch):
    monkeypatch.setattr(module, "FRESH_FOR_S", 0)


def users(*names):
    return [Entry("user", f"id-{name}", {"full_name": name.title()}, names=(name,)) for name in names]


async def test_there_is_nothing_at_first(either_database):
    assert await References(either_database).snapshot("school", "acme") == module.EMPTY


async def test_what_is_replaced_is_gone(either_database):
    references = References(either_database)
    await references.replace("school", "acme", "world", users("ada", "bob"))
    first = await references.snapshot("school", "acme")
    await references.replace("school", "acme", "world", users("cyd"))
    second = await references.snapshot("school", "acme")
    assert set(first.kinds["user"]) == {"id-ada", "id-bob"}
    assert second.kinds == {"user": {"id-cyd": {"full_name": "Cyd"}}}
    assert second.revision > first.revision


async def test_another_process_sees_the_change(either_database):
    here, there = References(either_database), References(either_database)
    await here.replace("school", "acme", "world", users("ada"))
    assert (await there.snapshot("school", "acme")).kinds["user"]
    await here.replace("school", "acme", "world", [])
    assert (await there.snapshot("school", "acme")).kinds == {}


async def test_names_of_reference_data_are_apart(either_database):
    references = References(either_database)
    await references.replace("school", "acme", "world", users("ada"))
    await references.replace("school", "acme", "catalogue", [Entry("course", "c1", {"seconds": 60})])
    assert set((await references.snapshot("school", "acme")).kinds) == {"user", "course"}


async def test_holders_are_the_tenants_that_have_the_name(either_database):
    references = References(either_database)
    for tenant in ("b", "a"):
        await references.replace(tenant, "acme", "world", users("ada"))
    await references.replace("c", "acme", "world", users("bob"))
    assert await references.holders("acme", "user", "ada") == ["a", "b"]
    assert await references.holders("acme", "user", "nobody") == []
    assert await references.holders("other", "user", "ada") == []


async def test_made_up_tenants_do_not_fill_memory(either_database, monkeypatch):
    monkeypatch.setattr(module, "MOST_CACHED", 10)
    references = References(either_database)
    for number in range(30):
        await references.snapshot(f"made-up-{number}", "acme")
    assert len(references._snapshots) <= 10
