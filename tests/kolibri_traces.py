"""Recorded exchanges with a Kolibri, sent again and compared. The README beside the recordings says what they mean."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from aiohttp import encode_basic_auth
from aiohttp.test_utils import TestClient

NAMED = re.compile(r"\$(session|attempt|mastery|level|ts|start)(\d+)(?:-([\d.]+))?")
OF_WORLD = re.compile(r"\$\{([\w.]+)\}")
INSIDE = re.compile(r"\$(?:session|attempt|mastery|level)\d+")
SAME_MOMENT = timedelta(milliseconds=2)
DOCUMENTED = (("trackprogress", "contentsession"), ("userprogress", "totalcontentprogress"))


class Mismatch(AssertionError):
    """An answer is not as recorded."""


class Replay:
    """One trace over one client. `bound` are the ids, levels and moments met so far."""

    def __init__(
        self, client: TestClient[Any, Any], world: Mapping[str, Any], ops: Mapping[str, Any], *, documented: bool
    ) -> None:
        self.client, self.world, self.ops, self.documented = client, world, ops, documented
        self.bound: dict[str, Any] = {}

    async def run(self, trace: Mapping[str, Any]) -> None:
        """Send every step and compare. Raises Mismatch."""
        for number, step in enumerate(trace["steps"], 1):
            for sent in self._requests(step):
                status, answer = await self.send(sent)
                expect = sent["expect"]
                if status != expect["status"]:
                    raise Mismatch(f"step {number}: {status}, not {expect['status']}: {answer}")
                if "body" in expect:
                    self._compare(expect["body"], answer, "", set(expect.get("unordered", ())), number)
        numbers = sorted(int(name[2:]) for name in self.bound if name.startswith("ts"))
        moments = [self.bound[f"ts{number}"] for number in numbers]
        if moments != sorted(moments):
            raise Mismatch("moments are out of order")

    def _requests(self, step: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        if "op" not in step:
            yield step
            return
        thing_id = self._of_world(step["on"] + ".id")
        for request in self.ops[step["op"]]:
            yield {**step, **request, "path": request["path"].replace("{id}", thing_id), "expect": {"status": 200}}

    async def send(self, step: Mapping[str, Any]) -> tuple[int, Any]:
        """The status and the JSON of the answer to one request of a trace."""
        path = self.filled(step["path"])
        if self.documented:
            path = path.rstrip("/")
            for real, documented in DOCUMENTED:
                path = path.replace(real, documented)
        user = self.world["users"].get(step.get("as_user"))
        query = self.filled(step.get("query", {}))
        options: dict[str, Any] = {"params": {name: str(value) for name, value in query.items()}}
        if user is not None:
            options["headers"] = {"Authorization": encode_basic_auth(user["username"], user["password"])}
        if "body" in step:
            options["json"] = self.filled(step["body"])
        async with self.client.request(step["method"], path, **options) as response:
            return response.status, await response.json()

    def filled(self, value: Any) -> Any:
        """What is sent, with names put in their places."""
        if isinstance(value, Mapping):
            return {name: self.filled(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        if not isinstance(value, str):
            return value
        if (whole := OF_WORLD.fullmatch(value)) is not None:
            return self._of_world(whole[1])
        value = OF_WORLD.sub(lambda match: self._of_world(match[1]), value)
        return INSIDE.sub(lambda match: str(self.bound[match[0][1:]]), value)

    def _of_world(self, dotted: str) -> Any:
        thing: Any = self.world
        for part in dotted.split("."):
            thing = thing[part]
        return thing

    def _compare(self, want: Any, got: Any, place: str, unordered: set[str], step: int) -> None:
        def fail() -> Mismatch:
            return Mismatch(f"step {step}, {place or 'body'}: wanted {want!r}, got {got!r}")

        if isinstance(want, str):
            self._compare_text(want, got, fail)
        elif want is None or isinstance(want, bool):
            if got is not want:
                raise fail()
        elif isinstance(want, int | float):
            if isinstance(got, bool) or not isinstance(got, int | float) or not math.isclose(want, got, abs_tol=1e-9):
                raise fail()
        elif isinstance(want, list):
            if not isinstance(got, list) or len(got) != len(want):
                raise fail()
            self._compare_lists(want, got, place, unordered, step)
        elif list(want) == ["$either"]:
            self._compare_any(want["$either"], got, place, unordered, step)
        else:
            if not isinstance(got, dict) or got.keys() != want.keys():
                raise fail()
            for name, each in want.items():
                self._compare(each, got[name], f"{place}.{name}".lstrip("."), unordered, step)

    def _compare_any(self, choices: list[Any], got: Any, place: str, unordered: set[str], step: int) -> None:
        for choice in choices:
            before = dict(self.bound)
            try:
                self._compare(choice, got, place, unordered, step)
                return
            except Mismatch as mismatch:
                self.bound, failure = before, mismatch
        raise failure

    def _compare_lists(self, want: list[Any], got: list[Any], place: str, unordered: set[str], step: int) -> None:
        """In order; or, where Kolibri has none, each with one that fits, trying others if that leads nowhere."""
        if place not in unordered:
            for index, (one, other) in enumerate(zip(want, got, strict=True)):
                self._compare(one, other, f"{place}[{index}]", unordered, step)
            return
        if not want:
            return
        failure = Mismatch(f"step {step}, {place}: none fits")
        for index, other in enumerate(got):
            before = dict(self.bound)
            try:
                self._compare(want[0], other, f"{place}[{index}]", unordered, step)
                self._compare_lists(want[1:], got[:index] + got[index + 1:], place, unordered, step)
                return
            except Mismatch as mismatch:
                self.bound, failure = before, mismatch
        raise failure

    def _compare_text(self, want: str, got: Any, fail: Any) -> None:
        if want == "$any":
            return
        if want == "$text":
            if not isinstance(got, str) or not got.strip():
                raise fail()
        elif (named := NAMED.fullmatch(want)) is not None:
            self._compare_named(named, got, fail)
        elif got != self.filled(want):
            raise fail()

    def _compare_named(self, named: re.Match[str], got: Any, fail: Any) -> None:
        kind, name = named[1], named[1] + named[2]
        if kind in ("ts", "start"):
            moment = datetime.fromisoformat(got) + timedelta(seconds=float(named[3] or 0))
            if abs(self.bound.setdefault(name, moment) - moment) > SAME_MOMENT:
                raise fail()
            return
        right = -(2**31) <= got < 0 if kind == "level" else re.fullmatch("[0-9a-f]{32}", got) is not None
        known = {value for other, value in self.bound.items() if other != name and other.startswith(kind)}
        if not right or got in known or self.bound.setdefault(name, got) != got:
            raise fail()
