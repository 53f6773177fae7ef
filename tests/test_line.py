"""The line before the store: groups, the moment of gathering, and its bound."""

import asyncio
import uuid
from dataclasses import dataclass

import pytest

from lrs import line
from lrs.errors import StoreUnavailable
from lrs.line import Line, Submission


@dataclass
class Record:
    id: str
    elements: bytes


def submission(count=1, size=10):
    return Submission([Record(str(uuid.uuid4()), b"x" * size) for _ in range(count)], asyncio.get_running_loop().create_future())


async def test_first_come_is_first_written_and_a_group_has_its_limit(monkeypatch):
    monkeypatch.setattr(line, "GROUP_LIMIT", 100)
    waiting, all_of_them = Line(), [submission(count) for count in (60, 40, 1, 250, 30)]
    for each in all_of_them:
        waiting.join(each)
    groups = []
    while waiting:
        groups.append(waiting.next_group())
    assert [each for group in groups for each in group] == all_of_them
    assert [[len(each.batch) for each in group] for group in groups] == [[60, 40], [1], [250], [30]]


async def test_whoever_comes_to_a_full_line_waits_for_room_and_gets_it(monkeypatch):
    monkeypatch.setattr(line, "MOST_WAITING", 100)
    waiting = Line()
    waiting.join(submission(10))
    assert waiting.is_full
    room = asyncio.create_task(waiting.room())
    await asyncio.sleep(0.01)
    assert not room.done()
    waiting.next_group()
    await asyncio.wait_for(room, 1)
    assert not waiting.is_full


async def test_whoever_finds_no_room_in_time_is_told_to_come_back(monkeypatch):
    monkeypatch.setattr(line, "MOST_WAITING", 100)
    monkeypatch.setattr(line, "ROOM_WITHIN_S", 0.02)
    waiting = Line()
    waiting.join(submission(10))
    with pytest.raises(StoreUnavailable):
        await waiting.room()


async def test_who_was_answered_together_is_waited_for_beside_those_who_waited_meanwhile(monkeypatch):
    monkeypatch.setattr(line, "PATIENCE_S", 3_600)
    waiting = Line()
    waiting.join(submission())
    gathering = asyncio.create_task(waiting.gather_again(3, 3_600))
    for _ in range(3):
        await asyncio.sleep(0.01)
        assert not gathering.done()
        waiting.join(submission())
    await asyncio.wait_for(gathering, 10)
    assert len(waiting.next_group()) == 4


@pytest.mark.parametrize(("answered", "took_s", "waits"), [
    (1, 3_600, (1,)),  # one alone
    (3, 0, (1,)),  # a write that took no time
    (3, 3_600, (150, 50)),  # as many as go into one write
], ids=str)
async def test_nobody_is_waited_for_where_it_saves_no_write(monkeypatch, answered, took_s, waits):
    monkeypatch.setattr(line, "PATIENCE_S", 3_600)
    waiting = Line()
    for count in waits:
        waiting.join(submission(count))
    await asyncio.wait_for(waiting.gather_again(answered, took_s), 10)


async def test_who_does_not_come_again_is_not_waited_for_long(monkeypatch):
    monkeypatch.setattr(line, "PATIENCE_S", 0.01)
    await asyncio.wait_for(Line().gather_again(30, 3_600), 10)


async def test_those_who_leave_take_nothing_of_the_room_with_them():
    waiting = Line()
    waiting.join(submission(3, 1_000))
    assert len(waiting.leave()) == 1
    assert not waiting
    assert waiting._size == 0
