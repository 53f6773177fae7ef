"""Runs that are shared: each caller gets the result of one that began after the call, and an error reaches all it was for."""

import asyncio
import gc

import pytest

from lrs.single_flight import SingleFlight


class Runs:
    """Runs that end when they are told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        await self.may_end.wait()
        if self.error:
            raise self.error
        return number


async def test_all_who_ask_while_a_run_is_under_way_share_the_next_one():
    runs = Runs()
    flight = SingleFlight(runs)
    first = asyncio.create_task(flight())
    await asyncio.sleep(0.01)
    later = [asyncio.create_task(flight()) for _ in range(5)]
    await asyncio.sleep(0.01)
    assert runs.begun == 1
    runs.may_end.set()
    assert await first == 1
    assert await asyncio.gather(*later) == [2] * 5


async def test_an_error_reaches_all_it_was_for_and_none_after_them():
    runs = Runs()
    flight = SingleFlight(runs)
    waiting = [asyncio.create_task(flight()) for _ in range(3)]
    await asyncio.sleep(0.01)
    runs.error = ValueError("no")
    runs.may_end.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(each, ValueError) for each in outcomes)
    runs.error = None
    assert await flight() == runs.begun


async def test_an_error_that_nobody_waits_for_any_more_is_no_noise():
    noise = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: noise.append(context["message"]))
    runs = Runs()
    flight = SingleFlight(runs)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(flight(), 0.01)
    runs.error = ValueError("no")
    runs.may_end.set()
    await asyncio.sleep(0.01)
    del flight
    gc.collect()
    assert noise == []
