"""The reads of one answer: all that was acknowledged before they began, and one look at the log for all of them."""

from builders import TALLY, a_statement, learner


async def counts_in(summaries):
    # Each statement counts under two keys.
    return sum(tally.count for _, tally in await summaries.find("school", TALLY, {})) / 2


async def test_what_is_brought_up_has_all_of_before_and_is_not_brought_up_again(parts):
    await parts.post(*[a_statement(actor=learner(name)) for name in ("ada", "bob", "bob")])
    through_us, summaries = await parts.summaries.brought_up("school")
    assert await counts_in(summaries) == 3
    await parts.post(a_statement(actor=learner("bob")))
    assert (await counts_in(summaries), through_us <= await parts.summaries.through("school")) == (3, True)
    assert await counts_in(parts.summaries) == 4


async def test_what_is_brought_up_again_goes_further(parts):
    await parts.post(a_statement())
    _, first = await parts.summaries.brought_up("school")
    await parts.post(a_statement())
    _, second = await first.brought_up("school")
    assert await counts_in(second) == 2
