"""What the benchmark of adapters sends and asks for is what their systems send and ask for."""

from random import Random

import pytest

from lrs.commands.bench_events import OFCOURSEME, PATHWAYS, STUDYFETCH
from lrs.native_bodies import texts_of
from lrs.plugins import load_adapters
from lrs.xapi.json_text import parse
from lrs.xapi.validate import check_batch

SOURCES = (STUDYFETCH, OFCOURSEME, PATHWAYS)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.adapter)
def test_every_number_becomes_as_many_valid_statements_as_the_source_says(source):
    adapter = load_adapters()[source.adapter]
    texts = texts_of(adapter, source.lines(range(40), 7), by_line=True)
    made = [each for at, text in enumerate(texts) for each in adapter.translate(parse(text), adapter.settings().load({}), 10**15 + at)]
    assert len({each["id"] for each in made}) == len(made) == 40 * source.statements
    check_batch(made, "1.0.3")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.adapter)
def test_every_read_goes_to_a_path_of_its_adapter(source):
    paths = {(route.method, route.path.split("{")[0]) for route in load_adapters()[source.adapter].routes}
    for count in (1, 500, 25_000):
        for call in source.reads(count).values():
            method, target, _ = call(Random(1))
            assert any(method == known and target.partition("?")[0].startswith(path) for known, path in paths)
