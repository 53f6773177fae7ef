"""Profiles that native events teach: written together, read together, in the order in which they were first put."""

from datetime import UTC, datetime

from lrs.store.documents import Documents
from lrs.store.mongo import Database
from lrs.xapi.documents import ACTIVITY_PROFILE, AGENT_PROFILE, Place, Preconditions

STRUCTURE = "https://example.org/profiles/structure"


def an_activity(number: int, profile: str = STRUCTURE) -> Place:
    return Place(ACTIVITY_PROFILE.name, activity=f"https://example.org/{number}", document_id=profile)


def documents_of(database: Database) -> Documents:
    return Documents(database, lambda: datetime.now(UTC))


async def test_profiles_keep_the_order_in_which_they_were_first_put(database: Database) -> None:
    documents = documents_of(database)
    await documents.put_profiles("school", {an_activity(each): b"1" for each in (3, 1, 2)})
    await documents.put_profiles("school", {an_activity(each): b"2" for each in (4, 2, 0)})
    profiles = await documents.profiles("school", ACTIVITY_PROFILE, STRUCTURE)
    assert [(owner[-1], content) for owner, content in profiles.items()] == [
        ("3", b"1"), ("1", b"1"), ("2", b"2"), ("4", b"2"), ("0", b"2"),
    ]


async def test_profiles_are_one_kind_of_one_tenant(database: Database) -> None:
    documents = documents_of(database)
    person = Place(AGENT_PROFILE.name, agent="mailto:ada@example.org", document_id=STRUCTURE)
    await documents.put_profiles("school", {an_activity(1): b"1", an_activity(2, "https://example.org/other"): b"2", person: b"3"})
    await documents.put_profiles("other", {an_activity(1): b"4"})
    assert await documents.profiles("school", ACTIVITY_PROFILE, STRUCTURE) == {"https://example.org/1": b"1"}
    assert await documents.profiles("school", AGENT_PROFILE, STRUCTURE) == {"mailto:ada@example.org": b"3"}


async def test_those_of_some_owners_cost_what_they_are_and_not_what_others_have(database: Database) -> None:
    documents = documents_of(database)
    await documents.put_profiles("school", {an_activity(each): b"%d" % each for each in range(30)})
    owners = ["https://example.org/7", "https://example.org/9", "https://example.org/none"]
    assert await documents.profiles("school", ACTIVITY_PROFILE, STRUCTURE, owners) == {owners[0]: b"7", owners[1]: b"9"}
    assert await documents.profiles("school", ACTIVITY_PROFILE, STRUCTURE, []) == {}


async def test_all_of_one_profile_are_found_by_an_index(database: Database) -> None:
    await database.prepare()
    documents = documents_of(database)
    await documents.put_profiles("school", {an_activity(each, f"{STRUCTURE}/{each % 10}"): b"1" for each in range(50)})
    query = {"tenant": "school", "resource": ACTIVITY_PROFILE.name, "document_id": f"{STRUCTURE}/3"}
    plan = await database["documents"].find(query).explain()
    assert plan["executionStats"]["totalDocsExamined"] == 5


async def test_those_with_a_term_are_found_and_those_of_which_no_terms_are_known(database: Database) -> None:
    await database.prepare()
    documents = documents_of(database)
    places = [an_activity(number) for number in range(6)]
    terms = {place: [f"n{number % 3}", f"g{number % 2}"] for number, place in enumerate(places[:5])}
    await documents.put_profiles("school", dict.fromkeys(places, b"1"), terms)

    async def found(*having: list[str]) -> list[int]:
        return sorted(int(owner[-1]) for owner in await documents.profiles("school", ACTIVITY_PROFILE, STRUCTURE, having=having))

    assert await found(["n1"]) == [1, 4, 5]
    assert await found(["n1", "n2"], ["g0"]) == [2, 4, 5]
    # What another door puts there has no terms, and the same content with other terms is written anew.
    await documents.put("school", places[0], "application/json", b"2", Preconditions(), careful=False)
    await documents.put_profiles("school", {places[1]: b"1"}, {places[1]: ["n7"]})
    assert await found(["n7"]) == [0, 1, 5]
    query = {"tenant": "school", "resource": ACTIVITY_PROFILE.name, "document_id": STRUCTURE, "terms": {"$in": [None, "n2"]}}
    plan = await database["documents"].find(query).explain()
    assert plan["executionStats"]["totalDocsExamined"] == 3
