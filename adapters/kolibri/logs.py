"""The calls that read: total progress, mastery logs, diff, attempt logs."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from marshmallow import ValidationError

from adapters.kolibri.answers import attempt_log, diff_answer, mastery_log, mastery_logs, total_progress
from adapters.kolibri.attempts import Attempt, Attempts
from adapters.kolibri.fields import hex_of
from adapters.kolibri.login import Asker, asker_of
from adapters.kolibri.mastery import as_coaches_left_it, is_coaches_quiz
from adapters.kolibri.queries import Window, attempt_log_query, mastery_log_query, page_of, paged, parameters, require, unknown
from adapters.kolibri.refusals import NoSuchIndex, json_answer, native
from adapters.kolibri.summaries import ATTEMPTS, CONTENT_SUMMARY, QUIZ, ContentSummary, MasteryLog, content_key
from lrs.errors import Forbidden, NotFound
from lrs.http.keys import SUMMARIES


@dataclass(frozen=True)
class Tries:
    """The tries of a user at a content that pass the filters of a request, latest end first."""

    asker: Asker
    logs: Sequence[MasteryLog]


@native("Total Content Progress Instance")
async def get_total(request: web.Request) -> web.StreamResponse:
    """How much somebody has completed; only for oneself, by the id just as it is."""
    asker = await asker_of(request)
    if asker.user is None or request.match_info["user_id"] != asker.user:
        raise Forbidden("only one's own")
    found = await request.config_dict[SUMMARIES].find(asker.tenant, CONTENT_SUMMARY, {"user": asker.user})
    summaries = await asyncio.gather(*(_as_left(request, asker.tenant, summary) for _, summary in found))
    return json_answer({"id": asker.user, "progress": total_progress(summaries)})


@native("Mastery Log List")
async def get_mastery_logs(request: web.Request) -> web.StreamResponse:
    """The tries of a user at a content."""
    tries = await _tries(request)
    return json_answer(paged(page_of(parameters(request)), [mastery_log(log) for log in tries.logs]))


@native("Mastery Log Instance")
async def get_mastery_log(request: web.Request) -> web.StreamResponse:
    """One try, which must be among those that the parameters select."""
    tries, log_id = await _tries(request), hex_of(request.match_info["log_id"])
    for log in tries.logs:
        if log.id == log_id:
            return json_answer(mastery_log(log))
    raise NotFound("no such mastery log")


@native("Mastery Log Instance")
async def get_diff(request: web.Request) -> web.StreamResponse:
    """One try beside the one before it, by its place in the list."""
    tries, index = await _tries(request), request.match_info["index"]
    at = int(index) if index.isascii() and index.isdecimal() and len(index) <= 18 else len(tries.logs)
    if at >= len(tries.logs):
        raise NoSuchIndex("Not found.")
    target, previous = tries.logs[at], tries.logs[at + 1] if at + 1 < len(tries.logs) else None
    attempts, earlier = await asyncio.gather(
        _attempts_of(request, tries.asker.tenant, target), _attempts_of(request, tries.asker.tenant, previous)
    )
    return json_answer(diff_answer(target, attempts, previous, earlier))


@native("Attempt Log List")
async def get_attempt_logs(request: web.Request) -> web.StreamResponse:
    """Attempts, filtered; nothing is required."""
    asker, given = await asker_of(request), parameters(request)
    query: Mapping[str, Any] = attempt_log_query().load(given)
    found = await _readable_attempts(request, asker, query)
    entries = Window(page_of(given))
    async for attempts in found:
        for attempt in attempts.entries:
            if _fits(attempt, query) and entries.takes_next():
                entries.add(attempt_log(attempt, attempts))
    return json_answer(entries.answer())


@native("Attempt Log Instance")
async def get_attempt_log(request: web.Request) -> web.StreamResponse:
    """One attempt, if it may be read."""
    asker, attempt_id = await asker_of(request), hex_of(request.match_info["attempt_id"])
    if asker.user is not None and attempt_id is not None:
        found = await request.config_dict[SUMMARIES].find(asker.tenant, ATTEMPTS, {"attempt": attempt_id})
        reach = asker.world.reach_of(asker.user)
        for _, attempts in found:
            attempt = attempts.by_id(attempt_id)
            if attempt is not None and reach.covers(attempts.user):
                return json_answer(attempt_log(attempt, attempts))
    raise NotFound("no such attempt log")


async def _tries(request: web.Request) -> Tries:
    """The tries that the parameters select and the asker may see."""
    asker, given = await asker_of(request), parameters(request)
    require(given, "content", "user")
    query: Mapping[str, Any] = mastery_log_query().load(given)
    _require_user(asker, query["user"])
    user = query["user"]
    if not asker.world.reach_of(asker.user).covers(user) or not _within_places(asker, query, user):
        return Tries(asker, [])
    summary = await request.config_dict[SUMMARIES].current(
        asker.tenant, CONTENT_SUMMARY, content_key(user, query["content"])
    )
    left = await _as_left(request, asker.tenant, summary)
    return Tries(asker, mastery_logs(left, complete=query.get("complete"), quiz=query.get("quiz")))


async def _readable_attempts(request: web.Request, asker: Asker, query: Mapping[str, Any]) -> AsyncIterator[Attempts]:
    """The groups of attempts that the parameters select and the asker may see, one after the other: to an administrator, all there are."""
    summaries, tenant, users = request.config_dict[SUMMARIES], asker.tenant, _users_wanted(asker, query)
    if "masterylog" in query:
        tried = await summaries.current(tenant, ATTEMPTS, query["masterylog"])
        if tried.masterylog is None:
            raise ValidationError({"masterylog": [unknown(query["masterylog"])]})
        found = _only(tried)
    elif users is not None and not users:
        found = _only()
    else:
        facets = {"user": sorted(users)} if users is not None else {}
        if "content" in query:
            facets["content"] = [query["content"]]
        found = summaries.each(tenant, ATTEMPTS, facets)
    return (
        attempts async for attempts in found
        if (users is None or (attempts.user or "-") in users)
        and ("content" not in query or (attempts.masterylog is not None and attempts.content == query["content"]))
        and ("mastery_level" not in query or attempts.level == query["mastery_level"])
    )


async def _only(*groups: Attempts) -> AsyncIterator[Attempts]:
    for each in groups:
        yield each


def _users_wanted(asker: Asker, query: Mapping[str, Any]) -> frozenset[str] | None:
    """Whose attempts to look for: of those in reach, those the parameters name. Visitors are "-"; None is everybody."""
    if "user" in query:
        _require_user(asker, query["user"])
    reach = asker.world.reach_of(asker.user)
    users = None if reach.users is None else reach.users | ({"-"} if reach.visitors else frozenset())
    wanted = asker.world.chosen(query)
    if "user" in query:
        wanted.append(frozenset({query["user"]}))
    for each in wanted:
        users = each if users is None else users & each
    return users


def _within_places(asker: Asker, query: Mapping[str, Any], user: str) -> bool:
    return all(user in users for users in asker.world.chosen(query))


def _require_user(asker: Asker, user: str) -> None:
    if asker.world.user(user) is None:
        raise ValidationError({"user": [unknown(user)]})


def _fits(attempt: Attempt, query: Mapping[str, Any]) -> bool:
    return query.get("complete") in (None, attempt.complete) and query.get("item", attempt.item) == attempt.item


async def _as_left(request: web.Request, tenant: str, summary: ContentSummary) -> ContentSummary:
    """A summary as coaches left it: what they did is looked up for their quizzes only."""
    if not any(is_coaches_quiz(log.criterion) for log in summary.logs):
        return summary
    return as_coaches_left_it(summary, await request.config_dict[SUMMARIES].current(tenant, QUIZ, summary.content))


async def _attempts_of(request: web.Request, tenant: str, log: MasteryLog | None) -> Attempts:
    if log is None or not log.attempts:
        return Attempts()
    return await request.config_dict[SUMMARIES].current(tenant, ATTEMPTS, log.id)
