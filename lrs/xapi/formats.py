"""The three forms statements are returned in. xAPI 1.0.3, Communication 2.1.3, "format"."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from lrs.xapi.types import Definition, Statement

IDENTIFIERS = ("objectType", "mbox", "mbox_sha1sum", "openid", "account")
COMPONENTS = ("choices", "scale", "source", "target", "steps")
Rewrite = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def formatted(
    statement: Statement,
    format: str,
    languages: Sequence[str] = (),
    definitions: Mapping[str, Definition] | None = None,
) -> Statement:
    """The statement as "exact" (itself), "ids" (only what identifies each part) or "canonical"; it is never changed.

    "canonical" keeps one language in every map of verbs and activities: the first of `languages` (best first, as
    `accepted_languages` gives them) that the map has. `definitions` holds canonical definitions by activity id; an
    activity that is not in it keeps its own.
    """
    if format == "exact":
        return statement
    if format == "ids":
        return cast(Statement, _rewritten(statement, verb=_id_only, activity=_id_only, agent=_identified))

    def verb(verb: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: one_language(part, languages) if name == "display" else part for name, part in verb.items()}

    def activity(activity: Mapping[str, Any]) -> Mapping[str, Any]:
        definition = (definitions or {}).get(activity["id"], activity.get("definition"))
        return activity if definition is None else {**activity, "definition": _one_language_each(definition, languages)}

    return cast(Statement, _rewritten(statement, verb=verb, activity=activity, agent=lambda agent: agent))


def one_language(texts: Mapping[str, str], languages: Sequence[str]) -> Mapping[str, str]:
    """The one entry of a language map that fits best; its first where none fits.

    A range takes every tag it is a prefix of ("en" takes "en-US", RFC 2616, 14.4); where no range takes any, ranges are
    cut down ("de-AT" to "de", RFC 4647, 3.4).
    """
    if len(texts) < 2:
        return texts
    tags = {tag.lower(): tag for tag in texts}
    wanted = [language.lower() for language in languages]
    for language in wanted + [_cut(language) for language in wanted]:
        for lower, tag in tags.items():
            if language == "*" or lower == language or lower.startswith(f"{language}-"):
                return {tag: texts[tag]}
    first = next(iter(texts))
    return {first: texts[first]}


def accepted_languages(header: str) -> list[str]:
    """The language ranges of an Accept-Language header, best first, without those with q=0 or broken."""
    weighted: list[tuple[float, str]] = []
    for item in header.split(","):
        language, _, parameter = item.partition(";")
        quality = parameter.partition("=")[2].strip() or "1"
        if language.strip() and quality.replace(".", "", 1).isdecimal() and float(quality) > 0:
            weighted.append((float(quality), language.strip()))
    return [language for _, language in sorted(weighted, key=lambda item: -item[0])]


def _cut(language: str) -> str:
    return language.partition("-")[0]


def _one_language_each(definition: Mapping[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    rewritten = dict(definition)
    for name in ("name", "description"):
        if name in definition:
            rewritten[name] = one_language(definition[name], languages)
    for name in COMPONENTS:
        if name in definition:
            rewritten[name] = [
                {**each, "description": one_language(each["description"], languages)} if "description" in each else each
                for each in definition[name]
            ]
    return rewritten


def _rewritten(statement: Mapping[str, Any], *, verb: Rewrite, activity: Rewrite, agent: Rewrite) -> dict[str, Any]:
    """A new statement (or SubStatement) in which every verb, activity and agent is replaced."""
    rewritten = dict(statement)
    for name in ("actor", "authority"):
        if name in statement:
            rewritten[name] = agent(statement[name])
    rewritten["verb"] = verb(statement["verb"])
    target = statement["object"]
    kind = target.get("objectType", "Activity")
    if kind == "SubStatement":
        rewritten["object"] = _rewritten(target, verb=verb, activity=activity, agent=agent)
    elif kind != "StatementRef":
        rewritten["object"] = activity(target) if kind == "Activity" else agent(target)
    if "context" in statement:
        rewritten["context"] = _context(statement["context"], activity, agent)
    return rewritten


def _context(context: Mapping[str, Any], activity: Rewrite, agent: Rewrite) -> dict[str, Any]:
    rewritten = dict(context)
    for name in ("instructor", "team"):
        if name in context:
            rewritten[name] = agent(context[name])
    for name, role in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in context:
            rewritten[name] = [{**entry, role: agent(entry[role])} for entry in context[name]]
    if "contextActivities" in context:
        rewritten["contextActivities"] = {
            name: [activity(each) for each in group] for name, group in context["contextActivities"].items()
        }
    return rewritten


def _id_only(part: Mapping[str, Any]) -> dict[str, Any]:
    """The minimum that identifies a verb or an activity: an object without objectType is an activity."""
    return {"id": part["id"]}


def _identified(agent: Mapping[str, Any]) -> dict[str, Any]:
    """What identifies an agent or group; for an anonymous group, what identifies each member."""
    kept = {name: agent[name] for name in IDENTIFIERS if name in agent}
    if kept.keys() <= {"objectType"} and "member" in agent:
        kept["member"] = [_identified(member) for member in agent["member"]]
    return kept
