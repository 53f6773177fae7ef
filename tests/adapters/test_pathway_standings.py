"""Where learners stand, as a fold: the latest by the time of the statement, whatever came first."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathway_documents import BASE, NOON, a_log, a_pathway, a_response, a_status, an_activity, completed, of, statements_of

from adapters.pathway.summaries import STANDING, place_of, standing_keys
from adapters.pathway.told import ASSIGNED, BEGUN, COMPLETED, PROGRESSED
from lrs.materialize import fold
from lrs.xapi import vocabulary
from lrs.xapi.json_text import Verbatim

MORNING, EVENING = "2026-01-10T08:00:00Z", "2026-01-10T20:00:00Z"
ACTIVITY = f"{BASE}/activities/pathway/activities/S1"
PATHWAY = {"id": f"{BASE}/activities/pathway/pathways/P1"}


def standings(statements):
    """Every summary of these statements, by key."""
    by_key = {}
    for number, statement in enumerate(statements):
        statement = {**statement, "stored": f"2026-02-01T00:00:00.{number:06}Z"}
        for key in standing_keys(statement):
            by_key.setdefault(key, []).append(STANDING.part(statement, key))
    return {key: fold(STANDING, parts) for key, parts in by_key.items()}


def standing(*logs):
    [one] = standings(statements_of(of(*logs))).values()
    return one


def a_statement(verb, number=0, *, actor=None, object=ACTIVITY, parent=(PATHWAY,), at=NOON, **more):
    """What another system says."""
    return {
        "id": f"00000000-0000-4000-8000-{number:012}", "actor": actor or {"mbox": "mailto:Ada@Example.com"}, "verb": {"id": verb},
        "object": {"id": object}, "timestamp": at, "context": {"contextActivities": {"parent": list(parent)}}, **more,
    }


SNAPSHOTS = [
    completed(at=MORNING), completed(at=EVENING), a_log(progress=40, at=MORNING), a_log(progress=60, at=NOON),
    a_log(progress=10, at=EVENING), a_log(progress=0, at=EVENING, status=a_status(0, EVENING, state="not started")),
]


def test_the_order_of_arrival_changes_nothing():
    wanted = standing(*SNAPSHOTS)
    for order in itertools.permutations(SNAPSHOTS):
        got = standing(*order)
        assert (got.told, got.first_completed_us, got.snapshots) == (wanted.told, wanted.first_completed_us, wanted.snapshots)


def test_the_latest_by_time_counts_and_progress_may_fall():
    assert standing(a_log(progress=60, at=EVENING), a_log(progress=90, at=NOON)).told.progress == 60
    assert standing(a_log(progress=60, at=NOON), a_log(progress=40, at=EVENING)).told.progress == 40


def test_at_one_time_completed_beats_progressed_beats_assigned_and_then_the_higher_progress():
    assigned, lower, higher = a_log(status=a_status(90, state="not started")), a_log(progress=20), a_log(progress=30)
    done = a_log(status={"complete": True, "progress": 1, "timestamp": NOON})
    cases = ([assigned, lower], (PROGRESSED, 20)), ([lower, assigned, higher], (PROGRESSED, 30)), ([done, higher], (COMPLETED, 1))
    for rows, told in cases:
        for order in itertools.permutations(rows):
            latest = standing(*order).told
            assert (latest.state, latest.progress) == told


def test_a_restart_is_shown_and_the_first_completion_remembered():
    one = standing(completed(at=NOON), completed(at=MORNING), a_log(progress=5, at=EVENING))
    assert one.told.state == PROGRESSED
    assert one.ever_completed and one.snapshots == 3
    assert one.first_completed_us == standing(completed(at=MORNING)).told.at_us
    assert not standing(a_log()).ever_completed


def test_learners_activities_and_pathways_have_summaries_of_their_own():
    both = an_activity(a_log("a@x"), a_log("B@x"), a_log(" b@X ")), an_activity(a_log("a@x"), id="S2")
    found = standings(statements_of(a_response(a_pathway(*both), a_pathway(*both, id="P2"))))
    assert len(found) == 6
    assert {(each.pathway, each.activity, each.told.user) for each in found.values()} == {
        (pathway, activity, user) for pathway in ("P1", "P2") for activity, user in (("S1", "a@x"), ("S1", "b@x"), ("S2", "a@x"))
    }


def test_a_standing_is_listed_by_id_and_by_name_of_its_pathway_in_whatever_case():
    facets = STANDING.facets(standing(a_log()))
    assert set(facets["place"]) == {place_of("id", "p1"), place_of("name", "PATHWAY  p1")}


def test_what_is_kept_for_one_learner_does_not_grow_with_the_number_of_snapshots():
    many = standing(*(a_log(progress=number % 100, at=f"2026-01-10T10:{number // 60:02}:{number % 60:02}Z") for number in range(500)))
    assert many.snapshots == 500
    assert len(STANDING.encode(many)) < 2 * len(STANDING.encode(standing(a_log())))


@given(st.lists(st.sampled_from(SNAPSHOTS), min_size=1), st.integers(0, 7))
def test_going_on_from_a_saved_summary_is_a_recount(rows, cut):
    statements = statements_of(of(*rows))
    key = next(iter(standing_keys(statements[0])))
    parts = [STANDING.part(each, key) for each in statements]
    saved = STANDING.decode(STANDING.encode(fold(STANDING, parts[:cut])))
    assert fold(STANDING, parts[cut:], saved) == fold(STANDING, parts)


@pytest.mark.parametrize(("verb", "result", "state", "progress"), [
    (vocabulary.COMPLETED, None, COMPLETED, 100),
    (vocabulary.PASSED, {"score": {"scaled": 0.8}}, COMPLETED, 100),
    (vocabulary.COMPLETED, {"completion": False}, PROGRESSED, 0),
    (vocabulary.ANSWERED, {"completion": True}, COMPLETED, 100),
    (vocabulary.ASSIGNED, None, ASSIGNED, 0),
    (vocabulary.PROGRESSED, {"extensions": {vocabulary.CMI5_PROGRESS: 30}}, PROGRESSED, 30),
    (vocabulary.PAUSED, {"extensions": {vocabulary.VIDEO_PROGRESS: 0.25}}, PROGRESSED, 25),
    (vocabulary.PROGRESSED, {"extensions": {f"{BASE}/extensions/progress": 12.5}}, PROGRESSED, 12.5),
    (vocabulary.PROGRESSED, {"extensions": {vocabulary.CMI5_PROGRESS: 130}}, PROGRESSED, 0),
    (vocabulary.PROGRESSED, {"extensions": {vocabulary.CMI5_PROGRESS: "30"}}, PROGRESSED, 0),
    (vocabulary.EXPERIENCED, None, BEGUN, 0),
])
def test_what_other_systems_say_tells_how_far_somebody_is(verb, result, state, progress):
    statement = a_statement(verb, **({"result": result} if result else {}))
    [one] = standings([statement]).values()
    assert (one.told.state, one.told.progress, one.told.user, one.told.source) == (state, progress, "ada@example.com", NOON)
    assert one.told.fulfilment is None


@pytest.mark.parametrize("statement", [
    a_statement(vocabulary.COMMENTED), a_statement(vocabulary.COMPLETED, object="https://example.org/a"),
    a_statement(vocabulary.COMPLETED, object=f"{BASE}/activities/pathway/activities/S1/part"),
    a_statement(vocabulary.COMPLETED, object=PATHWAY["id"]),
    a_statement(vocabulary.VOIDED) | {"object": {"objectType": "StatementRef", "id": "x"}},
    a_statement(vocabulary.COMPLETED) | {"object": {"objectType": "Agent", "mbox": "mailto:a@x"}},
    a_statement(vocabulary.COMPLETED, actor={"objectType": "Group", "member": [{"mbox": "mailto:a@x"}]}),
])
def test_what_says_nothing_of_a_learner_on_an_activity_has_no_summary(statement):
    assert list(standing_keys(statement)) == []


def test_a_beginning_counts_only_where_nothing_else_is_known():
    own = statements_of(of(completed(at=MORNING)))
    later = a_statement(vocabulary.INITIALIZED, at=EVENING)
    [one] = standings([*own, later]).values()
    assert one.told.state == COMPLETED
    [other] = standings([later, a_statement(vocabulary.ASSIGNED, 1, at=MORNING)]).values()
    assert other.told.state == ASSIGNED


@pytest.mark.parametrize(("actor", "user"), [
    ({"mbox": "mailto:ADA@example.com"}, "ada@example.com"),
    ({"account": {"homePage": "https://other.example", "name": "Ada@Example.com"}}, "ada@example.com"),
    ({"account": {"homePage": "https://other.example", "name": "17"}}, "https://other.example|17"),
    ({"openid": "https://ada.example"}, "openid:https://ada.example"),
    ({"mbox_sha1sum": "AB" * 20}, "sha1sum:" + "ab" * 20),
])
def test_a_learner_is_known_by_the_address_however_an_actor_has_it(actor, user):
    [one] = standings([a_statement(vocabulary.COMPLETED, actor=actor)]).values()
    assert one.told.user == user


def test_a_statement_may_name_several_pathways_or_none():
    several = a_statement(vocabulary.COMPLETED, parent=[PATHWAY, {"id": f"{BASE}/activities/pathway/pathways/P2"}])
    assert {each.pathway for each in standings([several]).values()} == {"P1", "P2"}
    [loose] = standings([a_statement(vocabulary.COMPLETED, parent=[])]).values()
    assert loose.pathway == "" and set(STANDING.facets(loose)["place"]) == {place_of("activity", "S1")}
    alone = a_statement(vocabulary.COMPLETED) | {"context": {"contextActivities": {"grouping": PATHWAY}}}
    assert {each.pathway for each in standings([alone]).values()} == {"P1"}


@pytest.mark.parametrize("iri", [
    "https://x/activities/pathway/activities/", "https://x/activities/pathway/activities/a/b", "https://x/activities/pathway/activities/a?b",
    "https://x/activities/pathway/activities/a#b", "/activities/pathway/activities/a", "https://x/activities/pathways/activities/a",
])
def test_iris_that_only_look_alike_name_no_activity(iri):
    assert list(standing_keys(a_statement(vocabulary.COMPLETED, object=iri))) == []


@given(st.integers(0, 100) | st.floats(0, 100))
def test_progress_is_kept_to_the_last_digit(progress):
    assert standing(a_log(progress=progress)).told.progress == progress


@pytest.mark.parametrize("digits", ["45.123456789012345678901234567890", "0.1000000000000000055511151231257827"])
def test_a_progress_of_more_digits_than_a_double_has_is_the_nearest_double(digits):
    [statement] = statements_of(of(a_log(progress=Verbatim(digits))))
    [one] = standings([statement]).values()
    assert type(one.told.progress) is float and one.told.progress == float(digits)
    assert STANDING.decode(STANDING.encode(one)) == one
