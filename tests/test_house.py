"""The promises of the house: who may import whom, how long things may be, and what must not be left out."""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lrs import errors
from lrs.http.errors import STATUS
from lrs.http.routes import ROWS
from lrs.plugins import load_adapters

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for folder in ("lrs", "workers", "adapters") for path in (ROOT / folder).rglob("*.py"))
ADAPTERS = [path for path in SOURCES if path.is_relative_to(ROOT / "adapters") and "contract" not in path.parts]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 300, 40

# A module (longest prefix first) and what of the outside it may import: everything that is not here may import no driver and no server.
MAY_IMPORT = {
    "motor": ("lrs.store",),
    "pymongo": ("lrs.store", "lrs.embedded.mongod"),
    "bson": ("lrs.store",),
    "redis": ("lrs.queue", "lrs.rate_limits", "workers"),
    "arq": ("lrs.queue", "workers"),
    "aiohttp": ("lrs.http", "lrs.app", "lrs.commands", "adapters"),
    "click": ("lrs.commands", "lrs.__main__"),
    "rich": ("lrs.commands",),
    "uvloop": ("lrs.commands",),
    "joserfc": ("lrs.signatures", "lrs.oidc", "lrs.issuer_keys"),
    "cryptography": ("lrs.signatures",),
}
# Who -> what of ours it must never import.
NEVER = {
    "lrs.xapi": ("lrs.store", "lrs.http", "lrs.intake", "lrs.queue", "lrs.app", "lrs.plugins", "lrs.materialize", "adapters", "workers"),
    "lrs.materialize": ("lrs.store", "lrs.http", "lrs.intake", "lrs.queue", "lrs.app", "lrs.plugins", "adapters", "workers"),
    "lrs.reports": ("lrs.store", "lrs.http", "lrs.intake", "lrs.queue", "lrs.app", "lrs.plugins", "adapters", "workers"),
    "lrs.errors": ("lrs", "adapters", "workers"),
    "lrs.store": ("lrs.http", "lrs.intake", "lrs.queue", "lrs.app", "lrs.follow", "lrs.commands", "adapters", "workers"),
    "lrs.intake": ("lrs.http", "lrs.app", "lrs.commands", "adapters", "workers"),
    "lrs.events": ("lrs.http", "lrs.app", "lrs.commands", "adapters", "workers"),
    "lrs.dead_letters": ("lrs.http", "lrs.app", "lrs.commands", "adapters", "workers"),
    "lrs.retranslation": ("lrs.http", "lrs.app", "lrs.commands", "adapters", "workers"),
    "lrs.jobs": ("lrs.http", "lrs.app", "lrs.commands", "adapters", "workers"),
    "lrs.plugins": ("lrs.store", "lrs.http", "lrs.intake", "lrs.queue", "lrs.app", "lrs.commands", "adapters", "workers"),
    "lrs.native_bodies": ("lrs.store", "lrs.http", "lrs.intake", "lrs.queue", "lrs.app", "lrs.commands", "adapters", "workers"),
    "lrs.adapter_settings": ("lrs.store", "lrs.http", "lrs.intake", "lrs.queue", "lrs.app", "lrs.plugins", "adapters", "workers"),
    "lrs.activities": ("lrs.store", "lrs.http", "lrs.intake", "lrs.queue", "lrs.app", "lrs.plugins", "adapters", "workers"),
    "lrs.gather": ("lrs", "adapters", "workers"),
    "lrs.asked_together": ("lrs", "adapters", "workers"),
    "lrs.single_flight": ("lrs", "adapters", "workers"),
    **dict.fromkeys(
        ("lrs.line", "lrs.folding", "lrs.building", "lrs.follow", "lrs.rebuild", "lrs.verify", "lrs.summaries", "lrs.erasure"),
        ("lrs.http", "lrs.intake", "lrs.queue", "lrs.app", "lrs.commands", "lrs.plugins", "adapters", "workers"),
    ),
    **dict.fromkeys(
        ("lrs.trial", "lrs.health", "lrs.doctor", "lrs.rollup_bench", "lrs.store_bench", "lrs.intake_bench"),
        ("lrs.http", "lrs.app", "lrs.commands", "adapters", "workers"),
    ),
    "lrs.queue": ("lrs.store", "lrs.http", "lrs.app", "lrs.commands", "adapters", "workers"),
    "lrs.rate_limits": ("lrs.store", "lrs.http", "lrs.app", "lrs.commands", "adapters", "workers"),
    "lrs.oidc": ("lrs.store", "lrs.http", "lrs.app", "lrs.commands", "adapters", "workers"),
    "lrs.issuer_keys": ("lrs.store", "lrs.http", "lrs.app", "lrs.commands", "adapters", "workers"),
    "lrs.http": ("lrs.app", "lrs.commands", "lrs.embedded", "adapters", "workers"),
    "lrs.app": ("lrs.commands", "lrs.embedded", "adapters", "workers"),
    "lrs.commands": ("lrs.store", "adapters"),
    "workers": ("lrs.http", "lrs.app", "lrs.commands", "adapters"),
    "adapters": ("lrs.store", "lrs.app", "lrs.commands", "workers"),
}
PURE_OF_AN_ADAPTER = ("lrs.xapi", "lrs.materialize", "lrs.errors", "lrs.adapter_settings")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_the_package_whose_business_it_is_imports_a_driver_or_server(path):
    name = name_of(path)
    for imported in imports_of(path):
        allowed = MAY_IMPORT.get(imported.partition(".")[0])
        assert allowed is None or any(below(name, prefix) for prefix in allowed), f"{name} imports {imported}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_go_downhill(path):
    name = name_of(path)
    for imported in imports_of(path):
        for prefix, forbidden in NEVER.items():
            # The contract suite is no adapter: it puts the application together in memory to try one.
            if below(name, prefix) and not (prefix == "adapters" and below(name, "adapters.contract")):
                own = any(below(imported, fine) for fine in ("lrs.errors",)) and prefix != "lrs.errors"
                bad = [each for each in forbidden if below(imported, each) and not own]
                assert not bad, f"{name} imports {imported}"


@pytest.mark.parametrize("path", ADAPTERS, ids=name_of)
def test_an_adapter_knows_no_other_adapter_and_its_pure_files_only_the_pure_core(path):
    name = name_of(path)
    own = ".".join(name.split(".")[:2])
    for imported in imports_of(path):
        if imported.startswith("adapters"):
            assert below(imported, own), f"{name} imports {imported}"
        elif imported.startswith("lrs") and name.rpartition(".")[2] in ("schema", "translate", "summaries"):
            assert any(below(imported, pure) for pure in PURE_OF_AN_ADAPTER), f"{name} imports {imported}"


def test_the_only_way_from_the_command_line_to_the_worker_is_its_own_command():
    users = {name_of(path) for path in SOURCES for imported in imports_of(path) if below(imported, "workers")}
    assert {user for user in users if below(user, "lrs")} == {"lrs.commands.worker"}


def test_the_pure_core_needs_neither_aiohttp_nor_a_driver():
    program = (
        "import sys\nfor name in ('aiohttp', 'motor', 'pymongo', 'bson', 'redis', 'arq', 'marshmallow'): sys.modules[name] = None\n"
        "import lrs.xapi.validate, lrs.xapi.query, lrs.xapi.formats, lrs.xapi.prepare, lrs.xapi.compare, lrs.materialize\n"
        "import lrs.xapi.attachments"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=name_of)
def test_no_module_is_longer_than_300_lines_and_no_function_than_40(path):
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_module_class_and_public_function_has_a_docstring(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_module_is_a_drawer(path):
    assert path.stem not in ("utils", "util", "helpers", "common", "base", "manager", "misc", "data")


def test_everything_is_caught_in_one_place_only():
    catching = [
        name_of(path) for path in SOURCES for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) == "Exception")
    ]
    assert catching == ["lrs.http.errors"]


def test_every_error_a_caller_can_provoke_has_a_status():
    ours = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.LRSError)}
    without = {each.__name__ for each in ours if not any(kind in STATUS for kind in each.__mro__)}
    # The bases stand for others; a process that does not start answers nobody; a broken translation is our fault: 500.
    assert without == {"LRSError", "PlacedError", "ConfigurationError", "BrokenTranslation"}


def test_every_test_is_named_as_a_sentence():
    short = [
        f"{path.name}: {node.name}" for path in TESTS for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_") and node.name.count("_") < 3
    ]
    assert short == []


def test_every_route_has_a_line_in_the_api_document():
    text = (ROOT / "docs" / "api.md").read_text()
    paths = {row.path for row in ROWS} | {route.path.rstrip("/") for adapter in load_adapters().values() for route in adapter.routes}
    assert [path for path in sorted(paths) if f"`{re.sub(r':[^}]*}', '}', path)}`" not in text] == []


def test_every_file_that_a_document_names_is_there():
    named = re.compile(r"(?<![\w/.-])(?:lrs|workers|adapters|tests|docs|fixtures)/[\w./-]*\w")
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        # A link is relative to its document.
        names = named.findall(document.read_text())
        missing = [name for name in names if not (ROOT / name).exists() and not (document.parent / name).exists()]
        assert missing == [], f"{document.name} names {missing}"


def test_every_adapter_has_cases_and_a_page():
    for name in load_adapters():
        assert list((ROOT / "fixtures" / name).glob("*.json")), f"{name} has no cases"
        assert (ROOT / "docs" / "adapters" / f"{name}.md").is_file(), f"{name} has no page"


def test_entry_points_lead_to_modules_that_import_without_side_effects():
    before = set(sys.modules)
    for adapter in load_adapters().values():
        assert importlib.import_module(adapter.settings.__module__)
    assert not [name for name in set(sys.modules) - before if name.startswith("tests")]
