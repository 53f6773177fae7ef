"""What a statement costs our own processor before it is written: step by step, as `Intake` takes them, without a server or a database."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from lrs.materialize import Materializer, RecordKeys
from lrs.samples import sample
from lrs.store.costs import AUTHORITY, RECEIVED, TENANT
from lrs.store.records import Prepared, text_of
from lrs.xapi.json_text import parse
from lrs.xapi.lookups import LookUps, look_ups
from lrs.xapi.prepare import prepare
from lrs.xapi.types import Statement
from lrs.xapi.validate import check_batch

VERSION = "1.0.3"
# Statements of a request, and how often each step is taken: the least is what it costs, all else is what others did at the same time.
BATCH, TRIES = 50, 200


def steps(materializers: Mapping[str, Materializer[Any]]) -> list[tuple[str, str]]:
    """For each step, and for all of them: its name, and microseconds of the processor for one statement of a batch of 50."""
    sent = [sample(number) for number in range(BATCH)]
    body, keys = orjson.dumps(sent), RecordKeys(materializers.values())
    statements: list[Statement] = parse(body)
    whole = [_complete(each) for each in statements]
    looked_up = [look_ups(each) for each in whole]
    texts = [text_of(each) for each in whole]
    keyed = [keys.of(each, text) for each, text in zip(whole, texts, strict=True)]
    rows = [
        ("reading the JSON, exactly", _least(lambda: parse(body))),
        ("checking all rules", _least(lambda: check_batch(statements, VERSION))),
        ("completing it", _least(lambda: [_complete(each) for each in statements])),
        ("look-up fields", _least(lambda: [look_ups(each) for each in whole])),
        ("keys of summaries", _least(lambda: [keys.of(each, text) for each, text in zip(whole, texts, strict=True)])),
        ("its text, and the record in BSON", _least(lambda: [_record(*each) for each in zip(whole, looked_up, keyed, strict=True)])),
    ]
    return [*((name, f"{took:.1f}") for name, took in rows), ("all together", f"{sum(took for _, took in rows):.1f}")]


def _complete(statement: Statement) -> Statement:
    return prepare(statement, authority=AUTHORITY, version=VERSION, statement_id=statement["id"], received=RECEIVED)


def _record(statement: Statement, looked_up: LookUps, keys: Sequence[str]) -> bytes:
    return Prepared(TENANT, statement, statement, looked_up, keys).elements


def _least(step: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    try:
        return min(_took(step) for _ in range(TRIES)) / BATCH * 1e6
    finally:
        gc.enable()


def _took(step: Callable[[], object]) -> float:
    began = time.process_time()
    step()
    return time.process_time() - began
