"""Reports over HTTP, on a real database: what is posted is in all of them, what is voided in none; pages, filters and forms."""

import csv
import io
import json
from collections.abc import AsyncIterator

import pytest
from builders import a_void_of, learner
from http_fakes import basic
from report_office import ADA, COURSE, OPERATOR, SITE, SUMS, Office, an_office, done, verb

from lrs.config import Config
from lrs.http import tables
from lrs.http.report_queries import QUERIES

REPORTS = tuple(QUERIES)


@pytest.fixture
async def office(config: Config) -> AsyncIterator[Office]:
    async with an_office(config) as office:
        yield office


async def test_a_statement_is_in_every_report_and_when_it_is_voided_in_none(office: Office) -> None:
    statement = done()
    await office.post(statement)
    for report in REPORTS:
        assert len(await office.rows(report)) == 1, report
    await office.post(a_void_of(statement["id"]))
    for report in REPORTS:
        assert await office.rows(report) == [], report


async def test_each_report_says_what_its_statements_say(office: Office) -> None:
    await office.post(done(), done("bob", result={"score": {"scaled": 0.2}, "success": False, "duration": "PT10S"}, verb=verb("failed")))
    [ada, bob] = sorted(await office.rows("progress"), key=lambda row: row["name"])
    assert ada == {
        "learner": ADA, "name": "Ada", "activity": SUMS, "title": None, "activity_type": None, "courses": [COURSE],
        "first_at": "2026-01-15T10:00:00.000000Z", "last_at": "2026-01-15T10:00:00.000000Z", "statements": 1, "attempts": 1,
        "attempts_are_more": False, "completed_at": "2026-01-15T10:00:00.000000Z", "success": True, "best_score": 0.75,
        "first_score": 0.75, "last_score": 0.75, "time_spent_ms": 90_500, "mastered_at": "2026-01-15T10:00:00.000000Z",
    }
    assert (bob["success"], bob["completed_at"], bob["mastered_at"], bob["time_spent_ms"]) == (False, None, None, 10_000)
    [activity] = await office.rows("activities")
    assert activity == {
        "activity": SUMS, "title": None,
        "learners": 2, "statements": 2, "attempts": 2, "completed": 1, "succeeded": 1, "failed": 1, "scored": 2,
        "time_spent_ms": 100_500, "mean_score": 0.475, "scores_below_0": 0, "scores_0": 0, "scores_1": 0, "scores_2": 1, "scores_3": 0,
        "scores_4": 0, "scores_5": 0, "scores_6": 0, "scores_7": 1, "scores_8": 0, "scores_9": 0,
    }
    [course] = await office.rows("courses")
    assert (course["course"], course["learners"], course["activities"], course["completed_activities"]) == (COURSE, 2, 2, 1)
    assert (course["completed"], course["time_spent_ms"]) == (0, 100_500)
    within = await office.rows("progress/courses", learner=ADA)
    assert [(row["course"], row["activities"], row["completed_at"]) for row in within] == [(COURSE, 1, None)]
    days = {"since": "2026-01-15", "until": "2026-01-16"}
    assert await office.rows("daily", **days) == [{"day": "2026-01-15", "statements": 2}]
    assert await office.rows("daily", by="verb", **days) == [
        {"day": "2026-01-15", "verb": verb(name)["id"], "statements": 1} for name in ("completed", "failed")
    ]
    assert await office.rows("daily", by="activity_type", **days) == [{"day": "2026-01-15", "activity_type": None, "statements": 2}]
    assert await office.rows("daily", since="2026-01-16") == []


async def test_activities_and_courses_are_shown_by_their_names_in_the_language_that_is_asked_for(office: Office) -> None:
    sums = {"id": SUMS, "definition": {"name": {"en": "Sums", "de": "Summen"}}}
    course = {"id": COURSE, "definition": {"name": {"en": "Fractions"}, "type": "http://adlnet.gov/expapi/activities/course"}}
    await office.post(done(object=sums, context={"contextActivities": {"grouping": [course]}}))
    for report, language, title in (
        ("progress", "de", "Summen"), ("progress", "en", "Sums"), ("mastery", "de", "Summen"), ("activities", "fr", "Sums"),
        ("courses", "de", "Fractions"), ("progress/courses", "", "Fractions"),
    ):
        _, text = await office.ask(report, {"Accept-Language": language}, format="ndjson")
        assert json.loads(text)["title"] == title


async def test_answers_carry_the_time_up_to_which_they_are_complete(office: Office) -> None:
    await office.post(done())
    stored = "2026-01-01"
    for report in REPORTS:
        _, answer = await office.ask(report)
        assert answer["consistent_through"] > stored
        stored = answer["consistent_through"]


FILTERS: tuple[tuple[dict[str, str], set[str]], ...] = (
    ({}, {"ada sums", "ada more", "bob sums"}),
    ({"learner": ADA}, {"ada sums", "ada more"}),
    ({"learner": json.dumps({"mbox": ADA})}, {"ada sums", "ada more"}),
    ({"activity": SUMS}, {"ada sums", "bob sums"}),
    ({"learner": ADA, "activity": SUMS}, {"ada sums"}),
    ({"learner": ADA, "activity": SUMS, "completed": "false"}, set()),
    ({"course": COURSE}, {"ada sums", "bob sums"}),
    ({"course": COURSE, "learner": ADA}, {"ada sums"}),
    ({"completed": "true"}, {"ada sums", "bob sums"}),
    ({"completed": "false"}, {"ada more"}),
    ({"mastered": "true"}, {"ada sums"}),
    ({"mastered": "false", "learner": ADA}, {"ada more"}),
    ({"since": "2026-01-16T00:00:00Z"}, {"bob sums"}),
    ({"until": "2026-01-16T00:00:00Z"}, {"ada sums", "ada more"}),
    ({"learner": "mailto:nobody@school.example.org"}, set()),
)


async def test_filters_choose_what_they_say(office: Office) -> None:
    more = f"{SITE}more"
    await office.post(
        done(), done(about=more, verb=verb("attempted"), result={}, context={}),
        done("bob", timestamp="2026-01-16T10:00:00Z", result={"completion": True}),
    )
    for params, expected in FILTERS:
        rows = await office.rows("progress", **params)
        assert {f"{row['name'].lower()} {row['activity'].removeprefix(SITE)}" for row in rows} == expected, params


@pytest.mark.parametrize("report", ["progress", "progress/courses", "activities", "courses", "mastery"])
async def test_pages_lead_through_everything_once(office: Office, report: str) -> None:
    await office.post(*(
        done(f"pupil{number}", f"{SITE}{number}", context={"contextActivities": {"grouping": [{"id": f"{SITE}course/{number}"}]}})
        for number in range(25)
    ))
    whole = await office.rows(report, limit="1000")
    assert len(whole) == 25
    assert await office.rows(report, limit="4") == whole
    _, page = await office.ask(report, limit="4")
    assert len(next(each for each in page.values() if isinstance(each, list))) == 4
    assert page["more"].startswith(f"/reports/{report}?")


async def test_a_page_on_which_few_pass_the_filter_is_short_and_leads_on(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrs.http.reports.MOST_LOOKED_AT", 4)
    await office.post(*(done(f"pupil{number}", f"{SITE}{number}", result={}) for number in range(20)), done("ada", verb=verb("passed")))
    assert len(await office.rows("progress", limit="2", mastered="true")) == 1
    assert len(await office.rows("progress", limit="2", mastered="false")) == 20


@pytest.mark.parametrize("report", REPORTS)
async def test_all_forms_have_the_same_rows(office: Office, report: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "CHUNK", 3)
    await office.post(*(done(f"pupil{number}", f"{SITE}{number}") for number in range(10)))
    days = {"since": "2026-01-01"} if report == "daily" else {}
    rows = await office.rows(report, **days)
    _, text = await office.ask(report, format="ndjson", **days)
    assert [json.loads(line) for line in text.splitlines()] == rows
    _, text = await office.ask(report, {"Accept": "text/csv"}, **days)
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    assert header == list(rows[0])
    first = header[0]
    assert [line[0] for line in lines] == [row[first] for row in rows]
    assert text.endswith("\r\n")


async def test_no_text_of_a_csv_begins_as_a_formula(office: Office) -> None:
    name = '=HYPERLINK("https://evil.example.org";"Ada")'
    evil = {**done(result={"score": {"scaled": -0.5}}), "actor": {**learner(), "name": name}}
    await office.post(evil)
    _, text = await office.ask("progress", format="csv")
    [row] = csv.DictReader(io.StringIO(text, newline=""))
    assert row["name"] == f"'{name}"
    assert row["best_score"] == "-0.5"


BAD_QUERIES = (
    ("progress", {"learner": "{}"}), ("progress", {"activity": "sums"}), ("progress", {"completed": "yes"}), ("progress", {"limit": "0"}),
    ("progress", {"limit": "1001"}), ("progress", {"after": "here"}), ("progress", {"since": "yesterday"}), ("progress", {"format": "xml"}),
    ("progress", {"format": "csv", "limit": "5"}), ("progress", {"colour": "red"}), ("daily", {"since": "2026-02-30"}),
    ("daily", {"since": "2026-01-01", "until": "2026-01-01"}), ("daily", {"since": "2024-01-01", "until": "2026-01-01"}),
    ("daily", {"by": "learner"}), ("daily", {"limit": "0"}), ("courses", {"activity": SUMS}), ("daily", {"after": "x" * 22}),
    ("daily", {"after": "2026-01-15~YQ"}), ("daily", {"by": "verb", "after": "2026-01-15"}),
    ("daily", {"by": "verb", "after": "2026-01-15~_w"}),
)


async def test_what_cannot_be_asked_is_refused_by_name(office: Office) -> None:
    for report, params in BAD_QUERIES:
        status, answer = await office.ask(report, **params)
        assert status == 400, (report, params)
        assert answer["problems"] or list(params)[-1] in answer["message"], answer


@pytest.mark.parametrize("by", [{}, {"by": "verb"}, {"by": "activity_type"}])
async def test_days_come_in_pages_and_streamed_as_they_come_whole(
    office: Office, by: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("completed", "passed", "été", "日本", "z" * 300)
    await office.post(*(
        done(verb=verb(name), timestamp=f"2026-01-{day}T10:00:00Z", object={"id": f"{SITE}{name}", "definition": {"type": f"{SITE}{name}"}})
        for name in names for day in (10, 12, 11)
    ))
    days = {"since": "2026-01-01", "until": "2026-02-01", **by}
    _, whole = await office.ask("daily", limit="1000", **days)
    assert (len(whole["daily"]), whole["more"]) == (15 if by else 3, "")
    assert [row["day"] for row in whole["daily"]] == sorted(row["day"] for row in whole["daily"])
    for limit in ("1", "2", "4"):
        _, first = await office.ask("daily", limit=limit, **days)
        assert len(first["daily"]) == min(int(limit), len(whole["daily"]))
        assert await office.rows("daily", limit=limit, **days) == whole["daily"]
    monkeypatch.setattr(tables, "CHUNK", 2)
    _, text = await office.ask("daily", format="ndjson", **days)
    assert [json.loads(line) for line in text.splitlines()] == whole["daily"]


async def test_days_at_the_edges_of_the_calendar_can_be_asked_for(office: Office) -> None:
    await office.post(*(done(timestamp=f"{day}T12:00:00Z") for day in ("0001-01-01", "9999-12-30")))
    assert [row["day"] for row in await office.rows("daily", until="0001-01-02")] == ["0001-01-01"]
    assert [row["day"] for row in await office.rows("daily", since="9999-12-01")] == ["9999-12-30"]


async def test_reports_are_for_who_may_read_them(office: Office) -> None:
    wanted = {"kind": "basic", "scopes": ["statements/read", "profile", "events/write"]}
    made = await (await office.client.post("/manage/tenants/school/credentials", json=wanted, headers=OPERATOR)).json()
    office.headers = {"Authorization": basic(f"{made['key']}:{made['secret']}")}
    for report in REPORTS:
        assert (await office.ask(report))[0] == 403


@pytest.mark.parametrize("form", ["json", "csv", "ndjson"])
async def test_the_head_of_a_report_has_no_body(office: Office, form: str) -> None:
    await office.post(done())
    answer = await office.client.head("/reports/progress", params={"format": form}, headers=office.headers)
    assert (answer.status, await answer.read()) == (200, b"")


@pytest.mark.parametrize(("header", "kind"), [
    ("", tables.JSON), ("*/*", tables.JSON), ("text/html", tables.JSON), ("text/*", tables.CSV), ("text/csv;q=0.5, */*;q=0.1", tables.CSV),
    ("application/x-ndjson", tables.NDJSON), ("text/csv;q=0, application/*", tables.JSON), ("text/csv;q=high", tables.JSON),
])
def test_the_form_is_the_one_that_accept_likes_best(header: str, kind: str) -> None:
    assert tables.accepted(header) == kind
