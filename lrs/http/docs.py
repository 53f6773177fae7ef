"""The API's documentation as one page: no other server, no build, and readable without JavaScript, which only searches."""

import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from aiohttp import web

from lrs.http.answers import bytes_answer
from lrs.http.openapi import described

STYLE = """
:root{color-scheme:light dark;--line:#8885;--soft:#8882}*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:62rem;padding:1rem}
code,pre{font:.9em/1.4 ui-monospace,monospace}pre{background:var(--soft);padding:.6rem;overflow:auto;border-radius:.4rem}
header p{white-space:pre-line}input{width:100%;font:inherit;padding:.5rem;position:sticky;top:.5rem;z-index:1}
h2{margin:2rem 0 .5rem}details{border:1px solid var(--line);border-radius:.4rem;margin:.4rem 0;padding:.4rem .7rem}
summary{cursor:pointer;display:flex;gap:.7rem;align-items:baseline;flex-wrap:wrap}summary code{overflow-wrap:anywhere}
b.m{font:700 .8em ui-monospace,monospace;min-width:4rem}b.get{color:#2a7de1}b.post{color:#2e9e5b}b.put,b.patch{color:#c77d0a}
b.delete{color:#d0453c}table{border-collapse:collapse;width:100%}td,th{border-top:1px solid var(--line);padding:.3rem;text-align:left;
vertical-align:top}dl{margin:.3rem 0}dt{font-weight:600}small{opacity:.75}[hidden]{display:none}
"""
SCRIPT = """
const box=document.querySelector("input");
box.addEventListener("input",()=>{const words=box.value.toLowerCase().split(/\\s+/);
for(const each of document.querySelectorAll("details[data-text]"))each.hidden=!words.every(word=>each.dataset.text.includes(word));
for(const part of document.querySelectorAll("section"))part.hidden=!part.querySelector("details:not([hidden])");});
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


async def get_docs(request: web.Request) -> web.Response:
    """GET /docs: the API's documentation, to be read by people."""
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
    return bytes_answer(page(described(request)).encode(), "text/html; charset=utf-8", headers=headers)


def page(document: Mapping[str, Any]) -> str:
    """An OpenAPI document as HTML."""
    info, server = document["info"], document["servers"][0]["url"].rstrip("/")
    return "".join([
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>',
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style>',
        f"<header><h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1><p>{escape(info['description'])}</p>",
        f'<p>As OpenAPI 3.1: <a href="{escape(server)}/openapi.json">openapi.json</a></p></header>',
        '<input type="search" placeholder="Search paths, parameters, scopes" aria-label="Search" autofocus><main>',
        *_sections(document, server), *_schemas(document["components"]["schemas"]), f"</main><script>{SCRIPT}</script></html>",
    ])


def _sections(document: Mapping[str, Any], server: str) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method != "head":
                by_tag.setdefault(operation["tags"][0], []).append(_operation(method, server + path, operation))
    for tag, entries in by_tag.items():
        yield f"<section><h2>{escape(tag)}</h2>{''.join(entries)}</section>"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    names = [each["name"] for each in operation["parameters"]]
    text = " ".join([method, path, operation["summary"], operation.get("description", ""), *names]).lower()
    who = " or ".join(name for each in operation["security"] for name in each) or "nobody in particular: no credential"
    body = operation.get("requestBody", {}).get("content", {})
    return "".join([
        f'<details data-text="{escape(text)}" id="{escape(operation["operationId"])}"><summary><b class="m {method}">{method.upper()}</b>',
        f"<code>{escape(path)}</code><span>{escape(operation['summary'])}</span></summary>",
        f"<p>For {escape(who)}. {escape(operation.get('description', ''))}</p>",
        _table(operation["parameters"]), *(_content("Body", kind, each) for kind, each in body.items()),
        "<h4>Answers</h4><dl>", *(_answer(status, answer) for status, answer in operation["responses"].items()), "</dl></details>",
    ])


def _table(parameters: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        f"<tr><td><code>{escape(each['name'])}</code>{'' if each.get('required') else ' <small>optional</small>'}<td>{escape(each['in'])}"
        f"<td>{_brief(each.get('schema', {}))}"
        for each in parameters
    ]
    return f"<table><tr><th>Parameter<th>in<th>is{''.join(rows)}</table>" if rows else ""


def _answer(status: str, answer: Mapping[str, Any]) -> str:
    shapes = "; ".join(f"{escape(kind)}: {_brief(each['schema'])}" for kind, each in answer.get("content", {}).items())
    return f"<dt>{escape(status)} {escape(answer['description'])}<dd>{shapes or 'no body'}"


def _content(title: str, kind: str, media: Mapping[str, Any]) -> str:
    return f"<h4>{title} <small>{escape(kind)}</small></h4><p>{_brief(media['schema'])}</p>"


def _brief(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, with links to those that have a name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{escape(name)}">{escape(name)}</a>'
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " or ".join(_brief(each) for each in schema[several])
    if schema.get("type") == "array":
        return f"list of {_brief(schema.get('items', {}))}"
    if "properties" in schema:
        return "{" + ", ".join(f"<code>{escape(name)}</code>: {_brief(each)}" for name, each in schema["properties"].items()) + "}"
    return f"<code>{escape(json.dumps(schema, ensure_ascii=False))}</code>" if schema else "anything"


def _schemas(schemas: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "<section><h2>Schemas</h2>"
    for name, schema in sorted(schemas.items()):
        text = escape(f"schema {name} {' '.join(schema.get('properties', {}))}".lower())
        shown = escape(json.dumps(schema, indent=2, ensure_ascii=False))
        yield f'<details data-text="{text}" id="schema-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        yield f"<pre>{shown}</pre></details>"
    yield "</section>"
