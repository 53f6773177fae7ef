"""What readers of the API's description need to know of reports: parameters out of their schemas, and the columns of their rows."""

from collections.abc import Mapping, Sequence

from apispec import APISpec
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema

from lrs.http.report_queries import QUERIES
from lrs.http.tables import FORMATS
from lrs.http.told import COUNT, IRI, MANAGE, TEXT, TIME, TRUTH, Json, Told, listed, record
from lrs.reports import tables
from lrs.reports.rules import MasteryRuleSchema

CONVERTER = OpenAPIConverter("3.1.0", schema_name_resolver=str, spec=APISpec("", "", "3.1.0"))
# Name of the list, and columns of its rows, by the path below /reports.
TABLES: Mapping[str, tuple[str, Sequence[str]]] = {
    "progress": ("progress", tables.PROGRESS_COLUMNS), "progress/courses": ("progress", tables.COURSE_PROGRESS_COLUMNS),
    "activities": ("activities", tables.ACTIVITY_COLUMNS), "courses": ("courses", tables.COURSE_COLUMNS),
    "daily": ("daily", ("day", "statements")), "mastery": ("mastery", tables.MASTERY_COLUMNS),
}
# By column; the others are counts.
COLUMNS: Mapping[str, Json] = {
    "learner": TEXT, "name": {"type": ["string", "null"]}, "title": {"type": ["string", "null"]}, "activity": IRI,
    "activity_type": {"type": ["string", "null"]}, "course": IRI,
    "courses": listed(IRI), "success": {"type": ["boolean", "null"]}, "mastered": TRUTH, "attempts_are_more": TRUTH,
    "activities_are_more": TRUTH, "day": {"type": "string", "format": "date"}, "right_of_last": {"type": ["integer", "null"]},
    "rule": {"type": "object"},
}


def reports_told() -> dict[tuple[str, str], Told]:
    """The reports, each a table."""
    return {
        ("GET", f"/reports/{path}"): Told(
            query=parameters_of(QUERIES[path]), headers={"Accept": TEXT}, answer_kinds=tuple(FORMATS.values()),
            answers={200: record(consistent_through=TIME, more=TEXT, **{name: listed(_row(columns))})},
        )
        for path, (name, columns) in TABLES.items()
    }


def _row(columns: Sequence[str]) -> Json:
    return record(**{each: _column(each) for each in columns})


def parameters_of(schema: type[Schema]) -> dict[str, Json]:
    """The fields of a schema as parameters of a query."""
    found = CONVERTER.schema2parameters(schema, location="query")
    return {each["name"]: each["schema"] | {name: each[name] for name in ("description",) if name in each} for each in found}


def _column(name: str) -> Json:
    if name.endswith("_at"):
        return {"type": ["string", "null"], "format": "date-time"}
    return {"type": ["number", "null"]} if name.endswith("_score") else COLUMNS.get(name, COUNT)


RULES: Json = {"type": "array", "items": MasteryRuleSchema}
REPORTS_TOLD: Mapping[tuple[str, str], Told] = {
    **reports_told(),
    ("GET", f"{MANAGE}/mastery-rules"): Told(answers={200: RULES}),
    ("PUT", f"{MANAGE}/mastery-rules"): Told(body=RULES, answers={204: None}),
}
