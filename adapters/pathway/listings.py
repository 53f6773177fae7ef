"""Finding a pathway, and reading all that is known of it: standings in one read, documents about activities and people in one each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiohttp import web

from adapters.pathway.answers import Listing
from adapters.pathway.profiles import activities_in, activity_profile, pathway_profile, pathways_in, user_profile
from adapters.pathway.schema import NAMED, Pathway, PathwayActivity
from adapters.pathway.spelling import folded
from adapters.pathway.summaries import STANDING, Standing, place_of
from adapters.pathway.told import Told
from lrs.errors import NotFound
from lrs.http.keys import DOCUMENTS
from lrs.summaries import Summaries
from lrs.xapi.agents import identity
from lrs.xapi.build import account_actor
from lrs.xapi.documents import ACTIVITY_PROFILE, AGENT_PROFILE

Logs = dict[str, dict[str, Told]]


async def listing_of(request: web.Request, summaries: Summaries, tenant: str, settings: Mapping[str, Any], wanted: str) -> Listing:
    """The pathway with this ID, else of this name; of several, the one where something happened last. Raises NotFound."""
    documents, base, name = request.config_dict[DOCUMENTS], settings["base_iri"], folded(wanted)
    profiled = pathways_in((await documents.profiles(tenant, ACTIVITY_PROFILE, pathway_profile(base))).values())
    known = [each for each in profiled if name in (folded(each.id), folded(each.name))]
    activities = {each.key: await _profiled_activities(request, tenant, base, each) for each in known}
    places = [place_of("id", wanted), place_of("name", wanted), *(place_of("id", each.key) for each in known)]
    places += [place_of("activity", key) for each in activities.values() for key in each]
    found = summaries.each(tenant, STANDING, {"place": list(dict.fromkeys(places))})
    standings = [standing async for standing in found if standing.told is not None]
    pathway = chosen(wanted, profiled, standings)
    own = [each for each in standings if each.pathway == pathway.key]
    members = activities.get(pathway.key, {}) | activities_told(own, activities.get(pathway.key, {}))
    logs = latest(own, [each for each in standings if not each.pathway and each.activity in members])
    return Listing(pathway, members, logs, await _profiles(request, tenant, settings, logs))


async def _profiled_activities(request: web.Request, tenant: str, base: str, pathway: Pathway) -> dict[str, PathwayActivity]:
    profile = activity_profile(base, pathway.key)
    contents = await request.config_dict[DOCUMENTS].profiles(tenant, ACTIVITY_PROFILE, profile)
    return {each.key: each for each in activities_in(contents.values())}


async def _profiles(request: web.Request, tenant: str, settings: Mapping[str, Any], logs: Logs) -> dict[str, bytes]:
    """The document about each person in the logs, by user, where there is one."""
    told = {user: each for by_user in logs.values() for user, each in by_user.items()}
    accounts = {user: identity(account_actor(settings["home_page"], user)) or "" for user in told}
    owners = {*accounts.values(), *(each.agent for each in told.values())}
    contents = await request.config_dict[DOCUMENTS].profiles(tenant, AGENT_PROFILE, user_profile(settings["base_iri"]), owners)
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
    name = folded(wanted)
    found = [each for each in known.values() if each.id and folded(each.id) == name]
    found = found or [each for each in known.values() if folded(each.name) == name]
    if not found:
        raise NotFound("there is no pathway of this ID or name")
    exact = [each for each in found if each.id == wanted.strip()]
    # Of those without any log the one that was imported first; what has logs was active.
    return max(exact or found, key=lambda each: (each.key in last_us, last_us.get(each.key, 0)))


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
