"""What is shown before anything is stored has the numbers that would be stored, however long they are."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from builders import TALLY
from http_fakes import basic
from toy_adapter import GATE, translate
from working import working

from lrs.app import create_app
from lrs.errors import InvalidEvent
from lrs.jobs import Jobs
from lrs.queue import Queue
from lrs.store.native_events import Origin
from lrs.trial import trial
from lrs.xapi.json_text import again, dump, indented

OPERATOR = {"Authorization": basic("operator:operator-secret")}
LONG = "0.12345678901234567890123456789"
# A name that no document of the database's can have.
WEIGHT, NAME = "https://gate.example.org/weight", "$of.a\x00b"
EVENT = b'{"id":1,"who":"ada","weight":' + LONG.encode() + b"}"


def weighed(event: Any, settings: Any, received_us: int) -> Any:
    return [{**each, "result": {"extensions": {WEIGHT: {NAME: event["weight"]}}}} for each in translate(event, settings, received_us)]


def refusing(event: Any, settings: Any, received_us: int) -> Any:
    raise InvalidEvent("weight", "is not known yet")


WEIGHED, REFUSING = replace(GATE, translate=weighed, teaches=lambda event, settings: ()), replace(GATE, translate=refusing)


@pytest.mark.parametrize(("first", "what", "path"), [
    (REFUSING, "now", "dead-letters/replay"), (GATE, "stores", "adapters/gate/retranslate"),
])
async def test_a_dry_run_tells_long_numbers_as_they_would_be_stored(config, database, monkeypatch, first, what, path):
    monkeypatch.setattr("working.load_adapters", lambda: {"gate": first})
    monkeypatch.setattr("lrs.app.load_adapters", lambda: {"gate": WEIGHED})
    async with working(config, materializers={TALLY.name: TALLY}) as services:
        source = await services.letters.source_of({"adapter": "gate", "tenant": "school", "authority": {"mbox": "mailto:a@b.example"}})
        await services.events.take(source, [EVENT], Origin("gate@1", "", "", source.authority))
        await services.events.drain()
    monkeypatch.setattr("working.load_adapters", lambda: {"gate": WEIGHED})
    async with working(config, materializers={TALLY.name: TALLY}), TestClient(TestServer(create_app(config))) as client:
        await client.put("/manage/tenants/school", headers=OPERATOR)
        answer = await client.post(f"/manage/tenants/school/{path}", json={"dry_run": True, "wait": True}, headers=OPERATOR)
        text = await answer.text()
        [job] = (await (await client.get("/manage/tenants/school/jobs", headers=OPERATOR)).json())["jobs"]
    assert (answer.status, LONG in text) == (200, True), text
    [change] = again(text)["changes"]
    assert change[what]
    assert job["result"]["counts"] == again(text)["counts"]


async def test_what_a_dry_run_shows_of_a_learner_goes_with_them(config, database, monkeypatch):
    monkeypatch.setattr("working.load_adapters", lambda: {"gate": GATE})
    queue = Queue(config.redis_url)
    async with working(config, materializers={TALLY.name: TALLY}) as services:
        jobs = Jobs(services.jobs, queue)
        told = await services.jobs.add("school", "replay", {})
        changes = [dump({"id": "gate/1", "now": {"who": "mailto:ada@school.example.org"}}).decode()]
        await database["jobs"].update_one({"_id": told.id}, {"$set": {"state": "done", "result": {"counts": {}, "changes": changes}}})
        erased = await jobs.over(await jobs.start("school", "erase", {"actor": {"mbox": "mailto:ada@school.example.org"}}), 30)
        assert erased.result["removed"]["jobs"] == 1
    await queue.close()


def test_a_trial_shows_long_numbers_as_they_are(monkeypatch):
    monkeypatch.setattr("lrs.trial.load_adapters", lambda: {"gate": WEIGHED})
    assert LONG in "\n".join(trial("gate", EVENT, b"{}").lines())


def test_what_is_written_for_people_and_read_again_is_the_same():
    value = again(f'{{"a":[{LONG},1,-0.5,9007199254740993,1e400],"b":"é"}}')
    assert dump(again(indented(value))) == dump(value)
    assert LONG in indented(value)
