"""Finding a pathway, and reading what is known of it: standings, and documents about activities and people.

Where learners are asked for by name or group, they are found first, and only their standings are read.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from adapters.pathway.answers import Listing
from adapters.pathway.people import Person, terms_for
from adapters.pathway.profiles import activities_in, activity_profile, learner_in, pathway_profile, pathways_in, user_profile
from adapters.pathway.queries import Query
from adapters.pathway.schema import NAMED, Pathway, PathwayActivity
from adapters.pathway.spelling import folded
from adapters.pathway.summaries import STANDING, Standing, key_of, place_of, who
from adapters.pathway.told import Told, latest_by_user, users_by
from lrs.errors import NotFound
from lrs.http.keys import DOCUMENTS
from lrs.summaries import Summaries
from lrs.xapi.agents import identity
from lrs.xapi.build import account_actor
from lrs.xapi.documents import ACTIVITY_PROFILE, AGENT_PROFILE, Resource

Logs = dict[str, dict[str, Told]]

# Standings that are read at a time.
CHUNK = 1_000


@dataclass(frozen=True)
class Source:
    """Where a tenant's answer is read from."""

    request: web.Request
    summaries: Summaries
    tenant: str
    settings: Mapping[str, Any]

    async def profiles(
        self, resource: Resource, profile_id: str, owners: Iterable[str] | None = None, *, having: Sequence[Collection[str]] = (),
    ) -> dict[str, bytes]:
        """What documents of one profile hold, by whom or what they are about."""
        return await self.request.config_dict[DOCUMENTS].profiles(self.tenant, resource, profile_id, owners, having=having)


@dataclass(frozen=True)
class Documented:
    """What documents tell: all pathways, and the activities, by key, of those that may be meant, by theirs."""

    pathways: Sequence[Pathway]
    activities: Mapping[str, Mapping[str, PathwayActivity]]


async def listing_of(source: Source, query: Query) -> Listing:
    """The pathway with the ID of a query, else of its name; of several, the one where something happened last. Raises NotFound.

    Of the logs, all that fit the query's users and groups, and maybe more.
    """
    known = await _documented(source, query.pathway)
    keys = await _keys_of_some(source, query, known)
    standings = await (_all(source, query.pathway, known) if keys is None else _read(source, keys))
    pathway = chosen(query.pathway, known.pathways, standings)
    own = [each for each in standings if each.pathway == pathway.key]
    documented = known.activities.get(pathway.key, {})
    members = {**documented, **activities_told(own, documented)}
    logs = latest(own, [each for each in standings if not each.pathway and each.activity in members])
    return Listing(pathway, members, logs, await _profiles(source, logs))


async def _documented(source: Source, wanted: str) -> Documented:
    base, name = source.settings["base_iri"], folded(wanted)
    contents = await source.profiles(ACTIVITY_PROFILE, pathway_profile(base))
    pathways, activities = pathways_in(contents.values()), {}
    for key in {each.key: each for each in pathways if name in (folded(each.id), folded(each.name))}:
        contents = await source.profiles(ACTIVITY_PROFILE, activity_profile(base, key))
        activities[key] = {each.key: each for each in activities_in(contents.values())}
    return Documented(pathways, activities)


def _pathway_places(wanted: str, known: Documented) -> list[str]:
    return list(dict.fromkeys([place_of("id", wanted), place_of("name", wanted), *(place_of("id", key) for key in known.activities)]))


def _activity_places(activities: Iterable[str]) -> list[str]:
    return [place_of("activity", key) for key in activities]


async def _all(source: Source, wanted: str, known: Documented) -> list[Standing]:
    """All standings that may belong to the pathway that is wanted."""
    alone = dict.fromkeys(key for activities in known.activities.values() for key in activities)
    places = [*_pathway_places(wanted, known), *_activity_places(alone)]
    found = source.summaries.each(source.tenant, STANDING, {"place": places})
    return [standing async for standing in found if standing.told is not None]


async def _keys_of_some(source: Source, query: Query, known: Documented) -> list[str] | None:
    """The keys of the standings of those who fit a query, and maybe of others.

    None: all are to be read, as all are asked for, or most, or as documents do not tell all of the pathway.
    """
    if not query.is_of_some:
        return None
    lines = await source.summaries.rows(
        source.tenant, STANDING, _pathway_places(query.pathway, known), by=("pathway", "activity"), sums=("standings",)
    )
    meant = matching(query.pathway, known.pathways)
    if len(meant) != 1 or not {line.group[0] for line in lines} <= {each.key for each in known.pathways}:
        return None
    key, activities = meant[0].key, known.activities[meant[0].key]
    counts = {line.group[1]: line.sums["standings"] for line in lines if line.group[0] == key}
    if not counts.keys() <= activities.keys():
        return None
    users = await _users(source, query, [place_of("id", key), *_activity_places(activities)])
    keys = [key_of(pathway, activity, user) for user in sorted(users) for activity in activities for pathway in (key, "")]
    return keys if len(keys) <= max(CHUNK, sum(counts.values())) else None


async def _users(source: Source, query: Query, places: Sequence[str]) -> set[str]:
    """Those who fit a query, by what documents tell of them or by what the statements of these places call them; and maybe others."""
    terms, profile = terms_for(query), user_profile(source.settings["base_iri"])
    contents = await source.profiles(AGENT_PROFILE, profile, having=terms)
    users = set[str]()
    for owner, content in contents.items():
        learner = learner_in(content)
        if learner is not None and Person.of(learner).fits(query):
            users |= users_by(owner)
    if query.groups is None:  # statements tell of none that people are in now
        named = [who(place, term) for place in places for term in terms[0]]
        found = source.summaries.each(source.tenant, STANDING, {"who": named})
        users |= {standing.told.user async for standing in found if standing.told is not None}
    return users


async def _read(source: Source, keys: Sequence[str]) -> list[Standing]:
    """The standings with these keys, in the order of their keys, as all of them come."""
    found: dict[str, Standing] = {}
    for start in range(0, len(keys), CHUNK):
        found |= await source.summaries.saved(source.tenant, STANDING, keys[start:start + CHUNK])
    return [found[key] for key in sorted(found) if found[key].told is not None]


async def _profiles(source: Source, logs: Logs) -> dict[str, bytes]:
    """The document about each person in the logs, by user, where there is one."""
    told = latest_by_user(logs)
    accounts = {user: identity(account_actor(source.settings["home_page"], user)) or "" for user in told}
    owners = {*accounts.values(), *(each.agent for each in told.values())}
    contents = await source.profiles(AGENT_PROFILE, user_profile(source.settings["base_iri"]), owners)
    found = {user: contents.get(accounts[user]) or contents.get(each.agent) for user, each in told.items()}
    return {user: content for user, content in found.items() if content is not None}


def chosen(wanted: str, profiled: Sequence[Pathway], standings: Iterable[Standing]) -> Pathway:
    """The pathway that is meant, among those that documents and statements name. Raises NotFound."""
    last_us: dict[str, int] = {}
    known = {each.key: each for each in profiled}
    for each in standings:
        if each.pathway and each.told is not None:
            last_us[each.pathway] = max(each.told.at_us, last_us.get(each.pathway, each.told.at_us))
            known.setdefault(each.pathway, _pathway_told(each))
    found = matching(wanted, known.values())
    if not found:
        raise NotFound("there is no pathway of this ID or name")
    # Of those without any log the one that was imported first; what has logs was active.
    return max(found, key=lambda each: (each.key in last_us, last_us.get(each.key, 0)))


def matching(wanted: str, known: Iterable[Pathway]) -> list[Pathway]:
    """Those with the ID that is wanted, as it is written or else in another case; else those of the name."""
    pathways, name = list(known), folded(wanted)
    found = [each for each in pathways if each.id and folded(each.id) == name]
    found = found or [each for each in pathways if folded(each.name) == name]
    return [each for each in found if each.id == wanted.strip()] or found


def _pathway_told(standing: Standing) -> Pathway:
    named = standing.pathway.startswith(NAMED)
    return Pathway("" if named else standing.pathway, standing.pathway_name, "pathway")


def activities_told(standings: Iterable[Standing], known: Mapping[str, PathwayActivity]) -> dict[str, PathwayActivity]:
    """The activities that only statements tell of, as they were first seen."""
    unknown = sorted((each for each in standings if each.activity not in known), key=lambda each: each.first_stored)
    told: dict[str, tuple[int, PathwayActivity]] = {}
    for each in unknown:
        if each.told is not None and (each.activity not in told or told[each.activity][0] < each.told.at_us):
            about, key = each.told.about, each.activity
            id_, name = ("", about.name or key.removeprefix(NAMED)) if key.startswith(NAMED) else (key, about.name)
            told[key] = each.told.at_us, PathwayActivity(id_, name, about.type, about.fulfilment_type, about.required, about.level)
    return {key: activity for key, (_, activity) in told.items()}


def latest(own: Iterable[Standing], elsewhere: Iterable[Standing]) -> Logs:
    """The latest snapshot of each learner on each activity, also by statements that name no pathway at all."""
    logs: Logs = {}
    for each in (*own, *elsewhere):
        if each.told is not None:
            by_user = logs.setdefault(each.activity, {})
            known = by_user.get(each.told.user)
            if known is None or known.rank < each.told.rank:
                by_user[each.told.user] = each.told
    return logs
