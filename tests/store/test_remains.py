"""What an erasure looks at to find what else there is of a person."""

from typing import Any

from builders import learner

from lrs.store.remains import Remains

MANY = 2_000
ADA = learner("ada")
BODY = f'{{"who": "{ADA["mbox"]}"}}'


def an_event(name: str, **more: Any) -> dict[str, Any]:
    return {"_id": f"school/gate/{name}", "tenant": "school", "adapter": "gate", "received": hash(name), "body": BODY, **more}


async def test_events_are_looked_for_among_those_that_became_no_statement_however_many_did(database):
    told = [an_event(str(number), outcome="stored", statements=[f"statement {number}"]) for number in range(MANY)]
    others = [
        an_event("dead", outcome="dead", statements=[]), an_event("nothing", outcome="nothing", statements=[]),
        an_event("says nothing any more", outcome="stored", statements=[]), an_event("waits for a job", pending="job"),
        an_event("edited", outcome="stored", statements=["another"], edited="{}"), an_event("under way", pending=True),
        {**an_event("of others", outcome="dead", statements=[]), "body": "{}"}, {**an_event("elsewhere"), "tenant": "other"},
    ]
    await database["native_events"].insert_many([*told, *others])
    before = (await database.counted())["keys"]
    found = {what: ids async for what, _, ids in Remains(database).of("school", ADA, 100)}
    assert (await database.counted())["keys"] - before < MANY / 4
    assert found.pop("dead_letters") == ["school/gate/dead"]
    assert {each.rpartition("/")[2] for each in found.pop("native_events")} == {
        "nothing", "says nothing any more", "waits for a job", "edited",
    }
    assert found == {}
