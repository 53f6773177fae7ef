"""The golden cases: whole, and every file claimed."""

import json
import os
import re
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from adapters.contract.cases import CONFIG, KINDS, Case, cases_of
from adapters.contract.directory import POWERLESS
from adapters.contract.subject import Subject
from lrs.errors import InvalidEvent
from lrs.xapi.json_text import dump

# "1": write the expectations anew instead of comparing with them.
REGENERATE = "LRS_REGENERATE"
# "07-a-user-without-a-name.json"
FILE = re.compile(r"\d\d\d?-[^/]+\.json")
CASE_LAWS = {
    "test_a_translated_case_comes_out_whole": "translate",
    "test_a_refused_case_is_refused_as_it_says": "error",
    "test_a_read_case_is_answered_as_it_says": "read",
}


class CaseLaws(Subject):
    """What the cases say is what happens."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test a case."""
        if (kind := CASE_LAWS.get(metafunc.function.__name__)) is not None:
            cases = metafunc.cls.of_kind(kind)  # type: ignore[union-attr]
            metafunc.parametrize("case", cases, ids=[case.path.stem for case in cases])

    def test_every_file_of_the_folder_is_a_case_that_some_law_claims(self) -> None:
        files = [path for path in self.cases.glob("[!.]*") if path.is_file() and path.name not in (CONFIG, "README.md")]
        strangers = [path.name for path in files if not FILE.fullmatch(path.name)]
        assert not strangers, f"named unlike a case, and claimed by no law: {strangers}"
        for case in cases_of(self.cases):
            assert case.kind in KINDS, f"{case.path.name}: {case.kind} is none of {KINDS}"
            assert case.document.get("name"), f"{case.path.name} has no name"
            assert "expected" in case.document or case.kind == "error", f"{case.path.name} expects nothing: write `expected`"

    def test_there_are_cases_of_what_is_translated_and_of_what_is_refused(self) -> None:
        assert (self.cases / CONFIG).is_file()
        assert self.of_kind("translate"), "no case says what an event becomes"
        assert self.of_kind("error"), "no case says what is refused"

    def test_a_translated_case_comes_out_whole(self, case: Case) -> None:
        got: list[Any] = []
        for index, event in enumerate(self.events_of(case.input)):
            got += [each for each in self._said(event, index) if each["id"] not in {known["id"] for known in got}]
        self._compare(case, json.loads(dump(got)))

    def _said(self, event: Any, index: int) -> Any:
        """Statements of an event of a batch; a bad one among good ones gives none."""
        try:
            return self.translate(event, index)
        except InvalidEvent:
            return ()

    def test_a_refused_case_is_refused_as_it_says(self, case: Case) -> None:
        given = case.input if isinstance(case.input, list) else [case.input]
        for each in given:
            with pytest.raises(InvalidEvent) as refusal:
                for index, event in enumerate(self.events_of(each)):
                    self.translate(event, index)
            wanted = case.document["error"]
            told = {"code": refusal.value.code, "place": refusal.value.place, "reason": refusal.value.reason}
            assert {name: told[name] for name in wanted if name in told} == {name: wanted[name] for name in wanted if name in told}

    async def test_a_read_case_is_answered_as_it_says(self, case: Case) -> None:
        self._compare(case, await self._answers(case))

    async def test_an_answer_comes_from_summaries_alone(self) -> None:
        if self.reads_statements:
            pytest.skip("the adapter says that it lists single statements")
        for case in self.of_kind("read"):
            assert await self._answers(case, only_summaries=True) == await self._answers(case)

    async def test_reads_are_closed_to_those_who_may_not(self) -> None:
        store = self.store()
        async with TestClient(TestServer(store.app())) as client:
            for route in self.adapter.routes:
                for headers in ({}, {"x-api-key": "nobody's"}, {"x-api-key": POWERLESS}):
                    path = route.path.replace("{", "").replace("}", "")
                    answer = await client.request(route.method, path, headers=headers)
                    assert 400 <= answer.status < 500, f"{route.method} {route.path} answered {answer.status} to {headers or 'nobody'}"

    async def _answers(self, case: Case, *, only_summaries: bool = False) -> list[Any]:
        store, given = self.store(), case.input
        self.prepared(store, given)
        steps = given.get("steps") or [
            *({"import": body} for body in given.get("imports", ())), *({"request": each} for each in given.get("requests", ())),
        ]
        answers = []
        async with TestClient(TestServer(store.app())) as client:
            for step in steps:
                store.statements.statements_readable = not only_summaries
                if "import" in step:
                    await self.take(store, self.events_of(step["import"]))
                else:
                    answers.append(await _answer(client, step["request"]))
        return answers

    def _compare(self, case: Case, got: Any) -> None:
        if os.environ.get(REGENERATE) == "1" and got != case.expected:
            case.regenerate(got)
        else:
            assert got == case.expected


async def _answer(client: TestClient[Any, Any], request: Any) -> Any:
    data = request.get("raw_body", "").encode() or (dump(request["body"]) if "body" in request else None)
    async with client.request(request.get("method", "GET"), request["path"], headers=request.get("headers", {}), data=data) as answer:
        told: dict[str, Any] = {"status": answer.status}
        if answer.content_type == "application/json":
            told["body"] = await answer.json()
            if isinstance(told["body"], dict):
                told["body"].pop("request_id", None)  # another one each time
        return told
