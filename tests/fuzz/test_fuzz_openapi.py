"""What the description promises, tried: requests made out of the OpenAPI document, good and bad, against a running server."""

from functools import cache
from typing import Any

import pytest
import schemathesis
from fuzzing import Sent, hunt
from hypothesis import reject
from hypothesis import strategies as st
from laws import Laws
from requests import Request
from requests.exceptions import RequestException
from schemathesis.core.errors import SerializationNotPossible
from schemathesis.generation import GenerationMode
from served import CREDENTIAL, LEARNER, OPERATOR, Served, basic

from lrs.http.openapi import Description
from lrs.http.routes import ROWS
from lrs.plugins import load_adapters

SOMEWHERE = "http://127.0.0.1"
schemathesis.serializer.alias("application/x-ndjson", "text/plain")
# Where most made-up names lead nowhere, those that lead somewhere.
KNOWN = {"tenant": "fuzzed", "adapter": "kolibri", "name": "world"}
# Made of all that the schema of a statement has, good ones take long to make: the other laws have them.
SLOW = ("/xapi/statements",)


@cache
def described() -> Any:
    """The document as schemathesis reads it."""
    return schemathesis.openapi.from_dict(Description(ROWS, load_adapters().values()).document)


def operations() -> list[tuple[str, str, GenerationMode]]:
    """Every method of every path, to be asked well and badly; but the tenant itself is left in peace."""
    return [
        (path, method.upper(), mode)
        for path, methods in described().raw_schema["paths"].items() for method in methods for mode in GenerationMode
        if method != "head" and (method, path) != ("delete", "/manage/tenants/{tenant}")
        and not (path in SLOW and method != "get" and mode is GenerationMode.POSITIVE)
    ]


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """A request of any operation, by a credential that may do it."""
    path, method, mode = draw(st.sampled_from(operations()))
    case = draw(strategy_of(path, method, mode))
    case.path_parameters.update({name: each for name, each in KNOWN.items() if name in case.path_parameters})
    try:
        made = Request(**{**case.as_transport_kwargs(base_url=SOMEWHERE), "cookies": None}).prepare()
    except (SerializationNotPossible, RequestException, ValueError):  # what schemathesis or requests cannot write down
        reject()
    left_out = {"authorization", "x-api-key", "connection", "accept-encoding"}
    headers = {name: each for name, each in made.headers.items() if name.lower() not in left_out}
    headers |= {"Authorization": basic(OPERATOR if path.startswith("/manage") else CREDENTIAL), "X-LRS-On-Behalf-Of": LEARNER}
    body = made.body or b""
    return Sent(
        method.encode(), made.path_url.encode(), tuple((_bytes(name), _bytes(each)) for name, each in headers.items()),
        body if isinstance(body, bytes) else str(body).encode(errors="surrogatepass"),
    )


@cache
def strategy_of(path: str, method: str, mode: GenerationMode) -> st.SearchStrategy[Any]:
    """Cases of one operation; making the strategy is what takes time."""
    return described()[path][method].as_strategy(generation_mode=mode)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1", errors="replace")


@pytest.fixture(scope="module")
def laws(served: Served) -> Laws:
    served.call("PUT", "/manage/tenants/fuzzed", pair=OPERATOR)
    return Laws(served)


def test_whatever_the_description_allows_or_forbids_is_answered(laws: Laws) -> None:
    hunt(laws.hold_of_the_description, requests(), examples=60)
