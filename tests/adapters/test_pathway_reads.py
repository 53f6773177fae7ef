"""`POST /v1/logs/pathway-logs`: what is asked for, out of statements, whoever sent them."""

import hashlib
import json

import pytest
from aiohttp import encode_basic_auth
from pathway_documents import (
    BASIC,
    LATER,
    NOON,
    a_log,
    a_pathway,
    a_response,
    an_activity,
    completed,
    elsewhere,
    emails,
    of,
    pathway_desk,
)

from adapters.contract.directory import POWERLESS
from adapters.pathway.queries import query_of
from adapters.pathway.routes import PATH
from lrs.errors import InvalidBody
from lrs.xapi import vocabulary
from lrs.xapi.json_text import parse


@pytest.fixture
async def desk():
    async with pathway_desk() as desk:
        yield desk


async def test_the_answer_has_the_documented_members_in_the_documented_order(desk):
    await desk.take(of(completed("ada@example.com", groups=["7b"])))
    status, body = await desk.ask({"pathway": "P1"})
    assert status == 200
    assert list(body) == ["status", "data", "hash", "response_time"]
    [item] = body["data"]
    assert list(item) == ["pathway", "activities"]
    [activity] = item["activities"]
    assert list(activity) == ["ID", "name", "type", "fulfilmentType", "required", "level", "stats", "logs"]
    assert list(activity["logs"][0]) == [
        "firstname", "lastname", "email", "telephone", "country", "city", "groups", "status", "fulfilment",
    ]
    assert list(activity["logs"][0]["status"]) == ["complete", "progress", "state", "timestamp"]
    assert isinstance(body["response_time"], float) and body["response_time"] > 0


async def test_what_was_imported_comes_out_again_and_goes_in_again_as_nothing_new(desk):
    rows = [completed("a@x", fulfilment={"type": "view", "n": 1.50}), a_log("b@x", progress=45.5, at="2026-01-10T10:00:00+02:00")]
    await desk.take(of(*rows))
    _, body = await desk.ask({"pathway": "P1"})
    assert body["data"][0]["activities"][0]["logs"] == rows
    assert {each.kind for each in await desk.take(body)} == {"duplicate", "nothing"}


async def test_the_hash_is_of_the_canonical_data_alone(desk):
    await desk.take(of(completed(fulfilment={"z": 1, "a": {"ü": [1.5, None]}})))
    (_, one), (_, other) = await desk.ask({"pathway": "P1"}), await desk.ask({"pathway": "pathway p1", "users": []})
    canonical = json.dumps(one["data"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert one["hash"] == other["hash"] == hashlib.md5(canonical).hexdigest()
    _, less = await desk.ask({"pathway": "P1", "users": ["nobody"]})
    assert less["hash"] != one["hash"]


async def test_a_number_that_no_double_holds_comes_out_with_all_its_digits(desk):
    digits = "3.14159265358979323846264338327950288"
    document = json.dumps(of(completed(fulfilment={"x": "DIGITS"}))).replace('"DIGITS"', digits)
    await desk.take(parse(document))
    async with desk.client.post(PATH, data=b'{"pathway":"P1"}', headers=BASIC) as answer:
        assert digits.encode() in await answer.read()


async def test_a_statement_of_another_system_is_shown_beside_the_imported_ones(desk):
    await desk.take(of(a_log("ada@example.com", progress=20), a_log("ben@example.com", firstname="Ben")))
    await desk.post(elsewhere(result={"score": {"scaled": 0.85}}))
    ada, ben = await desk.logs()
    assert (ada["firstname"], ada["lastname"], ada["email"]) == ("Ada", "Byron", "ada@example.com")
    assert ada["status"] == {"complete": True, "progress": 100, "state": "completed", "timestamp": LATER}
    assert ada["fulfilment"] == {"type": "story", "state": "completed", "progress": 100, "story": {"score": 85}, "timestamp": LATER}
    assert ben["status"]["complete"] is False


async def test_a_statement_that_names_no_pathway_counts_in_all_that_have_the_activity(desk):
    begun = a_pathway(an_activity(a_log(progress=20)), id="P2")
    await desk.take(a_response(a_pathway(an_activity()), begun, a_pathway(an_activity(id="S2"), id="P3")))
    await desk.post(elsewhere(pathway=None))
    for pathway, completions in (("P1", 1), ("P2", 1), ("P3", 0)):
        [activity] = (await desk.item(pathway=pathway))["activities"]
        assert activity["stats"]["completed"] == completions


async def test_a_pathway_that_no_document_tells_of_is_served_out_of_statements(desk):
    definition = {"name": {"en": "A quiz"}, "type": "http://adlnet.gov/expapi/activities/assessment"}
    await desk.post(
        elsewhere(activity="Q%201", pathway="New", definition=definition),
        elsewhere(vocabulary.ASSIGNED, 2, activity="Q%202", pathway="New", actor={"mbox": "mailto:kim@example.com"}),
        elsewhere(vocabulary.EXPERIENCED, 3, activity="name%3AThe%20end", pathway="New"),
    )
    item = await desk.item(pathway="new")
    assert item["pathway"] == {"name": "", "type": "pathway", "ID": "New"}
    quiz, second, end = item["activities"]
    assert (quiz["ID"], quiz["name"], quiz["type"], quiz["required"], quiz["level"]) == ("Q 1", "A quiz", "assessment", False, 1)
    assert [(each["firstname"], each["lastname"], each["email"]) for each in quiz["logs"]] == [("Ada", "Lovelace", "ada@example.com")]
    assert second["logs"][0]["fulfilment"] == [] and second["logs"][0]["status"]["state"] == "not started"
    assert (end["ID"], end["name"], end["logs"][0]["status"]["state"]) == ("", "The end", "in progress")
    assert [each["ID"] for each in (await desk.item(pathway="New", types=["Assessments"]))["activities"]] == ["Q 1"]


async def test_everything_but_the_fields_of_persons_can_be_told_from_statements_alone(desk):
    await desk.take(of(completed("ada@example.com"), a_log("", progress=10, firstname="Zoë", lastname="de la Cruz")))
    item = await desk.item()
    async with pathway_desk() as other:
        await other.post(*({name: each[name] for name in each if name not in ("stored", "authority", "version")}
                           for each in desk.store.statements.log))
        assert await other.item() == item


async def test_a_voided_statement_is_not_shown(desk):
    await desk.take(of(a_log(progress=20), completed(at=LATER)))
    last = next(each for each in desk.store.statements.log if each["verb"]["id"] == vocabulary.COMPLETED)
    desk.store.statements.voided.add(last["id"])
    [log] = await desk.logs()
    assert log["status"]["progress"] == 20


async def test_what_is_known_of_a_person_is_what_the_last_import_said_whatever_time_it_tells_of(desk):
    await desk.take(of(completed("ada@example.com", at=LATER, groups=["new"])), of(a_log("ADA@example.com", groups=["old"], at=NOON)))
    [log] = await desk.logs(groups=["old"])
    assert (log["email"], log["status"]["complete"]) == ("ADA@example.com", True)
    assert await desk.logs(groups=["new"]) == []


async def test_a_refused_row_teaches_nothing(desk):
    await desk.take(of(a_log("ada@example.com", lastname="Byron")), of(a_log("ada@example.com", lastname="Wrong", at="yesterday")))
    [log] = await desk.logs()
    assert log["lastname"] == "Byron"


async def test_activities_are_known_though_all_their_rows_were_refused(desk):
    await desk.take(of(a_log(at="yesterday")))
    assert [each["ID"] for each in (await desk.item())["activities"]] == ["S1"]


@pytest.mark.parametrize("query", [
    {"users": ["ada"]}, {"users": ["BYRON"]}, {"users": ["Ada  Byron"]}, {"users": ["ada@EXAMPLE.com"]}, {"users": ["x", "ada"]},
    {"users": "ada"}, {"user": ["ada"]}, {"emails": ["ada@example.com"]}, {"email": "ada@example.com"}, {"users": ["x"], "user": ["ada"]},
    {"users": [None, "ada"]},
    {"groups": ["7B"]}, {"group": " 7b "}, {"groups": ["x", "7b"], "users": ["byron"], "types": ["stories"], "activities": ["story s1"]},
])
async def test_a_person_is_found_by_each_filter(desk, query):
    await desk.take(of(a_log(groups=["7b", "Choir"]), a_log("ben@example.com", firstname="Ben", lastname="Ader", groups=["7c"])))
    assert emails(await desk.logs(**query)) == ["ada@example.com"]


@pytest.mark.parametrize("query", [
    {"users": ["ad"]}, {"users": ["Byron Ada"]}, {"users": ["example.com"]}, {"groups": ["7"]}, {"users": ["ada"], "groups": ["7c"]},
])
async def test_filters_want_the_whole_text_and_all_of_them(desk, query):
    await desk.take(of(a_log(groups=["7b"]), a_log("ben@example.com", firstname="Ben", lastname="Ader", groups=["7c"])))
    item = await desk.item(**query)
    assert [(each["stats"], each["logs"]) for each in item["activities"]] == [({"total": 0, "completed": 0}, [])]


@pytest.mark.parametrize(("token", "status"), [
    ("Basic cGF0aHdheTpzZWNyZXQ=", 200), ("basic  cGF0aHdheTpzZWNyZXQ=", 200), ("Basic cGF0aHdheTp3cm9uZw==", 401), ("Basic", 401),
    ("", 401), ("Basic ????", 401), ("Basic contract-api-key", 200), ("Bearer contract-api-key", 401), (f"Basic {POWERLESS}", 403),
    (encode_basic_auth("nobody", ""), 401),
])
async def test_the_token_is_a_credential_of_either_kind(desk, token, status):
    await desk.take(of(a_log()))
    got, body = await desk.ask({"pathway": "P1"}, headers={"Authorization": token})
    assert got == status
    assert status == 200 or (set(body) == {"status", "message"} and body["status"] == "error")


async def test_a_credential_is_asked_for_before_the_body_is_read(desk):
    assert (await desk.ask(data=b"{", headers={}))[0] == 401


async def test_the_tenants_prefix_is_a_wall(desk):
    await desk.take(of(a_log()))
    assert (await desk.ask({"pathway": "P1"}, path=f"/t/school{PATH}"))[0] == 200
    for headers in (BASIC, {"Authorization": "Basic contract-api-key"}):
        status, body = await desk.ask({"pathway": "P1"}, path=f"/t/other{PATH}", headers=headers)
        assert (status, body["status"]) == (403, "error")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_only_post_is_a_method(desk, method):
    async with desk.client.request(method, PATH, headers=BASIC) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        assert method == "HEAD" or (await answer.json())["status"] == "error"


async def test_a_body_over_the_limit_is_refused_in_the_same_shape(desk):
    status, body = await desk.ask(data=b'{"pathway":"' + b"x" * 64 * 1024 * 1024 + b'"}')
    assert (status, body["status"]) == (413, "error")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "application/json", "nonsense"])
async def test_the_content_type_does_not_matter(desk, kind):
    await desk.take(of(a_log()))
    assert (await desk.ask({"pathway": "P1"}, headers={**BASIC, "Content-Type": kind}))[0] == 200


async def test_other_documents_in_the_place_of_ours_do_no_harm(desk):
    await desk.take(of(a_log(firstname="Ada", lastname="Byron")))
    for place in desk.store.documents._there:
        await desk.store.documents.put_profiles("school", {place: b'{"firstname": 7}'})
    item = await desk.item()
    assert item["activities"][0]["ID"] == "S1"
    assert item["activities"][0]["logs"][0]["firstname"] == "Ada"


@pytest.mark.parametrize(("body", "place"), [
    (b"{}", "pathway"), (b'{"pathway":["a",["b"]]}', "pathway.1"), (b'{"pathway":"a","types":[{}]}', "types.0"),
    (b'{"pathway":"a","user":false}', "user"),
    (b"\xff\xfe", ""), (b"\xef\xbb\xbf", ""), (b"\xef\xbb\xbf\xef\xbb\xbf{}", ""), (b'{"pathway":"\\ud800"}', ""), (b'{"pathway":NaN}', ""),
])
def test_a_query_that_is_none_is_refused_with_its_place(body, place):
    with pytest.raises(InvalidBody) as refusal:
        query_of(body)
    assert refusal.value.place == place


def test_numbers_are_texts_in_a_query():
    assert query_of(b'{"pathway":17,"groups":7}').pathway == "17"
    assert query_of(b'{"pathway":17,"groups":7}').groups == {"7"}
