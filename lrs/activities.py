"""The canonical definitions of activities, as summaries that follow the log: nothing is written where statements come in.

A statement carries the key of an activity only if it defines it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lrs.materialize import Materializer
from lrs.xapi.activities import defined_in, definitions_in, merged_definition
from lrs.xapi.json_text import dump, parse


@dataclass(frozen=True)
class Canonical:
    """All that statements said about one activity. `text` is its definition as JSON, so that every number stays as it came."""

    text: str = "{}"

    @cached_property
    def definition(self) -> Mapping[str, Any]:
        """The definition; empty if there is none."""
        return parse(self.text)  # type: ignore[no-any-return]


def _step(canonical: Canonical, definitions: Sequence[Mapping[str, Any]]) -> Canonical:
    definition = canonical.definition
    for said in definitions:
        definition = merged_definition(definition, said)
    text = dump(definition).decode()
    # Most statements say what was said before: the same summary has read its text already.
    return canonical if text == canonical.text else Canonical(text)


ACTIVITY: Materializer[Canonical] = Materializer(
    name="xapi.activity", version=2, shape=Canonical, keys=defined_in, empty=Canonical, step=_step, part=definitions_in,
)
MATERIALIZERS = (ACTIVITY,)
