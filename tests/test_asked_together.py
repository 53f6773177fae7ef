"""Questions that are asked at the same time, answered together."""

import asyncio

import pytest

from lrs import asked_together
from lrs.asked_together import AskedTogether


class Asked:
    """Answers every key but "nobody" with itself in capitals, once it may; remembers what it was asked."""

    def __init__(self):
        self.calls = []
        self.may = asyncio.Event()
        self.may.set()

    async def __call__(self, keys):
        self.calls.append(list(keys))
        await self.may.wait()
        if "bad" in keys:
            raise LookupError("bad")
        return {key: key.upper() for key in keys if key != "nobody"}


async def test_what_is_asked_at_once_is_asked_together_and_once():
    asked = Asked()
    ask = AskedTogether(asked, 10)
    assert await asyncio.gather(ask("a"), ask("b"), ask("a"), ask("nobody")) == ["A", "B", "A", None]
    assert asked.calls == [["a", "b", "nobody"]]


async def test_an_answer_is_never_older_than_its_question():
    asked = Asked()
    asked.may.clear()
    ask = AskedTogether(asked, 10)
    first = asyncio.create_task(ask("a"))
    await asyncio.sleep(0.01)
    later = [asyncio.create_task(ask("a")), asyncio.create_task(ask("b"))]
    await asyncio.sleep(0.01)
    asked.may.set()
    assert await asyncio.gather(first, *later) == ["A", "A", "B"]
    assert asked.calls == [["a"], ["a", "b"]]


async def test_no_call_has_more_keys_than_it_may():
    asked = Asked()
    ask = AskedTogether(asked, 3)
    assert await asyncio.gather(*(ask(letter) for letter in "abcdefgh")) == list("ABCDEFGH")
    assert [len(call) for call in asked.calls] == [3, 3, 2]


async def test_an_error_reaches_all_it_was_for_and_nobody_else():
    ask = AskedTogether(Asked(), 2)
    outcomes = await asyncio.gather(ask("a"), ask("bad"), ask("c"), return_exceptions=True)
    assert [type(each) for each in outcomes] == [LookupError, LookupError, str]


async def test_one_that_goes_away_takes_no_answer_from_the_others():
    asked = Asked()
    asked.may.clear()
    ask = AskedTogether(asked, 10)
    leaving, staying = asyncio.create_task(ask("a")), asyncio.create_task(ask("b"))
    await asyncio.sleep(0.01)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    asked.may.set()
    assert await staying == "B"


async def test_after_many_keys_those_who_ask_again_a_moment_later_go_together(monkeypatch):
    monkeypatch.setattr(asked_together, "MOMENT_S", 0.05)
    asked = Asked()
    ask = AskedTogether(asked, 10)
    await asyncio.gather(*(ask(letter) for letter in "abcd"))
    first = asyncio.create_task(ask("e"))
    await asyncio.sleep(0.01)
    assert await asyncio.gather(first, ask("f")) == ["E", "F"]
    assert asked.calls == [["a", "b", "c", "d"], ["e", "f"]]


async def test_who_asks_alone_waits_for_nobody(monkeypatch):
    monkeypatch.setattr(asked_together, "MOMENT_S", 3_600)
    ask = AskedTogether(Asked(), 10)
    async with asyncio.timeout(10):
        assert [await ask(letter) for letter in "abc"] == list("ABC")
