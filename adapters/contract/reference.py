"""The reference for authors of adapters, made of the code itself: docs/adapter-reference.md is what `reference()` gives."""

import ast
import inspect
from collections.abc import Callable, Iterator
from textwrap import dedent
from typing import Any

from adapters.contract.suite import AdapterContract
from lrs.errors import InvalidEvent
from lrs.http import native
from lrs.materialize import Line, Materializer, Row
from lrs.plugins import Adapter, Entry, Profile, Reference, Route
from lrs.summaries import Summaries

TITLE = """# Reference for adapters

What an adapter is made of, and what it may call. How it goes together is told in [adapters.md](adapters.md). This page is made of the code
by `python -m adapters.contract.reference`; a test says so if it is not up to date.
"""
PARTS = (Adapter, Route, Reference, Entry, Profile, Materializer, Row, Line)
CALLS = {
    "Events that come to an adapter's own route": (native.take_events, native.keep_call, native.note_stored, native.note_refused),
    "Reading summaries": (
        Summaries.current, Summaries.saved, Summaries.find, Summaries.each, Summaries.page, Summaries.rows, Summaries.through,
        Summaries.brought_up,
    ),
    "Refusing an event": (InvalidEvent,),
}


def reference() -> str:
    """The whole page, as Markdown."""
    return "\n".join((TITLE, *_parts(), *_calls(), *_laws()))


def _parts() -> Iterator[str]:
    for part in PARTS:
        yield f"## `{part.__module__}.{part.__name__}`\n\n{inspect.getdoc(part)}\n\n| field | type | default |\n|---|---|---|"
        for name, annotation, default in _fields(part):
            yield f"| `{name}` | `{annotation}` | {default} |"
        yield ""


def _fields(part: type[Any]) -> Iterator[tuple[str, str, str]]:
    """Name, type and default of each field, as the source has them."""
    [tree] = ast.parse(inspect.getsource(part)).body
    for node in tree.body if isinstance(tree, ast.ClassDef) else ():
        if isinstance(node, ast.AnnAssign):
            default = "" if node.value is None else f"`{ast.unparse(node.value)}`"
            yield ast.unparse(node.target), ast.unparse(node.annotation).replace("|", "\\|"), default


def _calls() -> Iterator[str]:
    for title, calls in CALLS.items():
        yield f"## {title}\n"
        for call in calls:
            yield f"### `{call.__module__}.{call.__qualname__}`\n\n```python\n{_signature(call)}\n```\n\n{inspect.getdoc(call)}\n"


def _signature(call: Callable[..., Any]) -> str:
    [node] = ast.parse(dedent(inspect.getsource(call))).body
    if isinstance(node, ast.ClassDef):
        [node] = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    given = ast.unparse(node.args).removeprefix("self, ").removeprefix("self")
    returns = "" if node.returns is None or node.name == "__init__" else f" -> {ast.unparse(node.returns)}"
    gives_many = any(isinstance(each, ast.Yield) for each in ast.walk(node))
    begin = ("async for … in " if gives_many else "await ") if isinstance(node, ast.AsyncFunctionDef) else ""
    return f"{begin}{call.__name__}({given}){returns}"


def _laws() -> Iterator[str]:
    yield "## The laws of the contract\n"
    for name in sorted(name for name in dir(AdapterContract) if name.startswith("test_")):
        yield f"- {name.removeprefix('test_').replace('_', ' ')}"
    yield ""


if __name__ == "__main__":
    print(reference(), end="")
