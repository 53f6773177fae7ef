"""The law of queries: what the database finds is what the pure `matches` says of every statement there is."""

import itertools
import json
import os
import random
import uuid

import pytest
from builders import AUTHORITY, a_statement, a_void_of, learner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lrs.store.chains import inherited
from lrs.store.positions import position_of
from lrs.store.records import Prepared, to_record
from lrs.store.statements import Statements
from lrs.xapi.lookups import look_ups
from lrs.xapi.prepare import prepare
from lrs.xapi.query import matches, parse_query
from lrs.xapi.times import format_stored

# LRS_LAW_EXAMPLES is the long mode of the law; an example is a log and several queries of it.
EXAMPLES = int(os.environ.get("LRS_LAW_EXAMPLES", "60"))
BEGIN_US = 1_772_442_847_000_000
ACCOUNT = {"account": {"homePage": "https://school.example.org", "name": "ada"}}
AGENTS = [learner("ada"), learner("bob"), ACCOUNT, {"objectType": "Group", "member": [learner("ada"), ACCOUNT]}]
VERBS = [f"https://x.example/verbs/{name}" for name in "ab"]
ACTIVITIES = [f"https://x.example/activities/{name}" for name in "ab"]
REGISTRATIONS = [str(uuid.UUID(int=number, version=4)) for number in (1, 2)]

statements = st.builds(
    lambda actor, verb, target, registration, context: a_statement(
        actor=actor, verb={"id": verb}, object=target,
        context={**({"registration": registration} if registration else {}), **context},
    ),
    st.sampled_from(AGENTS), st.sampled_from(VERBS),
    st.one_of(
        st.sampled_from(ACTIVITIES).map(lambda iri: {"id": iri}),
        st.sampled_from([{"objectType": "Agent", **each} for each in AGENTS]),
    ),
    st.sampled_from([None, *REGISTRATIONS]),
    st.sampled_from([
        {}, {"instructor": learner("bob")}, {"contextActivities": {"parent": [{"id": ACTIVITIES[1]}]}},
        {"team": AGENTS[3], "contextActivities": {"grouping": [{"id": ACTIVITIES[0]}, {"id": ACTIVITIES[1]}]}},
    ]),
)
queries = st.fixed_dictionaries({}, optional={
    "agent": st.sampled_from([json.dumps(each) for each in AGENTS[:3]]),
    "verb": st.sampled_from(VERBS),
    "activity": st.sampled_from(ACTIVITIES),
    "registration": st.sampled_from([REGISTRATIONS[0], REGISTRATIONS[1].upper()]),
    "related_agents": st.sampled_from(["true", "false"]),
    "related_activities": st.sampled_from(["true", "false"]),
    "since": st.integers(-1, 8).map(lambda offset: format_stored(BEGIN_US + offset)),
    "until": st.integers(-1, 8).map(lambda offset: format_stored(BEGIN_US + offset)),
    "ascending": st.sampled_from(["true", "false"]),
})


async def fill(database, tenant, sent):
    """Put statements into the log a microsecond apart, some of them voided, each with what it inherits from what it refers to."""
    prepared = [
        Prepared(tenant, each, complete, look_ups(complete), [])
        for each in sent
        for complete in [prepare(each, authority=AUTHORITY, version="1.0.3", statement_id=each["id"], received=format_stored(BEGIN_US))]
    ]
    for number, each in enumerate(prepared):
        each.voided_at = 1 if number % 4 == 3 else None
        each.inherited, each.awaits = inherited(each, {mate.id: mate for mate in prepared}, {})
    if prepared:
        await database["records"].insert_many([to_record(each, position_of(BEGIN_US + number, 1)) for number, each in enumerate(prepared)])
    return prepared


def referring(sent, references):
    """The statements with ids, some of them with another (or itself) for an object: which one, None: as it is."""
    named = [{**each, "id": str(uuid.uuid4())} for each in sent]
    return [
        each if to is None else {**each, "object": {"objectType": "StatementRef", "id": named[to % len(named)]["id"]}}
        for each, to in zip(named, references, strict=False)
    ]


def targets(stored, by_id):
    """The look-ups of what a statement refers to, at any remove."""
    chain, at = [], by_id.get(stored.look_ups.refs)
    while at is not None and at is not stored and at.look_ups not in chain:
        chain.append(at.look_ups)
        at = by_id.get(at.look_ups.refs)
    return chain


@pytest.fixture(autouse=True)
def empty_tenants():
    return itertools.count(random.getrandbits(40))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sent=st.lists(statements, max_size=8), parameters=st.lists(queries, min_size=1, max_size=6),
    references=st.lists(st.none() | st.integers(0, 7), min_size=8, max_size=8),
)
async def test_find_is_filtering_all_by_matches(either_database, empty_tenants, sent, references, parameters):
    tenant = f"tenant{next(empty_tenants)}"
    prepared = await fill(either_database, tenant, referring(sent, references))
    by_id = {each.statement["id"]: each for each in prepared}
    for each in parameters:
        query = parse_query(each, "1.0.3")
        page = await Statements(either_database, 100).page(tenant, query)
        expected = [
            stored.statement["id"] for number, stored in enumerate(prepared)
            if matches(query, stored.look_ups, BEGIN_US + number, stored.voided_at is not None, targets(stored, by_id))
        ]
        assert [found["id"] for found in page.statements] == (expected if query.ascending else expected[::-1])


@pytest.mark.parametrize("ascending", ["true", "false"])
@pytest.mark.parametrize("parameters", [
    {}, {"verb": VERBS[0]}, {"agent": json.dumps(learner("ada"))}, {"activity": ACTIVITIES[0]}, {"registration": REGISTRATIONS[0]},
    {"agent": json.dumps(learner("ada")), "related_agents": "true"}, {"activity": ACTIVITIES[0], "related_activities": "true"},
    {"since": format_stored(BEGIN_US), "until": format_stored(BEGIN_US + 50)},
], ids=lambda each: ",".join(each) if isinstance(each, dict) else each)
async def test_every_filter_is_served_by_an_index_in_the_order_of_the_log(parts, database, parameters, ascending):
    await parts.post(*[
        a_statement(actor=learner(name), verb={"id": verb}, object={"id": activity}, context={"registration": registration})
        for name in ("ada", "bob") for verb in VERBS for activity in ACTIVITIES for registration in REGISTRATIONS
    ], a_void_of(str(uuid.uuid4())))
    query = parse_query({**parameters, "ascending": ascending}, "1.0.3")
    plan = await Statements(database, 100).explain("school", query)
    stages = json.dumps(plan["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in stages and "COLLSCAN" not in stages and '"SORT"' not in stages


FILTERS = {
    "verb": {"verb": VERBS[0]}, "agent": {"agent": json.dumps(learner("ada"))}, "activity": {"activity": ACTIVITIES[0]},
    "related agent": {"agent": json.dumps(learner("ada")), "related_agents": "true"},
    "related activity": {"activity": ACTIVITIES[0], "related_activities": "true"}, "registration": {"registration": REGISTRATIONS[0]},
}
COMBINATIONS = [
    parts for size in range(len(FILTERS) + 1) for parts in itertools.combinations(FILTERS, size)
    if not {"agent", "related agent"} <= set(parts) and not {"activity", "related activity"} <= set(parts)
]


@pytest.mark.parametrize("ascending", ["true", "false"])
async def test_no_combination_of_filters_reads_all_or_sorts_in_memory(parts, database, ascending):
    await parts.post(*[
        a_statement(actor=learner(name), verb={"id": verb}, object={"id": activity}, context={"registration": registration})
        for name in ("ada", "bob") for verb in VERBS for activity in ACTIVITIES for registration in REGISTRATIONS
    ])
    for names in COMBINATIONS:
        asked = {name: value for each in names for name, value in FILTERS[each].items()}
        plan = await Statements(database, 100).explain("school", parse_query({**asked, "ascending": ascending}, "1.0.3"))
        stages = json.dumps(plan["queryPlanner"]["winningPlan"])
        assert "IXSCAN" in stages and "COLLSCAN" not in stages and '"SORT"' not in stages, names


@pytest.mark.parametrize("ascending", ["true", "false"])
@pytest.mark.parametrize("names", [("agent", "verb"), ("activity", "verb"), ("agent", "activity"), ("agent", "activity", "verb")])
async def test_a_rare_pair_of_two_common_conditions_costs_no_more_than_its_page(parts, database, names, ascending):
    rare = a_statement(actor=learner("ada"), verb={"id": VERBS[0]}, object={"id": ACTIVITIES[0]})
    common = [
        a_statement(actor=learner("ada"), verb={"id": VERBS[1]}, object={"id": ACTIVITIES[1]}),
        a_statement(actor=learner("bob"), verb={"id": VERBS[0]}, object={"id": ACTIVITIES[1]}),
        a_statement(actor=learner("bob"), verb={"id": VERBS[1]}, object={"id": ACTIVITIES[0]}),
    ]
    await parts.post(*[{**each, "id": str(uuid.uuid4())} for each in (*common * 40, *[rare] * 4, *common * 40)])
    asked = {name: value for each in names for name, value in FILTERS[each].items()}
    plan = await Statements(database, 3).explain("school", parse_query({**asked, "ascending": ascending}, "1.0.3"))
    assert plan["executionStats"]["nReturned"] == 4
    assert plan["executionStats"]["totalKeysExamined"] <= 3 * 4


def taught(person, verb, activity, agent="related agent", target="related activity"):
    """A statement that has the person and the activity in these senses."""
    context = {"instructor": learner(person)} if agent == "related agent" else {}
    if target == "related activity":
        context["contextActivities"] = {"grouping": [{"id": activity}]}
    return a_statement(
        actor=learner("joe" if agent == "related agent" else person), verb={"id": verb}, context=context,
        object={"id": "https://x.example/activities/other" if target == "related activity" else activity},
    )


BROAD = [
    ("related activity", "verb"), ("agent", "related activity"), ("related agent", "activity"), ("agent", "related activity", "verb"),
]


@pytest.mark.parametrize("ascending", ["true", "false"])
@pytest.mark.parametrize("rare", [4, 0])
@pytest.mark.parametrize("names", BROAD, ids=" and ".join)
async def test_broad_conditions_that_hardly_or_never_meet_cost_no_more_than_their_page(parts, database, names, rare, ascending):
    senses = {"agent": next((each for each in names if "agent" in each), "related agent"),
              "target": next((each for each in names if "activity" in each), "related activity")}
    common = [
        taught("ada", VERBS[1], ACTIVITIES[1], **senses), taught("bob", VERBS[0], ACTIVITIES[1], **senses),
        taught("bob", VERBS[1], ACTIVITIES[0], **senses),
    ]
    seldom = taught("ada", VERBS[0], ACTIVITIES[0], **senses)
    await parts.post(*[{**each, "id": str(uuid.uuid4())} for each in (*common * 40, *[seldom] * rare, *common * 40)])
    asked = {name: value for each in names for name, value in FILTERS[each].items()}
    plan = await Statements(database, 3).explain("school", parse_query({**asked, "ascending": ascending}, "1.0.3"))
    assert plan["executionStats"]["nReturned"] == rare
    assert plan["executionStats"]["totalKeysExamined"] <= 3 * 4


async def found_by_all(statements, tenant):
    pages = [
        await statements.page(tenant, parse_query({name: value for each in names for name, value in FILTERS[each].items()}, "1.0.3"))
        for names in COMBINATIONS
    ]
    return [[each["id"] for each in page.statements] for page in pages]


async def test_records_without_couples_are_found_like_all_others_and_get_them_when_they_are_keyed_anew(parts, database):
    await parts.post(*[
        taught(name, verb, activity, agent, target) for name in ("ada", "bob") for verb in VERBS for activity in ACTIVITIES
        for agent in ("agent", "related agent") for target in ("activity", "related activity")
    ])
    records, everything = database["records"], await found_by_all(parts.statements, "school")
    coupled = [each async for each in records.find({}).sort("position")]
    assert all(each["couples"] for each in coupled) and any(everything)
    await records.update_many({"_id": {"$in": [each["_id"] for each in coupled[::2]]}}, {"$unset": {"couples": ""}})
    assert await found_by_all(parts.statements, "school") == everything
    await parts.rebuilder.build("school")
    assert [each async for each in records.find({}).sort("position")] == coupled
    assert await found_by_all(parts.statements, "school") == everything


async def test_a_crowd_with_much_context_has_no_couples_and_is_found_by_them(parts, database):
    crowd = a_statement(
        actor={"objectType": "Group", "member": [learner(name) for name in ("ada", *map(str, range(40)))]}, verb={"id": VERBS[0]},
        object={"id": ACTIVITIES[0]}, context={"contextActivities": {"other": [{"id": f"https://x.example/{each}"} for each in range(10)]}},
    )
    await parts.post(crowd, *[taught("bob", VERBS[1], ACTIVITIES[1]) for _ in range(3)])
    assert "couples" not in await database["records"].find_one({"_id": f"school/{crowd['id']}"})
    for names, found in zip(COMBINATIONS, await found_by_all(parts.statements, "school"), strict=True):
        assert (crowd["id"] in found) == ("registration" not in names), names


async def test_what_a_statement_inherits_is_found_in_pairs_too_whichever_came_first(parts):
    target = a_statement(actor=learner("ada"), verb={"id": VERBS[0]}, object={"id": ACTIVITIES[0]})
    refers = {"verb": {"id": VERBS[1]}, "object": {"objectType": "StatementRef", "id": target["id"]}}
    before, after = a_statement(actor=learner("bob"), **refers), a_statement(actor=learner("bob"), **refers)
    await parts.post(before)
    await parts.post(target)
    await parts.post(after)
    for verb, everybody in ((VERBS[0], (target, after, before)), (VERBS[1], (after, before))):
        query = parse_query({"agent": FILTERS["agent"]["agent"], "verb": verb}, "1.0.3")
        page = await parts.statements.page("school", query)
        assert sorted(each["id"] for each in page.statements) == sorted(each["id"] for each in everybody)
