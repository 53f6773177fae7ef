"""The scaffold's adapter, broken in one way each: what a third party might do wrong. The contract must find every one."""

import itertools
import json
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web
from marshmallow import INCLUDE

from lrs.commands.adapter_scaffold import scaffold
from lrs.errors import InvalidEvent
from lrs.http.keys import STATEMENTS
from lrs.materialize import Materializer, Row
from lrs.plugins import Adapter, Route

Statements = Sequence[dict[str, Any]]


class Parts(NamedTuple):
    """What a test of the contract is given."""

    adapter: Adapter
    cases: Path
    materializers: tuple[Materializer[Any], ...]


def sound(folder: Path) -> Parts:
    """The adapter as `lrs adapters new` writes it, in a folder of its own."""
    sys.path.insert(0, str(scaffold("acme", folder)))
    routes, summaries = import_module("acme_adapter.routes"), import_module("acme_adapter.summaries")
    return Parts(routes.adapter, folder / "cases", summaries.MATERIALIZERS)


def _translating(change: Callable[[Any, Statements, int], Any]) -> Callable[[Parts], Parts]:
    """An adapter whose statements are changed after a sound translation."""
    def sabotage(parts: Parts) -> Parts:
        def translate(event: Any, settings: Mapping[str, Any], received_us: int) -> Any:
            return change(event, parts.adapter.translate(event, settings, received_us), received_us)  # type: ignore[misc]

        return parts._replace(adapter=replace(parts.adapter, translate=translate))

    return sabotage


def _folding(**changes: Any) -> Callable[[Parts], Parts]:
    """An adapter whose first materializer has other parts."""
    return lambda parts: parts._replace(materializers=(replace(parts.materializers[0], **changes),))


def _by_actor_and_page(event: Any, statements: Statements, _: int) -> Any:
    return [{**each, "id": str(uuid.uuid5(uuid.NAMESPACE_URL, each["actor"]["account"]["name"]))} for each in statements]


def _touching(event: Any, statements: Statements, _: int) -> Any:
    event["seen"] = True
    return statements


def _trusting(parts: Parts) -> Parts:
    def translate(event: Any, settings: Mapping[str, Any], received_us: int) -> Any:
        return parts.adapter.translate({**event, "user": event["user"].strip()}, settings, received_us)  # type: ignore[misc]

    return parts._replace(adapter=replace(parts.adapter, translate=translate))


def _choosy(event: Any, statements: Statements, _: int) -> Any:
    if not event.keys() <= {"id", "user", "page", "seconds", "at"}:
        raise InvalidEvent("", "unknown field")
    return statements


def _stray_case(parts: Parts) -> Parts:
    (parts.cases / "notes.txt").write_text("nobody looks at this")
    return parts


def _wrong_expectation(parts: Parts) -> Parts:
    path = parts.cases / "01-a-visit.json"
    case = json.loads(path.read_text())
    case["expected"][0]["verb"]["display"] = {"en": "visited"}
    path.write_text(json.dumps(case))
    return parts


def _no_refusals(parts: Parts) -> Parts:
    (parts.cases / "02-nobody.json").unlink()
    return parts


@dataclass
class Mutable:
    """A summary that its step writes on."""

    count: int = 0


def _counting_on(summary: Mutable, statement: Any) -> Mutable:
    summary.count += 1
    return summary


@dataclass(frozen=True)
class Last:
    """Whatever came last."""

    timestamp: str = ""


@dataclass(frozen=True)
class Forgetful:
    """A summary that remembers more than is saved of it."""

    count: int = 0


def _remembering(summary: Forgetful, statement: Any) -> Forgetful:
    hidden = getattr(summary, "hidden", 0) + 1
    after = Forgetful(hidden)
    object.__setattr__(after, "hidden", hidden)
    return after


def _statement_reader(parts: Parts) -> Parts:
    [route] = parts.adapter.routes

    async def read(request: web.Request) -> web.StreamResponse:
        await request.config_dict[STATEMENTS].get("school", "6b2c1a52-0d5b-4d5c-9a3f-0c2f5ad3f6a1", voided=False)
        return await route.handler(request)  # type: ignore[no-any-return]

    return parts._replace(adapter=replace(parts.adapter, routes=(replace(route, handler=read),)))


async def _open_door(request: web.Request) -> web.Response:
    return web.json_response({"visits": 1})


def _lenient_settings(parts: Parts) -> Parts:
    class Lenient(parts.adapter.settings):  # type: ignore[name-defined, misc]
        class Meta:
            unknown = INCLUDE

    return parts._replace(adapter=replace(parts.adapter, settings=Lenient))


COUNTER = itertools.count()

# What is broken -> (how, the law that must find it).
SABOTAGES: Mapping[str, tuple[Callable[[Parts], Parts], str]] = {
    "ids at random": (
        _translating(lambda e, s, r: [{**each, "id": str(uuid.uuid4())} for each in s]), "test_the_same_event_becomes_the_same_statements",
    ),
    "ids of the actor alone": (_translating(_by_actor_and_page), "test_events_that_differ_do_not_share_statements_of_different_content"),
    "ids of no name": (
        _translating(lambda e, s, r: [{**each, "id": str(uuid.uuid3(uuid.NAMESPACE_URL, each["id"]))} for each in s]),
        "test_every_statement_has_an_id_made_of_a_name",
    ),
    "the clock is read": (
        _translating(lambda e, s, r: [{**each, "result": {"response": str(time.perf_counter_ns())}} for each in s]),
        "test_the_same_event_becomes_the_same_statements",
    ),
    "the event is written on": (_translating(_touching), "test_neither_the_event_nor_the_settings_are_touched"),
    "the event is trusted": (_trusting, "test_fuzzed_events_raise_nothing_but_the_adapters_own_error_and_what_they_become_is_valid"),
    "unknown fields are refused": (_translating(_choosy), "test_what_came_is_kept_as_it_came_unknown_fields_too"),
    "a statement is not valid": (
        _translating(lambda e, s, r: [{**each, "verb": {"id": "visited"}} for each in s]),
        "test_every_statement_is_valid_under_both_versions_of_xapi",
    ),
    "a statement is valid under 1.0.3 only": (
        _translating(lambda e, s, r: [{**each, "timestamp": "2026-01-15 09:30:00Z"} for each in s]),
        "test_every_statement_is_valid_under_both_versions_of_xapi",
    ),
    "a file no law claims": (_stray_case, "test_every_file_of_the_folder_is_a_case_that_some_law_claims"),
    "an expectation that does not hold": (_wrong_expectation, "test_a_translated_case_comes_out_whole"),
    "no case of what is refused": (_no_refusals, "test_there_are_cases_of_what_is_translated_and_of_what_is_refused"),
    "unknown settings are taken": (_lenient_settings, "test_settings_it_does_not_know_are_refused"),
    "a step writes on its summary": (
        _folding(shape=Mutable, empty=Mutable, step=_counting_on), "test_a_step_touches_neither_the_summary_nor_the_statement",
    ),
    "the last to arrive counts": (
        _folding(shape=Last, empty=Last, step=lambda s, each: Last(each["timestamp"])),
        "test_summaries_do_not_depend_on_the_order_of_arrival",
    ),
    "a summary is not saved whole": (
        _folding(shape=Forgetful, empty=Forgetful, step=_remembering), "test_going_on_from_a_saved_summary_is_a_recount_from_nothing",
    ),
    "keys at random": (
        _folding(keys=lambda statement: [f"key-{next(COUNTER)}"]), "test_keys_are_short_texts_and_the_same_however_often_one_asks",
    ),
    "marks that are nowhere": (_folding(marks=("/extensions/nowhere",)), "test_a_statement_without_its_marks_has_no_key"),
    "marks that it does not need": (_folding(marks=("https://acme.example.org",)), "test_a_statement_without_its_marks_has_no_key"),
    "marks that JSON escapes": (_folding(marks=('"acme"',)), "test_a_statement_without_its_marks_has_no_key"),
    "keys that break on others' statements": (
        _folding(keys=lambda statement: [statement["actor"]["account"]["name"]]), "test_statements_of_others_do_no_harm",
    ),
    "a materializer under another's name": (_folding(name="kolibri.visits"), "test_materializers_are_named_after_their_adapter_each_once"),
    "sums of fractions": (
        _folding(rows=lambda key, visits: [Row("all", "", {}, {"seconds": visits.duration_ms / 1000})]),  # type: ignore[dict-item]
        "test_facets_are_texts_and_rows_are_whole_numbers",
    ),
    "a read of statements": (_statement_reader, "test_an_answer_comes_from_summaries_alone"),
    "a door without a lock": (
        lambda parts: parts._replace(adapter=replace(parts.adapter, routes=(Route("GET", "/acme/users/{user}/visits", _open_door),))),
        "test_reads_are_closed_to_those_who_may_not",
    ),
}


def broken(name: str, folder: Path) -> Parts:
    """A sabotaged adapter."""
    return SABOTAGES[name][0](sound(folder))
