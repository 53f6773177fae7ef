"""Documents in the store: preconditions are decided by the database, in memory and on a real one."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from lrs.errors import DocumentConflict, InvalidBody, PreconditionFailed, TooLarge
from lrs.store.documents import LARGEST, Documents
from lrs.store.mongo import Database
from lrs.xapi.documents import ANY, Place, Preconditions, etag_of

PLACE = Place("state", "https://example.org/a", "mailto:ada@example.org", None, "bookmark")
FREE, NEW = Preconditions(), Preconditions(none_match=ANY)
JSON = "application/json"
TEXT = "text/plain"


class Ticking:
    """A clock that is a second later each time it is asked."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def documents(either_database: Database) -> Documents:
    return Documents(either_database, Ticking())


def matching(content: bytes) -> Preconditions:
    return Preconditions(match=frozenset([etag_of(content)]))


async def outcome(write) -> str:
    try:
        await write
    except (PreconditionFailed, DocumentConflict) as error:
        return type(error).__name__
    return "written"


async def content_of(documents: Documents, tenant: str = "school", place: Place = PLACE) -> bytes | None:
    document = await documents.get(tenant, place)
    return document and document.content


async def test_of_many_who_put_what_must_be_new_one_wins(documents: Documents) -> None:
    """If-None-Match: * detects a resource the client is not aware of. xAPI 1.0.3, Communication 3.1."""
    outcomes = await asyncio.gather(*(
        outcome(documents.put("school", PLACE, TEXT, b"%d" % each, NEW, careful=True)) for each in range(30)
    ))
    assert Counter(outcomes) == {"written": 1, "PreconditionFailed": 29}
    assert await content_of(documents) == b"%d" % outcomes.index("written")


async def test_of_many_who_put_without_a_precondition_one_wins_and_the_others_conflict(documents: Documents) -> None:
    """409 where a resource exists and neither header came. Communication 3.1."""
    outcomes = await asyncio.gather(*(
        outcome(documents.put("school", PLACE, TEXT, b"%d" % each, FREE, careful=True)) for each in range(30)
    ))
    assert Counter(outcomes) == {"written": 1, "DocumentConflict": 29}


async def test_of_many_who_replace_the_same_content_one_wins(documents: Documents) -> None:
    """If-Match detects modifications made after the client last fetched the document. Communication 3.1."""
    await documents.put("school", PLACE, TEXT, b"first", NEW, careful=True)
    outcomes = await asyncio.gather(*(
        outcome(documents.put("school", PLACE, TEXT, b"%d" % each, matching(b"first"), careful=True)) for each in range(30)
    ))
    assert Counter(outcomes) == {"written": 1, "PreconditionFailed": 29}


async def test_of_many_who_delete_or_replace_the_same_content_one_wins(documents: Documents) -> None:
    """Concurrency control covers PUT, POST and DELETE. Communication 3.1."""
    await documents.put("school", PLACE, JSON, b"{}", NEW, careful=True)
    outcomes = await asyncio.gather(*(
        outcome(write) for each in range(10) for write in (
            documents.delete("school", PLACE, matching(b"{}")),
            documents.put("school", PLACE, JSON, b"[%d]" % each, matching(b"{}"), careful=True),
            documents.post("school", PLACE, JSON, b'{"a":%d}' % each, matching(b"{}")),
        )
    ))
    assert Counter(outcomes) == {"written": 1, "PreconditionFailed": 29}


async def test_of_many_who_merge_at_once_nothing_is_lost(documents: Documents) -> None:
    """Each posted property is set on the object that is there. Communication 2.2, "JSON Procedure"."""
    await asyncio.gather(*(documents.post("school", PLACE, JSON, b'{"k%d":%d}' % (each, each), FREE) for each in range(30)))
    content = await content_of(documents)
    assert content is not None and all(b'"k%d":%d' % (each, each) in content for each in range(30))


async def test_of_many_who_replace_freely_all_succeed_and_one_is_kept(documents: Documents) -> None:
    """The State Resource will permit PUT without concurrency headers. Communication 3.1, Client Requirements."""
    contents = [b"%d" % each for each in range(30)]
    await asyncio.gather(*(documents.put("school", PLACE, TEXT, each, FREE, careful=False) for each in contents))
    assert await content_of(documents) in contents


async def test_a_tag_that_must_not_be_there_refuses_only_that_content(documents: Documents) -> None:
    """If-None-Match with a tag. RFC 2616, 14.26."""
    unless_first = Preconditions(none_match=frozenset([etag_of(b"first")]))
    outcomes = [
        await outcome(documents.put("school", PLACE, TEXT, content, unless_first, careful=True))
        for content in (b"first", b"second", b"third")
    ]
    assert outcomes == ["written", "PreconditionFailed", "PreconditionFailed"]
    await documents.put("school", PLACE, TEXT, b"other", Preconditions(match=ANY), careful=True)
    assert await outcome(documents.put("school", PLACE, TEXT, b"third", unless_first, careful=True)) == "written"


async def test_both_headers_must_hold(documents: Documents) -> None:
    """RFC 2616 leaves the combination open; a request is done only if all it says holds."""
    await documents.put("school", PLACE, TEXT, b"first", NEW, careful=True)
    both = Preconditions(match=ANY, none_match=ANY)
    assert await outcome(documents.put("school", PLACE, TEXT, b"second", both, careful=True)) == "PreconditionFailed"
    assert await outcome(documents.delete("school", PLACE, both)) == "PreconditionFailed"


async def test_a_merge_that_cannot_be_leaves_what_is_there(documents: Documents) -> None:
    """MUST NOT update the target document. Communication 2.2, Requirements."""
    await documents.put("school", PLACE, TEXT, b"text", NEW, careful=True)
    with pytest.raises(InvalidBody):
        await documents.post("school", PLACE, JSON, b"{}", FREE)
    assert await content_of(documents) == b"text"


async def test_what_a_merge_makes_has_its_own_tag_and_time(documents: Documents) -> None:
    """ETag and Last-Modified are those of the content as it is. Communication 2.2 and 3.1."""
    await documents.post("school", PLACE, f"{JSON};charset=utf-8", b'{"a":1}', FREE)
    before = await documents.get("school", PLACE)
    await documents.post("school", PLACE, JSON, b'{"b":2}', FREE)
    after = await documents.get("school", PLACE)
    assert before and after
    assert (after.content, after.etag, after.content_type) == (b'{"a":1,"b":2}', etag_of(b'{"a":1,"b":2}'), JSON)
    assert after.updated_us > before.updated_us


async def test_a_document_that_mongodb_cannot_hold_is_too_large(documents: Documents) -> None:
    """413 Request Entity Too Large, and nothing is stored. Communication 3.2."""
    with pytest.raises(TooLarge):
        await documents.put("school", PLACE, TEXT, b"x" * (LARGEST + 1), NEW, careful=True)
    assert await documents.get("school", PLACE) is None


async def test_the_largest_document_comes_back_whole(documents: Documents) -> None:
    """The LRS MUST be configurable to accept documents of any reasonable size. Communication 3.2."""
    content = bytes(range(256)) * (LARGEST // 256)
    await documents.put("school", PLACE, TEXT, content, NEW, careful=True)
    assert await content_of(documents) == content


async def test_tenants_do_not_share_documents(documents: Documents) -> None:
    """No credential reads anything of another tenant."""
    await documents.put("school", PLACE, TEXT, b"ours", NEW, careful=True)
    assert await documents.get("other", PLACE) is None
    assert await documents.ids("other", Place("state", PLACE.activity, PLACE.agent)) == ([], None)
    await documents.delete("other", PLACE, FREE)
    await documents.delete_several("other", Place("state", PLACE.activity, PLACE.agent))
    assert await content_of(documents) == b"ours"


async def test_places_are_told_apart_by_each_of_their_parts(documents: Documents) -> None:
    """Unique within the scope of the Agent or Activity. Communication 2.2."""
    places = [
        PLACE, Place("state", PLACE.activity, PLACE.agent, "r", "bookmark"), Place("state", PLACE.activity, "other", None, "bookmark"),
        Place("state", "other", PLACE.agent, None, "bookmark"), Place("state", PLACE.activity, PLACE.agent, None, "other"),
        Place("activity_profile", PLACE.activity, None, None, "bookmark"), Place("agent_profile", None, PLACE.agent, None, "bookmark"),
    ]
    for index, place in enumerate(places):
        await documents.put("school", place, TEXT, b"%d" % index, NEW, careful=True)
    assert [await content_of(documents, place=place) for place in places] == [b"%d" % index for index in range(len(places))]


async def test_what_is_deleted_may_be_new_again(documents: Documents) -> None:
    """If-None-Match: * is about what is there now. RFC 2616, 14.26."""
    for _ in range(2):
        await documents.put("school", PLACE, TEXT, b"x", NEW, careful=True)
        await documents.delete("school", PLACE, matching(b"x"))
    assert await documents.get("school", PLACE) is None


async def test_ids_are_found_by_an_index(config, database: Database) -> None:
    """Listing costs what the context holds, not what the tenant does."""
    store = Documents(database, Ticking())
    for each in range(20):
        await store.put("school", Place("agent_profile", None, f"mailto:{each}@b.org", None, "x"), TEXT, b"", NEW, careful=True)
    query = {"tenant": "school", "resource": "agent_profile", "agent": "mailto:3@b.org"}
    plan = await database["documents"].find(query).explain()
    assert plan["executionStats"]["totalDocsExamined"] == 1
